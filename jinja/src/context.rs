//! The variables of a running template: what it was given, and what it set itself.

use crate::run::{BlockCode, Template};
use brine_python::{Dict, Obj, R};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// One version of a block, from the template that is rendered to the one that all others extend.
pub(crate) type BlockStack = Vec<Rc<BlockCode>>;

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
    pub(crate) blocks: RefCell<HashMap<Arc<str>, BlockStack>>,
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

    /// Sets a variable of the template's own.
    pub(crate) fn set(&self, name: &str, value: Obj, export: bool) {
        self.vars.set_str(name, value);
        let mut exported = self.exported.borrow_mut();
        if export && !exported.iter().any(|n| &**n == name) {
            exported.push(name.into());
        }
    }

    /// Keeps a variable from imports.
    pub(crate) fn hide(&self, name: &str) {
        self.exported.borrow_mut().retain(|n| &**n != name);
    }

    /// What an import sees.
    pub(crate) fn exports(&self) -> Vec<(Rc<str>, Obj)> {
        let exported = self.exported.borrow();
        exported.iter().filter_map(|n| Some((n.clone(), self.vars.get_str(n)?))).collect()
    }

    /// Puts the blocks of a template behind those that are there.
    pub(crate) fn add_blocks(&self, template: &Rc<Template>) {
        for block in template.blocks() {
            self.blocks.borrow_mut().entry(block.name()).or_default().push(block);
        }
    }

    /// A context of the same template with more names, whose own variables are apart.
    pub(crate) fn derived(&self, locals: Vec<(Arc<str>, Obj)>) -> R<Context> {
        let mut parent = self.all();
        if !locals.is_empty() {
            brine_python::need_bytes(parent.len() * 64)?;
            let dict = Dict::new();
            *dict.borrow_mut() = parent.borrow().clone();
            for (name, value) in locals {
                dict.set_str(&name, value);
            }
            parent = Rc::new(dict);
        }
        let context = Context::new(parent, self.name.clone(), self.autoescape.get());
        *context.blocks.borrow_mut() = self.blocks.borrow().clone();
        Ok(context)
    }

    /// Empties it, so that nothing that it holds keeps it alive.
    pub(crate) fn clear(&self) {
        let vars = std::mem::take(&mut *self.vars.borrow_mut());
        let blocks = std::mem::take(&mut *self.blocks.borrow_mut());
        drop((vars, blocks));
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
