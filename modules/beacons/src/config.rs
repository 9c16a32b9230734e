//! A beacon's configuration as Python reads it: lists of dicts made one, numbers out of whatever stands there.

use brine_core::call::{CallError, Result};
use brine_core::text::{python_repr, python_type};
use brine_core::{Map, Value};

/// Says that a configuration is none, being no list.
pub(crate) fn list<'v>(name: &str, config: &'v Value) -> Result<&'v [Value]> {
    config.as_list().ok_or_else(|| super::refused(format!("Configuration for {name} beacon must be a list.")))
}

/// One dict of a list of them: what comes later wins.
pub(crate) fn merged(config: &[Value]) -> Result<Map> {
    let mut all = Map::new();
    for item in config {
        match item {
            Value::Map(map) => all.update(map.clone()),
            Value::Str(text) if text.is_empty() => {}
            Value::List(list) if list.is_empty() => {}
            Value::Str(_) | Value::List(_) => {
                let text = "dictionary update sequence element #0 has length 1; 2 is required";
                return Err(CallError::exception("ValueError", text));
            }
            other => {
                let text = format!("'{}' object is not iterable", python_type(other));
                return Err(CallError::exception("TypeError", text));
            }
        }
    }
    Ok(all)
}

/// The entries without those that are the minion's own, whose names begin with an underscore.
pub(crate) fn shown(config: &[Value]) -> Result<Vec<&Value>> {
    let mut shown = Vec::new();
    for item in config {
        let map = map(item)?;
        let mut hidden = false;
        for key in map.keys() {
            let name = key.as_str().ok_or_else(|| no_attribute(key, "startswith"))?;
            hidden |= name.starts_with('_');
        }
        if !hidden {
            shown.push(item);
        }
    }
    Ok(shown)
}

/// A dict that has to be one, with Python's error for what is looked up in something else.
pub(crate) fn map(value: &Value) -> Result<&Map> {
    value.as_map().ok_or_else(|| no_attribute(value, "items"))
}

/// The entries of what Python iterates over: a dict's keys, a list's members; nothing of what is not there.
pub(crate) fn keys_of(value: Option<&Value>) -> Result<Vec<Value>> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Map(map)) => Ok(map.keys().cloned().collect()),
        Some(Value::List(list)) => Ok(list.clone()),
        Some(Value::Str(text)) => Ok(text.chars().map(|c| c.to_string().into()).collect()),
        Some(other) => {
            Err(CallError::exception("TypeError", format!("'{}' object is not iterable", python_type(other))))
        }
    }
}

/// The values of what Python iterates over, each looked up by its key; nothing of what is not there.
pub(crate) fn values_of(value: Option<&Value>) -> Result<Vec<&Value>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    keys_of(Some(value))?.iter().map(|key| item(value, key)).collect()
}

/// Python's `value[key]` of a dict.
pub(crate) fn item<'v>(value: &'v Value, key: &Value) -> Result<&'v Value> {
    match value {
        Value::Map(map) => map.get_key(key).ok_or_else(|| key_error(key)),
        other => Err(not_subscriptable(other)),
    }
}

/// Python's `KeyError`.
pub(crate) fn key_error(key: &Value) -> CallError {
    CallError::exception("KeyError", python_repr(key))
}

/// Python's `AttributeError`.
pub(crate) fn no_attribute(value: &Value, name: &str) -> CallError {
    CallError::exception(
        "AttributeError",
        format!("'{}' object has no attribute '{name}'", python_type(value)),
    )
}

fn not_subscriptable(value: &Value) -> CallError {
    let text = match value {
        Value::Str(_) => "string indices must be integers, not 'str'".to_owned(),
        Value::List(_) => "list indices must be integers or slices, not str".to_owned(),
        other => format!("'{}' object is not subscriptable", python_type(other)),
    };
    CallError::exception("TypeError", text)
}

/// Python's `float(value)`.
pub(crate) fn float(value: &Value) -> Result<f64> {
    match value {
        Value::Bool(b) => Ok(f64::from(u8::from(*b))),
        Value::Str(text) => {
            let bad = || {
                let text = format!("could not convert string to float: {}", python_repr(value));
                CallError::exception("ValueError", text)
            };
            text.trim().replace('_', "").parse().map_err(|_| bad())
        }
        other => other.as_float().ok_or_else(|| {
            let text =
                format!("float() argument must be a string or a real number, not '{}'", python_type(other));
            CallError::exception("TypeError", text)
        }),
    }
}

/// Python's `int(value)`.
pub(crate) fn int(value: &Value) -> Result<i128> {
    match value {
        Value::Int(i) => Ok(*i),
        Value::Bool(b) => Ok(i128::from(*b)),
        Value::Float(x) => Ok(*x as i128),
        Value::Str(text) => text.trim().replace('_', "").parse().map_err(|_| {
            let text = format!("invalid literal for int() with base 10: {}", python_repr(value));
            CallError::exception("ValueError", text)
        }),
        other => {
            let text = format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                python_type(other)
            );
            Err(CallError::exception("TypeError", text))
        }
    }
}

/// A share in percent, with its sign or without.
pub(crate) fn percent(value: &Value) -> Result<f64> {
    match value {
        Value::Str(text) if text.contains('%') => float(&text.replace('%', "").into()),
        other => float(other),
    }
}

/// How much of the whole is used, in percent, to a tenth as Python rounds: 0 of nothing.
pub(crate) fn share(used: f64, total: f64) -> f64 {
    if total == 0.0 {
        return 0.0;
    }
    tenth(used / total * 100.0)
}

fn tenth(x: f64) -> f64 {
    // Formatting rounds the exact value of a double, half to even, as Python's round does.
    format!("{x:.1}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        assert_eq!(percent(&"63%".into()).unwrap(), 63.0);
        assert_eq!(percent(&" 1_0.5 ".into()).unwrap(), 10.5);
        assert_eq!(float(&true.into()).unwrap(), 1.0);
        assert_eq!(float(&"x".into()).unwrap_err().text(), "could not convert string to float: 'x'");
        assert_eq!(int(&"12".into()).unwrap(), 12);
        assert_eq!(share(1.0, 3.0), 33.3);
        assert_eq!(share(1.0, 0.0), 0.0);
        // 0.25 is exact: half to even.
        assert_eq!(tenth(0.25), 0.2);
    }

    #[test]
    fn later_entries_win_and_hidden_ones_are_left_out() {
        let list =
            [map! {"a" => 1, "b" => 1}.into(), map! {"a" => 2}.into(), map! {"_beacon_name" => "x"}.into()];
        assert_eq!(merged(&list).unwrap().get("a"), Some(&2.into()));
        assert_eq!(shown(&list).unwrap().len(), 2);
        assert!(merged(&["x".into()]).is_err() && merged(&[Value::Nil]).is_err());
    }
}
