//! The data model of everything Salt sends, stores and prints: Python's plain values.
//!
//! Not a JSON value: bytes live beside text, map keys may be any scalar, maps keep their order.

pub use crate::map::Map;
use hashbrown::Equivalent;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

/// One plain Python value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Python's `None`.
    #[default]
    Nil,
    /// `True` or `False`.
    Bool(bool),
    /// An integer. Those outside 64 bits cross the wire as decimal text, as in stock Salt.
    Int(i128),
    /// A double.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes that are not valid UTF-8, or that the sender marked as binary.
    Bytes(Vec<u8>),
    /// A list (tuples and sets become lists on the wire).
    List(Vec<Value>),
    /// An ordered map.
    Map(Map),
    /// A date with time, without zone (msgpack extension 78).
    DateTime(DateTime),
}

/// A date with time of day, without zone, as Salt carries it in msgpack extension 78.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    /// Year, 1 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Microsecond, 0 to 999999.
    pub micro: u32,
}

impl fmt::Display for DateTime {
    /// Python's `str(datetime)`: microseconds only when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )?;
        if self.micro != 0 {
            write!(f, ".{:06}", self.micro)?;
        }
        Ok(())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            // By bits, so that a NaN equals itself and equality agrees with the hash.
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() || a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::DateTime(a), Value::DateTime(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Nil => state.write_u8(0),
            Value::Bool(b) => (1u8, b).hash(state),
            Value::Int(i) => (2u8, i).hash(state),
            Value::Float(x) => (3u8, if *x == 0.0 { 0 } else { x.to_bits() }).hash(state),
            Value::Str(s) => hash_text(s, state),
            Value::Bytes(b) => (5u8, b).hash(state),
            Value::List(l) => (6u8, l).hash(state),
            Value::Map(m) => (7u8, m.len()).hash(state),
            Value::DateTime(d) => (8u8, d).hash(state),
        }
    }
}

/// The one place that knows how text hashes as a key, so that `&str` finds `Value::Str`.
fn hash_text<H: Hasher>(s: &str, state: &mut H) {
    (4u8, s).hash(state);
}

/// Text as a key.
pub(crate) struct TextKey<'a>(pub(crate) &'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_text(self.0, state);
    }
}

impl Equivalent<Value> for TextKey<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        matches!(key, Value::Str(s) if s == self.0)
    }
}

/// The hash of a key in maps. Peers choose keys: it is keyed by chance, so that they cannot make all of them collide.
pub(crate) fn hash_of(key: &(impl Hash + ?Sized)) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    STATE.hash_one(key)
}

impl Value {
    /// Text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(s) = self { Some(s) } else { None }
    }

    /// The bytes of text or binary alike: a peer's dialect decides the family, not the meaning.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Str(s) => Some(s.as_bytes()),
            Value::Bytes(b) => Some(b),
            _ => None,
        }
    }

    /// The bytes of text or binary alike, by value.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Value::Str(s) => Some(s.into_bytes()),
            Value::Bytes(b) => Some(b),
            _ => None,
        }
    }

    /// The integer, if this is one that fits (booleans are not integers here).
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self { i64::try_from(*i).ok() } else { None }
    }

    /// An integer or a double, as a double.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(l) = self { Some(l) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(m) = self { Some(m) } else { None }
    }

    /// The map, if this is one, to change it.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(m) = self { Some(m) } else { None }
    }

    /// The member under a text key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Whether this is `None`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// Python's truth of a value: empty containers, zero, `None` and `False` are false.
    pub fn truthy(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(b) => *b,
            Value::Int(i) => *i != 0,
            Value::Float(x) => *x != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::Bytes(b) => !b.is_empty(),
            Value::List(l) => !l.is_empty(),
            Value::Map(m) => !m.is_empty(),
            Value::DateTime(_) => true,
        }
    }
}

macro_rules! from {
    ($($from:ty => |$x:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($x: $from) -> Self { $to }
        }
    )*};
}

from! {
    () => |_x| Value::Nil;
    bool => |x| Value::Bool(x);
    i32 => |x| Value::Int(x.into());
    i64 => |x| Value::Int(x.into());
    i128 => |x| Value::Int(x);
    u8 => |x| Value::Int(x.into());
    u16 => |x| Value::Int(x.into());
    u32 => |x| Value::Int(x.into());
    u64 => |x| Value::Int(x.into());
    usize => |x| Value::Int(x as i128);
    f64 => |x| Value::Float(x);
    &str => |x| Value::Str(x.to_owned());
    String => |x| Value::Str(x);
    &String => |x| Value::Str(x.clone());
    Vec<u8> => |x| Value::Bytes(x);
    &[u8] => |x| Value::Bytes(x.to_vec());
    Map => |x| Value::Map(x);
    &'static [&'static str] => |x| Value::List(x.iter().map(|s| Value::from(*s)).collect());
    DateTime => |x| Value::DateTime(x);
    Vec<Value> => |x| Value::List(x);
    Vec<String> => |x| Value::List(x.into_iter().map(Value::Str).collect());
    Vec<&str> => |x| Value::List(x.into_iter().map(Value::from).collect());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(x: Option<T>) -> Self {
        x.map_or(Value::Nil, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Value::List(iter.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_pythons() {
        for v in [
            Value::Nil,
            0.into(),
            "".into(),
            Value::List(vec![]),
            Map::new().into(),
            0.0.into(),
            false.into(),
        ] {
            assert!(!v.truthy(), "{v:?}");
        }
        for v in [Value::from(" "), (-1).into(), f64::NAN.into(), Value::List(vec![Value::Nil])] {
            assert!(v.truthy(), "{v:?}");
        }
    }
}
