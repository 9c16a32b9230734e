//! What minions ask of each other through the master: publishing jobs, runners, and giving up their own key.
//!
//! All of it is off until the master's file allows it (`peer`, `peer_run`). Rules are regular expressions for the whole
//! name, where stock takes a matching beginning for a match.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use brine_core::target::{Anchor, Regex, check_minions};
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::{Map, Value, map};

use super::job;
use crate::fs::Dir;
use crate::master::Master;

/// Python's `re.match` bound to the whole text; what is no regular expression matches nothing.
fn whole(pattern: &str, text: &str) -> bool {
    Regex::new(pattern, Anchor::Full).is_ok_and(|re| re.is_match(text).unwrap_or(false))
}

/// The rules of all entries whose pattern matches the minion.
fn rules<'a>(config: &'a Map, id: &MinionId) -> Vec<&'a Value> {
    let mut out = Vec::new();
    for (who, what) in config {
        if who.as_str().is_some_and(|who| whole(who, id.as_str())) {
            out.extend(what.as_list().unwrap_or_default());
        }
    }
    out
}

/// Whether a minion may publish these functions to these minions.
fn may_publish(master: &Master, id: &MinionId, functions: &[&str], minions: &[String]) -> bool {
    let rules = rules(&master.config.access.peer, id);
    functions.iter().all(|fun| {
        // A publish of a publish would go round for ever.
        !fun.starts_with("publish.")
            && rules.iter().any(|rule| match rule {
                Value::Str(pattern) => whole(pattern, fun),
                // `{target: functions}` allows only on the minions of that target.
                Value::Map(by_target) => by_target.iter().any(|(target, funs)| {
                    let listed = match funs {
                        Value::Str(pattern) => whole(pattern, fun),
                        Value::List(list) => list.iter().any(|f| f.as_str().is_some_and(|f| whole(f, fun))),
                        _ => false,
                    };
                    listed
                        && target
                            .as_str()
                            .is_some_and(|t| brine_core::target::validate_tgt(&master.data, t, minions))
                }),
                _ => false,
            })
    })
}

/// Starts a job for a minion, if it may.
async fn begin(master: &Arc<Master>, id: &MinionId, load: &Map) -> Option<job::Started> {
    if master.config.access.peer.is_empty() {
        return None;
    }
    let fun = load.get_str("fun")?;
    let functions: Vec<&str> = fun.split(',').collect();
    let (mut tgt, mut kind) =
        (load.get("tgt")?.clone(), load.get_str("tgt_type").unwrap_or("glob").to_owned());
    if kind.starts_with("node") {
        tgt = master.config.publish.nodegroups.get(tgt.as_str()?)?.clone();
        kind = "compound".to_owned();
    }
    let plain = check_minions(&master.data, &tgt, &kind, ":", true);
    // Pillar is secret; a request may match it exactly but not explore it with patterns.
    let exact_kind = match kind.as_str() {
        "pillar" | "pillar_pcre" => "pillar_exact",
        "compound" => "compound_pillar_exact",
        other => other,
    };
    if exact_kind != kind {
        let exact = check_minions(&master.data, &tgt, exact_kind, ":", true);
        if plain.minions.len() > exact.minions.len() {
            return None;
        }
    }
    if !may_publish(master, id, &functions, &plain.minions) {
        tracing::warn!("{id} may not publish {fun}");
        return None;
    }
    if plain.minions.is_empty() {
        return None;
    }
    let no_parse: Vec<&str> = load
        .get("no_parse")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let _ = no_parse;
    let fun: Value = if functions.len() > 1 { functions.into() } else { fun.into() };
    let request = map! {
        "cmd" => "publish",
        "tgt" => tgt,
        "fun" => fun,
        "arg" => load.get("arg").cloned().unwrap_or_else(|| Value::List(Vec::new())),
        "tgt_type" => kind,
        "ret" => load.get("ret").cloned().unwrap_or_else(|| "".into()),
        "jid" => "",
        "kwargs" => map! {"id" => id},
        "user" => master.config.user.as_str(),
    };
    match job::start(master, request, plain).await {
        Ok(started) => {
            remember(master, &started.jid, id);
            Some(started)
        }
        Err(e) => {
            tracing::error!("the job of {id} was not started: {e}");
            None
        }
    }
}

/// Whose job it is, where stock's master looks for it as well.
fn remember(master: &Master, jid: &Jid, id: &MinionId) {
    let dir = Dir::at(master.config.paths.cachedir.join("publish_auth"));
    let written = dir.ensure(0o700).and_then(|()| dir.write(jid.as_str(), id.as_str().as_bytes(), 0o600));
    if let Err(e) = written {
        tracing::error!("publish_auth: {e}");
    }
}

pub(super) async fn publish(master: &Arc<Master>, id: &MinionId, load: Map) -> Map {
    match begin(master, id, &load).await {
        Some(started) => {
            let minions: Value = started.minions.iter().map(String::as_str).collect();
            map! {"jid" => &started.jid, "minions" => minions}
        }
        None => Map::new(),
    }
}

pub(super) async fn publish_and_wait(master: &Arc<Master>, id: &MinionId, load: Map) -> Value {
    let seconds = |key: &str| {
        load.get(key).and_then(|v| match v {
            Value::Str(s) => s.trim().parse::<f64>().ok(),
            v => v.as_float(),
        })
    };
    let timeout = seconds("timeout").or_else(|| seconds("tmo")).unwrap_or(5.0).clamp(0.1, 3600.0);
    let Some(started) = begin(master, id, &load).await else { return Map::new().into() };
    let deadline = tokio::time::Instant::now() + Duration::from_secs_f64(timeout);
    let mut wait = master.jobs.watch();
    let returns = loop {
        let returns: HashMap<String, Map> =
            master.jobs.returns(&started.jid).await.unwrap_or_default().into_iter().collect();
        if started.minions.iter().all(|m| returns.contains_key(m)) {
            break returns;
        }
        // Woken by whatever return is stored next, of whatever job.
        if tokio::time::timeout_at(deadline, wait.changed()).await.is_err() {
            break returns;
        }
    };
    if returns.is_empty() {
        // Stock's handler fails when nobody answers.
        return "".into();
    }
    let full = load.get_str("form") == Some("full");
    let mut out = Map::new();
    let mut ids: Vec<_> = returns.into_iter().collect();
    ids.sort_by(|a, b| a.0.cmp(&b.0));
    for (minion, mut data) in ids {
        let value = data.remove("return").unwrap_or_default();
        if full {
            data.insert("ret", value);
            out.insert(minion, data);
        } else {
            out.insert(minion, value);
        }
    }
    if full {
        out.insert("__jid__", &started.jid);
    }
    out.into()
}

pub(super) async fn pub_ret(master: &Master, id: &MinionId, load: &Map) -> Map {
    let Some(Ok(jid)) = load.get_str("jid").map(Jid::parse) else { return Map::new() };
    let dir = Dir::at(master.config.paths.cachedir.join("publish_auth"));
    match dir.read(jid.as_str(), 512) {
        Ok(Some(owner)) if owner == id.as_str().as_bytes() => {}
        _ => return Map::new(),
    }
    let returns = master.jobs.returns(&jid).await.unwrap_or_default();
    returns.into_iter().map(|(id, mut load)| (id, load.remove("return").unwrap_or_default())).collect()
}

/// Runners do not exist here yet; who might run one is told which it was, everybody else nothing.
pub(super) fn runner(master: &Master, id: &MinionId, load: &Map) -> Value {
    let fun = load.get_str("fun").unwrap_or_default();
    let allowed = rules(&master.config.access.peer_run, id)
        .iter()
        .any(|rule| rule.as_str().is_some_and(|pattern| whole(pattern, fun)));
    if !allowed {
        tracing::warn!("{id} may not run {fun}");
        return Map::new().into();
    }
    format!("'{fun}' is not available.").into()
}

pub(super) fn revoke(master: &Arc<Master>, id: &MinionId, load: Map) -> Value {
    if !master.config.auth.allow_revoke {
        tracing::warn!("Minion {id} requested key revoke, but allow_minion_key_revoke is set to False");
        return load.into();
    }
    let preserve = load.get("preserve_minion_cache").is_some_and(Value::truthy);
    match master.delete_key(id, preserve) {
        Ok(_) => {
            if master.config.upkeep.rotate_on_delete {
                crate::upkeep::rotate(master);
            }
            true.into()
        }
        Err(e) => {
            tracing::error!("cannot delete the key of {id}: {e}");
            false.into()
        }
    }
}
