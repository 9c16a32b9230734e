//! Clear commands: what the command-line tools and API clients on the master's host send.
//!
//! A caller proves himself by a local user's key, by a password that a backend of `external_auth` knows, or by a token.
//! All cross the network in clear, so they count only when they come from an address of this host. What the caller calls
//! himself counts only as far as that bears it out.

use std::net::SocketAddr;
use std::sync::Arc;

use brine_core::call::Args;
use brine_protocol::command::ClearCommand;
use brine_protocol::ids::Jid;
use brine_protocol::{Map, Value, map};
use brine_runners::Kind;

use super::job;
use crate::access::{self, Act, Denied};
use crate::master::Master;

pub(super) async fn answer(master: &Arc<Master>, peer: SocketAddr, mut load: Map) -> Value {
    use ClearCommand as C;
    match load.get_str("cmd").and_then(ClearCommand::parse) {
        Some(C::Ping) => load.into(),
        Some(C::Publish) => publish(master, peer, load).await,
        Some(C::MkToken) => access::make_token(master, peer, &mut load).await,
        Some(C::GetToken) if access::trusts(master, peer) => master.eauth.get_token(&load),
        Some(C::GetToken) => false.into(),
        Some(C::Wheel) => run(master, peer, load, Kind::Wheel).await,
        Some(C::Runner) => run(master, peer, load, Kind::Runner).await,
        Some(C::Connected) => connected(master, peer, load).await,
        // `_auth` is taken before; anything else does not exist.
        Some(C::Auth) | None => Map::new().into(),
    }
}

/// A runner or wheel function.
async fn run(master: &Arc<Master>, peer: SocketAddr, mut load: Map, kind: Kind) -> Value {
    let fun = load.get_str("fun").unwrap_or_default().to_owned();
    // What is judged is what is called.
    let (arg, kwarg) = access::master_args(&load);
    match access::admit_master(master, peer, &mut load, kind, &fun, (&arg, &kwarg)).await {
        Err(reply) => reply,
        Ok(caller) => {
            super::run::run(master, &caller, kind, &fun, Args { positional: arg, keyword: kwarg }).await
        }
    }
}

/// The minions with a live connection, and from where, for whoever may run `manage.present`.
async fn connected(master: &Arc<Master>, peer: SocketAddr, mut load: Map) -> Value {
    let asked = ("manage.present", Map::new());
    match access::admit_master(master, peer, &mut load, Kind::Runner, asked.0, (&[], &asked.1)).await {
        Err(reply) => reply,
        Ok(_) => crate::side::connected(master).into(),
    }
}

/// The answer to a function of the master that does not exist here.
pub(super) fn unavailable(message: &str, kind: &str) -> Value {
    tracing::warn!("{kind} {message}");
    map! {"error" => map! {
        "name" => "SaltInvocationError", "args" => Value::List(vec![message.into()]), "message" => message,
    }}
    .into()
}

async fn publish(master: &Arc<Master>, peer: SocketAddr, mut load: Map) -> Value {
    let mut act = Act::publish(&load);
    let caller = match access::authenticate(master, peer, &mut load).await {
        Ok(caller) => caller,
        Err(denied) => return refuse(master, peer, &load, &denied, &act),
    };
    let checked = job::resolve(master, &load);
    if let Err(denied) = access::authorize(master, &caller, &load, &checked.minions) {
        return refuse(master, peer, &load, &denied, &act);
    }
    if !caller.is_full() {
        load.insert("user", caller.name.as_str());
    }
    if let Some(Value::Map(extra)) = load.get_mut("kwargs") {
        access::strip_credentials(extra);
    }
    if checked.minions.is_empty() {
        let target = load.get("tgt").map(brine_core::text::python_str).unwrap_or_default();
        return map! {"enc" => "clear", "load" => map! {
            "jid" => Value::Nil,
            "minions" => Value::List(Vec::new()),
            "error" => format!("Master could not resolve minions for target {target}"),
        }}
        .into();
    }
    match job::start(master, load, checked).await {
        Ok(started) => {
            act.jid = started.jid.to_string();
            access::record(master, &caller, &act);
            reply(master, &started)
        }
        Err(e) => {
            tracing::error!("a job was not started: {e}");
            map! {"error" => e.to_string()}.into()
        }
    }
}

fn reply(master: &Master, started: &job::Started) -> Value {
    let list = |ids: &[String]| -> Value { ids.iter().map(String::as_str).collect() };
    let mut load = map! {
        "jid" => &started.jid, "minions" => list(&started.minions), "missing" => list(&started.missing),
    };
    // Stock's clients take what they know from this map; ours need not wait for those without a connection. It is there
    // even if it names nobody: so ours knows that who is silent later has had a connection.
    let absent: Vec<String> =
        started.minions.iter().filter(|id| master.presence.is_absent(id)).cloned().collect();
    load.insert("not_connected", list(&absent));
    map! {"enc" => "clear", "load" => load}.into()
}

/// Stock's bare error reply, and its event when the request came with a job id. Stock fires it for anybody; here it
/// takes a caller who has proved who he is, since strangers have no business on the bus.
fn refuse(master: &Master, peer: SocketAddr, load: &Map, denied: &Denied, act: &Act) -> Value {
    let error = denied.publish_error();
    access::refused(master, peer, denied, act);
    if denied.is_known()
        && let Some(jid) = load.get_str("jid").and_then(|j| Jid::parse(j).ok())
    {
        let mut data = load.clone();
        data.insert("error", error.clone());
        data.remove("key");
        if let Some(Value::Map(extra)) = data.get_mut("kwargs") {
            access::strip_credentials(extra);
        }
        master.events.fire(format!("salt/job/{jid}/error"), data);
    }
    map! {"error" => error}.into()
}
