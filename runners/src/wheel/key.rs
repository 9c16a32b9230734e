//! Keys of minions, as `wheel.key` has them: lists, fingerprints, and moves from one state to another.
//!
//! Names of keys come from the directories or are checked as ids; states are one of four. Neither is ever a path.

mod make;

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_protocol::crypt::{HashType, PublicKey, pem_finger};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_store::KeyState;
use brine_store::fs::Dir;

use crate::host::{MasterHost, master};
use make::{exec_gen_accept, exec_gen_keys, exec_gen_pair, exec_gen_signature};

module! {
    "key": accept, accept_dict, delete, delete_dict, finger, finger_master, "gen" => gen_pair, gen_accept, gen_keys,
    gen_signature, glob_match, "list" => list_, list_all, master_key_str, name_match, "print" => key_str, reject, reject_dict
}

/// States in the order in which stock's listings have them.
const STATES: [KeyState; 4] = [KeyState::Accepted, KeyState::Pending, KeyState::Rejected, KeyState::Denied];

/// The longest key file of the master's own that is read.
const LONGEST: u64 = 64 << 10;

/// Which names are meant: shell patterns, with commas between them or as a list.
struct Match(Vec<String>);

impl Match {
    fn of(value: &Value) -> Self {
        Self(match value {
            Value::List(patterns) => patterns.iter().map(python_str).collect(),
            other => python_str(other).split(',').map(str::to_owned).collect(),
        })
    }

    fn fits(&self, id: &str) -> bool {
        self.0.iter().any(|pattern| fnmatch(id, pattern))
    }
}

/// The master's own keys.
fn local(host: &MasterHost) -> Result<Vec<String>> {
    let mut names = Dir::at(&host.pki_dir).names()?;
    names.retain(|name| name.ends_with(".pub") || name.ends_with(".pem"));
    names.sort_by_key(|name| name.to_lowercase());
    Ok(names)
}

fn ids(host: &MasterHost, state: KeyState) -> Result<Value> {
    Ok(host.keys.list(state)?.iter().map(MinionId::as_str).collect())
}

/// The names that match, by state; states without any are left out.
fn matching(host: &MasterHost, names: &Match) -> Result<Map> {
    let mut out = Map::new();
    for state in STATES {
        let ids: Vec<MinionId> = host.keys.list(state)?.into_iter().filter(|id| names.fits(id.as_str())).collect();
        if !ids.is_empty() {
            out.insert(state.dir_name(), ids.iter().map(MinionId::as_str).collect::<Value>());
        }
    }
    Ok(out)
}

/// The keys that a match means, by state, to be moved or removed.
fn chosen(host: &MasterHost, names: &Match) -> Result<Vec<(KeyState, MinionId)>> {
    let mut out = Vec::new();
    for state in STATES {
        let ids = host.keys.list(state)?.into_iter().filter(|id| names.fits(id.as_str()));
        out.extend(ids.map(|id| (state, id)));
    }
    Ok(out)
}

/// The keys that a dict of states and names means. What is no state or no id means nothing.
fn chosen_dict(given: &Value) -> Vec<(KeyState, MinionId)> {
    let mut out = Vec::new();
    for state in STATES {
        let names = given.get(state.dir_name()).and_then(Value::as_list).unwrap_or_default();
        let ids = names.iter().filter_map(|name| MinionId::parse(name.as_str()?).ok());
        out.extend(ids.map(|id| (state, id)));
    }
    out
}

/// Where the keys of a dict are now, by state, as stock answers.
fn where_now(host: &MasterHost, given: &Value) -> Result<Map> {
    let lists = STATES.iter().map(|state| Ok((*state, host.keys.list(*state)?))).collect::<Result<Vec<_>>>()?;
    let mut out = Map::new();
    for names in given.as_map().into_iter().flat_map(Map::values) {
        let mut names: Vec<&str> = names.as_list().unwrap_or_default().iter().filter_map(Value::as_str).collect();
        names.sort_by_key(|name| name.to_lowercase());
        for name in names {
            for (state, ids) in &lists {
                if ids.iter().any(|id| fnmatch(id.as_str(), name))
                    && let Value::List(list) = out.entry_or(state.dir_name(), || Value::List(Vec::new()))
                {
                    list.push(name.into());
                }
            }
        }
    }
    Ok(out)
}

fn announce(host: &MasterHost, id: &MinionId, act: &str) {
    if let Err(e) = host.side.fire(tags::KEY, map! {"result" => true, "act" => act, "id" => id}) {
        tracing::debug!("{e}");
    }
}

/// Moves the chosen keys that are in one of the states `from`. One that is gone meanwhile is no error.
fn shift(host: &MasterHost, chosen: &[(KeyState, MinionId)], from: &[KeyState], to: KeyState, act: &str) -> Result<()> {
    for state in from {
        for (_, id) in chosen.iter().filter(|(of, _)| of == state) {
            if to == KeyState::Accepted {
                let pem = host.keys.read(*state, id)?.ok_or_else(|| {
                    missing(&host.pki_dir.join(state.dir_name()).join(id.as_str()))
                })?;
                if PublicKey::from_pem(&pem).is_err() {
                    tracing::error!("Invalid RSA public key: {id}");
                    host.side.print(&format!("Unable to accept invalid key for {id}."));
                    continue;
                }
            }
            match host.keys.shift(id, *state, to) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                other => other?,
            }
            host.side.key_gone(*state, id);
            announce(host, id, act);
        }
    }
    Ok(())
}

/// Removes the chosen keys, and what is cached of minions that were accepted.
fn remove(cx: &Cx, chosen: &[(KeyState, MinionId)]) -> Result<()> {
    let host = master(cx)?;
    for (state, id) in chosen {
        if !host.keys.remove(*state, id)? {
            continue;
        }
        host.side.key_gone(*state, id);
        if *state == KeyState::Accepted && !cx.opts.flag("preserve_minion_cache") {
            host.data.forget(id);
        }
        announce(host, id, "delete");
    }
    host.side.rotate();
    Ok(())
}

/// Deletes the keys that match, of every state.
pub(crate) fn delete_keys(cx: &Cx, pattern: &str) -> Result<()> {
    remove(cx, &chosen(master(cx)?, &Match::of(&pattern.into()))?)
}

/// The states that keys are accepted from.
fn acceptable(include_rejected: bool, include_denied: bool) -> Vec<KeyState> {
    let mut from = vec![KeyState::Pending];
    from.extend(include_rejected.then_some(KeyState::Rejected));
    from.extend(include_denied.then_some(KeyState::Denied));
    from
}

/// The states that keys are rejected from.
fn rejectable(include_accepted: bool, include_denied: bool) -> Vec<KeyState> {
    let mut from = vec![KeyState::Pending];
    from.extend(include_accepted.then_some(KeyState::Accepted));
    from.extend(include_denied.then_some(KeyState::Denied));
    from
}

/// All keys: minions' by state, and the master's own under `local`.
///
/// Example: `wheel.cmd("key.list_all")`
#[exec]
fn list_all(cx: &Cx) -> Result<Map> {
    let host = master(cx)?;
    let mut all = Map::new();
    for state in STATES {
        all.insert(state.dir_name(), ids(host, state)?);
    }
    all.insert("local", local(host)?);
    Ok(all)
}

/// The keys of one state: `acc`epted, `un`accepted or `pre`, `rej`ected, `den`ied, or `all`.
///
/// Example: `wheel.cmd("key.list", ["accepted"])`
#[exec(name = "list")]
fn list_(cx: &Cx, match_: String) -> Result<Map> {
    let starts = |word: &str| match_.starts_with(word);
    let state = if starts("acc") {
        KeyState::Accepted
    } else if starts("pre") || starts("un") {
        KeyState::Pending
    } else if starts("rej") {
        KeyState::Rejected
    } else if starts("den") {
        KeyState::Denied
    } else if starts("all") {
        return list_all(cx);
    } else {
        return Ok(Map::new());
    };
    Ok(map! {state.dir_name() => ids(master(cx)?, state)?})
}

/// The keys whose names match, by state.
///
/// Example: `wheel.cmd("key.name_match", ["web*"])`
#[exec]
fn name_match(cx: &Cx, match_: Value) -> Result<Map> {
    matching(master(cx)?, &Match::of(&match_))
}

/// As `key.name_match`: the name that Salt 3008 gives it.
///
/// Example: `wheel.cmd("key.glob_match", ["web*"])`
#[exec]
fn glob_match(cx: &Cx, match_: Value) -> Result<Map> {
    name_match(cx, match_)
}

/// Accepts the pending keys whose names match; rejected and denied ones too when asked to. Returns where all keys of
/// such names are then.
///
/// Example: `wheel.cmd("key.accept", ["minion1"])`
#[exec]
fn accept(
    cx: &Cx,
    match_: Value,
    #[default(false)] include_rejected: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let (host, names) = (master(cx)?, Match::of(&match_));
    let from = acceptable(include_rejected, include_denied);
    shift(host, &chosen(host, &names)?, &from, KeyState::Accepted, "accept")?;
    matching(host, &names)
}

/// As `key.accept`, for the keys in a dict of states and lists of names.
///
/// Example: `wheel.cmd("key.accept_dict", [{"minions_pre": ["jerry", "stuart"]}])`
#[exec]
fn accept_dict(
    cx: &Cx,
    match_: Value,
    #[default(false)] include_rejected: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let host = master(cx)?;
    let from = acceptable(include_rejected, include_denied);
    shift(host, &chosen_dict(&match_), &from, KeyState::Accepted, "accept")?;
    where_now(host, &match_)
}

/// Rejects the pending keys whose names match; accepted and denied ones too when asked to.
///
/// Example: `wheel.cmd("key.reject", ["minion1"])`
#[exec]
fn reject(
    cx: &Cx,
    match_: Value,
    #[default(false)] include_accepted: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let (host, names) = (master(cx)?, Match::of(&match_));
    let from = rejectable(include_accepted, include_denied);
    shift(host, &chosen(host, &names)?, &from, KeyState::Rejected, "reject")?;
    host.side.rotate();
    matching(host, &names)
}

/// As `key.reject`, for the keys in a dict of states and lists of names.
///
/// Example: `wheel.cmd("key.reject_dict", [{"minions_pre": ["jerry", "stuart"]}])`
#[exec]
fn reject_dict(
    cx: &Cx,
    match_: Value,
    #[default(false)] include_accepted: bool,
    #[default(false)] include_denied: bool,
) -> Result<Map> {
    let host = master(cx)?;
    let from = rejectable(include_accepted, include_denied);
    shift(host, &chosen_dict(&match_), &from, KeyState::Rejected, "reject")?;
    host.side.rotate();
    where_now(host, &match_)
}

/// Deletes the keys whose names match, of every state.
///
/// Example: `wheel.cmd("key.delete", ["minion1"])`
#[exec]
fn delete(cx: &Cx, match_: Value) -> Result<Map> {
    let (host, names) = (master(cx)?, Match::of(&match_));
    remove(cx, &chosen(host, &names)?)?;
    matching(host, &names)
}

/// Deletes the keys in a dict of states and lists of names.
///
/// Example: `wheel.cmd("key.delete_dict", [{"minions": ["jerry", "stuart"]}])`
#[exec]
fn delete_dict(cx: &Cx, match_: Value) -> Result<Map> {
    remove(cx, &chosen_dict(&match_))?;
    where_now(master(cx)?, &match_)
}

/// The text of the keys whose names match, by state.
///
/// Example: `wheel.cmd("key.print", ["minion1"])`
#[exec(name = "print")]
fn key_str(cx: &Cx, match_: Value) -> Result<Map> {
    by_state(master(cx)?, &Match::of(&match_), |pem| pem)
}

fn by_state(host: &MasterHost, names: &Match, shown: impl Fn(String) -> String) -> Result<Map> {
    let mut out = Map::new();
    for (state, id) in chosen(host, names)? {
        if let Some(pem) = host.keys.read(state, &id)?
            && let Value::Map(part) = out.entry_or(state.dir_name(), || Map::new().into())
        {
            part.insert(&id, shown(pem));
        }
    }
    Ok(out)
}

fn missing(path: &std::path::Path) -> CallError {
    let text = format!("[Errno 2] No such file or directory: '{}'", path.display());
    CallError::exception("FileNotFoundError", text)
}

fn own_key(host: &MasterHost, name: &str) -> Result<Option<String>> {
    let bytes = Dir::at(&host.pki_dir).read(name, LONGEST)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The text of the master's public key.
///
/// Example: `wheel.cmd("key.master_key_str")`
#[exec]
fn master_key_str(cx: &Cx) -> Result<Map> {
    let host = master(cx)?;
    let text = own_key(host, "master.pub")?.ok_or_else(|| missing(&host.pki_dir.join("master.pub")))?;
    Ok(map! {"local" => map! {"master.pub" => text}})
}

fn hash_of(cx: &Cx, asked: Option<String>) -> Result<HashType> {
    let name = asked.unwrap_or_else(|| cx.opts.str("hash_type").to_owned());
    HashType::parse(&name)
        .ok_or_else(|| CallError::exception("AttributeError", format!("module 'hashlib' has no attribute '{name}'")))
}

/// The fingerprints of the keys whose names match, by state, the master's own among them.
///
/// Example: `wheel.cmd("key.finger", ["minion1"])`
#[exec]
fn finger(cx: &Cx, match_: Value, hash_type: Option<String>) -> Result<Map> {
    let (host, names, hash) = (master(cx)?, Match::of(&match_), hash_of(cx, hash_type)?);
    let mut out = by_state(host, &names, |pem| pem_finger(&pem, hash))?;
    let mut own = Map::new();
    for name in local(host)?.iter().filter(|name| names.fits(name)) {
        own.insert(name.as_str(), pem_finger(&own_key(host, name)?.unwrap_or_default(), hash));
    }
    if !own.is_empty() {
        out.insert("local", own);
    }
    Ok(out)
}

/// The fingerprint of the master's public key.
///
/// Example: `wheel.cmd("key.finger_master")`
#[exec]
fn finger_master(cx: &Cx, hash_type: Option<String>) -> Result<Map> {
    let hash = hash_of(cx, hash_type)?;
    let finger = own_key(master(cx)?, "master.pub")?.map_or_else(String::new, |pem| pem_finger(&pem, hash));
    Ok(map! {"local" => map! {"master.pub" => finger}})
}

#[cfg(test)]
mod tests;
