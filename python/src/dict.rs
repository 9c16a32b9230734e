//! What `dict` and `OrderedDict` hold, and the views of them. Their methods are in `methods/`.

use crate::error::{PyErr, R};
use crate::key::{Carried, Key, TextKey};
use crate::limit;
use crate::obj::Obj;
use crate::trash;
use indexmap::IndexMap;
use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

/// The table inside.
pub type Table = IndexMap<Key, Obj, Carried>;

/// A `dict`, shared and changed in place; it keeps its order.
///
/// A borrow must not be held over anything that could run another value's code.
#[derive(Default)]
pub struct Dict {
    table: RefCell<Table>,
    ordered: bool,
}

impl Dict {
    /// An empty `dict`.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty `OrderedDict`.
    pub fn ordered() -> Self {
        Self { table: RefCell::default(), ordered: true }
    }

    /// An empty one of the same type.
    pub fn like(&self) -> Self {
        Self { table: RefCell::default(), ordered: self.ordered }
    }

    /// Whether it is an `OrderedDict`.
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }

    pub(crate) fn type_name(&self) -> &'static str {
        if self.ordered { "collections.OrderedDict" } else { "dict" }
    }

    /// To read.
    pub fn borrow(&self) -> Ref<'_, Table> {
        self.table.borrow()
    }

    /// To change.
    pub fn borrow_mut(&self) -> RefMut<'_, Table> {
        self.table.borrow_mut()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.table.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value under a text key.
    pub fn get_str(&self, key: &str) -> Option<Obj> {
        self.table.borrow().get(&TextKey(key)).cloned()
    }

    /// The value under a key.
    ///
    /// # Errors
    /// `TypeError` for a key that cannot be hashed.
    pub fn get(&self, key: &Obj) -> R<Option<Obj>> {
        if let Obj::Str(text) = key {
            return Ok(self.get_str(text));
        }
        let key = Key::new(key.clone())?;
        Ok(self.table.borrow().get(&key).cloned())
    }

    /// Sets a key; an existing one keeps its place. Returns the old value.
    ///
    /// # Errors
    /// `TypeError` for a key that cannot be hashed; `Limit`.
    pub fn set(&self, key: Obj, value: Obj) -> R<Option<Obj>> {
        limit::bytes(64)?;
        let key = Key::new(key)?;
        Ok(self.table.borrow_mut().insert(key, value))
    }

    /// Sets a text key.
    pub fn set_str(&self, key: &str, value: impl Into<Obj>) {
        self.table.borrow_mut().insert(Key::text(key), value.into());
    }

    /// Removes a key, keeping the order of the rest.
    ///
    /// # Errors
    /// `TypeError` for a key that cannot be hashed.
    pub fn remove(&self, key: &Obj) -> R<Option<Obj>> {
        let key = Key::new(key.clone())?;
        Ok(self.table.borrow_mut().shift_remove(&key))
    }

    /// The pairs at this moment.
    pub fn pairs(&self) -> Vec<(Obj, Obj)> {
        self.table.borrow().iter().map(|(k, v)| (k.obj().clone(), v.clone())).collect()
    }

    /// Adds all pairs of a mapping or of an iterable of pairs.
    ///
    /// # Errors
    /// As Python's `dict.update`.
    pub fn update(&self, from: &Obj) -> R<()> {
        let pairs = match from {
            Obj::Dict(other) => Some(other.pairs()),
            Obj::Other(o) => match o.pairs()? {
                // Whether it has keys is asked first, which some types do not like.
                None => match o.getattr(from, "keys") {
                    Err(e) if e.kind() != crate::Kind::AttributeError => return Err(e),
                    _ => None,
                },
                pairs => pairs,
            },
            _ => None,
        };
        let Some(pairs) = pairs else { return self.update_from(from) };
        for (key, value) in pairs {
            self.set(key, value)?;
        }
        Ok(())
    }

    /// Adds the pairs of an iterable one by one; those before a wrong one stay.
    fn update_from(&self, from: &Obj) -> R<()> {
        let iter = from.iter()?;
        let mut at = 0;
        while let Some(item) = iter.next()? {
            let members = match item.iter() {
                Ok(members) => members.collect()?,
                Err(e) if self.ordered => return Err(e),
                Err(_) => {
                    return Err(PyErr::ty(format!(
                        "cannot convert dictionary update sequence element #{at} to a sequence"
                    )));
                }
            };
            let len = members.len();
            let mut members = members.into_iter();
            let (key, value) = match (members.next(), members.next(), len) {
                (Some(key), Some(value), 2) => (key, value),
                (.., 0 | 1) if self.ordered => {
                    let s = if len == 1 { "" } else { "s" };
                    return Err(PyErr::value(format!("need more than {len} value{s} to unpack")));
                }
                _ if self.ordered => {
                    return Err(PyErr::value("too many values to unpack (expected 2)"));
                }
                _ => {
                    return Err(PyErr::value(format!(
                        "dictionary update sequence element #{at} has length {len}; 2 is required"
                    )));
                }
            };
            self.set(key, value)?;
            at += 1;
        }
        Ok(())
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        let table = std::mem::take(self.table.get_mut());
        let mut members = Vec::new();
        for (key, value) in table {
            if matches!(key.obj(), Obj::Tuple(_) | Obj::Set(_) | Obj::Other(_)) {
                members.push(key.into_obj());
            }
            if !matches!(value, Obj::Str(_) | Obj::Int(_) | Obj::Bool(_) | Obj::None | Obj::Float(_)) {
                members.push(value);
            }
        }
        trash::free(members);
    }
}

/// Which part of a dict a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `keys()`.
    Keys,
    /// `values()`.
    Values,
    /// `items()`.
    Items,
}

/// A live view of a dict.
pub struct View {
    /// The dict that is seen.
    pub dict: Rc<Dict>,
    /// What of it.
    pub part: Part,
}

impl View {
    pub(crate) fn type_name(&self) -> &'static str {
        match (self.part, self.dict.ordered) {
            (Part::Keys, false) => "dict_keys",
            (Part::Values, false) => "dict_values",
            (Part::Items, false) => "dict_items",
            (Part::Keys, true) => "odict_keys",
            (Part::Values, true) => "odict_values",
            (Part::Items, true) => "odict_items",
        }
    }

    pub(crate) fn is_values(&self) -> bool {
        self.part == Part::Values
    }

    /// What it shows at a place.
    pub(crate) fn at(&self, at: usize) -> Option<Obj> {
        let table = self.dict.borrow();
        let (key, value) = table.get_index(at)?;
        Some(match self.part {
            Part::Keys => key.obj().clone(),
            Part::Values => value.clone(),
            Part::Items => Obj::tuple(vec![key.obj().clone(), value.clone()]),
        })
    }

    /// All that it shows at this moment.
    pub fn members(&self) -> Vec<Obj> {
        (0..self.dict.len()).filter_map(|at| self.at(at)).collect()
    }
}
