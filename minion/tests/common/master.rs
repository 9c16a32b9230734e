//! The fake master: real sockets and cryptography, and a memory instead of a key store and a job cache.

use super::eventually;
use brine_net::{PubOptions, PubServer, PublishServer, ReqServer, ReqServerOptions, Request, RequestServer};
use brine_protocol::auth::master::{AuthRequest, AuthRules, MasterCredentials, StoredKeys, Verdict, decide};
use brine_protocol::command::MinionCommand;
use brine_protocol::crypt::{AesKey, PrivateKey, PublicKey, SigAlgo};
use brine_protocol::envelope::Envelope;
use brine_protocol::ids::MinionId;
use brine_protocol::message::publish;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::request::{self, RequestKeys, RequestMemory};
use brine_protocol::{Map, Value, map};
use bytes::Bytes;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::task::JoinHandle;

/// How the master treats keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Accept,
    Pend,
    Reject,
}

/// What outlives a restart.
pub(crate) struct Memory {
    pub(crate) credentials: MasterCredentials,
    pub(crate) mood: Mood,
    pub(crate) sign: bool,
    pub(crate) pillar: Map,
    /// Pillars are signed by somebody else.
    pub(crate) forged_pillar: bool,
    /// Requests of this command are heard of and not answered.
    pub(crate) deaf_to: Option<MinionCommand>,
    sessions: HashMap<MinionId, AesKey>,
    keys: HashMap<MinionId, String>,
    serial: u64,
    loads: Vec<Map>,
    sign_ins: usize,
    jobs: u64,
}

pub(crate) struct FakeMaster {
    pub(crate) memory: Arc<Mutex<Memory>>,
    publisher: Option<Arc<PubServer>>,
    server: Option<JoinHandle<()>>,
    pub(crate) port: u16,
    publish_port: u16,
}

/// Making a key is slow; the tests of one process share a few.
fn key(n: usize) -> PrivateKey {
    static KEYS: OnceLock<Mutex<HashMap<usize, PrivateKey>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
    keys.entry(n).or_insert_with(|| PrivateKey::generate(2048).unwrap()).clone()
}

impl FakeMaster {
    /// A master that accepts every key.
    pub(crate) async fn start() -> Self {
        Self::with_key(0).await
    }

    /// One with another key than the others.
    pub(crate) async fn with_key(n: usize) -> Self {
        let key = key(n);
        let pem = key.public().to_pem().unwrap();
        let credentials = MasterCredentials::new(key, &pem, AesKey::generate().unwrap(), 0).unwrap();
        let memory = Memory {
            credentials,
            mood: Mood::Accept,
            sign: true,
            pillar: Map::new(),
            forged_pillar: false,
            deaf_to: None,
            sessions: HashMap::new(),
            keys: HashMap::new(),
            serial: 0,
            loads: Vec::new(),
            sign_ins: 0,
            jobs: 0,
        };
        let mut this = Self {
            memory: Arc::new(Mutex::new(memory)),
            publisher: None,
            server: None,
            port: 0,
            publish_port: 0,
        };
        this.open().await;
        this
    }

    /// Opens the ports: the same as before, if there were any.
    pub(crate) async fn open(&mut self) {
        let at = |port: u16| [SocketAddr::from(([127, 0, 0, 1], port))];
        let publisher = PubServer::bind(&at(self.publish_port), PubOptions::default()).unwrap();
        let mut requests = ReqServer::bind(&at(self.port), ReqServerOptions::default()).unwrap();
        self.publish_port = publisher.local_addrs()[0].port();
        self.port = requests.local_addrs()[0].port();
        self.publisher = Some(Arc::new(publisher));
        let (memory, publish_port) = (self.memory.clone(), self.publish_port);
        self.server = Some(tokio::spawn(async move {
            let mut replays = RequestMemory::default();
            while let Some(request) = requests.next().await {
                answer(&memory, publish_port, &mut replays, request);
            }
        }));
    }

    /// Closes the ports and forgets the global key, as a stopped master does.
    pub(crate) async fn close(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
        self.publisher = None;
        self.rotate();
    }

    pub(crate) fn rotate(&self) {
        let mut memory = self.memory.lock().unwrap();
        memory.credentials.rotate(AesKey::generate().unwrap()).unwrap();
        memory.serial = 0;
    }

    /// Waits until a minion listens: until a message that means nothing finds a subscriber.
    pub(crate) async fn listened_to(&self) {
        eventually("a subscriber", || {
            let publisher = self.publisher.as_ref()?;
            let before = publisher.stats().queued;
            publisher.publish(vec![Bytes::from_static(b"\xc1")]);
            (publisher.stats().queued > before).then_some(())
        })
        .await;
    }

    /// A new job id.
    pub(crate) fn jid(&self) -> String {
        let mut memory = self.memory.lock().unwrap();
        memory.jobs += 1;
        format!("20261125120000{:06}", memory.jobs)
    }

    /// The load of a job for everybody.
    pub(crate) fn job(&self, fun: impl Into<Value>, arg: Vec<Value>) -> Map {
        map! {"tgt" => "*", "tgt_type" => "glob", "fun" => fun, "arg" => arg, "jid" => self.jid(), "ret" => "", "user" => "root"}
    }

    /// Publishes a load; returns its job id.
    pub(crate) fn publish(&self, load: &Map) -> String {
        self.publish_keeping(load).0
    }

    /// Publishes a load; returns its job id, and the message for a replay.
    pub(crate) fn publish_keeping(&self, load: &Map) -> (String, Map) {
        let mut memory = self.memory.lock().unwrap();
        memory.serial += 1;
        let sign = memory.sign.then(|| (memory.credentials.key(), SigAlgo::Pkcs1v15Sha1));
        let message = publish::wrap(load, memory.credentials.aes(), memory.serial, sign).unwrap();
        drop(memory);
        self.publish_raw(&message);
        (load.get_str("jid").unwrap_or("").to_owned(), message)
    }

    pub(crate) fn publish_raw(&self, message: &Map) {
        if let Some(publisher) = &self.publisher {
            publisher.publish(vec![Bytes::from(msgpack::encode_map(message, Dialect::Old))]);
        }
    }

    /// Runs a job on the minion and waits for its return.
    pub(crate) async fn run(&self, fun: impl Into<Value>, arg: Vec<Value>) -> Map {
        let jid = self.publish(&self.job(fun, arg));
        self.returned(&jid).await
    }

    /// Waits for the return of a job.
    pub(crate) async fn returned(&self, jid: &str) -> Map {
        eventually(&format!("the return of {jid}"), || self.returns(jid).into_iter().next()).await
    }

    /// Every return of a job.
    pub(crate) fn returns(&self, jid: &str) -> Vec<Map> {
        self.loads("_return").into_iter().filter(|l| l.get_str("jid") == Some(jid)).collect()
    }

    /// Every load of a command so far.
    pub(crate) fn loads(&self, cmd: &str) -> Vec<Map> {
        self.memory.lock().unwrap().loads.iter().filter(|l| l.get_str("cmd") == Some(cmd)).cloned().collect()
    }

    /// How often somebody signed in.
    pub(crate) fn sign_ins(&self) -> usize {
        self.memory.lock().unwrap().sign_ins
    }
}

impl RequestKeys for Memory {
    fn session(&self, id: &MinionId) -> Option<AesKey> {
        self.sessions.get(id).cloned()
    }
    fn global(&self) -> AesKey {
        self.credentials.aes().clone()
    }
    fn accepted(&self, id: &MinionId) -> Option<PublicKey> {
        PublicKey::from_pem(self.keys.get(id)?).ok()
    }
}

fn answer(memory: &Mutex<Memory>, publish_port: u16, replays: &mut RequestMemory, request: Request) {
    let mut memory = memory.lock().unwrap();
    let reply = match Envelope::from_bytes(&request.body, 3) {
        Ok(Envelope::Clear { load, version }) => Some(sign_in(&mut memory, publish_port, &load, version)),
        Ok(Envelope::Aes(envelope)) => match request::open(&envelope, &*memory, 0, 0, replays) {
            Ok(request) => handle(&mut memory, &request),
            Err(e) => Some(e.reply()),
        },
        Err(e) => Some(e.reply()),
    };
    match reply {
        Some(reply) => request.reply.send(Bytes::from(msgpack::encode(&reply, Dialect::Old))),
        // Held back for ever: the minion is to think that it was lost.
        None => std::mem::forget(request.reply),
    }
}

fn sign_in(memory: &mut Memory, publish_port: u16, load: &Map, version: u8) -> Value {
    memory.sign_ins += 1;
    let Ok(request) = AuthRequest::parse(load, version) else { return "bad load".into() };
    let stored = StoredKeys {
        accepted: memory.keys.get(&request.id).cloned(),
        pending: None,
        rejected: memory.mood == Mood::Reject,
        pending_is_directory: false,
    };
    let rules = AuthRules { autosign: memory.mood == Mood::Accept, ..AuthRules::default() };
    match decide(&request, &stored, rules).verdict {
        Verdict::Accept(acceptance) => {
            memory.keys.insert(request.id.clone(), request.pub_pem.clone());
            let session =
                memory.sessions.entry(request.id).or_insert_with(|| AesKey::generate().unwrap()).clone();
            // The port is known only after the credentials were made.
            let mut credentials = MasterCredentials::new(
                memory.credentials.key().clone(),
                memory.credentials.public_pem(),
                memory.credentials.aes().clone(),
                publish_port,
            )
            .unwrap();
            std::mem::swap(&mut credentials, &mut memory.credentials);
            acceptance.reply(&memory.credentials, &session).unwrap()
        }
        Verdict::Refuse(refusal) => refusal.reply(&memory.credentials).unwrap(),
    }
}

fn handle(memory: &mut Memory, request: &request::MinionRequest) -> Option<Value> {
    memory.loads.push(request.load.clone());
    match request.command {
        command if command.is_some() && command == memory.deaf_to => None,
        Some(MinionCommand::Pillar) => {
            let minion = PublicKey::from_pem(&memory.keys[&*request.minion]).unwrap();
            let pillar = memory.pillar.clone();
            let forger = memory.forged_pillar.then(|| key(1));
            let signer = forger.as_ref().unwrap_or(memory.credentials.key());
            Some(request.private_reply(pillar.into(), &minion, signer).unwrap())
        }
        _ => Some(request.reply(&Value::Nil).unwrap()),
    }
}
