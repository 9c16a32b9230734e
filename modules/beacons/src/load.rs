//! Load averages: tells of those outside their bounds, each time or when one is passed.

use crate::config::{float, item, key_error, list, merged};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_type;
use brine_core::{Map, Value};
use nix::sys::sysinfo::sysinfo;

pub(crate) static BEACON: Beacon = Beacon { name: "load", unavailable: always, validate, look, lets_go: false };

const KEYS: [&str; 3] = ["1m", "5m", "15m"];

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("load", config)?)?;
    for option in ["emitatstartup", "onchangeonly"] {
        if config.get(option).is_some_and(|value| value.as_bool().is_none()) {
            return Err(refused(format!("Configuration for load beacon option {option} must be a boolean.")));
        }
    }
    let averages = config.get("averages").ok_or_else(|| refused("Averages configuration is required for load beacon."))?;
    if !crate::config::keys_of(Some(averages))?.iter().any(|key| key.as_str().is_some_and(|k| KEYS.contains(&k))) {
        return Err(refused("Averages configuration for load beacon must contain 1m, 5m or 15m items."));
    }
    for key in KEYS {
        let bounds = item(averages, &key.into())?.as_list().ok_or_else(|| {
            refused("Averages configuration for load beacon: 1m, 5m and 15m items must be a list of two items.")
        })?;
        if bounds.len() != 2 {
            return Err(refused("Configuration for load beacon: 1m, 5m and 15m items must be a list of two items."));
        }
    }
    Ok(())
}

/// The averages of the last turn that looked for changes.
#[derive(Default)]
struct Last(Option<[f64; 3]>);

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    // Finer than what `/proc/loadavg` shows.
    let (one, five, fifteen) = sysinfo().map_err(|e| CallError::exception("OSError", e.to_string()))?.load_average();
    let now = [one, five, fifteen];
    let told = is_told(&config, now, &mut kept.of::<Last>().0)?;
    Ok(told.then(|| KEYS.into_iter().zip(now.map(Value::from)).collect()).into_iter().collect())
}

fn is_told(config: &Map, now: [f64; 3], last: &mut Option<[f64; 3]>) -> Result<bool> {
    let on_change = config.get("onchangeonly").is_some_and(Value::truthy);
    if on_change && last.is_none() {
        *last = Some(now);
        if !config.get("emitatstartup").is_none_or(Value::truthy) {
            return Ok(false);
        }
    }
    let mut told = false;
    for (i, key) in KEYS.into_iter().enumerate() {
        let Some(bounds) = config.get("averages").and_then(|averages| averages.get(key)) else { continue };
        let bound = |at: usize| -> Result<f64> {
            match bounds {
                Value::List(list) => float(list.get(at).ok_or_else(|| {
                    CallError::exception("IndexError", "list index out of range")
                })?),
                Value::Map(_) => Err(key_error(&Value::Int(at as i128))),
                other => Err(CallError::exception(
                    "TypeError",
                    format!("'{}' object is not subscriptable", python_type(other)),
                )),
            }
        };
        told = match *last {
            Some(last) if on_change => {
                (now[i] > bound(1)? && last[i] < bound(1)?) || (now[i] < bound(0)? && last[i] > bound(0)?)
            }
            _ => now[i] < bound(0)? || now[i] > bound(1)?,
        };
        if told {
            break;
        }
    }
    if on_change {
        *last = Some(now);
    }
    Ok(told)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
