//! What `list` and `tuple` hold. Their methods are in `methods/`.

use crate::obj::Obj;
use crate::trash;
use std::cell::{Ref, RefCell, RefMut};
use std::ops::Deref;

/// A `list`, shared and changed in place.
///
/// A borrow must not be held over anything that could run another value's code.
#[derive(Default)]
pub struct List(RefCell<Vec<Obj>>);

impl List {
    /// A list of these.
    pub fn new(items: Vec<Obj>) -> Self {
        Self(RefCell::new(items))
    }

    /// To read.
    pub fn borrow(&self) -> Ref<'_, Vec<Obj>> {
        self.0.borrow()
    }

    /// To change.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Obj>> {
        self.0.borrow_mut()
    }

    /// The member at a place.
    pub fn get(&self, at: usize) -> Option<Obj> {
        self.0.borrow().get(at).cloned()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for List {
    fn drop(&mut self) {
        trash::free(std::mem::take(self.0.get_mut()));
    }
}

/// The type of a named tuple.
#[derive(Debug)]
pub struct Fields {
    /// `type(x).__name__`.
    pub name: &'static str,
    /// `type(x).__module__`.
    pub module: &'static str,
    /// Whether it shows itself with its name and those of its members, or as a plain tuple.
    pub shown: bool,
    /// The attributes that members can be asked for by, in their order.
    pub names: &'static [&'static str],
}

/// A `tuple`.
#[derive(Default)]
pub struct Tuple {
    items: Vec<Obj>,
    fields: Option<&'static Fields>,
}

impl Tuple {
    /// A tuple of these.
    pub fn new(items: Vec<Obj>) -> Self {
        Self { items, fields: None }
    }

    /// A named tuple of these.
    pub fn named(items: Vec<Obj>, fields: &'static Fields) -> Self {
        Self { items, fields: Some(fields) }
    }

    /// Its type, if it is a named one.
    pub fn fields(&self) -> Option<&'static Fields> {
        self.fields
    }

    /// The member of an attribute's name.
    pub(crate) fn field(&self, name: &str) -> Option<&Obj> {
        self.items.get(self.fields?.names.iter().position(|field| *field == name)?)
    }
}

impl Deref for Tuple {
    type Target = [Obj];
    fn deref(&self) -> &[Obj] {
        &self.items
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        trash::free(std::mem::take(&mut self.items));
    }
}
