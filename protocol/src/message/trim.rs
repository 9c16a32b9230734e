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
/// Maps within maps are searched, lists are only replaced as a whole.
pub fn trim(data: &mut Map, max: usize) {
    if size_of_dump(data) <= max {
        return;
    }
    for tenths in [5, 4, 3, 2, 1] {
        replace(data, max * tenths / 10);
        if size_of_dump(data) < max {
            return;
        }
    }
}

fn size_of_dump(data: &Map) -> usize {
    BYTES_HEADER + msgpack::encode_map(data, Dialect::New).len()
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
        trim(&mut data, max);
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
