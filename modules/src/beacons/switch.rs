//! Turning beacons on and off: one, or all.

use super::{change, is_test, list, ret};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::{Map, Value, map};

/// Turn all beacons on.
///
/// CLI Example: salt '*' beacons.enable
#[exec]
pub(super) fn enable(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    whole(cx, &kwargs, true)
}

/// Turn all beacons off.
///
/// CLI Example: salt '*' beacons.disable
#[exec]
pub(super) fn disable(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    whole(cx, &kwargs, false)
}

fn whole(cx: &Cx, kwargs: &KwArgs, on: bool) -> Result<Map> {
    let (word, done) = if on { ("enable", "Enabled") } else { ("disable", "Disabled") };
    if is_test(kwargs) {
        return Ok(ret(true, format!("Beacons would be {word}d.")));
    }
    Ok(match change(cx, word, "", kwargs, Map::new())? {
        Ok(beacons) => match beacons.get("enabled").is_some_and(|now| now.truthy() == on) {
            true => ret(true, format!("{done} beacons on minion.")),
            false => ret(false, format!("Failed to {word} beacons on minion.")),
        },
        // Stock says nothing where no minion answers.
        Err(_) => ret(true, Value::List(Vec::new())),
    })
}

/// Turn a beacon on.
///
/// CLI Example: salt '*' beacons.enable_beacon ps
#[exec]
pub(super) fn enable_beacon(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Map> {
    one(cx, &name, &kwargs, true)
}

/// Turn a beacon off.
///
/// CLI Example: salt '*' beacons.disable_beacon ps
#[exec]
pub(super) fn disable_beacon(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Map> {
    one(cx, &name, &kwargs, false)
}

fn one(cx: &Cx, name: &Value, kwargs: &KwArgs, on: bool) -> Result<Map> {
    if !name.truthy() {
        return Ok(ret(false, "Beacon name is required."));
    }
    let name = brine_core::text::python_str(name);
    if is_test(kwargs) {
        let test = if on { format!("Beacon {name} would be enabled.") } else { "Beacons would be disabled.".into() };
        return Ok(ret(true, test));
    }
    if !list::all(cx)?.contains(&name) {
        return Ok(ret(false, format!("Beacon {name} is not currently configured.")));
    }
    let func = if on { "enable_beacon" } else { "disable_beacon" };
    let words = if on { "enabled complete event" } else { "disabled complete event" };
    Ok(match change(cx, func, words, kwargs, map! { "name" => name.as_str() })? {
        Ok(beacons) if beacons.get(&name).and_then(enabled) == Some(on) => match on {
            true => ret(true, format!("Enabled beacon {name} on minion.")),
            false => ret(true, format!("Disabled beacon {name} on minion.")),
        },
        Ok(_) if on => ret(false, format!("Failed to enable beacon {name} on minion.")),
        Ok(_) => ret(false, "Failed to disable beacon on minion."),
        Err(comment) => ret(false, comment),
    })
}

/// Whether a configuration says that it is enabled.
fn enabled(config: &Value) -> Option<bool> {
    let said = match config {
        Value::List(list) => list.iter().rev().find_map(|item| item.get("enabled")),
        config => config.get("enabled"),
    };
    said.map(Value::truthy)
}
