//! One scheduled job: run on a thread of its own like any job, its return given to every master in use.

use super::super::state::Minion;
use super::host;
use crate::daemon::bus;
use crate::jobs::table::Entry;
use crate::jobs::{job_cache, outcome, reply, rules};
use crate::spool::Item;
use brine_core::call::{Args, CallError, Cx};
use brine_core::clock::Clock;
use brine_core::schedule::Due;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::oneshot;

/// Stock's return code of a scheduled job that failed.
const FAILED: i64 = 254;

/// Starts a job. The receiver ends when the job is over.
pub(super) fn start(minion: &Arc<Minion>, due: Due) -> oneshot::Receiver<()> {
    let (done, over) = oneshot::channel();
    let flag = |key: &str| due.data.get(key).is_some_and(Value::truthy);
    if flag("dry_run") {
        tracing::debug!("Job {} has 'dry_run' set to True. Not running it.", due.name);
        return over;
    }
    let jid = minion.schedule.jids.next(SystemTime::now()).to_string();
    let missed =
        if due.late > 0 { format!(" (runtime missed by {} seconds)", due.late) } else { String::new() };
    tracing::info!("Running scheduled job: {}{missed} with jid {jid}", due.name);
    let mut cx = host::cx(minion);
    let ret = begun(minion, &due, &jid);
    let listed = due.data.get("jid_include").is_none_or(Value::truthy);
    // Entered before the thread runs, so that the next look counts it.
    let entry = minion.table.enter_as(&ret, cx.cancel.clone(), listed);
    cx.job = entry.job();
    let (this, name) = (minion.clone(), due.name.clone());
    let started = std::thread::Builder::new().name("schedule".into()).spawn(move || {
        work(&this, &cx, &due, ret, entry);
        // Nobody may wait for it.
        let _ = done.send(());
    });
    if let Err(e) = started {
        tracing::error!("scheduled job {name} cannot be started: {e}");
    }
    over
}

/// What of the return is known before the job has run.
fn begun(minion: &Minion, due: &Due, jid: &str) -> Map {
    let mut fun_args = positional(&due.data);
    if let Some(kwargs) = due.data.get("kwargs") {
        fun_args.push(kwargs.clone());
    }
    let mut ret = map! {
        "id" => &minion.id, "fun" => due.function.as_deref(), "fun_args" => fun_args, "schedule" => due.name.as_str(),
        "jid" => jid,
    };
    match due.data.get("metadata") {
        Some(Value::Map(metadata)) => drop(ret.insert("metadata", stamped(metadata.clone()))),
        Some(_) => {
            tracing::warn!("schedule: The metadata parameter must be specified as a dictionary.  Ignoring.")
        }
        None => {}
    }
    ret.insert("pid", std::process::id());
    ret
}

/// Metadata with the time it is, as stock adds it.
fn stamped(mut metadata: Map) -> Map {
    let unix = brine_core::clock::unix_now() as i64;
    let (here, utc) = (Clock::local(unix), Clock::at(unix, 0));
    metadata.insert("_TOS", here.strftime("%z"));
    metadata.insert("_TS", here.strftime("%a %b %e %H:%M:%S %Y"));
    metadata.insert("_TT", utc.strftime("%Y %B %d %a %H %m"));
    metadata
}

/// `args`, as Python's `*args` takes them apart.
fn positional(data: &Map) -> Vec<Value> {
    match data.get("args") {
        Some(Value::List(list)) => list.clone(),
        Some(Value::Str(text)) => text.chars().map(|c| c.to_string().into()).collect(),
        Some(Value::Map(map)) => map.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn work(minion: &Arc<Minion>, cx: &Cx, due: &Due, mut ret: Map, entry: Entry) {
    let _span = tracing::info_span!("job", jid = %cx.job.jid()).entered();
    let fun = due.function.clone().unwrap_or_else(|| python_str(&Value::Nil));
    match call(cx, &fun, due, &ret) {
        Ok(value) => {
            ret.insert("return", value);
            ret.insert("retcode", cx.job.context("retcode").unwrap_or_else(|| 0.into()));
            ret.insert("success", true);
            returners(minion, &fun, &due.data);
        }
        Err(e) => {
            tracing::error!("Unhandled exception running {fun}: {e}");
            let text = match e {
                CallError::NotAvailable(text) if cx.registry.get(&fun).is_none() => text,
                _ => format!("Unhandled exception running {fun}"),
            };
            ret.insert("return", text);
            ret.insert("success", false);
            ret.insert("retcode", FAILED);
        }
    }
    drop(entry);
    if cx.cancel.is_cancelled() {
        tracing::info!("Scheduled job {} was killed", due.name);
        return;
    }
    match due.data.get("return_job") {
        Some(wanted) if !wanted.truthy() => {}
        wanted => {
            if wanted_returners(minion, &due.data).is_empty() {
                let nocache = wanted.and_then(Value::as_str) == Some("nocache");
                ret.insert("jid", if nocache { "nocache" } else { "req" });
            }
            give_back(minion, &fun, ret);
        }
    }
}

fn call(cx: &Cx, fun: &str, due: &Due, ret: &Map) -> Result<Value, CallError> {
    rules::check_blackout(cx, fun)?;
    let function = cx.registry.get(fun).ok_or_else(|| cx.registry.missing(fun))?;
    let keyword = due.data.get("kwargs").and_then(Value::as_map).cloned().unwrap_or_default();
    let mut args = Args { positional: positional(&due.data), keyword };
    if function.takes_kwargs() {
        for (key, value) in ret {
            if let Some(key) = key.as_str() {
                args.keyword.insert(format!("__pub_{key}"), value.clone());
            }
        }
    }
    outcome::call(cx, fun, args)
}

/// The returners that a job, or the option `schedule_returner`, asks for.
fn wanted_returners(minion: &Minion, data: &Map) -> Vec<String> {
    let pillar = minion.schedule.pillar();
    let option = minion.opts.get("schedule_returner").or_else(|| pillar.get("schedule_returner"));
    let mut names = Vec::new();
    for value in [data.get("returner"), option].into_iter().flatten() {
        match value {
            Value::Str(one) => names.push(one.clone()),
            Value::List(list) => names.extend(list.iter().map(python_str)),
            _ => {}
        }
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

/// Hands the result to the returners; there are none on this minion yet, so each is named in the log, as stock names one it does
/// not have.
fn returners(minion: &Minion, fun: &str, data: &Map) {
    for returner in wanted_returners(minion, data) {
        tracing::warn!("Job {fun} using invalid returner: {returner}. Ignoring.");
    }
}

/// To every master in use; while there is none, to the one that comes next.
fn give_back(minion: &Arc<Minion>, fun: &str, mut ret: Map) {
    if let Some(out) = reply::outputter(fun) {
        ret.insert("out", out);
    }
    if minion.opts.flag("cache_jobs") {
        job_cache::store(&minion.opts, &ret);
    }
    let load = reply::load(minion.id.as_str(), ret);
    bus::tell(minion, "__schedule_return", load.clone());
    let no_master = minion.opts.str("master_type") == "disable";
    if no_master || minion.opts.get("pub_ret").is_some_and(|v| !v.truthy()) {
        return;
    }
    let mut masters: Vec<String> = minion.attached().iter().map(|a| a.link.name().to_owned()).collect();
    if masters.is_empty() {
        masters.push(String::new());
    }
    for master in masters {
        minion.deliverer.take(Item { master, load: load.clone() });
    }
}
