//! What tests share: numbers from a seed, a process of stock Salt's Python to compare with, what is around a call, servers of
//! their own. No program depends on this.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "these are tests")]

mod around;
mod random;
mod receiver;
pub mod service;
mod stock;
pub mod warehouse;

pub use around::Around;
pub use random::Random;
pub use receiver::{Mood, Receiver};
pub use service::Service;
pub use stock::{Stock, stock_dir};

use brine_protocol::{Map, Value};
use serde_json::Value as Json;

/// A number from the environment: `BRINE_SEED`, `BRINE_CASES` and their like.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// JSON as a value; numbers are integers where they fit.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().map_or_else(|| n.as_f64().unwrap_or_default().into(), Value::from),
        Json::String(s) => s.as_str().into(),
        Json::Array(list) => Value::List(list.iter().map(value).collect()),
        Json::Object(_) => map(json).into(),
    }
}

/// A JSON object as a map.
pub fn map(json: &Json) -> Map {
    let object = json.as_object().expect("a JSON object");
    object.iter().map(|(k, v)| (Value::from(k.as_str()), value(v))).collect()
}

/// A value as JSON; numbers as JSON has them, what JSON has not as text.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Float(x) => (*x).into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => {
            // Python's `json` writes such keys as it writes such values.
            let key = |key: &Value| match key {
                Value::Nil | Value::Bool(_) => json(key).to_string(),
                other => brine_core::text::python_str(other),
            };
            let entry = |(k, v): (&Value, &Value)| (key(k), json(v));
            Json::Object(map.iter().map(entry).collect())
        }
        Value::Int(_) => {
            let text = brine_core::text::python_str(value);
            text.parse::<i64>().map_or_else(|_| text.clone().into(), Json::from)
        }
        other => brine_core::text::python_str(other).into(),
    }
}
