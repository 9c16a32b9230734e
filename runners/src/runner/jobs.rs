//! Jobs: those that run, and those that are kept: in the job store, which is the master's own database in the place of
//! stock's `local_cache`, or where a returner keeps them (`ext_job_cache`, `ext_source`, `master_job_cache`).

mod search;

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, jid, map};
use brine_returners::Returner;
use brine_returners::describe::describe;
use brine_store::jobs::StoreError;

use crate::client::try_cmd;
use crate::host::master;
use crate::run::progress;
use crate::side::Order;
use search::{exec_last_run, exec_list_jobs, exec_list_jobs_filter};

module! {
    "jobs": active, exit_success, last_run, list_job, list_jobs, list_jobs_filter, lookup_jid, "master" => running,
    print_job
}

pub(super) fn store_error(e: StoreError) -> CallError {
    CallError::exception("salt.exceptions.SaltCacheError", e.to_string())
}

/// The returner that is asked.
fn source(cx: &Cx, asked: Option<&str>) -> Result<&'static Returner> {
    let names = [cx.opts.str("ext_job_cache"), asked.unwrap_or(""), cx.opts.str("master_job_cache"), "local_cache"];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    brine_returners::find(&cx.opts, name, "get_load")
}

/// What jobs' data say about a job, in stock's words.
fn described(load: &Map) -> Map {
    if load.is_empty() {
        return map! {"Error" => "Cannot contact returner or no job with this jid"};
    }
    describe(load)
}

/// As [`described`], with the minions it was for and the time it began.
fn with_minions(jid: &str, load: &Map) -> Map {
    let mut out = described(load);
    if let Some(minions) = load.get("Minions") {
        out.insert("Minions", minions.clone());
    }
    out.insert("StartTime", jid::jid_to_time(jid));
    out
}

/// The returns of a job: id to `return`, `retcode`, `success` and `out`, as far as the returner has them.
fn returns(cx: &Cx, source: &Returner, jid: &str) -> Result<Map> {
    source.has(source.get_jid, "get_jid")?(cx, jid)
}

/// When the last return of a job came, where the master is to know that.
fn end_time(cx: &Cx, jid: &str) -> Result<Option<String>> {
    if !cx.opts.flag("job_cache_store_endtime") {
        return Ok(None);
    }
    let end = master(cx)?.jobs.ended(jid).map_err(store_error)?;
    Ok(end.map(|end| jid::jid_to_time(&jid::gen_jid(end))))
}

/// A job with its returns.
fn whole(cx: &Cx, source: &Returner, jid: &str) -> Result<Map> {
    let mut out = with_minions(jid, &source.has(source.get_load, "get_load")?(cx, jid)?);
    out.insert("Result", returns(cx, source, jid)?);
    if let Some(end) = end_time(cx, jid)? {
        out.insert("EndTime", end);
    }
    Ok(out)
}

/// The runner and scheduled jobs that work on the master now.
///
/// CLI Example: salt-run jobs.master
#[exec(name = "master")]
fn running(cx: &Cx) -> Result<Vec<Value>> {
    let dir = brine_store::fs::Dir::at(cx.opts.path("cachedir").join("proc"));
    let mut jobs = Vec::new();
    for name in dir.names()? {
        let data = dir.read(&name, 1 << 20).ok().flatten();
        let job = data.and_then(|bytes| brine_protocol::msgpack::decode(&bytes).ok());
        let pid = job.as_ref().and_then(|job| job.get("pid")).and_then(Value::as_int);
        let command = pid.and_then(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).ok()).unwrap_or_default();
        match job {
            Some(job) if String::from_utf8_lossy(&command).contains("salt") => jobs.push(job),
            _ => {
                dir.remove(&name)?;
            }
        }
    }
    Ok(jobs)
}

/// All jobs that minions work on now, by job id, with the minions that do and those that have returned.
///
/// CLI Example: salt-run jobs.active
#[exec]
fn active(cx: &Cx, #[default(false)] display_progress: bool) -> Result<Map> {
    let order = Order::new(&cx.opts, "*", "glob", "saltutil.running");
    let Some(answers) = try_cmd(cx, &order)? else { return Ok(Map::new()) };
    if display_progress {
        let ids: Vec<String> = answers.keys().map(brine_core::text::python_repr).collect();
        let message = format!("Attempting to contact minions: [{}]", ids.join(", "));
        progress(cx, map! {"message" => message})?;
    }
    let source = source(cx, None)?;
    let mut all = Map::new();
    for (id, running) in answers {
        if display_progress {
            progress(cx, map! {"message" => format!("Received reply from minion {}", python_str(&id))})?;
        }
        for job in running.as_list().unwrap_or_default() {
            let (Some(load), Some(jid)) = (job.as_map(), job.get("jid").and_then(Value::as_str)) else { continue };
            let entry: Map = [(id.clone(), load.get("pid").cloned().unwrap_or_default())].into_iter().collect();
            if let Some(known) = all.get_mut(jid).and_then(Value::as_map_mut) {
                if let Some(Value::List(on)) = known.get_mut("Running") {
                    on.push(entry.into());
                }
                continue;
            }
            let mut new = described(load);
            new.insert("StartTime", jid::jid_to_time(jid));
            new.insert("Running", vec![entry.into()] as Vec<Value>);
            new.insert("Returned", returns(cx, source, jid)?.keys().cloned().collect::<Value>());
            all.insert(jid, new);
        }
    }
    Ok(all)
}

/// What a job has returned. With `missing`, the minions that have not returned are named too.
///
/// CLI Example: salt-run jobs.lookup_jid 20130916125524463507
#[exec]
fn lookup_jid(
    cx: &Cx,
    jid: String,
    ext_source: Option<String>,
    #[default(true)] returned: bool,
    #[default(false)] missing: bool,
    #[default(false)] display_progress: bool,
) -> Result<Map> {
    let job = list_job(cx, jid, ext_source, display_progress)?;
    let empty = Map::new();
    let results = job.get("Result").and_then(Value::as_map).unwrap_or(&empty);
    let mut out = Map::new();
    for (id, result) in results {
        if display_progress {
            progress(cx, map! {"message" => id.clone()})?;
        }
        if returned {
            out.insert(id.clone(), result.get("return").cloned().unwrap_or_default());
        }
    }
    if missing {
        let targeted = job.get("Minions").and_then(Value::as_list).unwrap_or_default();
        for id in targeted.iter().filter(|id| results.get_key(id).is_none()) {
            out.insert(id.clone(), "Minion did not return");
        }
    }
    let outputter = results.values().next().and_then(|first| first.get("out")).filter(|out| out.truthy());
    Ok(match outputter {
        Some(outputter) => map! {"outputter" => outputter.clone(), "data" => out},
        None => out,
    })
}

/// One job: what it was, for whom, by whom, and what was returned.
///
/// CLI Example: salt-run jobs.list_job 20130916125524463507
#[exec]
fn list_job(
    cx: &Cx,
    jid: String,
    ext_source: Option<String>,
    #[default(false)] display_progress: bool,
) -> Result<Map> {
    let source = source(cx, ext_source.as_deref())?;
    if display_progress {
        progress(cx, map! {"message" => format!("Querying returner: {}", source.name)})?;
    }
    let mut out = map! {"jid" => jid.as_str()};
    out.update(whole(cx, source, &jid)?);
    Ok(out)
}

/// One job with its returns, under its id.
///
/// CLI Example: salt-run jobs.print_job 20130916125524463507
#[exec]
fn print_job(cx: &Cx, jid: String, ext_source: Option<String>) -> Result<Map> {
    let source = source(cx, ext_source.as_deref())?;
    Ok(map! {jid.as_str() => whole(cx, source, &jid)?})
}

/// Which minions of a job have returned something that is true.
///
/// CLI Example: salt-run jobs.exit_success 20160520145827701627
#[exec]
fn exit_success(cx: &Cx, jid: String, ext_source: Option<String>) -> Result<Map> {
    let job = list_job(cx, jid, ext_source, false)?;
    let mut out = Map::new();
    for id in job.get("Minions").and_then(Value::as_list).unwrap_or_default() {
        out.insert(id.clone(), false);
    }
    for (id, result) in job.get("Result").and_then(Value::as_map).into_iter().flatten() {
        let success = result.get("return").is_some_and(Value::truthy);
        if success || out.get_key(id).is_some() {
            out.insert(id.clone(), success);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
