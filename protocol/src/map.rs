//! The ordered map of [`Value`]s. Most maps have few entries, and a minion makes and drops a great many of them: those are searched
//! from their beginning, and only larger ones have a table of hashes.

use crate::value::{TextKey, Value, hash_of};
use hashbrown::{Equivalent, HashTable};
use std::hash::Hash;

/// Up to how many entries there is no table. Looking through so few costs no more than the hash of a key would.
const FEW: usize = 16;

/// An ordered map with any scalar as key.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Value, Value)>,
    /// The places of the entries by their keys' hashes; there if there are more than [`FEW`]. Boxed, so that a [`Value`] is small.
    places: Option<Box<HashTable<usize>>>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for `n` entries.
    pub fn with_capacity(n: usize) -> Self {
        Self { entries: Vec::with_capacity(n), places: None }
    }

    fn place<K: Hash + Equivalent<Value> + ?Sized>(&self, key: &K) -> Option<usize> {
        match &self.places {
            None => self.entries.iter().position(|(own, _)| key.equivalent(own)),
            Some(places) => places.find(hash_of(key), |at| key.equivalent(&self.entries[*at].0)).copied(),
        }
    }

    fn find<K: Hash + Equivalent<Value> + ?Sized>(&self, key: &K) -> Option<&Value> {
        self.place(key).map(|at| &self.entries[at].1)
    }

    fn find_mut<K: Hash + Equivalent<Value> + ?Sized>(&mut self, key: &K) -> Option<&mut Value> {
        self.place(key).map(|at| &mut self.entries[at].1)
    }

    fn take<K: Hash + Equivalent<Value> + ?Sized>(&mut self, key: &K) -> Option<Value> {
        let at = self.place(key)?;
        if let Some(places) = &mut self.places {
            if let Ok(place) = places.find_entry(hash_of(key), |place| *place == at) {
                place.remove();
            }
            for place in places.iter_mut().filter(|place| **place > at) {
                *place -= 1;
            }
        }
        let (_, value) = self.entries.remove(at);
        if self.entries.len() <= FEW {
            self.places = None;
        }
        Some(value)
    }

    /// Adds an entry whose key is known not to be there: it is not looked for.
    pub fn push(&mut self, key: Value, value: Value) {
        let at = self.entries.len();
        if let Some(places) = &mut self.places {
            let entries = &self.entries;
            places.insert_unique(hash_of(&key), at, |place| hash_of(&entries[*place].0));
        }
        self.entries.push((key, value));
        if at == FEW {
            self.number();
        }
    }

    /// Makes the table anew, or drops it.
    fn number(&mut self) {
        self.places = None;
        if self.entries.len() > FEW {
            let mut places = Box::new(HashTable::with_capacity(self.entries.capacity()));
            for (at, (key, _)) in self.entries.iter().enumerate() {
                places.insert_unique(hash_of(key), at, |place| hash_of(&self.entries[*place].0));
            }
            self.places = Some(places);
        }
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(&TextKey(key))
    }

    /// The value under a text key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find_mut(&TextKey(key))
    }

    /// The value under any key.
    pub fn get_key(&self, key: &Value) -> Option<&Value> {
        self.find(key)
    }

    /// The value under any key, to change it.
    pub fn get_key_mut(&mut self, key: &Value) -> Option<&mut Value> {
        self.find_mut(key)
    }

    /// Text under a text key.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Whether a text key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.place(&TextKey(key)).is_some()
    }

    /// Sets a key; an existing key keeps its place. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.place(&key) {
            Some(at) => Some(std::mem::replace(&mut self.entries[at].1, value)),
            None => {
                self.push(key, value);
                None
            }
        }
    }

    /// Removes a text key, keeping the order of the rest.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.take(&TextKey(key))
    }

    /// Removes any key, keeping the order of the rest.
    pub fn remove_key(&mut self, key: &Value) -> Option<Value> {
        self.take(key)
    }

    /// The value under a key, put there first if it is missing.
    pub fn entry_or(&mut self, key: impl Into<Value>, default: impl FnOnce() -> Value) -> &mut Value {
        let key = key.into();
        let at = self.place(&key).unwrap_or_else(|| {
            self.push(key, default());
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries.iter())
    }

    /// The entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&Value, &mut Value)> + ExactSizeIterator {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.iter().map(|(_, value)| value)
    }

    /// Adds the entries of `other`, replacing those with the same key (Python's `dict.update`).
    pub fn update(&mut self, other: Map) {
        if self.is_empty() {
            *self = other;
        } else {
            self.extend(other);
        }
    }

    /// Keeps the entries that satisfy `keep`.
    pub fn retain(&mut self, mut keep: impl FnMut(&Value, &mut Value) -> bool) {
        let before = self.entries.len();
        self.entries.retain_mut(|(key, value)| keep(key, value));
        if self.places.is_some() && self.entries.len() != before {
            self.number();
        }
    }

    /// Sorts the entries by their keys' text, bytewise.
    pub fn sort_by_key_text(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.as_str().unwrap_or("").cmp(b.as_str().unwrap_or("")));
        self.number();
    }
}

impl PartialEq for Map {
    /// As Python's dicts: whatever their order.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get_key(key) == Some(value))
    }
}

impl Eq for Map {}

/// The entries of a [`Map`] in order.
#[derive(Clone, Debug)]
pub struct Iter<'a>(std::slice::Iter<'a, (Value, Value)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Value, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Value, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut map = Self::new();
        map.extend(iter);
        map
    }
}

impl<K: Into<Value>, V: Into<Value>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, iter: I) {
        let iter = iter.into_iter();
        self.entries.reserve(iter.size_hint().0);
        for (key, value) in iter {
            self.insert(key, value);
        }
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
    use indexmap::IndexMap;
    use proptest::prelude::*;

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
    fn equal_keys_are_one_key() {
        let m: Map = [(Value::Float(0.0), 1)].into_iter().collect();
        assert_eq!(m.get_key(&Value::Float(-0.0)), Some(&Value::Int(1)));
        let mut many: Map = (0..100).map(|n| (Value::Int(n), n)).collect();
        many.insert(Value::Float(0.0), 1);
        assert_eq!(many.get_key(&Value::Float(-0.0)), Some(&Value::Int(1)));
        assert_eq!(many.len(), 101);
    }

    #[test]
    fn a_value_is_small() {
        // What is cloned, moved and kept most: a larger one makes everything slower.
        assert_eq!(size_of::<Value>(), 32);
    }

    /// One thing done to a map.
    #[derive(Clone, Debug)]
    enum Deed {
        Insert(u8, i64),
        Entry(u8, i64),
        Change(u8, i64),
        Remove(u8),
        Retain(i64),
        Update(Vec<(u8, i64)>),
        Sort,
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let key = 0..48u8;
        let one = prop_oneof![
            8 => (key.clone(), 0..9i64).prop_map(|(k, v)| Deed::Insert(k, v)),
            2 => (key.clone(), 0..9i64).prop_map(|(k, v)| Deed::Entry(k, v)),
            2 => (key.clone(), 0..9i64).prop_map(|(k, v)| Deed::Change(k, v)),
            4 => key.clone().prop_map(Deed::Remove),
            1 => (1..9i64).prop_map(Deed::Retain),
            1 => proptest::collection::vec((key, 0..9i64), 0..30).prop_map(Deed::Update),
            1 => Just(Deed::Sort),
        ];
        proptest::collection::vec(one, 0..120)
    }

    fn key(k: u8) -> Value {
        // Texts, and some that are none.
        if k.is_multiple_of(5) { Value::Int(k.into()) } else { format!("k{k}").into() }
    }

    fn text(k: &Value) -> String {
        k.as_str().unwrap_or("").to_owned()
    }

    proptest! {
        #[test]
        fn it_does_what_an_index_map_does(deeds in deeds()) {
            let (mut ours, mut model) = (Map::new(), IndexMap::<Value, Value>::new());
            for deed in deeds {
                match deed {
                    Deed::Insert(k, v) => {
                        prop_assert_eq!(ours.insert(key(k), v), model.insert(key(k), v.into()));
                    }
                    Deed::Entry(k, v) => {
                        let expected = model.entry(key(k)).or_insert_with(|| v.into()).clone();
                        prop_assert_eq!(ours.entry_or(key(k), || v.into()).clone(), expected);
                    }
                    Deed::Change(k, v) => {
                        if let Some(value) = ours.get_key_mut(&key(k)) {
                            *value = v.into();
                        }
                        if let Some(value) = model.get_mut(&key(k)) {
                            *value = v.into();
                        }
                    }
                    Deed::Remove(k) => match key(k) {
                        Value::Str(k) => prop_assert_eq!(ours.remove(&k), model.shift_remove(&Value::from(k))),
                        k => prop_assert_eq!(ours.remove_key(&k), model.shift_remove(&k)),
                    },
                    Deed::Retain(n) => {
                        let keep = |v: &Value| v.as_int().is_some_and(|v| v % n != 0);
                        ours.retain(|_, v| keep(v));
                        model.retain(|_, v| keep(v));
                    }
                    Deed::Update(more) => {
                        let more: Map = more.into_iter().map(|(k, v)| (key(k), v)).collect();
                        model.extend(more.clone());
                        ours.update(more);
                    }
                    Deed::Sort => {
                        ours.sort_by_key_text();
                        model.sort_by_key(|k, _| text(k));
                    }
                }
                prop_assert!(ours.iter().eq(model.iter()));
                prop_assert_eq!(ours.places.is_some(), ours.len() > FEW);
                for k in 0..48 {
                    let k = key(k);
                    prop_assert_eq!(ours.get_key(&k), model.get(&k));
                    if let Some(k) = k.as_str() {
                        prop_assert_eq!(ours.get(k), model.get(&Value::from(k)));
                    }
                }
                let mut reversed = Map::new();
                reversed.extend(ours.iter().rev().map(|(k, v)| (k.clone(), v.clone())));
                prop_assert_eq!(&reversed, &ours);
                if let Some(last) = ours.values().next_back() {
                    let last = last.as_int().unwrap_or_default();
                    for k in ours.keys() {
                        reversed.insert(k.clone(), last);
                    }
                    prop_assert_eq!(reversed == ours, ours.values().all(|v| v.as_int() == Some(last)));
                }
            }
        }
    }
}
