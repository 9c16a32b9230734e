//! What several returners need: the job id, members of a return, ports, JSON.

use crate::loads::loads;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, jid};
use std::time::SystemTime;

/// The id that was passed, else a new one.
pub(crate) fn prep_jid(_: &Cx, _nocache: bool, passed: Option<&str>) -> Result<String> {
    Ok(passed.map_or_else(|| jid::gen_jid(SystemTime::now()), str::to_owned))
}

/// A member that every return has; Python's `KeyError` if it does not.
pub(crate) fn required<'a>(ret: &'a Map, key: &str) -> Result<&'a Value> {
    ret.get(key).ok_or_else(|| key_error(key))
}

/// The same where it is text, as ids are.
pub(crate) fn required_text<'a>(ret: &'a Map, key: &str) -> Result<&'a str> {
    ret.get_str(key).ok_or_else(|| key_error(key))
}

fn key_error(key: &str) -> CallError {
    CallError::exception("KeyError", format!("'{key}'"))
}

/// A port as `int()` takes it.
pub(crate) fn port(value: Option<&Value>, default: u16) -> Result<u16> {
    let Some(value) = value.filter(|v| !v.is_nil()) else { return Ok(default) };
    python_str(value)
        .trim()
        .parse()
        .map_err(|_| CallError::exception("ValueError", format!("not a port: {}", python_repr(value))))
}

/// JSON text that must be a map.
pub(crate) fn map_of(text: &str) -> Result<Map> {
    match loads(text)? {
        Value::Map(map) => Ok(map),
        _ => Err(CallError::exception("TypeError", "no map where one is due")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_or_text() {
        assert_eq!(port(Some(&"15".into()), 1).unwrap(), 15);
        assert_eq!(port(Some(&Value::Nil), 1).unwrap(), 1);
        assert_eq!(port(Some(&"x".into()), 1).unwrap_err().to_string(), "ValueError: not a port: 'x'");
    }
}
