//! Single runs of a job: skipped, or put off.

use super::switch::{no_event, say};
use super::{about, after};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::schedule::strptime;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// The format of times without one.
const ISO: &str = "%Y-%m-%dT%H:%M:%S";

fn format(kwargs: &KwArgs) -> String {
    kwargs.0.get("time_fmt").filter(|f| f.truthy()).map_or_else(|| ISO.to_owned(), python_str)
}

/// Whether this is text that is a time in the format.
fn is_time(time: &Value, format: &str) -> bool {
    let valid = time.as_str().is_some_and(|text| strptime(text, format).is_some());
    if !valid {
        tracing::error!("Date string could not be parsed: {}, {format}", python_str(time));
    }
    valid
}

/// Asks, and words what came of it.
fn ask(cx: &Cx, mut ret: Map, name: &str, func: &str, times: Map, done: &str, what: &str) -> Result<Map> {
    let Some(mut request) = about(cx, name, Value::Nil)? else {
        return Ok(say(ret, false, format!("Job {name} does not exist.")));
    };
    request.remove("persist");
    request.update(times);
    let Some(schedule) = after(cx, func, request)? else { return Ok(ret) };
    Ok(match schedule.get(name).map(|job| job.get("enabled")) {
        Some(None) => {
            ret.insert("comment", no_event(&format!("{what} job")));
            ret
        }
        Some(Some(enabled)) if enabled.truthy() => say(ret, true, format!("{done} Job {name} in schedule.")),
        _ => say(ret, false, format!("Failed to {what} job {name} in schedule.")),
    })
}

/// Run a job at `new_time` instead of `current_time`, both in the format `time_fmt`.
///
/// CLI Example: salt '*' schedule.postpone_job job current_time new_time
#[exec]
pub(super) fn postpone_job(
    cx: &Cx,
    name: String,
    current_time: Value,
    new_time: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    let format = format(&kwargs);
    let ret = map! { "comment" => Vec::<Value>::new(), "result" => true };
    if name.is_empty() {
        return Ok(say(ret, false, "Job name is required."));
    }
    for (time, missing) in [
        (&current_time, "Job current time is required."),
        (&new_time, "Job new_time is required."),
    ] {
        if !time.truthy() {
            return Ok(say(ret, false, missing));
        }
        if !is_time(time, &format) {
            return Ok(say(ret, false, "Date string could not be parsed."));
        }
    }
    if cx.opts.flag("test") {
        return Ok(say(ret, true, format!("Job: {name} would be postponed in schedule.")));
    }
    let times = map! { "time" => current_time, "new_time" => new_time, "time_fmt" => format };
    ask(cx, ret, &name, "postpone_job", times, "Postponed", "postpone")
}

/// Do not run a job at `current_time`, in the format `time_fmt`.
///
/// CLI Example: salt '*' schedule.skip_job job time
#[exec]
pub(super) fn skip_job(cx: &Cx, name: String, current_time: Value, kwargs: KwArgs) -> Result<Map> {
    let format = format(&kwargs);
    let mut ret = map! { "comment" => Vec::<Value>::new(), "result" => true };
    if name.is_empty() {
        ret = say(ret, false, "Job name is required.");
    }
    if !current_time.truthy() {
        ret = say(ret, false, "Job time is required.");
    } else if !is_time(&current_time, &format) {
        return Ok(say(ret, false, "Date string could not be parsed."));
    }
    if cx.opts.flag("test") {
        ret.insert("comment", format!("Job: {name} would be skipped in schedule."));
        return Ok(ret);
    }
    let times = map! { "time" => current_time, "time_fmt" => format };
    ask(cx, ret, &name, "skip_job", times, "Added Skip", "skip")
}
