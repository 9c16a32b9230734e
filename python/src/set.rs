//! What `set` and `frozenset` hold. Their methods are in `methods/`.
//!
//! Members keep the order in which they came; Python's order of text differs from run to run, so none can be relied on.

use crate::error::R;
use crate::key::{Carried, Key};
use crate::limit;
use crate::obj::Obj;
use crate::trash;
use indexmap::IndexSet;
use std::cell::{Ref, RefCell, RefMut};

/// The table inside.
pub type Members = IndexSet<Key, Carried>;

/// A `set` or `frozenset`.
#[derive(Default)]
pub struct Set {
    members: RefCell<Members>,
    frozen: bool,
}

impl Set {
    /// One of these members.
    pub fn new(members: Members, frozen: bool) -> Self {
        Self { members: RefCell::new(members), frozen }
    }

    /// All that an iterable gives.
    ///
    /// # Errors
    /// `TypeError` for what cannot be iterated or hashed; `Limit`.
    pub fn of(from: &Obj, frozen: bool) -> R<Self> {
        Ok(Self::new(members_of(from)?, frozen))
    }

    /// Whether it is a `frozenset`.
    pub fn frozen(&self) -> bool {
        self.frozen
    }

    pub(crate) fn type_name(&self) -> &'static str {
        if self.frozen { "frozenset" } else { "set" }
    }

    /// To read.
    pub fn borrow(&self) -> Ref<'_, Members> {
        self.members.borrow()
    }

    /// To change; of a `frozenset` nobody may ask.
    pub fn borrow_mut(&self) -> RefMut<'_, Members> {
        self.members.borrow_mut()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.members.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members at this moment.
    pub fn to_vec(&self) -> Vec<Obj> {
        self.members.borrow().iter().map(|k| k.obj().clone()).collect()
    }
}

/// The distinct members of an iterable.
pub(crate) fn members_of(from: &Obj) -> R<Members> {
    if let Obj::Set(set) = from {
        return Ok(set.borrow().clone());
    }
    let iter = from.iter()?;
    let mut members = Members::default();
    while let Some(item) = iter.next()? {
        limit::bytes(48)?;
        members.insert(Key::new(item)?);
    }
    Ok(members)
}

impl Drop for Set {
    fn drop(&mut self) {
        let members = std::mem::take(self.members.get_mut());
        let deep = |o: &Obj| matches!(o, Obj::Tuple(_) | Obj::Set(_) | Obj::Other(_));
        trash::free(members.into_iter().map(Key::into_obj).filter(deep).collect::<Vec<_>>());
    }
}
