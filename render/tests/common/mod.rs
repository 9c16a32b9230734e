//! Reads the values that `tests/data/tagged.py` wrote, and writes such for stock's Python; random data.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod cases;
pub(crate) mod random;
pub(crate) mod shapes;
pub(crate) mod states;
pub(crate) mod stock;
pub(crate) mod words;

use brine_protocol::{Map, Value};
use serde_json::{Value as Json, json};

/// A tagged value.
pub(crate) fn untag(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::String(s) => s.as_str().into(),
        Json::Number(n) => n.as_i64().unwrap().into(),
        Json::Array(items) => items.iter().map(untag).collect(),
        Json::Object(o) => {
            let (kind, inner) = o.iter().next().unwrap();
            match (kind.as_str(), inner) {
                // Integers beyond 128 bits are text here.
                ("i", Json::String(s)) => s.parse::<i128>().map_or_else(|_| s.as_str().into(), Value::Int),
                ("f", Json::String(s)) => Value::Float(s.parse().unwrap()),
                ("b", Json::String(s)) => {
                    let nibble = |c: char| c.to_digit(16).unwrap() as u8;
                    let digits: Vec<u8> = s.chars().map(nibble).collect();
                    Value::Bytes(digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect())
                }
                ("m", Json::Array(pairs)) => {
                    Value::Map(pairs.iter().map(|p| (untag(&p[0]), untag(&p[1]))).collect::<Map>())
                }
                _ => panic!("unknown tag {kind}"),
            }
        }
    }
}

/// A value tagged for the Python programs here.
pub(crate) fn tag(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Str(s) => s.as_str().into(),
        Value::Int(i) => json!({"i": i.to_string()}),
        Value::Float(x) => json!({"f": brine_core::text::python_float(*x)}),
        Value::Bytes(b) => json!({"b": b.iter().map(|b| format!("{b:02x}")).collect::<String>()}),
        Value::DateTime(d) => json!({"d": [d.year, d.month, d.day, d.hour, d.minute, d.second, d.micro]}),
        Value::List(items) => items.iter().map(tag).collect(),
        Value::Map(map) => json!({"m": map.iter().map(|(k, v)| json!([tag(k), tag(v)])).collect::<Vec<_>>()}),
    }
}

/// Equality in which a NaN equals any NaN.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(x), Value::Float(y)) => {
            x == y && x.is_sign_negative() == y.is_sign_negative() || x.is_nan() && y.is_nan()
        }
        (Value::List(x), Value::List(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((k, v), (l, w))| same(k, l) && same(v, w))
        }
        _ => a == b,
    }
}

/// A data file.
pub(crate) fn data(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}
