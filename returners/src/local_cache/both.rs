//! A master's jobs: its own store, and jobs in stock's files that the store does not have. A stock master may have run here
//! before, or runs here now and only this command is ours.

use super::{files, is_question, store};
use crate::describe::describe_jid_ext;
use brine_core::call::{Cx, Result};
use brine_core::host::JobStore;
use brine_core::{Map, Value};
use std::collections::HashSet;

fn has(jobs: &dyn JobStore, jid: &str) -> Result<bool> {
    Ok(jobs.job(jid)?.is_some_and(|job| !job.load.is_empty()))
}

pub(super) fn get_load(cx: &Cx, jobs: &dyn JobStore, jid: &str) -> Result<Map> {
    let load = store::get_load(jobs, jid)?;
    if load.is_empty() { files::get_load(cx, jid) } else { Ok(load) }
}

/// A job of the files may have got its last returns in the store.
pub(super) fn get_jid(cx: &Cx, jobs: &dyn JobStore, jid: &str) -> Result<Map> {
    let here = store::get_jid(jobs, jid)?;
    if has(jobs, jid)? {
        return Ok(here);
    }
    let mut all = files::get_jid(cx, jid)?;
    all.update(here);
    Ok(all)
}

pub(super) fn get_jids(cx: &Cx, jobs: &dyn JobStore) -> Result<Map> {
    let here = store::get_jids(cx, jobs)?;
    let there = files::get_jids(cx, &|jid| here.contains(jid))?;
    if there.is_empty() {
        return Ok(here);
    }
    let mut all: Vec<_> = here.into_iter().chain(there).collect();
    all.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
    Ok(all.into_iter().collect())
}

pub(super) fn get_jids_filter(
    cx: &Cx,
    jobs: &dyn JobStore,
    count: usize,
    filter_find_job: bool,
) -> Result<Vec<Value>> {
    let here = jobs.jobs(usize::MAX, &mut |load| !load.is_empty())?;
    let known: HashSet<&str> = here.iter().map(|job| job.jid.as_str()).collect();
    let mut all = files::get_jids_filter(cx, count, filter_find_job, &|jid| known.contains(jid))?;
    let newest = here.iter().rev().filter(|job| !(filter_find_job && is_question(&job.load))).take(count);
    all.extend(newest.map(|job| Value::from(describe_jid_ext(&job.jid, &job.load))));
    let jid = |job: &Value| job.as_map().and_then(|job| job.get_str("JID")).unwrap_or_default().to_owned();
    all.sort_by_key(jid);
    Ok(all.split_off(all.len().saturating_sub(count)))
}

pub(super) fn get_endtime(cx: &Cx, jobs: &dyn JobStore, jid: &str) -> Result<Option<String>> {
    match store::get_endtime(jobs, jid)? {
        Some(end) => Ok(Some(end)),
        None => files::get_endtime(cx, jid),
    }
}
