//! JSON text as our value type.

use brine_core::Value;

/// Parses JSON text.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<serde_json::Value>(text).map(convert)
}

fn convert(value: serde_json::Value) -> Value {
    use serde_json::Value as J;
    match value {
        J::Null => Value::Nil,
        J::Bool(b) => b.into(),
        J::Number(n) => match n.as_i64() {
            Some(i) => i.into(),
            None => n.as_f64().unwrap_or(f64::NAN).into(),
        },
        J::String(s) => s.into(),
        J::Array(a) => a.into_iter().map(convert).collect(),
        J::Object(o) => Value::Map(o.into_iter().map(|(k, v)| (k, convert(v))).collect()),
    }
}
