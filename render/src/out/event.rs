//! One event in a line, for shell scripts: `state.event`.

use super::json::dumps;
use base64::Engine as _;
use brine_protocol::{Map, Value};

/// The tag, a tab, and the data as JSON; None if a key of them cannot be one in JSON. Bytes stand as text where they are that,
/// else in base64.
pub fn event_line(tag: &str, data: Map, pretty: bool) -> Option<String> {
    let json = dumps(&printable(data.into()), pretty.then_some(4), pretty)?;
    Some(format!("{tag}\t{json}"))
}

fn printable(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(e) => base64::engine::general_purpose::STANDARD.encode(e.into_bytes()).into(),
        },
        Value::List(items) => items.into_iter().map(printable).collect(),
        Value::Map(map) => map.into_iter().map(|(k, v)| (printable(k), printable(v))).collect::<Map>().into(),
        other => other,
    }
}
