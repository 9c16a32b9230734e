//! State runs that are disabled, by a grain.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

const GRAIN: &str = "state_runs_disabled";

fn disabled(cx: &Cx) -> Result<Vec<Value>> {
    match cx.call("grains.get", Args::positional([GRAIN]))? {
        Value::List(names) => Ok(names),
        _ => Ok(Vec::new()),
    }
}

/// What is said of SLS names that are disabled.
pub(super) fn refused(cx: &Cx, names: &[String]) -> Result<Vec<String>> {
    let disabled = disabled(cx)?;
    let mut lines = Vec::new();
    for name in names {
        for pattern in disabled.iter().map(python_str) {
            if pattern.contains(".*") {
                let kind = format!("{}.", pattern.split('.').next().unwrap_or_default());
                if name.starts_with(&kind) {
                    lines.push(format!(
                        "The state file \"{name}\" is currently disabled by \"{pattern}\", to re-enable, run state.enable \
                         {pattern}."
                    ));
                }
            } else if pattern == *name {
                lines.push(format!(
                    "The state file \"{name}\" is currently disabled, to re-enable, run state.enable {name}."
                ));
            }
        }
    }
    Ok(lines)
}

fn switch(cx: &Cx, names: &Value, off: bool) -> Result<Map> {
    let mut known = disabled(cx)?;
    let (mut lines, mut changed) = (Vec::new(), false);
    let word = if off { "disabled" } else { "enabled" };
    for name in super::split_input(names) {
        let at = known.iter().position(|other| other.as_str() == Some(&name));
        if at.is_some() == off {
            lines.push(format!("Info: {name} state already {word}."));
            continue;
        }
        lines.push(format!("Info: {name} state {word}."));
        changed = true;
        match at {
            Some(at) => drop(known.remove(at)),
            None => known.push(name.into()),
        }
    }
    if changed {
        cx.call("grains.setval", Args::positional([Value::from(GRAIN), Value::List(known)]))?;
    }
    cx.call("saltutil.refresh_modules", Args::none())?;
    Ok(map! {"res" => true, "msg" => lines.join("\n")})
}

/// Disable state functions, SLS files or `highstate`: they are refused until they are enabled.
///
/// CLI Example: salt '*' state.disable highstate,test.succeed_without_changes
#[exec]
pub(super) fn disable(cx: &Cx, states: Value) -> Result<Map> {
    switch(cx, &states, true)
}

/// Enable what was disabled.
///
/// CLI Example: salt '*' state.enable highstate
#[exec]
pub(super) fn enable(cx: &Cx, states: Value) -> Result<Map> {
    switch(cx, &states, false)
}

/// Return what is disabled.
///
/// CLI Example: salt '*' state.list_disabled
#[exec]
pub(super) fn list_disabled(cx: &Cx) -> Result {
    cx.call("grains.get", Args::positional([GRAIN]))
}
