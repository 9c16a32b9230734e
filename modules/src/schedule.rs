//! The jobs that this minion runs by the clock: shown and changed. The minion itself keeps them; what these functions want is
//! asked of it. Where none runs, `offline=True` changes the file that it will read.

mod change;
mod item;
mod list;
mod others;
mod switch;
mod times;

use brine_core::call::{CallError, Cx, KwArgs, Result, module};
use brine_core::{Map, Value, map};
use brine_render::schedule_conf;
use change::*;
use item::exec_build_schedule_item;
use list::*;
use others::*;
use switch::*;
use times::*;

module! {
    "schedule": add, build_schedule_item, copy, delete, disable, disable_job, enable, enable_job, is_enabled, job_status, list,
    modify, r#move, postpone_job, purge, reload, run_job, save, show_next_fire_time, skip_job
}

/// What came of a request.
enum Told {
    /// No minion took it.
    Nobody,
    /// It was taken; it has no answer.
    Taken,
    /// The answer.
    Answer(Map),
}

/// Hands a request to the minion.
fn tell(cx: &Cx, func: &str, more: Map) -> Result<Told> {
    let mut request = map! { "func" => func };
    request.update(more);
    match cx.host.schedule(request) {
        Ok(Some(answer)) => Ok(Told::Answer(answer)),
        Ok(None) => Ok(Told::Taken),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::debug!("the schedule was not asked: {e}");
            Ok(Told::Nobody)
        }
    }
}

/// The schedule after a change; None if no minion answered.
fn after(cx: &Cx, func: &str, more: Map) -> Result<Option<Map>> {
    Ok(match tell(cx, func, more)? {
        Told::Answer(mut answer) => match answer.remove("schedule") {
            Some(Value::Map(schedule)) => Some(schedule),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a keyword argument is given and true.
fn is_set(kwargs: &KwArgs, name: &str) -> bool {
    kwargs.0.get(name).is_some_and(Value::truthy)
}

/// `persist`, true unless given.
fn persist(kwargs: &KwArgs) -> Value {
    kwargs.0.get("persist").cloned().unwrap_or_else(|| true.into())
}

/// The request about a job: where it is from the pillar, it says so and is not to be kept. None: there is no such job.
fn about(cx: &Cx, name: &str, persist: Value) -> Result<Option<Map>> {
    if list::jobs(cx, Some("opts"))?.contains(name) {
        return Ok(Some(map! { "name" => name, "persist" => persist }));
    }
    let in_pillar = list::jobs(cx, Some("pillar"))?.contains(name);
    Ok(in_pillar.then(|| map! { "name" => name, "where" => "pillar", "persist" => false }))
}

/// Writes the file that a minion will read.
fn write_offline(cx: &Cx, schedule: &Map) {
    if let Err(e) = schedule_conf::write(&schedule_conf::path(&cx.opts), schedule, false) {
        tracing::error!("Failed to persist the updated schedule: {e}");
    }
}

/// The same with all keys in order, as Python's YAML writes plain dicts.
fn in_order(map: &Map) -> Map {
    let mut sorted: Map = map
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::Map(inner) => Value::Map(in_order(inner)),
                other => other.clone(),
            };
            (key.clone(), value)
        })
        .collect();
    sorted.sort_by_key_text();
    sorted
}

/// Python's `KeyError`.
fn key_error(key: &str) -> CallError {
    CallError::exception("KeyError", brine_core::text::python_repr(&key.into()))
}
