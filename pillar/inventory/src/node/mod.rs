//! Values: trees whose parts are shared. To copy one costs a count, so views that inherit share what they inherit.

mod map;
mod merge;
mod scalar;

pub(crate) use map::MapBuilder;
pub use map::{Map, MapIter};
pub use scalar::{Native, Scalar};

use crate::finding::Place;
use std::sync::Arc;

/// A value. Two are equal if their texts, keys and order are; where they stand counts for nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Keys and values, in order.
    Map(Map),
    /// Values, in order.
    List(List),
    /// A text, with what YAML had for it.
    Scalar(Scalar),
}

/// A list of values.
#[derive(Clone, Debug)]
pub struct List(Arc<ListData>);

#[derive(Debug)]
struct ListData {
    place: Place,
    items: Box<[Node]>,
}

impl List {
    pub(crate) fn new(items: Vec<Node>, place: Place) -> Self {
        Self(Arc::new(ListData { place, items: items.into() }))
    }

    /// The values.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        &self.0.items
    }

    /// Where it begins.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.items() == other.items()
    }
}

impl Node {
    /// What is at a dotted path, as Pallet Jack has it: each part is a key of a mapping, so a key that holds a dot cannot be reached,
    /// nor can what is in a list.
    #[must_use]
    pub fn get(&self, dotted: &str) -> Option<&Node> {
        dotted.split('.').try_fold(self, |node, key| node.map()?.get(key))
    }

    /// The text of a scalar.
    #[must_use]
    pub fn str(&self) -> Option<&str> {
        match self {
            Node::Scalar(scalar) => Some(scalar.text()),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        match self {
            Node::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn list(&self) -> Option<&List> {
        match self {
            Node::List(list) => Some(list),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match self {
            Node::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Where it stands. Of a mapping that was merged: where the first of its parts does.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Node::Map(map) => map.place(),
            Node::List(list) => list.place(),
            Node::Scalar(scalar) => scalar.place(),
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Map(_) => "a mapping",
            Node::List(_) => "a list",
            Node::Scalar(_) => "a scalar",
        }
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is(&self, other: &Node) -> bool {
        match (self, other) {
            (Node::Map(a), Node::Map(b)) => a.is(b),
            (Node::List(a), Node::List(b)) => a.is(b),
            (Node::Scalar(a), Node::Scalar(b)) => a.is(b),
            _ => false,
        }
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Node::Map(map)
    }
}

impl From<Scalar> for Node {
    fn from(scalar: Scalar) -> Self {
        Node::Scalar(scalar)
    }
}
