//! `x.name`, calls, and methods bound to their values.

use crate::args::Args;
use crate::depth;
use crate::error::{PyErr, R};
use crate::methods::{self, Method};
use crate::obj::Obj;
use crate::object::Object;

/// A built-in method bound to a value.
struct Bound {
    me: Obj,
    method: &'static Method,
}

impl Object for Bound {
    fn type_name(&self) -> &str {
        "builtin_function_or_method"
    }

    fn repr(&self) -> R<Option<String>> {
        let (name, of) = (self.method.name, self.me.type_name());
        // A small value has no place of its own but here.
        let address = match self.me.address() {
            0 => std::ptr::from_ref(&self.me).addr(),
            address => address,
        };
        Ok(Some(format!("<built-in method {name} of {of} object at {address:#x}>")))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        self.method.call(&self.me, args).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }

    fn eq(&self, other: &Obj) -> R<Option<bool>> {
        let Obj::Other(other) = other else { return Ok(Some(false)) };
        let same = |b: &Bound| std::ptr::eq(b.method, self.method) && b.me.is(&self.me);
        Ok(Some(other.downcast::<Bound>().is_some_and(same)))
    }
}

/// `getattr(x, name)`, or `None` when there is no such attribute.
///
/// # Errors
/// What an added type raises.
pub fn find(obj: &Obj, name: &str) -> R<Option<Obj>> {
    if let Obj::Other(o) = obj
        && let Some(found) = o.getattr(obj, name)?
    {
        return Ok(Some(found));
    }
    if let Some(value) = methods::property(obj, name) {
        return Ok(Some(value));
    }
    Ok(methods::find(obj, name).map(|method| Obj::other(Bound { me: obj.clone(), method })))
}

/// A method of a built-in type, not bound: what a call needs that makes no value of it.
pub fn find_method(obj: &Obj, name: &str) -> Option<&'static Method> {
    match obj {
        Obj::Other(_) => None,
        _ => methods::find(obj, name),
    }
}

/// `x.name`.
///
/// # Errors
/// `AttributeError: 'str' object has no attribute 'x'`.
pub fn getattr(obj: &Obj, name: &str) -> R {
    find(obj, name)?.ok_or_else(|| PyErr::attribute(obj, name))
}

/// `x.name = value`.
///
/// # Errors
/// `AttributeError`: only added types have attributes that can be set.
pub fn setattr(obj: &Obj, name: &str, value: Obj) -> R<()> {
    match obj {
        Obj::Other(o) => o.setattr(obj, name, value),
        _ if find(obj, name)?.is_some() => Err(PyErr::new(
            crate::Kind::AttributeError,
            format!("'{}' object attribute '{name}' is read-only", obj.type_name()),
        )),
        _ => Err(PyErr::attribute(obj, name)),
    }
}

/// `x(...)`.
///
/// # Errors
/// `TypeError: 'str' object is not callable`, and what the call raises.
pub fn call(obj: &Obj, args: &Args) -> R {
    let _level = depth::enter("")?;
    let called = match obj {
        Obj::Other(o) => o.call(obj, args)?,
        _ => None,
    };
    called.ok_or_else(|| PyErr::ty(format!("'{}' object is not callable", obj.type_name())))
}

/// Whether it can be called.
pub fn callable(obj: &Obj) -> bool {
    matches!(obj, Obj::Other(o) if o.callable())
}

/// `x.name(...)`, without a bound method in between.
///
/// # Errors
/// As [`getattr`] and [`call`].
pub fn call_method(obj: &Obj, name: &str, args: &Args) -> R {
    if let Obj::Other(o) = obj
        && let Some(found) = o.getattr(obj, name)?
    {
        return call(&found, args);
    }
    match methods::find(obj, name) {
        Some(method) => method.call(obj, args),
        None => call(&getattr(obj, name)?, args),
    }
}
