//! Cutting events down to `max_event_size`, as stock's firing side does.
//!
//! Values are judged by the size of Python's objects, since that is what decides which of them peers see replaced.

use crate::msgpack::{self, Dialect};
use crate::value::{Map, Value};

/// What stands in place of a value that was too large.
pub const TRIMMED: &str = "VALUE_TRIMMED";

/// The header of a Python `bytes` object, which stock counts as part of an event's size.
const BYTES_HEADER: usize = 33;

/// Replaces large values until the data fits into `max` bytes (stock's default is 1 MiB): first those above half of
/// `max`, then ever smaller ones, down to a tenth. What still does not fit after that is left as it is.
///
/// Maps within maps are searched, lists are only replaced as a whole. `encoded` is the length of the data in the new
/// dialect; what the data is encoded to now comes back, or None when it was small enough and nothing was touched.
pub fn trim(data: &mut Map, encoded: usize, max: usize) -> Option<Vec<u8>> {
    if BYTES_HEADER + encoded <= max {
        return None;
    }
    let mut shorter = Vec::new();
    for tenths in [5, 4, 3, 2, 1] {
        // Half of no size at all is no size: everything goes then.
        replace(data, max.saturating_mul(tenths) / 10);
        shorter = msgpack::encode_map(data, Dialect::New);
        if BYTES_HEADER + shorter.len() < max {
            break;
        }
    }
    Some(shorter)
}

fn replace(data: &mut Map, max: usize) {
    for (_, value) in data.iter_mut() {
        match value {
            Value::Map(inner) => replace(inner, max),
            value if python_size(value) > max => *value = TRIMMED.into(),
            _ => {}
        }
    }
}

/// CPython's `sys.getsizeof` of a value that was just decoded.
fn python_size(value: &Value) -> usize {
    match value {
        Value::Nil => 16,
        Value::Float(_) => 24,
        Value::Bool(_) | Value::Int(_) => 28,
        Value::DateTime(_) => 48,
        Value::Bytes(b) => BYTES_HEADER + b.len(),
        Value::List(l) => 56 + 8 * l.len(),
        Value::Map(m) => 64 + m.len(),
        // Text takes one, two or four bytes a character, by its widest one.
        Value::Str(s) if s.is_ascii() => 49 + s.len(),
        Value::Str(s) => {
            let n = s.chars().count();
            match s.chars().max().map_or(0, u32::from) {
                0..=0xff => 73 + n,
                0x100..=0xffff => 74 + 2 * n,
                _ => 76 + 4 * n,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    fn trimmed(mut data: Map, max: usize) -> Map {
        let encoded = msgpack::encode_map(&data, Dialect::New);
        let before = data.clone();
        match trim(&mut data, encoded.len(), max) {
            Some(shorter) => assert_eq!(shorter, msgpack::encode_map(&data, Dialect::New)),
            None => assert_eq!(data, before),
        }
        data
    }

    /// Expected values were made with stock's `trim_dict`.
    #[test]
    fn the_same_values_are_replaced_as_in_stock() {
        let text = |n: usize| "x".repeat(n);
        let small = map! {"a" => text(400)};
        assert_eq!(trimmed(small.clone(), 1000), small);
        let got = trimmed(map! {"a" => "b", "c" => text(10_000)}, 100);
        assert_eq!(got, map! {"a" => "b", "c" => TRIMMED});
        let got = trimmed(map! {"a" => text(440), "b" => text(450), "c" => map!{"d" => text(460)}}, 1000);
        assert_eq!(got, map! {"a" => text(440), "b" => text(450), "c" => map!{"d" => TRIMMED}});
        let got = trimmed(map! {"a" => text(351), "b" => text(460), "c" => text(300)}, 1000);
        assert_eq!(got, map! {"a" => text(351), "b" => TRIMMED, "c" => text(300)});
        let list = Value::List(vec![Value::from(text(2000))]);
        let got = trimmed(map! {"l" => list.clone(), "n" => 1}, 1000);
        assert_eq!(got, map! {"l" => list, "n" => 1}, "a short list of large values stays");
        let got = trimmed(map! {"u" => "ü".repeat(430), "w" => "\u{1f600}".repeat(200)}, 1000);
        assert_eq!(got, map! {"u" => TRIMMED, "w" => TRIMMED});
    }
}
