//! Keys of minions, as `wheel.key` has them.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::target::fnmatch;
use brine_core::{Map, Value, map};
use brine_protocol::crypt::{HashType, pem_finger};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_store::KeyState;

use crate::host::{MasterHost, master};

module! { "key": accept, delete, finger, "list" => list_, list_all, name_match, reject }

/// Shell patterns, with commas between them.
fn matches(patterns: &str, id: &str) -> bool {
    patterns.split(',').any(|pattern| fnmatch(id, pattern))
}

fn by_state(host: &MasterHost, pattern: &str, states: &[KeyState]) -> Result<Map> {
    let mut out = Map::new();
    for state in states {
        let ids = host.keys.list(*state)?;
        let ids: Value = ids.iter().map(MinionId::as_str).filter(|id| matches(pattern, id)).collect();
        out.insert(state.dir_name(), ids);
    }
    Ok(out)
}

/// As [`by_state`], without the states that have none, as stock answers a match.
fn matching(host: &MasterHost, pattern: &str, states: &[KeyState]) -> Result<Map> {
    let mut out = by_state(host, pattern, states)?;
    out.retain(|_, ids| ids.truthy());
    Ok(out)
}

fn announce(host: &MasterHost, id: &MinionId, act: &str) {
    if let Err(e) = host.side.fire(tags::KEY, map! {"result" => true, "act" => act, "id" => id}) {
        tracing::debug!("{e}");
    }
}

fn shift(host: &MasterHost, pattern: &str, from: &[KeyState], to: KeyState, act: &str) -> Result<Map> {
    for state in from {
        for id in host.keys.list(*state)?.iter().filter(|id| matches(pattern, id.as_str())) {
            host.keys.shift(id, *state, to)?;
            host.side.key_gone(*state, id);
            announce(host, id, act);
        }
    }
    matching(host, pattern, &[to])
}

/// Deletes the keys that match, of every state.
pub(crate) fn delete_keys(cx: &Cx, pattern: &str) -> Result<()> {
    let host = master(cx)?;
    for state in KeyState::ALL {
        for id in host.keys.list(state)?.iter().filter(|id| matches(pattern, id.as_str())) {
            host.keys.remove(state, id)?;
            host.side.key_gone(state, id);
            if state == KeyState::Accepted && !cx.opts.flag("preserve_minion_cache") {
                host.data.forget(id);
            }
            announce(host, id, "delete");
        }
    }
    host.side.rotate();
    Ok(())
}

/// All keys: minions' by state, and the master's own under `local`.
///
/// CLI Example: salt-run salt.wheel key.list_all
#[exec]
fn list_all(cx: &Cx) -> Result<Map> {
    let mut all = by_state(master(cx)?, "*", &KeyState::ALL)?;
    all.insert("local", vec!["master.pem", "master.pub"]);
    Ok(all)
}

/// The keys of one state: accepted (acc), unaccepted (un, pre), rejected (rej), denied (den), or all.
#[exec(name = "list")]
fn list_(cx: &Cx, match_: String) -> Result<Map> {
    let states: &[KeyState] = match match_.as_str() {
        "acc" | "accepted" => &[KeyState::Accepted],
        "pre" | "un" | "unaccepted" => &[KeyState::Pending],
        "rej" | "rejected" => &[KeyState::Rejected],
        "den" | "denied" => &[KeyState::Denied],
        "all" => &KeyState::ALL,
        _ => &[],
    };
    by_state(master(cx)?, "*", states)
}

/// The keys whose names match a glob, by state.
#[exec]
fn name_match(cx: &Cx, match_: String) -> Result<Map> {
    matching(master(cx)?, &match_, &KeyState::ALL)
}

/// Accepts the pending keys whose names match; rejected and denied ones too when asked to.
#[exec]
fn accept(
    cx: &Cx,
    match_: String,
    #[default(false)] include_rejected: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let mut from = vec![KeyState::Pending];
    from.extend(include_rejected.then_some(KeyState::Rejected));
    from.extend(include_denied.then_some(KeyState::Denied));
    shift(master(cx)?, &match_, &from, KeyState::Accepted, "accept")
}

/// Rejects the pending keys whose names match; accepted and denied ones too when asked to.
#[exec]
fn reject(
    cx: &Cx,
    match_: String,
    #[default(false)] include_accepted: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let mut from = vec![KeyState::Pending];
    from.extend(include_accepted.then_some(KeyState::Accepted));
    from.extend(include_denied.then_some(KeyState::Denied));
    let host = master(cx)?;
    let rejected = shift(host, &match_, &from, KeyState::Rejected, "reject")?;
    host.side.rotate();
    Ok(rejected)
}

/// Deletes the keys whose names match, of every state.
#[exec]
fn delete(cx: &Cx, match_: String) -> Result<Map> {
    delete_keys(cx, &match_)?;
    Ok(Map::new())
}

/// The fingerprints of the keys whose names match, by state.
#[exec]
fn finger(cx: &Cx, match_: String, hash_type: Option<String>) -> Result<Map> {
    let host = master(cx)?;
    let hash = hash_type.unwrap_or_else(|| cx.opts.str("hash_type").to_owned());
    let hash = HashType::parse(&hash).unwrap_or(HashType::Sha256);
    let mut out = Map::new();
    for state in KeyState::ALL {
        let mut part = Map::new();
        for id in host.keys.list(state)?.iter().filter(|id| matches(&match_, id.as_str())) {
            if let Some(pem) = host.keys.read(state, id)? {
                part.insert(id, pem_finger(&pem, hash));
            }
        }
        if !part.is_empty() {
            out.insert(state.dir_name(), part);
        }
    }
    Ok(out)
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
