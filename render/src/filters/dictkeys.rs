//! Filters that set what is deep in a dict, by a path of keys.

use super::kinds::class;
use crate::live::dictupdate::SALT_INVOCATION;
use brine_jinja::{State, Table};
use brine_python::{
    Args, Bound, Dict, Kind, Obj, PyErr, R, Signature, call_method, contains, find_attr, getitem, setitem,
    truth,
};

pub(super) fn add(table: &mut Table) {
    table.insert("set_dict_key_value", set_dict_key_value);
    table.insert("update_dict_key_value", update_dict_key_value);
    table.insert("append_dict_key_value", append_dict_key_value);
    table.insert("extend_dict_key_value", extend_dict_key_value);
}

fn bind(name: &'static str, args: &Args) -> R<Bound> {
    Signature::new(name, 0, &["in_dict", "keys", "value", "delimiter", "ordered_dict"], 3).bind(args)
}

fn new_dict(ordered: bool) -> Obj {
    if ordered { Dict::ordered() } else { Dict::new() }.into()
}

/// The dict at the last key but one, made where it is not there, and the last key.
fn partition(a: &Bound) -> R<(Obj, Obj)> {
    let (dict, keys) = (a.at(0), a.at(1));
    let delimiter = a.get(3).cloned().unwrap_or_else(|| Obj::str(":"));
    if !contains(keys, &delimiter)? {
        return Ok((dict.clone(), keys.clone()));
    }
    let parts = call_method(keys, "rpartition", &Args::of([delimiter.clone()]))?.items()?;
    let (path, last) = (parts[0].clone(), parts[2].clone());
    let path = if contains(&path, &delimiter)? {
        call_method(&path, "split", &Args::of([delimiter.clone()]))?.items()?
    } else {
        vec![path]
    };
    let ordered = a.truth(4, false)?;
    let mut at = dict.clone();
    for key in &path {
        let there = contains(&at, key)? && matches!(getitem(&at, key)?, Obj::Dict(_));
        if !there {
            setitem(&at, key, new_dict(ordered))?;
        }
        at = getitem(&at, key)?;
    }
    Ok((at, last))
}

/// The value there, made where there is none.
fn value_at(a: &Bound, new: impl Fn() -> Obj) -> R {
    let (dict, key) = partition(a)?;
    if !contains(&dict, &key)? || matches!(getitem(&dict, &key)?, Obj::None) {
        setitem(&dict, &key, new())?;
    }
    getitem(&dict, &key)
}

fn set_dict_key_value(_: &State, args: &Args) -> R {
    let a = bind("set_dict_key_value", args)?;
    let (dict, key) = partition(&a)?;
    setitem(&dict, &key, a.at(2).clone())?;
    Ok(a.at(0).clone())
}

/// Calls a method of what is there; `None` where it has none.
fn change(at: &Obj, method: &str, value: &Obj) -> R<Option<()>> {
    if find_attr(at, method)?.is_none() {
        return Ok(None);
    }
    match call_method(at, method, &Args::of([value.clone()])) {
        Ok(_) => Ok(Some(())),
        Err(e) if e.kind() == Kind::AttributeError => Ok(None),
        Err(e) => Err(e),
    }
}

fn refuse(at: &Obj, what: &str) -> PyErr {
    PyErr::new(SALT_INVOCATION, format!("The last key contains a {}, which cannot {what}.", class(at)))
}

fn update_dict_key_value(_: &State, args: &Args) -> R {
    let a = bind("update_dict_key_value", args)?;
    let ordered = a.get(4).map_or(Ok(false), truth)?;
    let at = value_at(&a, || new_dict(ordered))?;
    match change(&at, "update", a.at(2)) {
        Ok(Some(())) => Ok(a.at(0).clone()),
        Ok(None) => Err(refuse(&at, "update")),
        Err(e) if matches!(e.kind(), Kind::ValueError | Kind::TypeError) => Err(PyErr::new(
            SALT_INVOCATION,
            format!("Cannot update {} with a {}.", class(&at), class(a.at(2))),
        )),
        Err(e) => Err(e),
    }
}

fn append_dict_key_value(_: &State, args: &Args) -> R {
    let a = bind("append_dict_key_value", args)?;
    let at = value_at(&a, || Obj::list(Vec::new()))?;
    match change(&at, "append", a.at(2))? {
        Some(()) => Ok(a.at(0).clone()),
        None => Err(refuse(&at, "append")),
    }
}

fn extend_dict_key_value(_: &State, args: &Args) -> R {
    let a = bind("extend_dict_key_value", args)?;
    let at = value_at(&a, || Obj::list(Vec::new()))?;
    match change(&at, "extend", a.at(2)) {
        Ok(Some(())) => Ok(a.at(0).clone()),
        Ok(None) => Err(refuse(&at, "extend")),
        Err(e) if e.kind() == Kind::TypeError => Err(PyErr::new(
            SALT_INVOCATION,
            format!("Cannot extend {} with a {}.", class(&at), class(a.at(2))),
        )),
        Err(e) => Err(e),
    }
}
