//! The job store of a master, read as stock's job cache is.

use super::part_of;
use crate::common::required_text;
use crate::describe::describe_jid;
use brine_core::call::{Cx, Result};
use brine_core::host::JobStore;
use brine_core::{Map, jid};

/// The return of a job that the master did not publish: one of its own schedule.
pub(super) fn returner(jobs: &dyn JobStore, load: &Map) -> Result<()> {
    jobs.keep(required_text(load, "jid")?, required_text(load, "id")?, load)
}

pub(super) fn get_load(jobs: &dyn JobStore, jid: &str) -> Result<Map> {
    let Some(job) = jobs.job(jid)? else { return Ok(Map::new()) };
    let (mut load, mut minions) = (job.load, job.minions);
    if !load.is_empty() && !minions.is_empty() {
        minions.sort();
        load.insert("Minions", minions);
    }
    Ok(load)
}

pub(super) fn get_jid(jobs: &dyn JobStore, jid: &str) -> Result<Map> {
    let returns = jobs.returns(jid)?;
    Ok(returns
        .into_iter()
        .map(|(id, load)| (id, part_of(&load, &["return", "retcode", "success", "out"])))
        .collect())
}

pub(super) fn get_jids(cx: &Cx, jobs: &dyn JobStore) -> Result<Map> {
    let mut all = Map::new();
    for job in jobs.jobs(usize::MAX, &mut |load| !load.is_empty())? {
        let mut described = describe_jid(&job.jid, &job.load);
        if cx.opts.flag("job_cache_store_endtime")
            && let Some(end) = get_endtime(jobs, &job.jid)?
        {
            described.insert("EndTime", end);
        }
        all.insert(job.jid, described);
    }
    Ok(all)
}

pub(super) fn get_endtime(jobs: &dyn JobStore, jid: &str) -> Result<Option<String>> {
    let end = jobs.ended(jid)?;
    Ok(end.map(|end| jid::jid_to_time(&jid::gen_jid(end))))
}
