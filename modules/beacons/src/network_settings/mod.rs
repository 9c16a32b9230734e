//! Settings of network interfaces: tells which have changed, and to what.

mod links;

use crate::config::{list, merged, values_of};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{CallError, Cx, Result};
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeMap;

pub(crate) static BEACON: Beacon =
    Beacon { name: "network_settings", unavailable: always, validate, look, lets_go: false };

/// What can be watched.
const SETTINGS: [&str; 24] = [
    "family", "txqlen", "ipdb_scope", "index", "operstate", "group", "carrier_changes", "ipaddr", "neighbours", "ifname",
    "promiscuity", "linkmode", "broadcast", "address", "num_tx_queues", "ipdb_priority", "kind", "qdisc", "mtu",
    "num_rx_queues", "carrier", "flags", "ifi_type", "ports",
];

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("network_settings", config)?)?;
    let interfaces = config.get("interfaces");
    if let Some(Value::List(_)) = interfaces {
        return Err(refused("interfaces section for network_settings beacon must be a dictionary."));
    }
    for options in values_of(interfaces)? {
        let options = options
            .as_map()
            .ok_or_else(|| refused("Interface attributes for network_settings beacon must be a dictionary."))?;
        if !options.keys().all(|key| key.as_str().is_some_and(|key| SETTINGS.contains(&key))) {
            return Err(refused("Invalid attributes in beacon configuration."));
        }
    }
    Ok(())
}

/// The settings of each interface, as they were last.
type Settings = BTreeMap<String, Map>;

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let now = links::read().map_err(|e| CallError::exception("OSError", e.to_string()))?;
    changes(&merged(config)?, now, kept.of::<Option<Settings>>())
}

fn changes(config: &Map, now: Settings, last: &mut Option<Settings>) -> Result<Vec<Map>> {
    let last = last.get_or_insert_with(|| now.clone());
    let (mut told, mut together) = (Vec::new(), Map::new());
    let coalesce = config.get("coalesce").is_some_and(Value::truthy);
    for (name, watched) in meant(config, &now)? {
        let Some(settings) = now.get(&name) else { continue };
        let before = last.get(&name);
        let mut change = Map::new();
        for (setting, options) in watched.as_map().into_iter().flatten() {
            let Some(value) = settings.get(&python_str(setting)) else { continue };
            if before.and_then(|before| before.get(&python_str(setting))) == Some(value) {
                continue;
            }
            let on = options.get("onvalue").filter(|value| value.truthy());
            if on.is_none_or(|on| on == value) {
                change.insert(setting.clone(), value.clone());
            }
        }
        last.insert(name.clone(), settings.clone());
        if change.is_empty() {
            continue;
        }
        if coalesce {
            together.insert(name, change);
        } else {
            told.push(map! { "tag" => name.as_str(), "interface" => name.as_str(), "change" => change });
        }
    }
    if !together.is_empty() {
        told.push(map! { "tag" => "result", "changes" => together });
    }
    Ok(told)
}

/// The interfaces that a configuration means, by name or by pattern, each with what is watched of it.
fn meant(config: &Map, now: &Settings) -> Result<Vec<(String, Value)>> {
    let mut meant: Vec<(String, Value)> = Vec::new();
    for (name, options) in config.get("interfaces").and_then(Value::as_map).into_iter().flatten() {
        let name = python_str(name);
        if now.contains_key(&name) {
            meant.push((name, options.clone()));
            continue;
        }
        let pattern = Regex::new(&name, Anchor::Search).map_err(|e| CallError::exception("error", e.to_string()))?;
        for other in now.keys().filter(|other| pattern.is_match(other).unwrap_or(false)) {
            // What a pattern says of an interface goes before what its name says.
            meant.retain(|(known, _)| known != other);
            meant.push((other.clone(), options.clone()));
        }
    }
    Ok(meant)
}

#[cfg(test)]
mod tests;
