//! A job made of keyword arguments.

use super::key_error;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::schedule::{Moment, parse_date};
use brine_core::text::python_type;
use brine_core::{Map, Value, map};

/// Taken as they are, after what is checked.
const PLAIN: [&str; 12] = [
    "range",
    "when",
    "once",
    "once_fmt",
    "cron",
    "returner",
    "after",
    "return_config",
    "return_kwargs",
    "until",
    "run_on_start",
    "skip_during_range",
];

const INTERVALS: [&str; 4] = ["seconds", "minutes", "hours", "days"];

/// Whether intervals stand beside a time, or two times beside each other.
pub(super) fn conflict(kwargs: &Map) -> Option<Conflict> {
    let (when, cron) = (kwargs.contains("when"), kwargs.contains("cron"));
    if INTERVALS.iter().any(|i| kwargs.contains(i)) && (when || cron) {
        return Some(Conflict::Interval);
    }
    (when && cron).then_some(Conflict::Times)
}

/// What does not go together.
pub(super) enum Conflict {
    Interval,
    Times,
}

/// `when` and `cron` at once.
pub(super) const TWO_TIMES: &str = "Unable to use \"when\" and \"cron\" options together.  Ignoring.";

fn refused(comment: impl Into<String>) -> Map {
    map! { "comment" => comment.into(), "result" => false }
}

/// Whether this is not a job but why there is none.
pub(super) fn is_refused(job: &Map) -> bool {
    job.get("result").is_some_and(|r| !r.truthy())
}

/// The job, or a map with `result` false and a comment.
pub(super) fn build(name: &str, kwargs: &Map) -> Result<Map> {
    if name.is_empty() {
        return Ok(refused("Job name is required."));
    }
    let function = kwargs.get("function").ok_or_else(|| key_error("function"))?;
    let mut job = map! { "function" => function.clone() };
    match conflict(kwargs) {
        Some(Conflict::Interval) => {
            return Ok(refused(
                "Unable to use \"seconds\", \"minutes\", \"hours\", or \"days\" with \"when\" or \"cron\" options.",
            ));
        }
        Some(Conflict::Times) => return Ok(refused(TWO_TIMES)),
        None => {}
    }
    for key in INTERVALS.into_iter().chain(["return_job", "metadata"]) {
        if let Some(value) = kwargs.get(key) {
            job.insert(key, value.clone());
        }
    }
    match kwargs.get("job_args") {
        Some(args @ Value::List(_)) => drop(job.insert("args", args.clone())),
        Some(_) => return Ok(refused("job_args is not a list. please correct and try again.")),
        None => {}
    }
    match kwargs.get("job_kwargs") {
        Some(args @ Value::Map(_)) => drop(job.insert("kwargs", args.clone())),
        Some(_) => return Ok(refused("job_kwargs is not a dict. please correct and try again.")),
        None => {}
    }
    let given = |key: &str, default: Value| kwargs.get(key).cloned().unwrap_or(default);
    job.insert("maxrunning", given("maxrunning", 1.into()));
    job.insert("name", given("name", name.into()));
    job.insert("enabled", given("enabled", true.into()));
    job.insert("jid_include", given("jid_include", true.into()));
    match kwargs.get("splay") {
        Some(Value::Map(splay)) => {
            let part = |key: &str| splay.get(key).cloned().ok_or_else(|| key_error(key));
            job.insert("splay", map! { "start" => part("start")?, "end" => part("end")? });
        }
        Some(splay) => drop(job.insert("splay", splay.clone())),
        None => {}
    }
    if let Some(when) = kwargs.get("when")
        && let Some(bad) = invalid_when(when)?
    {
        return Ok(refused(format!("Schedule item {bad} for \"when\" in invalid.")));
    }
    for key in PLAIN {
        if let Some(value) = kwargs.get(key) {
            job.insert(key, value.clone());
        }
    }
    Ok(job)
}

/// The first time that is none.
fn invalid_when(when: &Value) -> Result<Option<String>> {
    let now = Moment::now();
    let times = match when {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    for time in times {
        match time {
            Value::Str(text) if parse_date(text, now).is_some() => {}
            Value::Str(text) => return Ok(Some(text.clone())),
            other => {
                let kind = python_type(other);
                let text = format!("Parser must be a string or character stream, not {kind}");
                return Err(CallError::Arguments(text));
            }
        }
    }
    Ok(None)
}

/// The definition of a job, without adding it.
///
/// CLI Example: salt '*' schedule.build_schedule_item job1 function='test.ping' seconds=3600
#[exec]
pub(super) fn build_schedule_item(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let _ = cx;
    build(&name, &kwargs.clean())
}
