//! Reads the values that the scripts in `tests/data` wrote.

use brine_core::{Map, Value};
use serde_json::Value as Json;

/// A tagged value.
pub(crate) fn untag(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::String(s) => s.as_str().into(),
        Json::Number(n) => n.as_i64().unwrap().into(),
        Json::Array(items) => items.iter().map(untag).collect(),
        Json::Object(o) => match o.iter().next() {
            Some((kind, Json::String(s))) if kind == "f" => Value::Float(s.parse().unwrap()),
            Some((kind, Json::Array(pairs))) if kind == "m" => {
                Value::Map(pairs.iter().map(|p| (untag(&p[0]), untag(&p[1]))).collect::<Map>())
            }
            other => panic!("unknown tag {other:?}"),
        },
    }
}
