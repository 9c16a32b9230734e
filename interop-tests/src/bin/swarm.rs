//! A thousand minions in one process: each with two connections of its own, the real handshake and real encryption, and
//! two functions, `test.ping` and `test.echo`. For measurements of masters; a minion's own work is left out on purpose.
//!
//!     swarm HOST REQUEST_PORT PUBLISH_PORT COUNT KEY.pem
//!
//! Its minions are called `s0001` and so on and share one key, which must be accepted under each name beforehand; without
//! the file a key is made, and its public half written beside it as `KEY.pem.pub`. Prints `ready` when all listen, and
//! ends with standard input.

#![expect(clippy::print_stdout, reason = "a program for people and tests")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brine_core::target::fnmatch;
use brine_net::{
    Endpoint, ReqClient, ReqOptions, RequestClient, SubClient, SubEvent, SubOptions, SubscribeClient,
};
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Credentials, Outcome};
use brine_protocol::channel::MinionChannel;
use brine_protocol::crypt::PrivateKey;
use brine_protocol::ids::MinionId;
use brine_protocol::message::publish::PublishReceiver;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::{Map, Value, map};
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Sign-ins at a time: a master answers each with private RSA operations.
const SIGN_INS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

struct Master {
    request: Endpoint,
    publish: Endpoint,
}

fn main() -> Result {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [host, request, publish, count, key] = args.as_slice() else {
        return Err("usage: swarm HOST REQUEST_PORT PUBLISH_PORT COUNT KEY.pem".into());
    };
    let key = Arc::new(key_at(Path::new(key))?);
    let count: usize = count.parse()?;
    if count == 0 {
        return Ok(());
    }
    let master = Arc::new(Master {
        request: Endpoint::new(host, request.parse()?),
        publish: Endpoint::new(host, publish.parse()?),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let turns = Arc::new(Semaphore::new(SIGN_INS));
        let (listens, mut listening) = mpsc::channel(count);
        for n in 1..=count {
            let id = MinionId::parse(&format!("s{n:04}"))?;
            let (master, key, turns, listens) = (master.clone(), key.clone(), turns.clone(), listens.clone());
            tokio::spawn(async move {
                if let Err(e) = live(&master, &id, &key, &turns, listens).await {
                    eprintln!("{id}: {e}");
                }
            });
        }
        for _ in 0..count {
            listening.recv().await.ok_or("a minion has failed")?;
        }
        println!("ready");
        tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await??;
        Ok(())
    })
}

fn key_at(path: &Path) -> Result<PrivateKey> {
    if path.exists() {
        return Ok(PrivateKey::from_pem(&std::fs::read_to_string(path)?, None)?);
    }
    let key = PrivateKey::generate(2048)?;
    std::fs::write(path, key.to_pem()?.as_bytes())?;
    std::fs::write(path.with_extension("pem.pub"), key.public().to_pem()?)?;
    Ok(key)
}

/// One minion's life.
async fn live(
    master: &Master,
    id: &MinionId,
    key: &PrivateKey,
    turns: &Semaphore,
    listens: mpsc::Sender<()>,
) -> Result {
    let requests = ReqClient::new(master.request.clone(), ReqOptions::default());
    let turn = turns.acquire().await?;
    let Credentials { aes, session, master: master_key, .. } = sign_in(&requests, id, key).await?;
    drop(turn);
    let options = AuthOptions::new(id.clone());
    let channel = MinionChannel::new(id.clone(), session, key, options.enc_algo, options.sig_algo)?;
    let mut receiver = PublishReceiver::new(aes, master_key, false);
    let identity = Bytes::copy_from_slice(id.as_str().as_bytes());
    let options = SubOptions { subscriptions: vec![Bytes::new()], identity, ..SubOptions::default() };
    let mut publishes = SubClient::connect(master.publish.clone(), options);
    let mut listens = Some(listens);
    loop {
        match publishes.recv().await {
            SubEvent::Message(message) => {
                let Some(body) = message.last() else { continue };
                let load = receiver.open(&msgpack::decode(body)?)?;
                if meant(&load, id.as_str()) {
                    answer(&requests, &channel, id, &load).await?;
                }
            }
            SubEvent::Connected { .. } => {
                if let Some(listens) = listens.take() {
                    listens.send(()).await?;
                }
            }
            _ => {}
        }
    }
}

async fn sign_in(requests: &ReqClient, id: &MinionId, key: &PrivateKey) -> Result<Credentials> {
    let options = AuthOptions::new(id.clone());
    for _ in 0..5 {
        let attempt = AuthAttempt::new(&options, key, None, None)?;
        let body = Bytes::from(msgpack::encode_map(&attempt.request(), Dialect::Old));
        let Ok(reply) = requests.request(body, PATIENCE).await else { continue };
        match attempt.finish(&msgpack::decode(&reply)?) {
            Outcome::Accepted(credentials) => return Ok(*credentials),
            other => return Err(format!("not signed in: {other:?}").into()),
        }
    }
    Err("the master does not answer".into())
}

fn meant(load: &Map, id: &str) -> bool {
    match (load.get("tgt"), load.get_str("tgt_type")) {
        (Some(Value::Str(glob)), Some("glob")) => fnmatch(id, glob),
        (Some(Value::List(ids)), Some("list")) => ids.iter().any(|v| v.as_str() == Some(id)),
        (Some(Value::Str(ids)), Some("list")) => ids.split(',').any(|v| v == id),
        _ => false,
    }
}

async fn answer(requests: &ReqClient, channel: &MinionChannel, id: &MinionId, load: &Map) -> Result {
    let arg = load.get("arg").and_then(Value::as_list).unwrap_or_default();
    let value = match load.get_str("fun") {
        Some("test.ping") => Value::from(true),
        Some("test.echo") => arg.first().cloned().unwrap_or_default(),
        // Nothing takes longer than a moment here.
        Some("saltutil.find_job") => Map::new().into(),
        _ => return Ok(()),
    };
    let get = |key: &str| load.get(key).cloned().unwrap_or_default();
    let load = map! {
        "cmd" => "_return", "id" => id, "success" => true, "return" => value, "retcode" => 0, "jid" => get("jid"),
        "fun" => get("fun"), "fun_args" => arg.to_vec(), "user" => get("user"),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (body, nonce) = channel.request(load, now, None)?;
    let body = Bytes::from(msgpack::encode_map(&body, Dialect::Old));
    let reply = requests.request(body, PATIENCE).await?;
    channel.open(&msgpack::decode(&reply)?, &nonce)?;
    Ok(())
}
