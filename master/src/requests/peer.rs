//! What minions ask of each other through the master: publishing jobs, runners, and giving up their own key.
//!
//! All of it is off until the master's file allows it (`peer`, `peer_run`). Rules are regular expressions for the whole
//! name, where stock takes a matching beginning for a match.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use brine_core::auth_rules::{self, Ask, authorised};
use brine_core::call::Args;
use brine_core::target::{
    Anchor, Checked, DEFAULT_TARGET_DELIM, Regex, check_minions, nodegroup, nodegroup_comp,
};
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::{Map, Value, map};
use brine_render::args::parse_input;
use brine_runners::Kind;

use super::job;
use crate::access::{self, Act};
use crate::fs::Dir;
use crate::master::Master;
use crate::runs::prepare;

/// Between two looks at what has been returned.
const PAUSE: Duration = Duration::from_millis(100);

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

/// Starts a job for a minion, if it may.
async fn begin(master: &Arc<Master>, id: &MinionId, load: &Map) -> Option<job::Started> {
    let rules: Vec<Value> = rules(&master.config.access.peer, id).into_iter().cloned().collect();
    let fun = load.get_str("fun")?;
    let mut act = Act::publish(load);
    // A publish of a publish would go round for ever; several functions at once fail in stock's handler.
    if rules.is_empty() || fun.starts_with("publish.") || fun.contains(',') {
        tracing::warn!("{id} may not publish {fun}");
        access::record_minion(master, id, &act, false);
        return None;
    }
    let (mut tgt, mut kind) =
        (load.get("tgt")?.clone(), load.get_str("tgt_type").unwrap_or("glob").to_owned());
    if kind.starts_with("node") {
        tgt = expanded(&master.config.publish.nodegroups, tgt.as_str()?)?;
        kind = "compound".to_owned();
    }
    let checked = targets(master, &tgt, &kind)?;
    let arg = arguments(load);
    let fun_value = Value::from(fun);
    let calls = auth_rules::calls(&fun_value, &arg)?;
    let ask = Ask::Publish { calls: &calls, minions: &checked.minions, fleet: &master.data };
    if !authorised(&rules, ask) {
        tracing::warn!("{id} may not publish {fun}");
        access::record_minion(master, id, &act, false);
        return None;
    }
    if checked.minions.is_empty() {
        return None;
    }
    let request = map! {
        "cmd" => "publish", "tgt" => tgt, "fun" => fun, "arg" => arg, "tgt_type" => kind,
        "ret" => load.get("ret").cloned().unwrap_or_else(|| "".into()), "jid" => "",
        "kwargs" => map! {"id" => id}, "user" => master.config.user.as_str(),
    };
    match job::start(master, request, checked).await {
        Ok(started) => {
            act.jid = started.jid.to_string();
            access::record_minion(master, id, &act, true);
            remember(master, &started.jid, id);
            Some(started)
        }
        Err(e) => {
            tracing::error!("the job of {id} was not started: {e}");
            None
        }
    }
}

/// What a nodegroup stands for. Minions do not know the groups, so those within it are replaced by their words.
fn expanded(nodegroups: &Map, name: &str) -> Option<Value> {
    match nodegroup(name, nodegroups)? {
        Value::Str(text) if !text.contains("N@") => Some(text.as_str().into()),
        _ => Some(nodegroup_comp(name, nodegroups).into()),
    }
}

/// Who is meant; None where a target explores pillar with patterns. Pillar is secret: a minion may name an exact value
/// of it, but not learn of others' by trying.
fn targets(master: &Master, tgt: &Value, kind: &str) -> Option<Checked> {
    let check = |kind: &str| check_minions(&master.data, tgt, kind, DEFAULT_TARGET_DELIM, true);
    let plain = check(kind);
    let exact = match kind {
        "pillar" | "pillar_pcre" => check("pillar_exact"),
        "compound" => check("compound_pillar_exact"),
        _ => return Some(plain),
    };
    plain.minions.iter().all(|id| exact.minions.contains(id)).then_some(plain)
}

/// The arguments, as a job has them: keyword arguments stand at the end.
fn arguments(load: &Map) -> Value {
    let (mut positional, keyword) = words(load);
    if !keyword.is_empty() {
        positional.push(keyword.into());
    }
    positional.into()
}

/// The arguments, read as a command line's words as far as they are text: positional, and by name with a mark.
fn words(load: &Map) -> (Vec<Value>, Map) {
    let words = |key: &str| -> Vec<Value> {
        match load.get(key) {
            Some(Value::List(list)) => list.clone(),
            None | Some(Value::Nil) => Vec::new(),
            Some(one) => vec![one.clone()],
        }
    };
    let no_parse: Vec<String> =
        words("no_parse").iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    let (mut positional, mut keyword) = (Vec::new(), Map::new());
    for word in words("arg") {
        let parsed = match &word {
            Value::Str(text) => parse_input(std::slice::from_ref(text), &no_parse),
            _ => vec![word],
        };
        for value in parsed {
            match value {
                Value::Map(map) if map.get("__kwarg__") == Some(&Value::Bool(true)) => keyword.update(map),
                other => positional.push(other),
            }
        }
    }
    (positional, keyword)
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
        // Woken by whatever return is stored next, of whatever job. On a busy master that is always soon, so the clock is
        // read as well, and the database asked ten times a second at most.
        if tokio::time::Instant::now() >= deadline
            || tokio::time::timeout_at(deadline, wait.changed()).await.is_err()
        {
            break returns;
        }
        tokio::time::sleep(PAUSE).await;
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
    returns
        .into_iter()
        .map(|(id, mut load)| {
            let mut one = map! {"ret" => load.remove("return").unwrap_or_default()};
            if let Some(out) = load.remove("out") {
                one.insert("out", out);
            }
            (id, one)
        })
        .collect()
}

/// Runs a runner for a minion, if it may, and gives what it returns. As a caller's right to call one it is all or nothing:
/// rules of `peer_run` name functions, not arguments.
pub(super) async fn runner(master: &Arc<Master>, id: &MinionId, load: &Map) -> Value {
    let fun = load.get_str("fun").unwrap_or_default();
    let mut act = Act { kind: Kind::Runner.name(), fun: fun.to_owned(), ..Act::default() };
    let allowed = rules(&master.config.access.peer_run, id)
        .iter()
        .any(|rule| rule.as_str().is_some_and(|pattern| whole(pattern, fun)));
    if !allowed {
        tracing::warn!("{id} may not run {fun}");
        access::record_minion(master, id, &act, false);
        return Map::new().into();
    }
    let registry = master.runs.registry(Kind::Runner);
    if registry.get(fun).is_none() {
        access::record_minion(master, id, &act, true);
        return registry.missing(fun).to_string().into();
    }
    let (positional, mut keyword) = words(load);
    keyword.remove("__kwarg__");
    let run = prepare(master, Kind::Runner, &master.config.user);
    act.jid.clone_from(&run.jid);
    access::record_minion(master, id, &act, true);
    let fun = fun.to_owned();
    let done = tokio::task::spawn_blocking(move || run.call(&fun, Args { positional, keyword })).await;
    done.ok().and_then(|mut data| data.remove("return")).unwrap_or_default()
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
