//! Data as JSON, whatever is in it: nothing is refused.

use brine_core::Value;
use brine_core::text::python_str;

/// A value on one line. Bytes are text as far as they are, times are Python's texts of them, and so are keys.
pub(crate) fn text(value: &Value) -> String {
    of(value).to_string()
}

fn of(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => match i64::try_from(*n) {
            Ok(n) => n.into(),
            Err(_) => n.to_string().into(),
        },
        // What is no number in JSON is none.
        Value::Float(x) => serde_json::Number::from_f64(*x).into(),
        Value::Str(text) => text.as_str().into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
        Value::List(all) => all.iter().map(of).collect(),
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, value)| (python_str(key), of(value)));
            serde_json::Value::Object(pairs.collect())
        }
        Value::DateTime(_) => python_str(value).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn anything_is_json() {
        let value = Value::Map(map! {
            "a\n" => Value::Bytes(vec![b'x', 0xff]), "n" => Value::Int(1 << 80), "f" => f64::NAN, "l" => Value::List(vec![Value::Int(1)]),
            7 => Value::Nil,
        });
        let text = text(&value);
        assert_eq!(
            text,
            "{\"a\\n\":\"x\u{fffd}\",\"n\":\"1208925819614629174706176\",\"f\":null,\"l\":[1],\"7\":null}"
        );
    }
}
