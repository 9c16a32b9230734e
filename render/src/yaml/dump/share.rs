//! Which values are met more than once: they get an anchor where they are met first, and aliases after.

use super::represent::{Representer, Shape};
use brine_python::{Obj, PyErr, R};
use std::collections::HashMap;
use std::rc::Rc;

/// Puts the pairs of a map in order.
pub(super) type Sort<'a> = &'a dyn Fn(&mut Vec<(Obj, Obj)>);

/// How deep values may nest; Python's own limit is about that, three calls a level.
pub(super) const DEEP: usize = 325;

/// Values that are shared, by address.
#[derive(Default)]
pub(super) struct Shared {
    /// The number of each that is met twice, zero of the rest.
    anchors: HashMap<usize, usize>,
}

/// What to write for a value.
pub(super) enum Mention {
    /// The value.
    Plain,
    /// An anchor before it.
    First(usize),
    /// Only an alias.
    Again(usize),
}

impl Shared {
    /// Of a value and all in it. Numbers follow the order in which values are met for the second time.
    pub(super) fn of(value: &Obj, representer: &Representer, sort: Sort<'_>) -> R<Self> {
        let mut out = Self::default();
        // Where nothing is shared, nothing need be walked through in order.
        if any_shared(value, 0)? {
            let mut last = 0;
            out.walk(value, representer, sort, 0, &mut last)?;
        }
        Ok(out)
    }

    fn walk(
        &mut self,
        value: &Obj,
        representer: &Representer,
        sort: Sort<'_>,
        depth: usize,
        last: &mut usize,
    ) -> R<()> {
        if depth > DEEP {
            return Err(PyErr::recursion(" while calling a Python object"));
        }
        if let Some(address) = identity(value) {
            if let Some(number) = self.anchors.get_mut(&address) {
                if *number == 0 {
                    *last += 1;
                    *number = *last;
                }
                return Ok(());
            }
            self.anchors.insert(address, 0);
        }
        if matches!(
            value,
            Obj::Str(_) | Obj::Int(_) | Obj::Bool(_) | Obj::None | Obj::Float(_) | Obj::Bytes(_)
        ) {
            return Ok(());
        }
        match representer.shape(value)? {
            Shape::Scalar(_) => {}
            Shape::List(items) | Shape::Set(items) => {
                for item in &items {
                    self.walk(item, representer, sort, depth + 1, last)?;
                }
            }
            Shape::Map(mut pairs, sorted) => {
                if sorted {
                    sort(&mut pairs);
                }
                for (key, value) in &pairs {
                    self.walk(key, representer, sort, depth + 1, last)?;
                    self.walk(value, representer, sort, depth + 1, last)?;
                }
            }
        }
        Ok(())
    }

    /// What to write for a value that is met now. `met` are those that were met before.
    pub(super) fn mention(&self, value: &Obj, met: &mut std::collections::HashSet<usize>) -> Mention {
        if self.anchors.is_empty() {
            return Mention::Plain;
        }
        match identity(value).and_then(|address| Some((address, *self.anchors.get(&address)?))) {
            Some((_, 0)) | None => Mention::Plain,
            Some((address, number)) if met.insert(address) => Mention::First(number),
            Some((_, number)) => Mention::Again(number),
        }
    }
}

/// Where a value is, if PyYAML looks for it again. Numbers, text and `()` it does not.
fn identity(value: &Obj) -> Option<usize> {
    match value {
        Obj::Tuple(items) if items.is_empty() => None,
        Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) => Some(value.address()),
        Obj::Set(set) => Some(Rc::as_ptr(set).addr()),
        Obj::DateTime(date) => Some(Rc::as_ptr(date).addr()),
        Obj::Other(o) if o.as_str().is_none() => Some(value.address()),
        _ => None,
    }
}

/// Whether anything in a value is referred to twice, by whomever. That a value holds itself is seen by that, too.
fn any_shared(value: &Obj, depth: usize) -> R<bool> {
    if depth > DEEP {
        return Err(PyErr::recursion(" while calling a Python object"));
    }
    Ok(match value {
        Obj::List(list) => {
            if depth > 0 && Rc::strong_count(list) > 1 {
                return Ok(true);
            }
            for item in list.borrow().iter() {
                if any_shared(item, depth + 1)? {
                    return Ok(true);
                }
            }
            false
        }
        Obj::Dict(dict) => {
            if depth > 0 && Rc::strong_count(dict) > 1 {
                return Ok(true);
            }
            for (key, item) in dict.borrow().iter() {
                if matches!(key.obj(), Obj::Tuple(_) | Obj::DateTime(_) | Obj::Other(_))
                    || any_shared(item, depth + 1)?
                {
                    return Ok(true);
                }
            }
            false
        }
        // Rare enough to be walked through.
        Obj::Tuple(items) => !items.is_empty(),
        Obj::Set(_) | Obj::DateTime(_) => true,
        Obj::Other(o) => o.as_str().is_none(),
        _ => false,
    })
}
