//! JSON as stock's returners read it: Python's `json.loads`.

use brine_core::Value;
use brine_core::call::{CallError, Result};

/// The value of a text.
pub(crate) fn loads(text: &str) -> Result<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(convert(value)),
        // Python writes and reads numbers that JSON does not have.
        Err(_) if NOT_JSON.iter().any(|word| text.contains(word)) => numbers_by_name(text),
        Err(e) => Err(not_json(&e)),
    }
}

const NOT_JSON: [&str; 2] = ["NaN", "Infinity"];

fn not_json(e: &serde_json::Error) -> CallError {
    CallError::exception("ValueError", format!("not JSON: {e}"))
}

/// Puts text that no value has in the place of these names where they are no text, and then numbers in its place.
fn numbers_by_name(text: &str) -> Result<Value> {
    const MARK: &str = "\u{e000}brine\u{e000}";
    let mut out = String::with_capacity(text.len());
    let (mut in_text, mut rest) = (false, text);
    while let Some(c) = rest.chars().next() {
        let name =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|name| !in_text && rest.starts_with(name));
        if let Some(name) = name {
            out.extend(["\"", MARK, name, "\""]);
            rest = &rest[name.len()..];
            continue;
        }
        let escaped = if in_text && c == '\\' { rest[1..].chars().next() } else { None };
        in_text ^= c == '"';
        let width = c.len_utf8() + escaped.map_or(0, char::len_utf8);
        out.push_str(&rest[..width]);
        rest = &rest[width..];
    }
    let mut value = convert(serde_json::from_str(&out).map_err(|e| not_json(&e))?);
    unmark(&mut value, MARK);
    Ok(value)
}

fn unmark(value: &mut Value, mark: &str) {
    match value {
        Value::Str(s) => match s.strip_prefix(mark) {
            Some("NaN") => *value = f64::NAN.into(),
            Some("Infinity") => *value = f64::INFINITY.into(),
            Some("-Infinity") => *value = f64::NEG_INFINITY.into(),
            _ => {}
        },
        Value::List(list) => list.iter_mut().for_each(|v| unmark(v, mark)),
        Value::Map(map) => map.iter_mut().for_each(|(_, v)| unmark(v, mark)),
        _ => {}
    }
}

fn convert(value: serde_json::Value) -> Value {
    use serde_json::Value as J;
    match value {
        J::Null => Value::Nil,
        J::Bool(b) => b.into(),
        J::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => i.into(),
            (None, Some(u)) => Value::Int(u.into()),
            (None, None) => n.as_f64().unwrap_or(f64::NAN).into(),
        },
        J::String(s) => s.into(),
        J::Array(a) => a.into_iter().map(convert).collect(),
        J::Object(o) => Value::Map(o.into_iter().map(|(k, v)| (k, convert(v))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use brine_core::map;

    #[test]
    fn what_is_written_is_read() {
        let value: Value = map! {
            "t" => "ä\u{1}\"\\ NaN", "l" => vec![Value::Nil, true.into(), (-3).into(), 1.5.into()],
            "m" => map! {"big" => Value::Int(u64::MAX.into()), "i" => f64::INFINITY, "n" => f64::NEG_INFINITY},
        }
        .into();
        let text = json(&value).unwrap();
        assert!(text.starts_with(r#"{"t": "ä\u0001\"\\ NaN", "l": [null, true, -3, 1.5], "#), "{text}");
        assert_eq!(loads(&text).unwrap(), value);
        assert!(loads("NaN").unwrap().as_float().unwrap().is_nan());
        assert!(loads("{NaN").is_err() && loads("{'a': 1}").is_err());
    }
}
