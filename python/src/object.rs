//! What another crate must say of a type that it adds: undefined values, namespaces, macros, loaders, markup.

use crate::args::Args;
use crate::error::{PyErr, R};
use crate::obj::Obj;
use crate::ops::Op;
use std::any::Any;
use std::cmp::Ordering;

/// A type of its own. Whatever is left as it is behaves as a plain Python object does: true, equal to itself only.
///
/// `me` is the value as the program has it, so that a method can be bound to it.
#[allow(clippy::len_without_is_empty, reason = "named as in Python")]
pub trait Object: Any {
    /// `type(x).__name__`.
    fn type_name(&self) -> &str;

    /// `type(x).__module__`.
    fn module(&self) -> &str {
        "builtins"
    }

    /// The text, if the type is a subclass of `str`. Methods of `str` are then found after [`Object::getattr`].
    fn as_str(&self) -> Option<&str> {
        None
    }

    /// `bool(x)`.
    fn truth(&self) -> R<bool> {
        self.as_str().map_or(Ok(true), |s| Ok(!s.is_empty()))
    }

    /// `repr(x)`; `None` is `<type object at 0x...>`, or the text's.
    fn repr(&self) -> R<Option<String>> {
        Ok(None)
    }

    /// `str(x)`; `None` is the text, or the `repr`.
    fn str(&self) -> R<Option<String>> {
        Ok(None)
    }

    /// `format(x, spec)`; `None` is that of `str` or of `object`.
    fn format(&self, _spec: &str) -> R<Option<Obj>> {
        Ok(None)
    }

    /// `x.name`; `None` when there is none.
    fn getattr(&self, _me: &Obj, _name: &str) -> R<Option<Obj>> {
        Ok(None)
    }

    /// `x.name = value`.
    fn setattr(&self, me: &Obj, name: &str, _value: Obj) -> R<()> {
        Err(PyErr::attribute(me, name))
    }

    /// `x[key]`; `None` when it cannot be subscripted.
    fn getitem(&self, _me: &Obj, _key: &Obj) -> R<Option<Obj>> {
        Ok(None)
    }

    /// Whether the type can be subscripted at all: what `%` takes for a mapping.
    fn subscriptable(&self) -> bool {
        self.as_str().is_none() && self.pairs().is_ok_and(|pairs| pairs.is_some())
    }

    /// `x[start:stop:step]`; `None` when it cannot be sliced, or only as text is.
    fn slice(&self, _start: &Obj, _stop: &Obj, _step: &Obj) -> R<Option<Obj>> {
        Ok(None)
    }

    /// `x[key] = value`.
    fn setitem(&self, _key: &Obj, _value: Obj) -> R<()> {
        Err(PyErr::ty(format!("'{}' object does not support item assignment", self.type_name())))
    }

    /// `x(...)`; `None` when it cannot be called.
    fn call(&self, _me: &Obj, _args: &Args) -> R<Option<Obj>> {
        Ok(None)
    }

    /// Whether it can be called.
    fn callable(&self) -> bool {
        false
    }

    /// `iter(x)`, as any value that can be iterated; `None` when it cannot.
    fn iter(&self, _me: &Obj) -> R<Option<Obj>> {
        Ok(None)
    }

    /// `len(x)`; `None` when it has none.
    fn len(&self) -> R<Option<usize>> {
        Ok(None)
    }

    /// `item in x`; `None` is decided by iteration.
    fn contains(&self, _item: &Obj) -> R<Option<bool>> {
        Ok(None)
    }

    /// `x == other`; `None` is decided by the other, then by identity. It may run while a dict or set looks for a key, so it must
    /// not reach for one that may hold `x`.
    fn eq(&self, _other: &Obj) -> R<Option<bool>> {
        Ok(None)
    }

    /// `int(x)`; `None` when it is no number, or only as text is.
    fn int(&self) -> R<Option<Obj>> {
        Ok(None)
    }

    /// `float(x)`; `None` when it is no number, or only as text is.
    fn float(&self) -> R<Option<f64>> {
        Ok(None)
    }

    /// The order against another; `None` when there is none.
    fn cmp(&self, _other: &Obj) -> R<Option<Ordering>> {
        Ok(None)
    }

    /// `hash(x)`; `None` is by address or text.
    fn hash(&self) -> R<Option<u64>> {
        Ok(None)
    }

    /// `x op other`, or with `reflected` `other op x`; `None` when it does not know.
    fn binary(&self, _op: Op, _other: &Obj, _reflected: bool) -> R<Option<Obj>> {
        Ok(None)
    }

    /// The pairs, if it is a mapping: what `dict.update` and `**` take.
    fn pairs(&self) -> R<Option<Vec<(Obj, Obj)>>> {
        Ok(None)
    }
}

impl dyn Object {
    /// The value as its own type.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}
