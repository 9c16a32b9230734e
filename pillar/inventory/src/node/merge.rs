//! How later values come over earlier ones: mappings into mappings, anything else in place of what was there.

use super::{Map, Node, Scalar};
use crate::finding::Place;
use std::sync::Arc;

impl Map {
    /// Merges a mapping over this one. What does not change stays shared with whom it was shared.
    pub(crate) fn merge(&mut self, over: &Map) {
        if self.is_empty() {
            *self = over.clone();
            return;
        }
        if self.is(over) {
            return;
        }
        for (key, new) in over {
            let Some(at) = self.position(key) else {
                self.push(key.clone(), new.clone());
                continue;
            };
            if !changes(self.at(at), new) {
                continue;
            }
            match (self.at_mut(at), new) {
                (Node::Map(own), Node::Map(new)) => own.merge(new),
                (own, new) => *own = new.clone(),
            }
        }
    }

    /// Sets what is at a path, making mappings on the way; a value in the way is replaced by one.
    pub(crate) fn set(&mut self, path: &[Arc<str>], value: Scalar, place: &Place) {
        let Some((key, rest)) = path.split_first() else { return };
        let at = self.position(key);
        if rest.is_empty() {
            match at {
                Some(at) if matches!(self.at(at), Node::Scalar(own) if own.is(&value)) => {}
                Some(at) => *self.at_mut(at) = Node::Scalar(value),
                None => self.push(key.clone(), Node::Scalar(value)),
            }
            return;
        }
        let inner = match at.map(|at| self.at_mut(at)) {
            Some(Node::Map(map)) => map,
            Some(other) => {
                *other = Node::Map(Map::empty(place.clone()));
                let Node::Map(map) = other else { return };
                map
            }
            None => {
                let mut map = Map::empty(place.clone());
                map.set(rest, value, place);
                self.push(key.clone(), Node::Map(map));
                return;
            }
        };
        inner.set(rest, value, place);
    }

    /// What is at a path.
    pub(crate) fn at_path(&self, path: &[Arc<str>]) -> Option<&Node> {
        let (last, way) = path.split_last()?;
        way.iter().try_fold(self, |map, key| map.get(key)?.map())?.get(last)
    }
}

/// Whether merging would change what is there.
fn changes(own: &Node, new: &Node) -> bool {
    match (own, new) {
        (Node::Map(own), Node::Map(new)) => {
            !own.is(new) && new.iter().any(|(key, new)| own.get(key).is_none_or(|own| changes(own, new)))
        }
        (own, new) => !own.is(new),
    }
}
