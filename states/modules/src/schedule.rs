//! States of the minion's schedule.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::state_module;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

state_module! { "schedule": absent, disabled, enabled, present }

/// The jobs there are.
fn current(cx: &Cx, offline: Option<Value>) -> Result<Map> {
    let mut args = Args::none().with("show_all", true).with("return_yaml", false);
    if let Some(offline) = offline {
        args = args.with("offline", offline);
    }
    match cx.call("schedule.list", args)? {
        Value::Map(jobs) => Ok(jobs),
        other => Err(CallError::execution(python_str(&other))),
    }
}

/// Calls a function of `schedule`, which says in test mode what it would do.
fn ask(cx: &Cx, function: &str, name: &str, kwargs: &KwArgs) -> Result<Map> {
    let mut args = Args { positional: vec![name.into()], keyword: kwargs.0.clone() };
    if cx.test {
        args.keyword.insert("test", true);
    }
    match cx.call(function, args)? {
        Value::Map(answer) => Ok(answer),
        other => Err(CallError::execution(python_str(&other))),
    }
}

fn ret(name: &str, result: impl Into<Value>, comment: impl Into<Value>, changes: impl Into<Value>) -> Map {
    map! { "name" => name, "result" => result.into(), "changes" => changes.into(), "comment" => comment.into() }
}

fn part(answer: &Map, key: &str) -> Value {
    answer.get(key).cloned().unwrap_or_default()
}

fn comment(answer: &Map) -> String {
    answer.get("comment").map(python_str).unwrap_or_default()
}

/// The answer of a function that failed; `None` where it did not.
fn refusal(name: &str, answer: &Map) -> Option<Map> {
    let result = part(answer, "result");
    (!result.truthy()).then(|| ret(name, result, part(answer, "comment"), Map::new()))
}

/// A job is in the schedule, and as it says here.
///
/// name: the job. function, seconds, minutes, hours, days, when, cron, and all other arguments are those of `schedule.add`.
#[exec]
fn present(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let current = current(cx, Some(part(&kwargs.0, "offline")))?;
    let Some(job) = current.get(&name) else {
        let answer = ask(cx, "schedule.add", &name, &kwargs)?;
        if cx.test {
            return Ok(ret(&name, true, comment(&answer), Map::new()));
        }
        return Ok(refusal(&name, &answer).unwrap_or_else(|| {
            ret(&name, true, format!("Adding new job {name} to schedule"), part(&answer, "changes"))
        }));
    };
    let args = Args { positional: vec![name.as_str().into()], keyword: kwargs.0.clone() };
    let mut new = cx.call("schedule.build_schedule_item", args)?;
    if let Value::Map(new) = &mut new {
        if new.contains("result") && let Some(refusal) = refusal(&name, new) {
            return Ok(refusal);
        }
        new.entry_or("enabled", || true.into());
    }
    if new == *job {
        return Ok(ret(&name, true, format!("Job {name} in correct state"), Map::new()));
    }
    let answer = ask(cx, "schedule.modify", &name, &kwargs)?;
    if cx.test {
        return Ok(ret(&name, true, comment(&answer), part(&answer, "changes")));
    }
    Ok(refusal(&name, &answer)
        .unwrap_or_else(|| ret(&name, true, format!("Modifying job {name} in schedule"), part(&answer, "changes"))))
}

/// A job is not in the schedule.
///
/// name: the job. persist: forget it for good (default). offline: change what is kept for the next start.
#[exec]
fn absent(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    if !current(cx, Some(part(&kwargs.0, "offline")))?.contains(&name) {
        return Ok(ret(&name, true, format!("Job {name} not present in schedule"), Map::new()));
    }
    let answer = ask(cx, "schedule.delete", &name, &kwargs)?;
    if cx.test {
        return Ok(ret(&name, true, comment(&answer), Map::new()));
    }
    Ok(refusal(&name, &answer)
        .unwrap_or_else(|| ret(&name, true, format!("Removed job {name} from schedule"), part(&answer, "changes"))))
}

/// A job of the schedule is enabled.
///
/// name: the job. persist: for good (default).
#[exec]
fn enabled(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let jobs = current(cx, None)?;
    switched(cx, &name, &kwargs, &jobs, "schedule.enable_job", "Enabled")
}

/// A job of the schedule is disabled.
///
/// name: the job. persist: for good (default).
#[exec]
fn disabled(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let jobs = current(cx, Some(part(&kwargs.0, "offline")))?;
    switched(cx, &name, &kwargs, &jobs, "schedule.disable_job", "Disabled")
}

fn switched(cx: &Cx, name: &str, kwargs: &KwArgs, jobs: &Map, function: &str, done: &str) -> Result<Map> {
    if !jobs.contains(name) {
        return Ok(ret(name, true, format!("Job {name} not present in schedule"), Map::new()));
    }
    let answer = ask(cx, function, name, kwargs)?;
    if cx.test {
        return Ok(ret(name, true, comment(&answer), Map::new()));
    }
    if let Some(mut refusal) = refusal(name, &answer) {
        if done == "Enabled" {
            refusal.insert("changes", part(&answer, "changes"));
        }
        return Ok(refusal);
    }
    Ok(ret(name, true, format!("{done} job {name} from schedule"), Map::new()))
}
