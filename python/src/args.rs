//! The arguments of a call, and what Python says when they do not fit.

use crate::error::{PyErr, R};
use crate::obj::Obj;
use std::rc::Rc;

/// Positional and keyword arguments.
#[derive(Clone, Default)]
pub struct Args {
    /// By position.
    pub pos: Vec<Obj>,
    /// By name, each name once.
    pub kw: Vec<(Rc<str>, Obj)>,
}

impl Args {
    /// Positional arguments only.
    pub fn of(pos: impl IntoIterator<Item = Obj>) -> Self {
        Self { pos: pos.into_iter().collect(), kw: Vec::new() }
    }

    /// A keyword argument.
    pub fn named(&self, name: &str) -> Option<&Obj> {
        self.kw.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }

    /// Puts arguments into the places of named parameters, in the words of Python's built-in functions.
    ///
    /// # Errors
    /// `TypeError`: too many, too few, an unknown name, one given twice.
    pub fn bind(&self, function: &str, names: &[&str], required: usize) -> R<Vec<Option<Obj>>> {
        let given = self.pos.len() + self.kw.len();
        if given > names.len() {
            let (keyword, s) =
                (if self.pos.is_empty() { "keyword " } else { "" }, if names.len() == 1 { "" } else { "s" });
            return Err(PyErr::ty(format!(
                "{function}() takes at most {} {keyword}argument{s} ({given} given)",
                names.len()
            )));
        }
        let mut slots: Vec<Option<Obj>> = self.pos.iter().cloned().map(Some).collect();
        slots.resize(names.len(), None);
        for (at, name) in names.iter().enumerate() {
            match (&slots[at], self.named(name)) {
                (Some(_), Some(_)) => {
                    return Err(PyErr::ty(format!(
                        "argument for {function}() given by name ('{name}') and position ({})",
                        at + 1
                    )));
                }
                (None, Some(value)) => slots[at] = Some(value.clone()),
                (None, None) if at < required => {
                    return Err(PyErr::ty(format!(
                        "{function}() missing required argument '{name}' (pos {})",
                        at + 1
                    )));
                }
                _ => {}
            }
        }
        if let Some((name, _)) = self.kw.iter().find(|(name, _)| !names.contains(&&**name)) {
            return Err(PyErr::ty(format!("'{name}' is an invalid keyword argument for {function}()")));
        }
        Ok(slots)
    }
}
