//! Keyword arguments of serializers: each is taken once, and what is left is an error.

use brine_python::{Obj, PyErr, R, truth};

/// Keyword arguments.
pub(super) struct Options(Vec<(String, Obj)>);

impl Options {
    /// Those of a dict; `None` is none.
    pub(super) fn of(options: &Obj) -> R<Self> {
        let Obj::Dict(dict) = options else {
            return if matches!(options, Obj::None) {
                Ok(Self(Vec::new()))
            } else {
                Err(PyErr::ty(format!("argument after ** must be a mapping, not {}", options.type_name())))
            };
        };
        let name =
            |key: &Obj| key.as_str().map(str::to_owned).ok_or_else(|| PyErr::ty("keywords must be strings"));
        let pairs = dict.pairs().into_iter().map(|(key, value)| Ok((name(&key)?, value)));
        pairs.collect::<R<Vec<_>>>().map(Self)
    }

    /// Takes an argument out.
    pub(super) fn take(&mut self, name: &str) -> Option<Obj> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    /// An argument that is not `None`.
    pub(super) fn some(&mut self, name: &str) -> Option<Obj> {
        self.take(name).filter(|value| !matches!(value, Obj::None))
    }

    /// Whether an argument is true.
    pub(super) fn truth(&mut self, name: &str, default: bool) -> R<bool> {
        self.take(name).map_or(Ok(default), |value| truth(&value))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str, default: &str) -> R<String> {
        match self.take(name) {
            None => Ok(default.to_owned()),
            Some(value) => value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| PyErr::ty(format!("{name} must be str, not {}", value.type_name()))),
        }
    }

    /// A whole number that is not `None`.
    pub(super) fn int(&mut self, name: &str) -> R<Option<i64>> {
        self.some(name).map(|value| brine_python::index(&value)).transpose()
    }

    /// Python's error for an argument that nobody has asked for.
    pub(super) fn done(&self, function: &str) -> R<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(PyErr::ty(format!("{function}() got an unexpected keyword argument '{name}'")))
            }
        }
    }
}
