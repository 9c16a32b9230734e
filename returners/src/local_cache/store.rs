//! The job store of a master, read as stock's job cache is.

use super::{is_question, part_of};
use crate::describe::{describe_jid, describe_jid_ext};
use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value, jid};
use brine_store::jobs::{Shelf, StoreError};

fn failed(e: StoreError) -> CallError {
    CallError::exception("salt.exceptions.SaltCacheError", e.to_string())
}

pub(super) fn get_load(shelf: &Shelf, jid: &str) -> Result<Map> {
    let Some(job) = shelf.job(jid).map_err(failed)? else { return Ok(Map::new()) };
    let (mut load, mut minions) = (job.load, job.minions);
    if !load.is_empty() && !minions.is_empty() {
        minions.sort();
        load.insert("Minions", minions);
    }
    Ok(load)
}

pub(super) fn get_jid(shelf: &Shelf, jid: &str) -> Result<Map> {
    let returns = shelf.returns(jid).map_err(failed)?;
    Ok(returns
        .into_iter()
        .map(|(id, load)| (id, part_of(&load, &["return", "retcode", "success", "out"])))
        .collect())
}

pub(super) fn get_jids(cx: &Cx, shelf: &Shelf) -> Result<Map> {
    let mut all = Map::new();
    for job in shelf.jobs(usize::MAX, |job| !job.load.is_empty()).map_err(failed)? {
        let mut described = describe_jid(&job.jid, &job.load);
        if cx.opts.flag("job_cache_store_endtime")
            && let Some(end) = get_endtime(shelf, &job.jid)?
        {
            described.insert("EndTime", end);
        }
        all.insert(job.jid, described);
    }
    Ok(all)
}

pub(super) fn get_jids_filter(shelf: &Shelf, count: usize, filter_find_job: bool) -> Result<Vec<Value>> {
    let wanted = |load: &Map| !(load.is_empty() || filter_find_job && is_question(load));
    let jobs = shelf.jobs(count, |job| wanted(&job.load)).map_err(failed)?;
    Ok(jobs.iter().map(|job| describe_jid_ext(&job.jid, &job.load).into()).collect())
}

pub(super) fn get_endtime(shelf: &Shelf, jid: &str) -> Result<Option<String>> {
    let end = shelf.ended(jid).map_err(failed)?;
    Ok(end.map(|end| jid::jid_to_time(&jid::gen_jid(end))))
}
