//! The variables of one call of a function.

use super::code::Place;
use super::template::Template;
use brine_python::{Obj, R, need_bytes};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// The variables of one call, and the call around it that they see. Empty places are Jinja2's `missing`.
pub(crate) struct Activation {
    slots: RefCell<Vec<Option<Obj>>>,
    around: Option<Rc<Activation>>,
    /// The line that is told when something fails now.
    pub(super) line: Cell<u32>,
    /// What the loop around has set in this round.
    pub(super) loop_vars: RefCell<Vec<(Arc<str>, Obj)>>,
    /// What was extended.
    pub(super) extended: RefCell<Option<Rc<Template>>>,
}

impl Activation {
    pub(super) fn new(slots: u16, around: Option<Rc<Activation>>) -> R<Rc<Self>> {
        need_bytes(size_of::<Self>() + usize::from(slots) * size_of::<Option<Obj>>())?;
        Ok(Rc::new(Self {
            slots: RefCell::new(vec![None; slots.into()]),
            around,
            line: Cell::new(1),
            loop_vars: RefCell::default(),
            extended: RefCell::default(),
        }))
    }

    pub(super) fn set(&self, slot: u16, value: Option<Obj>) {
        // The old value is dropped after the borrow has ended.
        let _old = match self.slots.borrow_mut().get_mut(usize::from(slot)) {
            Some(place) => std::mem::replace(place, value),
            None => value,
        };
    }

    pub(super) fn is_missing(&self, slot: u16) -> bool {
        self.slots.borrow().get(usize::from(slot)).is_none_or(Option::is_none)
    }

    /// The call around.
    pub(super) fn around(&self) -> Option<Rc<Activation>> {
        self.around.clone()
    }

    /// Whether something was extended here or around.
    pub(super) fn is_extended(&self) -> bool {
        self.extended.borrow().is_some() || self.around.as_ref().is_some_and(|a| a.is_extended())
    }

    /// What a place holds.
    pub(super) fn get(&self, place: Place) -> Option<Obj> {
        let mut at = self;
        for _ in 0..place.up {
            at = at.around.as_ref()?;
        }
        at.slots.borrow().get(usize::from(place.slot)).cloned().flatten()
    }

    /// Empties it, so that nothing that it holds keeps it alive.
    pub(super) fn clear(&self) {
        let slots = std::mem::take(&mut *self.slots.borrow_mut());
        let vars = std::mem::take(&mut *self.loop_vars.borrow_mut());
        drop((slots, vars));
    }
}
