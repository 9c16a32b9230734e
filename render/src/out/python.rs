//! Python's ways with text, numbers and order that outputters show.

use brine_core::text::python_float;
pub(super) use brine_core::text::splitlines;
use brine_protocol::{Map, Value};
use std::cmp::Ordering;

/// `str.isspace` of one character.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `\d`: a decimal digit of any script.
pub(crate) fn is_decimal(c: char) -> bool {
    /// Where each script has its zero, as of Unicode 14.
    const ZEROS: [u32; 66] = [
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
        0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
        0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
        0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
        0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
        0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
    ];
    c.is_numeric() && ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&(c as u32)))
}

/// `str.rstrip()`.
pub(super) fn rstrip(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `len(text)`.
pub(super) fn len(text: &str) -> usize {
    text.chars().count()
}

/// `str.title()`.
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for c in text.chars() {
        if within {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        within = c.is_lowercase() || c.is_uppercase();
    }
    out
}

/// `float(value)`: none where Python raises.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Str(text) => float_text(text),
        Value::Bytes(bytes) => float_text(std::str::from_utf8(bytes).ok()?),
        other => other.as_float(),
    }
}

fn float_text(text: &str) -> Option<f64> {
    let text = strip(text);
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    if bytes.iter().enumerate().any(|(i, b)| *b == b'_' && !(i > 0 && digit(i - 1) && digit(i + 1))) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// `f"{x:.{places}f}"`.
pub(super) fn fixed(x: f64, places: usize) -> String {
    if x.is_finite() { format!("{x:.places$}") } else { python_float(x) }
}

/// Python's `==`: numbers of all kinds by their value.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ if rank(a) == Some(0) && rank(b) == Some(0) => compare(a, b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

/// Python's order of two values: none if it has none.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::List(a), Value::List(b)) => match a.iter().zip(b).find(|(a, b)| !equal(a, b)) {
            Some((a, b)) => compare(a, b),
            None => Some(a.len().cmp(&b.len())),
        },
        _ if rank(a) == Some(0) && rank(b) == Some(0) => {
            Some(number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal))
        }
        _ => None,
    }
}

/// Values of one rank can be compared with each other.
fn rank(value: &Value) -> Option<u8> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some(0),
        Value::Str(_) => Some(1),
        Value::Bytes(_) => Some(2),
        Value::DateTime(_) => Some(3),
        Value::List(_) => Some(4),
        _ => None,
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(b) => f64::from(u8::from(*b)),
        other => other.as_float().unwrap_or(0.0),
    }
}

/// `list.sort(key=...)`: false if Python cannot compare the keys.
pub(super) fn sort_by<'v, T>(items: &mut [T], key: impl Fn(&T) -> &'v Value) -> bool {
    let mut comparable = true;
    items.sort_by(|a, b| {
        compare(key(a), key(b)).unwrap_or_else(|| {
            comparable = false;
            Ordering::Equal
        })
    });
    comparable
}

/// `sorted(map)`: none if Python cannot compare the keys with each other.
pub(super) fn sorted(map: &Map) -> Option<Vec<(&Value, &Value)>> {
    let mut entries: Vec<_> = map.iter().collect();
    sort_by(&mut entries, |(key, _)| key).then_some(entries)
}

/// `sorted(list)`.
pub(super) fn sorted_list(items: &[Value]) -> Option<Vec<&Value>> {
    let mut items: Vec<_> = items.iter().collect();
    sort_by(&mut items, |item| item).then_some(items)
}

/// `salt.utils.data.decode(value)`: bytes and dates as text; none if bytes are no UTF-8.
pub(super) fn decode(value: &Value) -> Option<Value> {
    Some(match value {
        Value::DateTime(date) => Value::Str(date.to_string().replacen(' ', "T", 1)),
        Value::Bytes(bytes) => Value::Str(std::str::from_utf8(bytes).ok()?.to_owned()),
        Value::List(items) => Value::List(items.iter().map(decode).collect::<Option<_>>()?),
        Value::Map(map) => {
            let mut out = Map::with_capacity(map.len());
            for (key, value) in map {
                out.insert(decode(key)?, decode(value)?);
            }
            Value::Map(out)
        }
        other => other.clone(),
    })
}
