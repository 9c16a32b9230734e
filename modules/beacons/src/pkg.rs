//! Packages: tells when one is installed, gone, or has an upgrade.

use crate::config::{keys_of, list};
use crate::{Beacon, Kept, refused};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use std::collections::HashMap;

pub(crate) static BEACON: Beacon = Beacon { name: "pkg", unavailable, validate, look, lets_go: false };

fn unavailable(cx: &Cx) -> Option<String> {
    cx.registry.get("pkg.upgrade_available").is_none().then(|| "pkg.upgrade_available is missing.".to_owned())
}

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = list("pkg", config)?;
    for item in config {
        let holds = match item {
            Value::Map(_) => continue,
            Value::Str(text) => text.contains("pkgs"),
            Value::List(list) => list.contains(&"pkgs".into()),
            other => {
                let text = format!("argument of type '{}' is not iterable", python_type(other));
                return Err(CallError::exception("TypeError", text));
            }
        };
        if holds {
            crate::config::item(item, &"pkgs".into())?;
        }
    }
    match config.iter().any(|item| matches!(item.get("pkgs"), Some(Value::List(_)))) {
        true => Ok(()),
        false => Err(refused("Configuration for pkg beacon requires list of pkgs.")),
    }
}

fn look(cx: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let last = kept.of::<HashMap<String, &'static str>>();
    let mut told = Vec::new();
    for entry in config {
        for name in keys_of(entry.get("pkgs"))? {
            let one = || Args::positional([name.clone()]);
            let mut version = cx.call("pkg.version", one().with("use_context", false))?;
            let status = if version.truthy() {
                // Stock looks for `refresh` where it never is, so that package lists are never fetched.
                let latest = cx.call("pkg.latest_version", one().with("refresh", false))?;
                let newer = latest.truthy();
                if newer {
                    version = latest;
                }
                if newer { "upgrade" } else { "installed" }
            } else {
                version = Value::Nil;
                "not-installed"
            };
            let before = last.insert(python_str(&name), status);
            if before.is_some_and(|before| before != status) {
                told.push(map! { "pkg" => name, "version" => version, "status" => status });
            }
        }
    }
    Ok(told)
}
