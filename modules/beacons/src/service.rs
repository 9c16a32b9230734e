//! Whether services run: tells it each time, or when it changes.

use crate::config::{float, list, map, merged};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::clock::unix_now;
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use std::collections::HashMap;

pub(crate) static BEACON: Beacon =
    Beacon { name: "service", unavailable: always, validate, look, lets_go: false };

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("service", config)?)?;
    let services = config
        .get("services")
        .ok_or_else(|| refused("Configuration for service beacon requires services."))?
        .as_map()
        .ok_or_else(|| refused("Services configuration item for service beacon must be a dictionary."))?;
    match services.values().all(|service| service.as_map().is_some()) {
        true => Ok(()),
        false => Err(refused("Configuration for service beacon must be a list of dictionaries.")),
    }
}

/// What was seen of a service.
struct Seen {
    running: Value,
    /// When it changed, as long as that is still to be told.
    since: Option<f64>,
}

fn look(cx: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let last = kept.of::<HashMap<String, Seen>>();
    let mut told = Vec::new();
    for (name, options) in config.get("services").and_then(Value::as_map).into_iter().flatten() {
        let options = map(options)?;
        let running = cx.call("service.status", Args::positional([name.clone()]))?;
        let mut state = map! { "running" => running.clone() };
        if let Some(file) = options.get("uncleanshutdown").filter(|_| !running.truthy()) {
            state.insert("uncleanshutdown", std::path::Path::new(&python_str(file)).exists());
        }
        let now = unix_now();
        let times = if options.get("onchangeonly") == Some(&true.into()) {
            times(last, &python_str(name), running, options, now)?
        } else {
            1
        };
        for _ in 0..times {
            told.push(map! {
                name.clone() => state.clone(), "service_name" => name.clone(), "tag" => name.clone(),
            });
        }
    }
    Ok(told)
}

/// How often this is told, where only changes are.
fn times(
    last: &mut HashMap<String, Seen>,
    name: &str,
    running: Value,
    options: &Map,
    now: f64,
) -> Result<usize> {
    let delay = match options.get("delay") {
        None => 0.0,
        Some(text @ Value::Str(_)) => {
            let text = format!("'>' not supported between instances of '{}' and 'int'", python_type(text));
            return Err(CallError::exception("TypeError", text));
        }
        Some(delay) => float(delay)?,
    };
    let mut times = 0;
    let change = |times: &mut usize| {
        let since = (delay > 0.0).then_some(now);
        *times += usize::from(since.is_none());
        Seen { running: running.clone(), since }
    };
    if !last.contains_key(name) {
        let first = change(&mut times);
        let emits = options.get("emitatstartup").is_none_or(Value::truthy);
        last.insert(name.to_owned(), if emits { first } else { Seen { since: None, ..first } });
        if !emits {
            return Ok(0);
        }
    }
    let Some(seen) = last.get_mut(name) else { return Ok(times) };
    if seen.running != running {
        *seen = change(&mut times);
    }
    if seen.since.is_some_and(|since| (now - since).round_ties_even() > delay) {
        seen.since = None;
        times += 1;
    }
    Ok(times)
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
