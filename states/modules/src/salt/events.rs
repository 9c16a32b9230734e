//! Waiting for events.

use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::state::Outcome;
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Value, map};
use std::time::{Duration, Instant};

/// How often the waiting looks whether the job is to stop.
const TURN: Duration = Duration::from_secs(1);

/// Wait until events of a tag have come for each of `id_list`: what their data have as `event_id` says for whom they are.
#[exec]
pub(super) fn wait_for_event(
    cx: &Cx,
    name: String,
    id_list: Value,
    #[default("id")] event_id: Value,
    #[default(300)] timeout: Value,
    #[default("master")] node: String,
) -> Result<Outcome> {
    if cx.test {
        let comment = format!("Orchestration would wait for event '{name}'");
        return Ok(Outcome::would(name, comment));
    }
    let Value::List(mut left) = id_list else {
        let kind = brine_core::text::python_type(&id_list);
        return Err(CallError::exception("AttributeError", format!("'{kind}' object has no attribute 'index'")));
    };
    let mut bus = cx.host.watch(&node, None)?;
    let began = Instant::now();
    let length = timeout.as_float().or_else(|| timeout.as_int().map(|n| n as f64)).unwrap_or(300.0);
    let limit = began.checked_add(Duration::try_from_secs_f64(length.max(0.0)).unwrap_or(Duration::MAX));
    let mut seen: Vec<Value> = Vec::new();
    let result = loop {
        cx.cancel.check()?;
        let turn = Instant::now() + TURN;
        let event = bus.next(limit.map_or(turn, |limit| limit.min(turn)))?;
        if let Some((_, data)) = event.filter(|(tag, _)| fnmatch(tag, &name)) {
            let own = data.get_key(&event_id).filter(|value| !value.is_nil());
            let within = || data.get("data").and_then(Value::as_map).and_then(|data| data.get_key(&event_id));
            match own.or_else(within) {
                Some(Value::List(ids)) => {
                    let found: Vec<Value> = left.iter().filter(|id| ids.contains(id)).cloned().collect();
                    found.into_iter().for_each(|id| take(&mut left, &mut seen, &id));
                }
                Some(id) => take(&mut left, &mut seen, id),
                None => {}
            }
        }
        if left.is_empty() {
            break Some(true);
        }
        if limit.is_some_and(|limit| Instant::now() > limit) {
            break Some(false);
        }
    };
    let mut outcome = Outcome::new(name);
    if !seen.is_empty() {
        outcome.changes = map! {"minions_seen" => seen};
    }
    outcome.result = result;
    outcome.comment = match result {
        Some(true) => {
            let seconds = python_str(&began.elapsed().as_secs_f64().into());
            format!("All events seen in {seconds} seconds.").into()
        }
        _ => "Timeout value reached.".into(),
    };
    Ok(outcome)
}

/// Notes that an event has come for this one, if it was waited for.
fn take(left: &mut Vec<Value>, seen: &mut Vec<Value>, id: &Value) {
    if let Some(at) = left.iter().position(|other| other == id) {
        seen.push(left.remove(at));
    }
}
