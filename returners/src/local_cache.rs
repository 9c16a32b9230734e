//! `local_cache`: on a master, its own job store and what a stock master left in files; elsewhere files below
//! `cachedir/jobs` in stock's layout.

mod both;
mod files;
mod store;

use crate::Returner;
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value, jid};
use std::time::SystemTime;

pub(crate) static RETURNER: Returner = Returner {
    name: "local_cache",
    doc: "The usual job cache. On a master this is its own job store, which has every job and return already, and the files \
          of jobs that a stock master had before; on a minion returns are written below `cachedir`/jobs as stock's master writes them. It has no options but `keep_jobs_seconds` \
          and `job_cache_store_endtime`.",
    returner: Some(|cx, load| match cx.host.job_store() {
        Some(jobs) => store::returner(jobs, load),
        None => unless_master(cx, |cx| files::returner(cx, load)),
    }),
    prep_jid: Some(prep_jid),
    save_load: Some(|cx, jid, load, minions| unless_master(cx, |cx| files::save_load(cx, jid, load, minions))),
    save_minions: Some(|cx, jid, minions, syndic| {
        unless_master(cx, |cx| files::save_minions(cx, jid, minions, syndic))
    }),
    get_load: Some(|cx, jid| match cx.host.job_store() {
        Some(jobs) => both::get_load(cx, jobs, jid),
        None => files::get_load(cx, jid),
    }),
    get_jid: Some(|cx, jid| match cx.host.job_store() {
        Some(jobs) => both::get_jid(cx, jobs, jid),
        None => files::get_jid(cx, jid),
    }),
    get_jids: Some(|cx| match cx.host.job_store() {
        Some(jobs) => both::get_jids(cx, jobs),
        None => files::get_jids(cx, &|_| false),
    }),
    get_jids_filter: Some(|cx, count, filter| match cx.host.job_store() {
        Some(jobs) => both::get_jids_filter(cx, jobs, count, filter),
        None => files::get_jids_filter(cx, count, filter, &|_| false),
    }),
    clean_old_jobs: Some(|cx| unless_master(cx, files::clean_old_jobs)),
    update_endtime: Some(|cx, jid, time| unless_master(cx, |cx| files::update_endtime(cx, jid, time))),
    get_endtime: Some(|cx, jid| match cx.host.job_store() {
        Some(jobs) => both::get_endtime(cx, jobs, jid),
        None => files::get_endtime(cx, jid),
    }),
    ..Returner::NOTHING
};

/// A master's store is written by the master itself.
fn unless_master(cx: &Cx, write: impl FnOnce(&Cx) -> Result<()>) -> Result<()> {
    let is_master = cx.host.job_store().is_some() || cx.opts.path("cachedir").join("job_store").is_dir();
    if is_master { Ok(()) } else { write(cx) }
}

fn prep_jid(cx: &Cx, nocache: bool, passed: Option<&str>) -> Result<String> {
    let jid = passed.map_or_else(|| jid::gen_jid(SystemTime::now()), str::to_owned);
    unless_master(cx, |cx| files::prep_jid(cx, &jid, nocache))?;
    Ok(jid)
}

/// What `get_jid` shows of a return.
fn part_of(load: &Map, keys: &[&str]) -> Map {
    keys.iter().filter_map(|key| Some((*key, load.get(key)?.clone()))).collect::<Map>()
}

/// Whether a load is the question for a running job.
fn is_question(load: &Map) -> bool {
    load.get("fun").and_then(Value::as_str) == Some("saltutil.find_job")
}
