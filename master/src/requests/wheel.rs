//! Wheel functions for callers of the request port: `key.*`, enough for programs that accept and delete keys through the
//! master. Everything else is refused by name.

use std::net::SocketAddr;
use std::sync::Arc;

use brine_core::target::fnmatch;
use brine_protocol::crypt::{HashType, pem_finger};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_protocol::{Map, Value, map};

use super::clear::unavailable;
use crate::access::{self, Act, Form};
use crate::keys::KeyState;
use crate::master::Master;

pub(super) async fn wheel(master: &Arc<Master>, peer: SocketAddr, mut load: Map) -> Value {
    let fun = load.get_str("fun").unwrap_or_default().to_owned();
    let (arg, args) = access::master_args(&load);
    let caller = match access::admit_master(master, peer, &mut load, Form::Wheel, &fun, (&arg, &args)).await {
        Ok(caller) => caller,
        Err(reply) => return reply,
    };
    let user = caller.name.clone();
    let Some(function) = Function::parse(&fun) else { return unavailable(&fun, "wheel") };
    let jid = master.new_jid();
    let act = Act { kind: "wheel", fun: fun.clone(), jid: jid.to_string(), ..Act::default() };
    access::record(master, &caller, &act);
    let tag = format!("salt/wheel/{jid}");
    let mut data =
        map! {"fun" => format!("wheel.{fun}"), "jid" => &jid, "tag" => tag.as_str(), "user" => user};
    master.events.fire(format!("{tag}/new"), data.clone());
    match function.call(master, &args) {
        Ok(value) => {
            data.insert("return", value);
            data.insert("success", true);
        }
        Err(e) => {
            data.insert("return", format!("Exception occurred in wheel {fun}: {e}"));
            data.insert("success", false);
        }
    }
    master.events.fire(format!("{tag}/ret"), data.clone());
    map! {"tag" => tag, "data" => data}.into()
}

#[derive(Clone, Copy, Debug)]
enum Function {
    ListAll,
    List,
    NameMatch,
    Accept,
    Reject,
    Delete,
    Finger,
}

impl Function {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "key.list_all" => Self::ListAll,
            "key.list" => Self::List,
            "key.name_match" => Self::NameMatch,
            "key.accept" => Self::Accept,
            "key.reject" => Self::Reject,
            "key.delete" => Self::Delete,
            "key.finger" => Self::Finger,
            _ => return None,
        })
    }

    fn call(self, master: &Arc<Master>, args: &Map) -> std::io::Result<Value> {
        let pattern = args.get_str("match").unwrap_or_default();
        let include = |name: &str| args.get(name).is_some_and(Value::truthy);
        let (rejected, denied) = (include("include_rejected"), include("include_denied"));
        match self {
            Self::ListAll => {
                let mut all = by_state(master, "*", &KeyState::ALL)?;
                all.insert("local", vec!["master.pem", "master.pub"]);
                Ok(all.into())
            }
            Self::List => {
                let states: &[KeyState] = match pattern {
                    "acc" | "accepted" => &[KeyState::Accepted],
                    "pre" | "un" | "unaccepted" => &[KeyState::Pending],
                    "rej" | "rejected" => &[KeyState::Rejected],
                    "den" | "denied" => &[KeyState::Denied],
                    "all" => &KeyState::ALL,
                    _ => &[],
                };
                Ok(by_state(master, "*", states)?.into())
            }
            Self::NameMatch => Ok(matching(master, pattern, &KeyState::ALL)?.into()),
            Self::Accept => {
                let mut from = vec![KeyState::Pending];
                from.extend(rejected.then_some(KeyState::Rejected));
                from.extend(denied.then_some(KeyState::Denied));
                shift(master, pattern, &from, KeyState::Accepted, "accept")
            }
            Self::Reject => {
                let mut from = vec![KeyState::Pending];
                from.extend(include("include_accepted").then_some(KeyState::Accepted));
                from.extend(denied.then_some(KeyState::Denied));
                let value = shift(master, pattern, &from, KeyState::Rejected, "reject")?;
                rotate_after_loss(master);
                Ok(value)
            }
            Self::Delete => {
                for state in KeyState::ALL {
                    for id in master.keys.list(state)?.iter().filter(|id| matches(pattern, id.as_str())) {
                        if state == KeyState::Accepted {
                            master.delete_key(id, master.config.opts.flag("preserve_minion_cache"))?;
                        } else {
                            master.keys.remove(state, id)?;
                        }
                        announce(master, id, "delete");
                    }
                }
                rotate_after_loss(master);
                Ok(Map::new().into())
            }
            Self::Finger => {
                let hash = args.get_str("hash_type").and_then(HashType::parse);
                let hash = hash.unwrap_or(master.config.jobs.hash);
                let mut out = Map::new();
                for state in KeyState::ALL {
                    let mut part = Map::new();
                    for id in master.keys.list(state)?.iter().filter(|id| matches(pattern, id.as_str())) {
                        if let Some(pem) = master.keys.read(state, id)? {
                            part.insert(id, pem_finger(&pem, hash));
                        }
                    }
                    if !part.is_empty() {
                        out.insert(state.dir_name(), part);
                    }
                }
                Ok(out.into())
            }
        }
    }
}

/// Shell patterns, with commas between them.
fn matches(patterns: &str, id: &str) -> bool {
    patterns.split(',').any(|pattern| fnmatch(id, pattern))
}

fn by_state(master: &Master, pattern: &str, states: &[KeyState]) -> std::io::Result<Map> {
    let mut out = Map::new();
    for state in states {
        let ids = master.keys.list(*state)?;
        let ids: Value = ids.iter().map(MinionId::as_str).filter(|id| matches(pattern, id)).collect();
        out.insert(state.dir_name(), ids);
    }
    Ok(out)
}

/// As [`by_state`], without the states that have none, as stock answers a match.
fn matching(master: &Master, pattern: &str, states: &[KeyState]) -> std::io::Result<Map> {
    let mut out = by_state(master, pattern, states)?;
    out.retain(|_, ids| ids.truthy());
    Ok(out)
}

fn shift(
    master: &Master,
    pattern: &str,
    from: &[KeyState],
    to: KeyState,
    act: &str,
) -> std::io::Result<Value> {
    for state in from {
        for id in master.keys.list(*state)?.iter().filter(|id| matches(pattern, id.as_str())) {
            master.keys.shift(id, *state, to)?;
            if *state == KeyState::Accepted {
                master.sessions.end(id);
                master.presence.forget(id);
            }
            announce(master, id, act);
        }
    }
    Ok(matching(master, pattern, &[to])?.into())
}

fn announce(master: &Master, id: &MinionId, act: &str) {
    master.events.fire(tags::KEY, map! {"result" => true, "act" => act, "id" => id});
}

/// Whoever lost his key still knows the global one, unless it changes.
fn rotate_after_loss(master: &Arc<Master>) {
    if master.config.upkeep.rotate_on_delete {
        crate::upkeep::rotate(master);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_may_be_several() {
        assert!(matches("web*,db1", "db1") && matches("web*,db1", "web7") && matches("*", "x"));
        assert!(!matches("web*,db1", "db2") && !matches("", "x") && !matches(",", "x"));
    }
}
