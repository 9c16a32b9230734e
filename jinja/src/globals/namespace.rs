//! `namespace`: an object whose attributes templates may set, also from within loops.

use super::dict;
use brine_python::{Args, Dict, Kind, Obj, Object, PyErr, R};
use std::rc::Rc;

/// `namespace(...)`.
struct Namespace(Rc<Dict>);

pub(super) fn namespace(args: &Args) -> R {
    match dict(args)? {
        Obj::Dict(values) => Ok(Obj::other(Namespace(values))),
        other => Err(PyErr::attribute(&other, "items")),
    }
}

/// Whether it is a `namespace`, to whose attributes templates may assign.
pub fn is_namespace(obj: &Obj) -> bool {
    matches!(obj, Obj::Other(o) if o.downcast::<Namespace>().is_some())
}

impl Object for Namespace {
    fn type_name(&self) -> &str {
        "Namespace"
    }

    fn module(&self) -> &str {
        "jinja2.utils"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<Namespace {}>", brine_python::repr(&Obj::Dict(self.0.clone()))?)))
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        match self.0.get_str(name) {
            Some(value) => Ok(Some(value)),
            None => Err(PyErr::new(Kind::AttributeError, name)),
        }
    }

    fn setattr(&self, _me: &Obj, name: &str, value: Obj) -> R<()> {
        self.0.set(name.into(), value).map(|_| ())
    }

    fn setitem(&self, key: &Obj, value: Obj) -> R<()> {
        self.0.set(key.clone(), value).map(|_| ())
    }
}
