//! JSON as stock's returners write it: Python's `json.dumps` with text left as it is.

use brine_core::Value;
use brine_core::call::{CallError, Result};
use brine_core::text::python_type;

/// A value as JSON on one line.
///
/// # Errors
/// For what Python's `json` cannot write: bytes, times, and keys that are no scalars.
pub fn json(value: &Value) -> Result<String> {
    if let Some(other) = unfit(value) {
        let kind = python_type(other).rsplit('.').next().unwrap_or_default();
        return Err(CallError::exception(
            "TypeError",
            format!("Object of type {kind} is not JSON serializable"),
        ));
    }
    brine_render::out::json_dumps(value, None, false)
        .ok_or_else(|| CallError::exception("TypeError", "keys must be str, int, float, bool or None"))
}

/// The first part of a value that JSON has no form for.
fn unfit(value: &Value) -> Option<&Value> {
    match value {
        Value::Bytes(_) | Value::DateTime(_) => Some(value),
        Value::List(list) => list.iter().find_map(unfit),
        Value::Map(map) => map.values().find_map(unfit),
        _ => None,
    }
}
