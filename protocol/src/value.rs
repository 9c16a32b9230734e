//! The data model of everything Salt sends, stores and prints: Python's plain values.
//!
//! Not a JSON value: bytes live beside text, map keys may be any scalar, maps keep their order.

use indexmap::{Equivalent, IndexMap};
use std::fmt;
use std::hash::{Hash, Hasher};

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

struct TextKey<'a>(&'a str);

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

/// An ordered map with any scalar as key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map(IndexMap<Value, Value>);

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for `n` entries.
    pub fn with_capacity(n: usize) -> Self {
        Self(IndexMap::with_capacity(n))
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(&TextKey(key))
    }

    /// The value under a text key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(&TextKey(key))
    }

    /// The value under any key.
    pub fn get_key(&self, key: &Value) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value under any key, to change it.
    pub fn get_key_mut(&mut self, key: &Value) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Text under a text key.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Whether a text key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(&TextKey(key))
    }

    /// Sets a key; an existing key keeps its place. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes a text key, keeping the order of the rest.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(&TextKey(key))
    }

    /// Removes any key, keeping the order of the rest.
    pub fn remove_key(&mut self, key: &Value) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// The value under a key, put there first if it is missing.
    pub fn entry_or(&mut self, key: impl Into<Value>, default: impl FnOnce() -> Value) -> &mut Value {
        self.0.entry(key.into()).or_insert_with(default)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> indexmap::map::Iter<'_, Value, Value> {
        self.0.iter()
    }

    /// The entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> indexmap::map::IterMut<'_, Value, Value> {
        self.0.iter_mut()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.keys()
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.values()
    }

    /// Adds the entries of `other`, replacing those with the same key (Python's `dict.update`).
    pub fn update(&mut self, other: Map) {
        self.0.extend(other.0);
    }

    /// Keeps the entries that satisfy `keep`.
    pub fn retain(&mut self, mut keep: impl FnMut(&Value, &mut Value) -> bool) {
        self.0.retain(|k, v| keep(k, v));
    }

    /// Sorts the entries by their keys' text, bytewise.
    pub fn sort_by_key_text(&mut self) {
        self.0.sort_by(|a, _, b, _| a.as_str().unwrap_or("").cmp(b.as_str().unwrap_or("")));
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = indexmap::map::IntoIter<Value, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Value, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, Value, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        Self(iter.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl<K: Into<Value>, V: Into<Value>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, iter: I) {
        self.0.extend(iter.into_iter().map(|(k, v)| (k.into(), v.into())));
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

/// A map literal: `map! {"id" => id, "jid" => jid}`.
#[macro_export]
macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "an empty literal changes nothing")]
        let mut map = $crate::Map::new();
        $(map.insert($key, $value);)*
        map
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_finds_its_key_and_order_is_kept() {
        let mut m = map! {"b" => 1, "a" => 2};
        m.insert(Value::Int(3), "three");
        m.insert("b", 4);
        assert_eq!(m.get("b"), Some(&Value::Int(4)));
        assert_eq!(m.get_key(&Value::Int(3)), Some(&Value::from("three")));
        assert_eq!(m.keys().next(), Some(&Value::from("b")));
        assert!(m.get("3").is_none());
        m.remove("b");
        assert_eq!(m.keys().next(), Some(&Value::from("a")));
    }

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

    #[test]
    fn equal_values_hash_alike() {
        let m: Map = [(Value::Float(0.0), 1)].into_iter().collect();
        assert_eq!(m.get_key(&Value::Float(-0.0)), Some(&Value::Int(1)));
    }
}
