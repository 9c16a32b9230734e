//! Showing the schedule.

use super::{Told, in_order, tell};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::schedule::Moment;
use brine_core::{Map, Value, map};
use brine_render::schedule_conf;
use brine_render::yaml::safe_dump;

/// What is shown of a job; all else is state.
const SHOWN: [&str; 27] = [
    "name",
    "maxrunning",
    "function",
    "splay",
    "range",
    "when",
    "once",
    "once_fmt",
    "returner",
    "jid_include",
    "args",
    "kwargs",
    "seconds",
    "minutes",
    "hours",
    "days",
    "enabled",
    "return_job",
    "metadata",
    "cron",
    "until",
    "after",
    "return_config",
    "return_kwargs",
    "run_on_start",
    "skip_during_range",
    "run_after_skip_range",
];

/// Entries of a schedule that are no jobs.
const SETTINGS: [&str; 3] = ["enabled", "skip_function", "skip_during_range"];

/// How a list is made.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) all: bool,
    pub(super) disabled: bool,
    pub(super) place: Option<&'a str>,
    pub(super) offline: bool,
}

/// Every job of one place, or of all.
pub(super) fn jobs(cx: &Cx, place: Option<&str>) -> Result<Map> {
    read(cx, Wanted { all: true, disabled: true, place, offline: false })
}

/// Every job, of the minion or of its file.
pub(super) fn jobs_or_saved(cx: &Cx, offline: bool) -> Result<Map> {
    read(cx, Wanted { all: true, disabled: true, place: None, offline })
}

fn saved(cx: &Cx) -> Map {
    schedule_conf::read(&schedule_conf::path(&cx.opts))
}

pub(super) fn read(cx: &Cx, wanted: Wanted<'_>) -> Result<Map> {
    let mut schedule = if wanted.offline {
        saved(cx)
    } else {
        super::after(cx, "list", map! { "where" => wanted.place })?.unwrap_or_default()
    };
    schedule.retain(|name, data| {
        let name = name.as_str().unwrap_or_default();
        if SETTINGS.contains(&name) {
            return true;
        }
        if name.starts_with("__") && !wanted.all {
            return false;
        }
        let Value::Map(job) = data else { return true };
        job.entry_or("enabled", || true.into());
        job.retain(|key, value| {
            match value.as_str() {
                Some("true") => *value = true.into(),
                Some("false") => *value = false.into(),
                _ => {}
            }
            key.as_str().is_some_and(|k| SHOWN.contains(&k)) && !value.is_nil()
        });
        wanted.disabled || job.get("enabled").is_some_and(Value::truthy)
    });
    Ok(schedule)
}

/// The jobs of this minion, as YAML (with `return_yaml=False` as data). `show_all` shows those of the minion itself too, whose
/// names begin with two underscores; `show_disabled=False` hides disabled ones; `where` is `opts` or `pillar` for those of one
/// place; `offline` shows what is kept for the next start.
///
/// CLI Example: salt '*' schedule.list
#[exec]
pub(super) fn list(
    cx: &Cx,
    #[default(false)] show_all: bool,
    #[default(true)] show_disabled: bool,
    r#where: Option<String>,
    #[default(true)] return_yaml: bool,
    #[default(false)] offline: bool,
) -> Result {
    let wanted = Wanted { all: show_all, disabled: show_disabled, place: r#where.as_deref(), offline };
    let mut schedule = read(cx, wanted)?;
    if !return_yaml {
        return Ok(schedule.into());
    }
    let saved = saved(cx);
    for (name, data) in schedule.iter_mut() {
        if let Value::Map(job) = data {
            job.insert("saved", saved.get_key(name).is_some());
        }
    }
    Ok(safe_dump(&map! { "schedule" => in_order(&schedule) }.into()).into())
}

/// A job, or an empty dict if there is none of that name; without a name, whether the schedule is enabled.
///
/// CLI Example: salt '*' schedule.is_enabled name=job_name
#[exec]
pub(super) fn is_enabled(cx: &Cx, name: Option<String>) -> Result {
    let schedule = read(cx, Wanted { all: false, disabled: true, place: None, offline: false })?;
    Ok(match name.filter(|n| !n.is_empty()) {
        None => schedule.get("enabled").cloned().unwrap_or_else(|| true.into()),
        Some(name) => schedule.get(&name).cloned().unwrap_or_else(|| Map::new().into()),
    })
}

/// When a job will run next.
///
/// CLI Example: salt '*' schedule.show_next_fire_time job_name
#[exec]
pub(super) fn show_next_fire_time(cx: &Cx, name: String, kwargs: KwArgs) -> Result {
    // What else is given is not used, as in stock.
    drop(kwargs);
    let mut ret = map! { "result" => true };
    if name.is_empty() {
        ret.insert("comment", "Job name is required.");
        ret.insert("result", false);
    }
    let Told::Answer(mut answer) = tell(cx, "get_next_fire_time", map! { "name" => name })? else {
        return Err(CallError::exception(
            "UnboundLocalError",
            "cannot access local variable 'event_ret' where it is not associated with a value",
        ));
    };
    match answer.remove("next_fire_time") {
        Some(time) => ret.insert("next_fire_time", time),
        None => ret.insert("comment", "next fire time not available."),
    };
    Ok(ret.into())
}

/// All that is known of a job: its definition, and its state under names that begin with an underscore. Times are written in the
/// format `time_fmt`.
///
/// CLI Example: salt '*' schedule.job_status job_name
#[exec]
pub(super) fn job_status(
    cx: &Cx,
    name: String,
    #[default("%Y-%m-%dT%H:%M:%S")] time_fmt: String,
) -> Result {
    let Told::Answer(mut answer) = tell(cx, "job_status", map! { "name" => name, "fire_event" => true })? else {
        return Ok(Value::Nil);
    };
    let Some(Value::Map(mut data)) = answer.remove("data") else { return Ok(Map::new().into()) };
    for (_, value) in data.iter_mut() {
        if let Value::DateTime(time) = value {
            *value = Moment::from(*time).strftime(&time_fmt).into();
        }
    }
    Ok(data.into())
}
