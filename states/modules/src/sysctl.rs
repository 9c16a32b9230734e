//! States of the kernel's parameters.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

state_module! {
    "sysctl": present
}

/// Runs of spaces, and runs of tabs, as one space.
fn spaced(text: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for c in text.chars() {
        match c {
            ' ' | '\t' if before == Some(c) => {}
            ' ' | '\t' => out.push(' '),
            other => out.push(other),
        }
        before = Some(c);
    }
    out
}

/// What applying it would do, `None` where the value is there already.
fn foreseen(name: &str, value: &str, configured: &Value, current: &str) -> Option<String> {
    let in_file = configured.as_map().and_then(|all| all.get(name)).is_some();
    match (current.is_empty(), in_file) {
        (false, true) if value.split_whitespace().eq(current.split_whitespace()) => None,
        (false, false) if spaced(current) != spaced(value) => {
            Some(format!("Sysctl option {name} set to be changed to {value}"))
        }
        (false, false) => Some(format!(
            "Sysctl value is currently set on the running system but not in a config file. Sysctl option {name} set to be \
             changed to {value} in config file."
        )),
        (true, true) => Some(format!(
            "Sysctl value {name} is present in configuration file but is not present in the running config. The value \
             {name} is set to be changed to {value}"
        )),
        _ => Some(format!("Sysctl option {name} would be changed to {value}")),
    }
}

/// A parameter has this value, now and when the machine starts again.
///
/// name: the parameter; value: as the kernel shows it; config: the file that keeps it, else the one the machine reads
#[exec]
fn present(cx: &Cx, name: Value, value: Value, config: Option<Value>) -> Result<Outcome> {
    let config = match config {
        Some(config) => config,
        None => cx.call("sysctl.default_config", Args::none())?,
    };
    let (key, text) = (python_str(&name), python_str(&value));
    if cx.test {
        let configured = cx.call("sysctl.show", Args::none().with("config_file", config.clone()))?;
        if configured.is_nil() {
            let comment = format!(
                "Sysctl option {key} might be changed, we failed to check config file at {}. The file is either unreadable, \
                 or missing.",
                python_str(&config)
            );
            return Ok(Outcome::would(name, comment));
        }
        let current = python_str(&cx.call("sysctl.get", Args::positional([name.clone()]))?);
        return Ok(match foreseen(&key, &text, &configured, &current) {
            Some(comment) => Outcome::would(name, comment),
            None => Outcome::ok(name, format!("Sysctl value {key} = {text} is already set")),
        });
    }
    match cx.call("sysctl.persist", Args::positional([name.clone(), value.clone(), config])) {
        Err(CallError::Execution(error)) => {
            Ok(Outcome::failed(name, format!("Failed to set {key} to {text}: {error}")))
        }
        Err(other) => Err(other),
        Ok(said) if said.as_str() == Some("Updated") => {
            let changes = Map::from_iter([(name.clone(), value)]);
            Ok(Outcome::ok(name, format!("Updated sysctl value {key} = {text}")).with_changes(changes))
        }
        Ok(_) => Ok(Outcome::ok(name, format!("Sysctl value {key} = {text} is already set"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn what_would_be_done_is_told_apart() {
        let file: Value = map! { "a" => "1" }.into();
        assert_eq!(foreseen("a", "1\t2", &file, "1 2"), None);
        assert!(foreseen("a", "1", &file, "").unwrap().starts_with("Sysctl value a is present in configuration"));
        assert!(foreseen("b", "1  2", &file, "1\t2").unwrap().starts_with("Sysctl value is currently set"));
        assert_eq!(foreseen("b", "1", &file, "2").unwrap(), "Sysctl option b set to be changed to 1");
        assert_eq!(foreseen("a", "1", &file, "2").unwrap(), "Sysctl option a would be changed to 1");
    }
}
