//! `pillar`, as far as it reads what the minion has in memory. `pillar.items` and its kin compile anew, and are no part of this.

use super::dictupdate::{deepcopy, extend_new, update};
use super::filter;
use crate::filters::find;
use crate::filters::kinds::{is_mapping, short};
use crate::template::{Session, py_error};
use brine_core::call::Args as CallArgs;
use brine_core::{Map, Value};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature, eq, repr, str, to_value, truth};
use std::rc::Rc;

/// `salt.defaults.NOT_SET`.
const NOT_SET: &str = "__unset__";

/// The pillar in memory, or of an environment that is asked for.
fn pillar(session: &Session, saltenv: &Obj, pillarenv: &Obj) -> R {
    if matches!((saltenv, pillarenv), (Obj::None, Obj::None)) {
        return Ok(session.pillar().clone());
    }
    let mut keyword = Map::new();
    keyword.insert("saltenv", to_value(saltenv)?);
    keyword.insert("pillarenv", to_value(pillarenv)?);
    let args = CallArgs { positional: Vec::new(), keyword };
    Ok(Obj::from(&session.cx.call("pillar.items", args).map_err(py_error)?))
}

fn flag(session: &Session, name: &str) -> bool {
    match session.cx.opts.get(name) {
        None | Some(Value::Nil) => false,
        Some(value) => truth(&Obj::from(value)).unwrap_or(false),
    }
}

pub(super) fn get(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new(
        "get",
        0,
        &["key", "default", "merge", "merge_nested_lists", "delimiter", "pillarenv", "saltenv"],
        1,
    );
    let a = SIG.bind(args)?;
    let key = a.at(0);
    let not_set = match a.get(1) {
        None => true,
        Some(default) => eq(default, &Obj::str(NOT_SET))?,
    };
    let raises = not_set && flag(session, "pillar_raise_on_missing");
    let default = if not_set { Obj::str("") } else { a.at(1).clone() };
    let data = pillar(session, a.at(6), a.at(5))?;
    let lookup = |other: Obj| -> R { Ok(find(&data, key, a.get(4))?.unwrap_or(other)) };
    if a.truth(2, false)? {
        let lists = match a.some(3) {
            Some(lists) => truth(lists)?,
            None => flag(session, "pillar_merge_lists"),
        };
        match &default {
            _ if raises => skipped(&Obj::str("<class 'KeyError'>"), None),
            Obj::Dict(_) => {
                let found = lookup(Dict::new().into())?;
                if is_mapping(&found) {
                    return update(&deepcopy(&default)?, &found, true, lists);
                }
                skipped(&default, Some((&found, "dict")));
            }
            Obj::List(_) => {
                let found = lookup(Obj::list(Vec::new()))?;
                if matches!(found, Obj::List(_)) {
                    let merged = deepcopy(&default)?;
                    extend_new(&merged, &found)?;
                    return Ok(merged);
                }
                skipped(&default, Some((&found, "list")));
            }
            _ => skipped(&default, None),
        }
    }
    match find(&data, key, a.get(4))? {
        Some(found) => Ok(found),
        None if raises => Err(missing(key)?),
        None => Ok(default),
    }
}

/// Values of pillar are not logged: they may be secret.
fn skipped(default: &Obj, found: Option<(&Obj, &str)>) {
    match found {
        Some((found, wanted)) => tracing::error!(
            "pillar.get: Default is a {wanted}, but the returned pillar value is of type '{}'. Merge will be skipped.",
            short(found)
        ),
        None => tracing::error!(
            "pillar.get: Default is of type '{}', must be a dict or list to merge. Merge will be skipped.",
            short(default)
        ),
    }
}

fn missing(key: &Obj) -> R<PyErr> {
    Ok(PyErr::new(Kind::KeyError, repr(&Obj::from(format!("Pillar key not found: {}", str(key)?)))?))
}

pub(super) fn item(session: &Session, args: &Args) -> R {
    let named = |name: &str| args.named(name).cloned().unwrap_or_default();
    let default = args.named("default").cloned().unwrap_or_else(|| Obj::str(""));
    let data = pillar(session, &named("saltenv"), &named("pillarenv"))?;
    items_of(&data, &args.pos, &default, args.named("delimiter"))
}

/// The values of keys, by key.
pub(super) fn items_of(data: &Obj, keys: &[Obj], default: &Obj, delimiter: Option<&Obj>) -> R {
    let out = Dict::new();
    for key in keys {
        match find(data, key, delimiter) {
            Ok(found) => _ = out.set(key.clone(), found.unwrap_or_else(|| default.clone()))?,
            Err(e) if e.kind() == Kind::KeyError => break,
            Err(e) => return Err(e),
        }
    }
    Ok(out.into())
}

pub(super) fn raw(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("raw", 0, &["key"], 0);
    let a = SIG.bind(args)?;
    let Obj::Dict(pillar) = session.pillar() else { return Ok(session.pillar().clone()) };
    if a.truth(0, false)? {
        return Ok(pillar.get(a.at(0))?.unwrap_or_else(|| Dict::new().into()));
    }
    Ok(copied(pillar))
}

/// `dict(x)`: a new dict of the same values.
pub(super) fn copied(dict: &Rc<Dict>) -> Obj {
    let out = Dict::new();
    *out.borrow_mut() = dict.borrow().clone();
    out.into()
}

pub(super) fn keys(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("keys", 0, &["key", "delimiter"], 1);
    let a = SIG.bind(args)?;
    match find(session.pillar(), a.at(0), a.get(1))? {
        None => Err(missing(a.at(0))?),
        Some(found @ Obj::Dict(_)) => Ok(Obj::list(found.items()?)),
        Some(_) => Err(PyErr::value(format!("Pillar value in key {} is not a dict", str(a.at(0))?))),
    }
}

pub(super) fn filter_by(session: &Session, args: &Args) -> R {
    let a = filter::signature(&["lookup_dict", "pillar", "merge", "default", "base"], 2).bind(args)?;
    filter::filter_by(&a, a.at(1), session.pillar())
}
