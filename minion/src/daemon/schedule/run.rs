//! One scheduled job: run on a thread of its own like any job, its return given to every master in use.

use super::super::state::Minion;
use super::host;
use crate::daemon::bus;
use crate::jobs::table::Entry;
use crate::jobs::{job_cache, outcome, reply, rules};
use crate::spool::Item;
use brine_core::call::{CallError, Cx};
use brine_core::schedule::Due;
use brine_core::{Map, Opts, Value};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::oneshot;

/// Starts a job. The receiver ends when the job is over.
pub(super) fn start(minion: &Arc<Minion>, due: Due) -> oneshot::Receiver<()> {
    let (done, over) = oneshot::channel();
    if due.is_dry() {
        tracing::debug!("Job {} has 'dry_run' set to True. Not running it.", due.name);
        return over;
    }
    let jid = minion.schedule.jids.next(SystemTime::now()).to_string();
    due.announce(&jid);
    let mut cx = host::cx(minion);
    let ret = due.begin(minion.id.as_str(), &jid);
    // Entered before the thread runs, so that the next look counts it.
    // To whichever master there is, unless nobody is to have it.
    let owed_to = due.to_give(ret.clone(), false).map(|_| "");
    let entry = minion.table.enter_as(&ret, cx.cancel.clone(), due.is_listed(), owed_to);
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

fn work(minion: &Arc<Minion>, cx: &Cx, due: &Due, mut ret: Map, entry: Entry) {
    let _span = tracing::info_span!("job", jid = %cx.job.jid()).entered();
    let outcome = call(cx, due, &ret);
    let worked = outcome.is_ok();
    due.finish(&mut ret, outcome, cx.job.context("retcode"));
    entry.over();
    if cx.cancel.is_cancelled() {
        tracing::info!("Scheduled job {}: {}", due.name, cx.cancel.words());
        if !worked {
            ret.insert("return", format!("ERROR: {}", cx.cancel.words()));
        }
    }
    let returners = returners(due, &minion.opts, &minion.schedule.pillar());
    if worked && !returners.is_empty() {
        due.returner_options(&mut ret);
        if let Err(e) = brine_returners::give_scheduled(cx, &returners, &due.fun(), &ret) {
            due.returner_failed(&mut ret, &e);
        }
    }
    if let Some(ret) = due.to_give(ret, !returners.is_empty()) {
        give_back(minion, ret);
    }
    drop(entry);
}

/// The returners of the job, and those of every scheduled job.
fn returners(due: &Due, opts: &Opts, pillar: &Map) -> Vec<String> {
    due.returners(opts.get("schedule_returner").or_else(|| pillar.get("schedule_returner")))
}

fn call(cx: &Cx, due: &Due, ret: &Map) -> Result<Value, CallError> {
    let fun = due.fun();
    rules::check_blackout(cx, &fun)?;
    let function = cx.registry.get(&fun).ok_or_else(|| cx.registry.missing(&fun))?;
    outcome::call(cx, &fun, due.args(function, ret))
}

/// To every master in use; while there is none, to the one that comes next.
fn give_back(minion: &Arc<Minion>, ret: Map) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn every_scheduled_job_has_the_returners_of_the_option() {
        let data = map! {"returner" => vec!["redis", "syslog"]};
        let due = Due { name: "a".into(), function: None, data, late: 0 };
        let option = |names: Value| Opts::new(map! {"schedule_returner" => names});
        assert_eq!(returners(&due, &option("local".into()), &Map::new()), ["redis", "syslog", "local"]);
        assert_eq!(returners(&due, &option(vec!["syslog", "local"].into()), &Map::new()).len(), 3);
        let pillar = map! {"schedule_returner" => "smtp"};
        assert_eq!(returners(&due, &Opts::default(), &pillar), ["redis", "syslog", "smtp"]);
    }
}
