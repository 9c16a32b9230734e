//! Jobs of this minion that run now, and signals to them.

use brine_core::call::{Cx, Result, exec};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value};

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

/// All jobs but the one that asks.
fn others(cx: &Cx) -> Vec<Map> {
    let own = cx.job.jid();
    let mut jobs = cx.host.running();
    jobs.retain(|job| own.is_empty() || jid(job) != own);
    jobs
}

fn jid(job: &Map) -> String {
    job.get("jid").map(python_str).unwrap_or_default()
}

/// The jobs that this minion runs now.
///
/// CLI Example: salt '*' saltutil.running
#[exec]
pub(super) fn running(cx: &Cx) -> Result {
    Ok(others(cx).into_iter().collect())
}

/// The jobs that run a function now; a pattern means every function that matches.
///
/// CLI Example: salt '*' saltutil.is_running state.highstate
#[exec]
pub(super) fn is_running(cx: &Cx, fun: String) -> Result {
    let runs = |job: &Map| fnmatch(job.get_str("fun").unwrap_or_default(), &fun);
    Ok(others(cx).into_iter().filter(runs).collect())
}

/// The job of this id if it runs now, else an empty dict.
///
/// CLI Example: salt '*' saltutil.find_job 20261125130000000000
#[exec]
pub(super) fn find_job(cx: &Cx, jid: Value) -> Result<Map> {
    let wanted = python_str(&jid);
    Ok(others(cx).into_iter().find(|job| self::jid(job) == wanted).unwrap_or_default())
}

fn signal(cx: &Cx, jid: &str, number: i32) -> Value {
    if others(cx).iter().any(|job| self::jid(job) == jid) { cx.host.signal_job(jid, number) } else { "".into() }
}

fn signal_all(cx: &Cx, number: i32) -> Value {
    others(cx).iter().map(|job| cx.host.signal_job(&jid(job), number)).collect()
}

/// Send a signal, by number, to the processes of a job.
///
/// CLI Example: salt '*' saltutil.signal_job 20261125130000000000 15
#[exec]
pub(super) fn signal_job(cx: &Cx, jid: Value, sig: i32) -> Result {
    Ok(signal(cx, &python_str(&jid), sig))
}

/// Ask a job to end (SIGTERM to its processes).
///
/// CLI Example: salt '*' saltutil.term_job 20261125130000000000
#[exec]
pub(super) fn term_job(cx: &Cx, jid: Value) -> Result {
    Ok(signal(cx, &python_str(&jid), SIGTERM))
}

/// Ask all jobs to end.
///
/// CLI Example: salt '*' saltutil.term_all_jobs
#[exec]
pub(super) fn term_all_jobs(cx: &Cx) -> Result {
    Ok(signal_all(cx, SIGTERM))
}

/// End a job (SIGKILL to its processes).
///
/// CLI Example: salt '*' saltutil.kill_job 20261125130000000000
#[exec]
pub(super) fn kill_job(cx: &Cx, jid: Value) -> Result {
    Ok(signal(cx, &python_str(&jid), SIGKILL))
}

/// End all jobs.
///
/// CLI Example: salt '*' saltutil.kill_all_jobs
#[exec]
pub(super) fn kill_all_jobs(cx: &Cx) -> Result {
    Ok(signal_all(cx, SIGKILL))
}
