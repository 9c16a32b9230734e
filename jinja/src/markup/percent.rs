//! `Markup % values`: every value is escaped where it is printed.

use super::{Markup, escape};
use brine_python::{Kind, Obj, Object, PyErr, R};

/// A value that is escaped when it becomes text, and is its number when it becomes a number.
struct Escaped(Obj);

fn wrap(value: &Obj) -> Obj {
    Obj::other(Escaped(value.clone()))
}

impl Object for Escaped {
    fn type_name(&self) -> &str {
        "_MarkupEscapeHelper"
    }

    fn module(&self) -> &str {
        "markupsafe"
    }

    fn str(&self) -> R<Option<String>> {
        brine_python::str(&escape(&self.0)?).map(Some)
    }

    fn repr(&self) -> R<Option<String>> {
        brine_python::str(&escape(&brine_python::repr(&self.0)?.into())?).map(Some)
    }

    fn subscriptable(&self) -> bool {
        true
    }

    fn getitem(&self, _me: &Obj, key: &Obj) -> R<Option<Obj>> {
        Ok(Some(wrap(&brine_python::getitem(&self.0, key)?)))
    }

    fn int(&self) -> R<Option<Obj>> {
        brine_python::int(&self.0, None).map(Some)
    }

    fn float(&self) -> R<Option<f64>> {
        brine_python::float(&self.0).map(Some)
    }
}

/// `Markup(text) % values`.
pub(super) fn percent(text: &str, values: &Obj) -> R {
    let values = match values {
        Obj::Tuple(values) => Obj::tuple(values.iter().map(wrap).collect()),
        Obj::List(_) | Obj::Dict(_) | Obj::Range(_) | Obj::Bytes(_) => wrap(values),
        Obj::Other(o) if o.as_str().is_none() && o.subscriptable() => wrap(values),
        one => Obj::tuple(vec![wrap(one)]),
    };
    let out = brine_python::percent(text, &values)?;
    match out.as_str() {
        Some(out) => Ok(Markup::new(out)),
        None => Err(PyErr::new(Kind::TypeError, "text expected")),
    }
}
