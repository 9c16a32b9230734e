//! State runs exclude each other: one that finds another either says so or waits for it (`queue`).

use super::COMPILER_ERROR;
use brine_core::call::{Args, Cx, Result, exec};
use brine_core::jid::jid_to_time;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often one that waits looks again.
const TURN: Duration = Duration::from_millis(200);

/// The jobs of this process that wait for others.
static WAITING: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The other jobs that run a state function.
fn others(cx: &Cx) -> Result<Vec<Map>> {
    let jobs = cx.call("saltutil.is_running", Args::positional(["state.*"]))?;
    Ok(jobs.as_list().unwrap_or_default().iter().filter_map(Value::as_map).cloned().collect())
}

fn text(job: &Map, key: &str) -> String {
    job.get(key).map(python_str).unwrap_or_default()
}

/// Return a line for each state function that runs already: those exclude each other.
///
/// CLI Example: salt '*' state.running
#[exec]
pub(super) fn running(cx: &Cx, #[default(false)] concurrent: Value) -> Result<Vec<Value>> {
    if concurrent.truthy() {
        return Ok(Vec::new());
    }
    let line = |job: Map| {
        let jid = text(&job, "jid");
        let started = jid_to_time(&jid);
        format!(
            "The function \"{}\" is running as PID {} and was started at {started} with jid {jid}",
            text(&job, "fun"),
            text(&job, "pid")
        )
    };
    Ok(others(cx)?.into_iter().map(line).map(Value::from).collect())
}

/// This job among those that wait, as long as it does.
struct Waits<'a>(&'a str);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        WAITING.lock().unwrap_or_else(PoisonError::into_inner).remove(self.0);
    }
}

/// What a job has before it: all that run, and those that wait and came earlier. If there is none, it waits no longer.
fn before(cx: &Cx, jid: &str) -> Result<usize> {
    let jobs = others(cx)?;
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let counts = |job: &&Map| {
        let other = text(job, "jid");
        !waiting.contains(&other) || jid.is_empty() || *other < *jid
    };
    let count = jobs.iter().filter(counts).count();
    if count == 0 {
        waiting.remove(jid);
    }
    Ok(count)
}

/// Waits until nothing is before this job; with a `bound`, only if fewer than that are. Whether it waited.
fn wait(cx: &Cx, bound: usize) -> Result<bool> {
    let jid = cx.job.jid();
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).insert(jid.to_owned());
    let _waits = Waits(jid);
    let mut count = before(cx, jid)?;
    if bound != 0 && count >= bound {
        return Ok(false);
    }
    while count > 0 {
        cx.cancel.sleep(TURN)?;
        count = before(cx, jid)?;
    }
    Ok(true)
}

/// What stands against running now, for a function that others exclude.
pub(super) fn conflict(cx: &Cx, queue: Option<Value>, kwargs: &Map) -> Result<Option<Value>> {
    let queue = match queue {
        None | Some(Value::Nil) => cx.opts.get("state_queue").cloned().unwrap_or(false.into()),
        Some(given) => given,
    };
    let waited = match queue {
        Value::Bool(true) => wait(cx, 0)?,
        Value::Int(bound) => wait(cx, usize::try_from(bound).unwrap_or(0))?,
        _ => false,
    };
    if waited {
        return Ok(None);
    }
    let concurrent = kwargs.get("concurrent").cloned().unwrap_or(false.into());
    let lines = cx.call("state.running", Args::positional([concurrent]))?;
    if lines.truthy() {
        cx.set_retcode(COMPILER_ERROR);
        return Ok(Some(lines));
    }
    Ok(None)
}
