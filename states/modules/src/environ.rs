//! States of environment variables.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

state_module! { "environ": setenv }

/// Set environment variables for what runs after this in the same job.
///
/// name: the variable, or anything where `value` is a dict of variables. value: text; `False` unsets it. false_unsets: unset
/// ones are gone instead of empty. clear_all: unset all others. update_minion: for later jobs, too. permanent: Windows only.
#[exec]
fn setenv(
    cx: &Cx,
    name: Value,
    value: Value,
    #[default(false)] false_unsets: Value,
    #[default(false)] clear_all: Value,
    #[default(false)] update_minion: Value,
    #[default(false)] permanent: Value,
) -> Result<Outcome> {
    let environ = match value {
        Value::Str(_) | Value::Bool(false) => [(name.clone(), value)].into_iter().collect(),
        Value::Map(environ) => environ,
        _ => return Ok(Outcome::failed(name, "Environ value must be string, dict or False")),
    };
    let unset: Value = if false_unsets == Value::Bool(true) { Value::Nil } else { "".into() };
    let current = cx.call("environ.items", Args::none())?;
    let current = current.as_map().cloned().unwrap_or_default();
    let mut changes = Map::new();
    if clear_all == Value::Bool(true) {
        for key in current.keys().filter(|key| environ.get_key(key).is_none()) {
            changes.insert(key.clone(), unset.clone());
        }
    }
    for (key, value) in &environ {
        let now = current.get(&python_str(key));
        match value {
            Value::Bool(false) => {
                let done = if unset.is_nil() { now.is_none() } else { now == Some(&unset) };
                if !done {
                    changes.insert(key.clone(), unset.clone());
                }
            }
            value if *now.unwrap_or(&"".into()) == *value => {}
            value => drop(changes.insert(key.clone(), value.clone())),
        }
    }
    let change = !changes.is_empty();
    if cx.test {
        let comment =
            if change { "Environ values will be changed" } else { "Environ values are already set with the correct values" };
        return Ok(Outcome::ok(name, comment).with_changes(changes));
    }
    if !change {
        return Ok(Outcome::ok(name, "Environ values were already set with the correct values"));
    }
    let args = [environ.into(), false_unsets, clear_all, update_minion, permanent];
    match cx.call("environ.setenv", Args::positional(args))? {
        Value::Map(done) if !done.is_empty() => Ok(Outcome::ok(name, "Environ values were set").with_changes(done)),
        _ => Ok(Outcome::failed(name, "Failed to set environ variables").with_changes(changes)),
    }
}
