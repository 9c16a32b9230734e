//! Python's ways with text and order that outputters show.

use brine_protocol::{Map, Value};
use std::cmp::Ordering;

/// What ends a line in `str.splitlines`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c' | '\x1d' | '\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `str.splitlines(keep)`.
pub(super) fn splitlines(text: &str, keep: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| is_line_end(*c)) else {
            lines.push(rest);
            break;
        };
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + c.len_utf8() };
        lines.push(if keep { &rest[..end] } else { &rest[..at] });
        rest = &rest[end..];
    }
    lines
}

/// `str.rstrip()`.
pub(super) fn rstrip(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// `sorted(map)`: none if Python cannot compare the keys with each other.
pub(crate) fn sorted(map: &Map) -> Option<Vec<(&Value, &Value)>> {
    let mut entries: Vec<_> = map.iter().collect();
    if entries.len() > 1 {
        let kind = rank(entries[0].0)?;
        if entries.iter().any(|(key, _)| rank(key) != Some(kind)) {
            return None;
        }
    }
    entries.sort_by(|(a, _), (b, _)| compare(a, b));
    Some(entries)
}

/// Values of one rank can be compared with each other.
fn rank(value: &Value) -> Option<u8> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some(0),
        Value::Str(_) => Some(1),
        Value::Bytes(_) => Some(2),
        Value::DateTime(_) => Some(3),
        _ => None,
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        _ => number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(b) => f64::from(u8::from(*b)),
        other => other.as_float().unwrap_or(0.0),
    }
}

/// The order of `pprint`: as [`sorted`], and keys of different types by the names of the types.
pub(super) fn pprint_sorted(map: &Map) -> Vec<(&Value, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| match (rank(a), rank(b)) {
        (Some(x), Some(y)) if x == y => compare(a, b),
        _ => type_name(a).cmp(type_name(b)),
    });
    entries
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "NoneType",
        Value::Bool(_) => "bool",
        Value::Bytes(_) => "bytes",
        Value::DateTime(_) => "datetime.datetime",
        Value::Float(_) => "float",
        Value::Int(_) => "int",
        Value::List(_) => "list",
        Value::Map(_) => "dict",
        Value::Str(_) => "str",
    }
}
