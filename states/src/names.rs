//! Small questions about Python's values that SLS data is full of.

use brine_python::{Dict, List, Obj, PyErr, R, eq, getitem};
use std::rc::Rc;

/// `key.startswith(prefix)`.
///
/// # Errors
/// `AttributeError` for what is no text.
pub(crate) fn starts(key: &Obj, prefix: &str) -> R<bool> {
    match key.as_str() {
        Some(text) => Ok(text.starts_with(prefix)),
        None => Err(PyErr::new(
            brine_python::Kind::AttributeError,
            format!("'{}' object has no attribute 'startswith'", key.type_name()),
        )),
    }
}

/// `next(iter(value))`.
///
/// # Errors
/// `StopIteration` where there is nothing.
pub(crate) fn first(value: &Obj) -> R {
    // Nearly always it is a dict, which need not be copied for that.
    if let Obj::Dict(dict) = value
        && let Some((key, _)) = dict.borrow().first()
    {
        return Ok(key.obj().clone());
    }
    let mut items = value.items()?;
    if items.is_empty() {
        return Err(PyErr::new(brine_python::Kind::Other("StopIteration"), ""));
    }
    Ok(items.swap_remove(0))
}

/// The only key of a dict with one key.
pub(crate) fn only_key(arg: &Obj) -> Option<Obj> {
    match arg {
        Obj::Dict(dict) if dict.len() == 1 => dict.pairs().pop().map(|(key, _)| key),
        _ => None,
    }
}

/// `item in items`.
pub(crate) fn is_in(items: &[Obj], item: &Obj) -> R<bool> {
    for other in items {
        if eq(other, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `first + [x for x in more if x not in first]`.
pub(crate) fn joined(mut first: Vec<Obj>, more: Vec<Obj>) -> R<Vec<Obj>> {
    let known = first.len();
    for item in more {
        if !is_in(&first[..known], &item)? {
            first.push(item);
        }
    }
    Ok(first)
}

/// `value["key"]`.
pub(crate) fn item(value: &Obj, key: &str) -> R {
    getitem(value, &Obj::str(key))
}

/// A dict with one key.
pub(crate) fn pair(key: Obj, value: Obj) -> R {
    let dict = Dict::new();
    dict.set(key, value)?;
    Ok(dict.into())
}

/// The dict under a key, made if it is not there.
pub(crate) fn dict_at(of: &Dict, key: &Obj) -> R<Rc<Dict>> {
    match of.get(key)? {
        Some(Obj::Dict(dict)) => Ok(dict),
        _ => {
            let new = Rc::new(Dict::ordered());
            of.set(key.clone(), Obj::Dict(new.clone()))?;
            Ok(new)
        }
    }
}

/// The list under a key, made if it is not there.
///
/// # Errors
/// `AttributeError` where something else is.
pub(crate) fn list_at(of: &Dict, key: &Obj) -> R<Rc<List>> {
    match of.get(key)? {
        None => {
            let Obj::List(new) = Obj::list(Vec::new()) else { return Err(PyErr::ty("no list")) };
            of.set(key.clone(), Obj::List(new.clone()))?;
            Ok(new)
        }
        Some(Obj::List(list)) => Ok(list),
        Some(other) => Err(no_list(&other, "append")),
    }
}

/// What Python says where a list is needed.
pub(crate) fn no_list(value: &Obj, method: &str) -> PyErr {
    let text = format!("'{}' object has no attribute '{method}'", value.type_name());
    PyErr::new(brine_python::Kind::AttributeError, text)
}

/// What comes before the first dot, as `text.split(".")[0]`.
pub(crate) fn before_dot(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

/// What comes between the first and the second dot, as `text.split(".")[1]`.
pub(crate) fn after_dot(text: &str) -> &str {
    text.split('.').nth(1).unwrap_or_default()
}
