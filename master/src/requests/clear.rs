//! Clear commands: what the command-line tools and API clients on the master's host send.
//!
//! A caller proves himself by a local user's key. That key crosses the network in clear, so it counts only when it comes
//! from an address of this host. What the caller calls himself counts only as far as his key bears it out.

use std::net::SocketAddr;
use std::sync::Arc;

use brine_protocol::command::ClearCommand;
use brine_protocol::ids::Jid;
use brine_protocol::{Map, Value, map};
use brine_runners::Kind;

use super::job;
use crate::access::{self, Caller, Denied};
use crate::master::Master;

pub(super) async fn answer(master: &Arc<Master>, peer: SocketAddr, load: Map) -> Value {
    use ClearCommand as C;
    match load.get_str("cmd").and_then(ClearCommand::parse) {
        Some(C::Ping) => load.into(),
        Some(C::Publish) => publish(master, peer, load).await,
        // External authentication is not there yet: no credentials are good, and no token exists.
        Some(C::MkToken) => {
            tracing::debug!(%peer, "Authentication failure of type \"eauth\" occurred.");
            "".into()
        }
        Some(C::GetToken) => false.into(),
        Some(C::Wheel) => run(master, peer, load, Kind::Wheel).await,
        Some(C::Runner) => run(master, peer, load, Kind::Runner).await,
        // `_auth` is taken before; anything else does not exist.
        Some(C::Auth) | None => Map::new().into(),
    }
}

/// A runner or wheel function. Stock checks no rules for keys of local users here at all; publish rules say nothing about
/// what runs on the master, so it takes root's key or that of the master's user.
async fn run(master: &Arc<Master>, peer: SocketAddr, mut load: Map, kind: Kind) -> Value {
    let user = load.get_str("user").unwrap_or("root").to_owned();
    match access::authenticate(master, peer, &mut load) {
        Err(denied) => denied.reply(kind.name()),
        Ok(Caller::Full) => super::run::run(master, kind, &load, user).await,
        Ok(Caller::Limited { .. }) => {
            let fun = load.get_str("fun").unwrap_or_default();
            Denied::Forbidden(format!("{user}: {} {fun}", kind.name())).reply(kind.name())
        }
    }
}

/// The answer to a function of the master that does not exist here.
pub(super) fn unavailable(fun: &str, kind: &str) -> Value {
    let message = format!("'{fun}' is not available.");
    tracing::warn!("{kind} {message}");
    map! {"error" => map! {
        "name" => "SaltInvocationError", "args" => Value::List(vec![message.as_str().into()]), "message" => message,
    }}
    .into()
}

async fn publish(master: &Arc<Master>, peer: SocketAddr, mut load: Map) -> Value {
    let caller = match access::authenticate(master, peer, &mut load) {
        Ok(caller) => caller,
        Err(denied) => return refuse(master, &load, denied),
    };
    let checked = job::resolve(master, &load);
    if let Err(denied) = access::authorize(master, &caller, &load, &checked.minions) {
        return refuse(master, &load, denied);
    }
    if let Caller::Limited { name, .. } = &caller {
        load.insert("user", name.as_str());
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
        Ok(started) => reply(master, &started),
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
fn refuse(master: &Master, load: &Map, denied: Denied) -> Value {
    let error = denied.publish_error();
    tracing::warn!("{denied}");
    if let Denied::Forbidden(_) = denied
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
