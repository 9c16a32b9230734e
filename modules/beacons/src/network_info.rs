//! Counters of network interfaces: tells them when one has reached its bound.

use crate::config::{int, list, map, merged, values_of};
use crate::{Beacon, Kept, always, proc, refused};
use brine_core::call::{Cx, Result};
use brine_core::kernel::{INTERFACE_COUNTERS as COUNTERS, interface_rows};
use brine_core::{Map, Value, map};
use std::collections::HashMap;

pub(crate) static BEACON: Beacon =
    Beacon { name: "network_info", unavailable: always, validate, look, lets_go: false };

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("network_info", config)?)?;
    for options in values_of(config.get("interfaces"))? {
        let options = options.as_map().ok_or_else(|| {
            refused("Configuration for network_info beacon must be a list of dictionaries.")
        })?;
        let valid = |key: &Value| {
            key.as_str().is_some_and(|key| key == "type" || COUNTERS.iter().any(|(name, _)| *name == key))
        };
        if !options.keys().any(valid) {
            return Err(refused("Invalid configuration item in Beacon configuration."));
        }
    }
    Ok(())
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let counters = counters(&proc::read("/proc/net/dev")?);
    let mut told = Vec::new();
    for (name, options) in config.get("interfaces").and_then(Value::as_map).into_iter().flatten() {
        let Some(now) = name.as_str().and_then(|name| counters.get(name)) else { continue };
        if reached(map(options)?, now)? {
            told.push(map! { "interface" => name.clone(), "network_info" => now.clone() });
        }
    }
    Ok(told)
}

/// Whether a counter is what it says: that number, or above it.
fn reached(options: &Map, now: &Map) -> Result<bool> {
    let above = options.get_str("type") == Some("greater");
    let mut reached = false;
    for (name, _) in COUNTERS {
        let Some(bound) = options.get(name) else { continue };
        let (bound, Some(Value::Int(now))) = (int(bound)?, now.get(name)) else { continue };
        reached |= if above { *now > bound } else { *now == bound };
    }
    Ok(reached)
}

fn counters(text: &str) -> HashMap<String, Map> {
    interface_rows(text)
        .map(|(name, numbers)| {
            let of = |(name, at): (&'static str, usize)| (name, Value::from(numbers.get(at).copied().unwrap_or_default()));
            (name.to_owned(), COUNTERS.into_iter().map(of).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_equal_or_greater() {
        let text = "Inter-|   Receive  | Transmit\n face |bytes packets\n  eth0: 10 2 3 4 0 0 0 0 80 9 5 6 0 0 0 0\n";
        let all = counters(text);
        let now = &all["eth0"];
        assert_eq!((now.get("bytes_sent"), now.get("errout")), (Some(&80.into()), Some(&5.into())));
        for (options, expected) in [
            (map! {"bytes_recv" => 10}, true),
            (map! {"bytes_recv" => "10", "type" => "equal"}, true),
            (map! {"bytes_recv" => 9}, false),
            (map! {"bytes_recv" => 9, "type" => "greater"}, true),
            (map! {"bytes_recv" => 10, "type" => "greater"}, false),
            (map! {"type" => "greater"}, false),
        ] {
            assert_eq!(reached(&options, now).unwrap(), expected, "{options:?}");
        }
        assert!(reached(&map! {"errin" => "x"}, now).is_err());
    }
}
