//! Switching jobs and the whole schedule on and off, running a job at once, saving and reading anew.

use super::{Told, about, after, is_set, list, persist, tell};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::{Map, Value, map};
use brine_render::{schedule_conf, yaml};

fn blank() -> Map {
    map! { "comment" => Vec::<Value>::new(), "result" => true, "changes" => Map::new() }
}

/// Puts the comment and the result.
pub(super) fn say(mut ret: Map, result: bool, comment: impl Into<Value>) -> Map {
    ret.insert("comment", comment);
    ret.insert("result", result);
    ret
}

/// Where a job of the pillar does not say whether it is enabled, stock fails with this.
pub(super) fn no_event(what: &str) -> String {
    format!("Event module not available. Schedule {what} failed.")
}

fn switch_job(cx: &Cx, name: &str, on: bool, test: bool, persist: Value) -> Result<Map> {
    let mut ret = blank();
    if name.is_empty() {
        ret = say(ret, false, "Job name is required.");
    }
    let word = if on { "enable" } else { "disable" };
    if test {
        ret.insert("comment", format!("Job: {name} would be {word}d in schedule."));
        return Ok(ret);
    }
    let Some(request) = about(cx, name, persist)? else {
        return Ok(say(ret, false, format!("Job {name} does not exist.")));
    };
    let Some(schedule) = after(cx, &format!("{word}_job"), request)? else { return Ok(ret) };
    let failed = format!("Failed to {word} job {name} in schedule.");
    Ok(match schedule.get(name).map(|job| job.get("enabled")) {
        None => say(ret, false, failed),
        Some(None) => {
            ret.insert("comment", no_event("enable job"));
            ret
        }
        Some(Some(enabled)) if enabled.truthy() == on => {
            ret.insert("changes", map! { name => format!("{word}d") });
            let done = if on { "Enabled" } else { "Disabled" };
            say(ret, true, format!("{done} Job {name} in schedule."))
        }
        Some(Some(_)) => say(ret, false, failed),
    })
}

/// Enable a job.
///
/// CLI Example: salt '*' schedule.enable_job job1
#[exec]
pub(super) fn enable_job(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    switch_job(cx, &name, true, cx.opts.flag("test"), persist(&kwargs))
}

/// Disable a job.
///
/// CLI Example: salt '*' schedule.disable_job job1
#[exec]
pub(super) fn disable_job(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    switch_job(cx, &name, false, is_set(&kwargs, "test"), persist(&kwargs))
}

fn switch(cx: &Cx, on: bool, kwargs: &KwArgs) -> Result<Map> {
    let mut ret = blank();
    let word = if on { "enable" } else { "disable" };
    if is_set(kwargs, "test") {
        ret.insert("comment", format!("Schedule would be {word}d."));
        return Ok(ret);
    }
    let Some(schedule) = after(cx, word, map! { "persist" => persist(kwargs) })? else { return Ok(ret) };
    if schedule.get("enabled").is_none_or(|enabled| enabled.truthy() != on) {
        return Ok(say(ret, false, format!("Failed to {word} schedule on minion.")));
    }
    ret.insert("changes", map! { "schedule" => format!("{word}d") });
    Ok(say(ret, true, format!("{} schedule on minion.", if on { "Enabled" } else { "Disabled" })))
}

/// Enable the schedule.
///
/// CLI Example: salt '*' schedule.enable
#[exec]
pub(super) fn enable(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    switch(cx, true, &kwargs)
}

/// Disable the schedule: no job runs.
///
/// CLI Example: salt '*' schedule.disable
#[exec]
pub(super) fn disable(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    switch(cx, false, &kwargs)
}

/// Run a job now; one that is disabled only with `force`.
///
/// CLI Example: salt '*' schedule.run_job job1
#[exec]
pub(super) fn run_job(cx: &Cx, name: String, #[default(false)] force: bool) -> Result<Map> {
    let mut ret = map! { "comment" => Vec::<Value>::new(), "result" => true };
    if name.is_empty() {
        ret = say(ret, false, "Job name is required.");
    }
    let schedule = list::jobs(cx, None)?;
    let Some(job) = schedule.get(&name) else {
        return Ok(say(ret, false, format!("Job {name} does not exist.")));
    };
    if job.get("enabled").is_some_and(|e| !e.truthy()) && !force {
        ret.insert("comment", format!("Job {name} is disabled."));
    } else if matches!(tell(cx, "run_job", map! { "name" => name.as_str() })?, Told::Nobody) {
        ret = say(ret, false, format!("Failed to run job {name} on minion."));
    } else {
        ret.insert("comment", format!("Scheduling Job {name} on minion."));
    }
    Ok(ret)
}

/// Keep all jobs but those of the pillar for the next start.
///
/// CLI Example: salt '*' schedule.save
#[exec]
pub(super) fn save(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    let ret = map! { "comment" => Vec::<Value>::new(), "result" => true };
    if is_set(&kwargs, "test") {
        return Ok(say(ret, true, "Schedule would be saved."));
    }
    Ok(match tell(cx, "save_schedule", Map::new())? {
        Told::Answer(_) => say(ret, true, "Schedule (non-pillar items) saved."),
        _ => ret,
    })
}

/// Read the pillar's jobs anew, and those of a file `schedule.conf` beside the minion's other configuration.
///
/// CLI Example: salt '*' schedule.reload
#[exec]
pub(super) fn reload(cx: &Cx) -> Result<Map> {
    let (mut comment, mut result) = (Vec::<Value>::new(), true);
    let mut said = |ok: bool, good: &str, bad: &str| {
        comment.push(if ok { good } else { bad }.into());
        result &= ok;
    };
    if cx.pillar.contains("schedule") {
        let fired = cx.host.fire_local("pillar_refresh", Map::new()).is_ok();
        said(
            fired,
            "Reloaded schedule from pillar on minion.",
            "Failed to reload schedule from pillar on minion.",
        );
    }
    let path = schedule_conf::path(&cx.opts).with_file_name("schedule.conf");
    if path.is_file() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let file = yaml::load(&text).unwrap_or_else(|e| {
            tracing::error!("Unable to read existing schedule file: {e}");
            Value::Nil
        });
        if file.get("schedule").is_some_and(Value::truthy) {
            let told = tell(cx, "reload", map! { "schedule" => file })?;
            said(
                !matches!(told, Told::Nobody),
                "Reloaded schedule on minion from schedule.conf.",
                "Failed to reload schedule on minion from schedule.conf.",
            );
        } else {
            said(false, "", "Failed to reload schedule on minion.  Saved file is empty or invalid.");
        }
    }
    Ok(map! { "comment" => comment, "result" => result })
}
