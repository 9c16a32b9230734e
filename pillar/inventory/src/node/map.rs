//! A mapping with its keys in order. Small ones are searched from end to end, large ones by a table that the first search makes.

use super::Node;
use crate::finding::Place;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// From how many entries on a table is worth it.
const LARGE: usize = 24;

/// One key with its value.
type Entry = (Arc<str>, Node);

/// A mapping. To copy one costs a count.
#[derive(Clone, Debug)]
pub struct Map(Arc<Data>);

#[derive(Debug)]
struct Data {
    place: Place,
    entries: Vec<Entry>,
    table: Table,
}

type Table = OnceLock<Box<HashMap<Arc<str>, usize>>>;

impl Clone for Data {
    fn clone(&self) -> Self {
        // Who copies is about to change it.
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        entries.extend(self.entries.iter().cloned());
        Self { place: self.place.clone(), entries, table: OnceLock::new() }
    }
}

impl Map {
    /// A mapping without keys.
    #[must_use]
    pub fn empty(place: Place) -> Self {
        Self(Arc::new(Data { place, entries: Vec::new(), table: OnceLock::new() }))
    }

    /// How many keys it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether it has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The value of a key: the key itself, dots and all.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.0.entries[at].1)
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> MapIter<'_> {
        MapIter(self.0.entries.iter())
    }

    /// Where it begins. Of a mapping that was merged: where the first of its parts does.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn position(&self, key: &str) -> Option<usize> {
        let data = &*self.0;
        if data.entries.len() < LARGE {
            return data.entries.iter().position(|(own, _)| **own == *key);
        }
        let table = data
            .table
            .get_or_init(|| Box::new(data.entries.iter().map(|(k, _)| k.clone()).zip(0..).collect()));
        table.get(key).copied()
    }

    pub(super) fn at(&self, at: usize) -> &Node {
        &self.0.entries[at].1
    }

    /// The value at a position, to be changed; the mapping is copied first if others share it.
    pub(super) fn at_mut(&mut self, at: usize) -> &mut Node {
        &mut Arc::make_mut(&mut self.0).entries[at].1
    }

    /// Adds a key that is not there.
    pub(super) fn push(&mut self, key: Arc<str>, value: Node) {
        let data = Arc::make_mut(&mut self.0);
        if let Some(table) = data.table.get_mut() {
            table.insert(key.clone(), data.entries.len());
        }
        data.entries.push((key, value));
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0.entries == other.0.entries
    }
}

/// The entries of a [`Map`], in order.
#[derive(Clone, Debug)]
pub struct MapIter<'a>(std::slice::Iter<'a, Entry>);

impl<'a> Iterator for MapIter<'a> {
    type Item = (&'a Arc<str>, &'a Node);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for MapIter<'_> {}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Arc<str>, &'a Node);
    type IntoIter = MapIter<'a>;

    fn into_iter(self) -> MapIter<'a> {
        self.iter()
    }
}

/// A mapping that is being read: a key that comes again has its value replaced, in its first place.
pub(crate) struct MapBuilder {
    place: Place,
    entries: Vec<Entry>,
    table: HashMap<Arc<str>, usize>,
}

impl MapBuilder {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, entries: Vec::new(), table: HashMap::new() }
    }

    /// Sets a key; says whether it was there.
    pub(crate) fn set(&mut self, key: Arc<str>, value: Node) -> bool {
        let at = if self.entries.len() < LARGE {
            self.entries.iter().position(|(own, _)| *own == key)
        } else {
            if self.table.is_empty() {
                self.table = self.entries.iter().map(|(k, _)| k.clone()).zip(0..).collect();
            }
            self.table.get(&key).copied()
        };
        if let Some(at) = at {
            self.entries[at].1 = value;
            return true;
        }
        if self.entries.len() >= LARGE {
            self.table.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        false
    }

    pub(crate) fn build(mut self) -> Map {
        self.entries.shrink_to_fit();
        Map(Arc::new(Data { place: self.place, entries: self.entries, table: OnceLock::new() }))
    }
}
