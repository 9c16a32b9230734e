//! A master in this process on loopback, a minion made of the protocol crate, and a command line likewise.
//!
//! Each test binary uses a part of it.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use brine_core::Opts;
use brine_master::config::Config;
use brine_master::daemon::Running;
use brine_net::ipc::EventSubscriber;
use brine_net::{
    Endpoint, ReqClient, ReqError, ReqOptions, RequestClient, SubClient, SubEvent, SubOptions,
    SubscribeClient,
};
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Credentials, Outcome};
use brine_protocol::channel::{MinionChannel, ReplyError};
use brine_protocol::crypt::{EncAlgo, Nonce, PrivateKey, SigAlgo};
use brine_protocol::envelope::Envelope;
use brine_protocol::ids::MinionId;
use brine_protocol::message::events::Event;
use brine_protocol::message::publish::PublishReceiver;
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_protocol::{Map, Value, map};

/// Long enough for a loaded machine, short enough to see a hang.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Keys are slow to make: a few serve all tests of a binary.
pub fn key(n: usize) -> &'static PrivateKey {
    static KEYS: [OnceLock<PrivateKey>; 4] = [const { OnceLock::new() }; 4];
    KEYS[n].get_or_init(|| PrivateKey::generate(2048).unwrap())
}

pub struct TestMaster {
    pub running: Option<Running>,
    pub tmp: tempfile::TempDir,
}

impl TestMaster {
    pub async fn start(options: Map) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        Self::start_in(tmp, options).await
    }

    pub async fn start_in(tmp: tempfile::TempDir, options: Map) -> Self {
        let root = tmp.path().to_str().unwrap().to_owned();
        let pki = tmp.path().join("pki");
        for state in ["minions", "minions_pre", "minions_rejected", "minions_denied", "minions_autosign"] {
            std::fs::create_dir_all(pki.join(state)).unwrap();
        }
        for dir in ["cache", "s"] {
            std::fs::create_dir_all(tmp.path().join(dir)).unwrap();
        }
        if !pki.join("master.pem").exists() {
            std::fs::write(pki.join("master.pem"), key(3).to_pem().unwrap().as_bytes()).unwrap();
        }
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
        let mut opts = map! {
            "id" => "test_master", "user" => user, "interface" => "127.0.0.1", "publish_port" => 0, "ret_port" => 0,
            "pki_dir" => format!("{root}/pki"), "cachedir" => format!("{root}/cache"),
            "sock_dir" => format!("{root}/s"), "pidfile" => format!("{root}/pid"), "loop_interval" => 1,
        };
        opts.update(options);
        let config = Config::from_opts(Opts::new(opts)).unwrap();
        Self { running: Some(Running::start(config).unwrap()), tmp }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.tmp.path().join(name)
    }

    pub fn accept(&self, id: &str) {
        std::fs::rename(self.path("pki/minions_pre").join(id), self.path("pki/minions").join(id)).unwrap();
    }

    /// Puts a key in place as an operator would.
    pub fn install(&self, id: &str, key: &PrivateKey) {
        std::fs::write(self.path("pki/minions").join(id), key.public().to_pem().unwrap()).unwrap();
    }

    pub async fn events(&self) -> Bus {
        let mut bus = Bus(EventSubscriber::connect(&self.path("s/master_event_pub.ipc")).await.unwrap());
        // The bus takes a new reader on a moment after it has connected; what is fired before passes it by.
        tokio::time::timeout(PATIENCE, async {
            loop {
                self.running().master.events.fire(READY, Map::new());
                if tokio::time::timeout(Duration::from_millis(20), bus.0.recv()).await.is_ok() {
                    break;
                }
            }
        })
        .await
        .unwrap();
        bus
    }

    pub fn cli(&self) -> Cli {
        Cli { req: client(self.running().request_addr), key: self.user_key("root") }
    }

    pub fn user_key(&self, user: &str) -> String {
        std::fs::read_to_string(self.path(&format!("cache/.{user}_key"))).unwrap_or_default()
    }

    pub fn minion(&self, id: &str, key: &'static PrivateKey) -> Minion {
        Minion::new(self, id, key)
    }

    /// A minion with an accepted key that has authenticated.
    pub async fn accepted(&self, id: &str, key: &'static PrivateKey) -> Minion {
        self.install(id, key);
        let mut minion = self.minion(id, key);
        assert!(matches!(minion.auth().await, Auth::In));
        minion
    }

    pub async fn stop(mut self) -> tempfile::TempDir {
        self.running.take().unwrap().stop().await;
        self.tmp
    }
}

pub fn client(addr: SocketAddr) -> ReqClient {
    ReqClient::new(Endpoint::new(addr.ip().to_string(), addr.port()), ReqOptions::default())
}

pub struct Bus(EventSubscriber);

/// Fired until a new reader hears it, and not shown to tests.
const READY: &str = "test/ready";

impl Bus {
    /// The next event whose tag begins so.
    pub async fn next(&mut self, tag: &str) -> Event {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let event = Event::from_body(&self.0.recv().await.unwrap().unwrap()).unwrap();
                if event.tag.starts_with(tag) && event.tag != READY {
                    return event;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no event {tag}"))
    }
}

pub struct Cli {
    pub req: ReqClient,
    pub key: String,
}

impl Cli {
    pub async fn clear(&self, load: Map) -> Value {
        let body = encode_map(&Envelope::clear(load), Dialect::Old);
        decode(&self.req.request(body.into(), PATIENCE).await.unwrap()).unwrap()
    }

    pub async fn publish(&self, change: Map) -> Value {
        let mut load = map! {
            "cmd" => "publish", "fun" => "test.ping", "arg" => Value::List(vec![]), "tgt" => "*",
            "tgt_type" => "glob", "ret" => "", "jid" => "", "user" => "root", "key" => self.key.as_str(),
            "kwargs" => map! {"delimiter" => ":"},
        };
        load.update(change);
        self.clear(load).await
    }
}

#[derive(Debug, PartialEq)]
pub enum Auth {
    In,
    Pending,
    Rejected,
    Full,
    /// No reply at all.
    Silence,
    Other(String),
}

pub struct Minion {
    pub id: MinionId,
    pub key: &'static PrivateKey,
    pub req: ReqClient,
    pub sub: Option<SubClient>,
    pub master_pem: Option<String>,
    pub keys: Option<Credentials>,
    pub options: AuthOptions,
    pub receiver: Option<PublishReceiver>,
    pub publish: SocketAddr,
    pub channel: OnceLock<MinionChannel>,
}

impl Minion {
    fn new(master: &TestMaster, id: &str, key: &'static PrivateKey) -> Self {
        let id = MinionId::parse(id).unwrap();
        Self {
            options: AuthOptions::new(id.clone()),
            id,
            key,
            req: client(master.running().request_addr),
            sub: None,
            master_pem: None,
            keys: None,
            receiver: None,
            channel: OnceLock::new(),
            publish: master.running().publish_addr,
        }
    }

    pub async fn auth(&mut self) -> Auth {
        let attempt = AuthAttempt::new(&self.options, self.key, self.master_pem.as_deref(), None).unwrap();
        let body = encode_map(&attempt.request(), Dialect::Old);
        let reply = match self.req.request(body.into(), PATIENCE).await {
            Ok(reply) => decode(&reply).unwrap(),
            Err(ReqError::Disconnected(_)) => return Auth::Silence,
            Err(e) => panic!("{e}"),
        };
        match attempt.finish(&reply) {
            Outcome::Accepted(keys) => {
                self.master_pem = Some(keys.master_pem.clone());
                self.receiver = Some(PublishReceiver::new(keys.aes.clone(), keys.master.clone(), true));
                self.keys = Some(*keys);
                self.channel = OnceLock::new();
                Auth::In
            }
            Outcome::Pending => Auth::Pending,
            Outcome::Rejected { .. } => Auth::Rejected,
            Outcome::Full => Auth::Full,
            other => Auth::Other(format!("{other:?}")),
        }
    }

    /// The channel of the session, made once: its token costs a private RSA operation.
    pub fn channel(&self) -> &MinionChannel {
        self.channel.get_or_init(|| {
            let session = self.keys.as_ref().unwrap().session.clone();
            let (enc, sig) = (EncAlgo::default(), SigAlgo::default());
            MinionChannel::new(self.id.clone(), session, self.key, enc, sig).unwrap()
        })
    }

    /// Sends an envelope as it is; the reply as it is.
    pub async fn raw(&self, envelope: &Map) -> Result<Value, ReqError> {
        let body = encode_map(envelope, Dialect::Old);
        self.req.request(body.into(), PATIENCE).await.map(|b| decode(&b).unwrap())
    }

    pub fn wrap(&self, load: Map) -> (Map, Nonce) {
        self.channel().request(load, now(), None).unwrap()
    }

    pub async fn try_request(&self, load: Map) -> Result<Value, ReplyError> {
        let (body, nonce) = self.wrap(load);
        self.channel().open(&self.raw(&body).await.unwrap(), &nonce)
    }

    pub async fn request(&self, load: Map) -> Value {
        self.try_request(load).await.unwrap()
    }

    pub async fn subscribe(&mut self) {
        let options = SubOptions { identity: self.id.as_str().to_owned().into(), ..SubOptions::default() };
        let mut sub =
            SubClient::connect(Endpoint::new(self.publish.ip().to_string(), self.publish.port()), options);
        tokio::time::timeout(PATIENCE, async {
            while !matches!(sub.recv().await, SubEvent::Connected { .. }) {}
        })
        .await
        .unwrap();
        self.sub = Some(sub);
    }

    /// The next job as it came over the wire.
    pub async fn message(&mut self) -> Value {
        let sub = self.sub.as_mut().unwrap();
        tokio::time::timeout(PATIENCE, async {
            loop {
                if let SubEvent::Message(frames) = sub.recv().await {
                    return decode(frames.last().unwrap()).unwrap();
                }
            }
        })
        .await
        .unwrap()
    }

    pub async fn job(&mut self) -> Map {
        let message = self.message().await;
        self.receiver.as_mut().unwrap().open(&message).unwrap()
    }

    pub async fn ret(&self, jid: &str, value: impl Into<Value>) -> Value {
        self.request(self.return_load(jid, value)).await
    }

    pub fn return_load(&self, jid: &str, value: impl Into<Value>) -> Map {
        map! {
            "cmd" => "_return", "jid" => jid, "fun" => "test.ping", "fun_args" => Value::List(vec![]),
            "return" => value, "retcode" => 0, "success" => true,
        }
    }
}

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Waits until something is true.
pub async fn until(what: &str, mut f: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !f() {
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every file below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            out.extend(files(&entry.path()));
        } else {
            out.push(entry.path());
        }
    }
    out.sort();
    out
}
