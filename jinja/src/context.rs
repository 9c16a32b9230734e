//! The variables of a running template: what it was given, and what it set itself.

use brine_python::{Dict, Obj};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// One version of a block, from the template that is rendered to the one that all others extend.
pub type BlockStack = Vec<Rc<crate::run::BlockCode>>;

/// What a template sees: the values it was given over the globals, and over those its own at the top level.
pub struct Context {
    /// What it was given, globals included. Not changed while the template runs.
    pub parent: Rc<Dict>,
    /// What it set at its top level.
    pub vars: Rc<Dict>,
    /// Which of those an import can see, in the order in which they were set.
    pub exported: RefCell<Vec<Rc<str>>>,
    /// The template's name, if it has one.
    pub name: Option<Rc<str>>,
    /// Blocks by name; the first of each is in force.
    pub blocks: RefCell<HashMap<Rc<str>, BlockStack>>,
    /// Whether output is escaped.
    pub autoescape: Cell<bool>,
}

impl Context {
    /// A context of these values.
    pub fn new(parent: Rc<Dict>, name: Option<Rc<str>>, autoescape: bool) -> Self {
        Self {
            parent,
            vars: Rc::new(Dict::new()),
            exported: RefCell::default(),
            name,
            blocks: RefCell::default(),
            autoescape: Cell::new(autoescape),
        }
    }

    /// The value of a name.
    pub fn resolve(&self, name: &str) -> Option<Obj> {
        if !self.vars.is_empty()
            && let Some(value) = self.vars.get_str(name)
        {
            return Some(value);
        }
        self.parent.get_str(name)
    }

    /// All names and values, the template's own over what it was given.
    pub fn all(&self) -> Rc<Dict> {
        if self.vars.is_empty() {
            return self.parent.clone();
        }
        if self.parent.is_empty() {
            return self.vars.clone();
        }
        let all = Dict::new();
        *all.borrow_mut() = self.parent.borrow().clone();
        for (key, value) in self.vars.borrow().iter() {
            all.borrow_mut().insert(key.clone(), value.clone());
        }
        Rc::new(all)
    }
}
