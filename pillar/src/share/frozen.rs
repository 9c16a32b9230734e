//! Data as threads can share it: what YAML gives, without identity.

use brine_python::{Dict, Obj};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

/// A value that belongs to no thread. Two are equal only if nothing can tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Frozen {
    None,
    Bool(bool),
    Int(i64),
    /// The bits of a float: zeros differ by sign.
    Float(u64),
    Str(Arc<str>),
    List(Vec<Frozen>),
    Dict {
        ordered: bool,
        pairs: Vec<(Frozen, Frozen)>,
    },
}

impl Frozen {
    /// A copy of a value. None where a copy would not do: it holds other types, or one list or dict in two places, so that a change
    /// of the one would be seen in the other.
    pub(crate) fn of(value: &Obj) -> Option<Self> {
        freeze(value, &mut HashSet::new())
    }

    /// A new object.
    pub(crate) fn thaw(&self) -> Obj {
        match self {
            Self::None => Obj::None,
            Self::Bool(value) => Obj::Bool(*value),
            Self::Int(value) => Obj::Int(*value),
            Self::Float(bits) => Obj::Float(f64::from_bits(*bits)),
            Self::Str(text) => Obj::str(&**text),
            Self::List(items) => Obj::list(items.iter().map(Self::thaw).collect()),
            Self::Dict { ordered, pairs } => {
                let dict = if *ordered { Dict::ordered() } else { Dict::new() };
                for (key, value) in pairs {
                    // Keys were keys before.
                    let _ = dict.set(key.thaw(), value.thaw());
                }
                dict.into()
            }
        }
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let own = size_of::<Self>();
        own + match self {
            Self::Str(text) => text.len(),
            Self::List(items) => items.iter().map(Self::bytes).sum(),
            Self::Dict { pairs, .. } => pairs.iter().map(|(key, value)| key.bytes() + value.bytes()).sum(),
            _ => 0,
        }
    }
}

fn freeze(value: &Obj, seen: &mut HashSet<usize>) -> Option<Frozen> {
    Some(match value {
        Obj::None => Frozen::None,
        Obj::Bool(value) => Frozen::Bool(*value),
        Obj::Int(value) => Frozen::Int(*value),
        Obj::Float(value) => Frozen::Float(value.to_bits()),
        Obj::Str(text) => Frozen::Str(Arc::from(&**text)),
        Obj::List(list) if seen.insert(Rc::as_ptr(list).addr()) => {
            let items = list.borrow().iter().map(|item| freeze(item, seen)).collect::<Option<_>>()?;
            Frozen::List(items)
        }
        Obj::Dict(dict) if seen.insert(Rc::as_ptr(dict).addr()) => {
            let pairs = dict.pairs();
            let mut frozen = Vec::with_capacity(pairs.len());
            for (key, value) in &pairs {
                frozen.push((freeze(key, seen)?, freeze(value, seen)?));
            }
            Frozen::Dict { ordered: dict.is_ordered(), pairs: frozen }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thawed_is_what_was_frozen() {
        let inner = Dict::ordered();
        inner.set_str("b", Obj::list(vec![Obj::Int(1), Obj::Float(1.5), Obj::None, Obj::Bool(true)]));
        let outer = Dict::new();
        outer.set_str("a", Obj::from(inner));
        let value = Obj::from(outer);
        let frozen = Frozen::of(&value).unwrap();
        let again = frozen.thaw();
        assert_eq!(brine_python::repr(&again).unwrap(), brine_python::repr(&value).unwrap());
        assert_eq!(Frozen::of(&again), Some(frozen));
        assert_ne!(Frozen::of(&Obj::Float(0.0)), Frozen::of(&Obj::Float(-0.0)));
        assert_ne!(Frozen::of(&Obj::Int(1)), Frozen::of(&Obj::Bool(true)));
    }

    #[test]
    fn what_is_in_two_places_is_not_copied() {
        let one = Obj::list(vec![]);
        assert_eq!(Frozen::of(&Obj::list(vec![one.clone(), one])), None);
        assert_eq!(Frozen::of(&Obj::Bytes([1][..].into())), None);
    }
}
