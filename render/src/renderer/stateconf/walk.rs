//! Ways through high data, with Python's errors for what has another shape.

use brine_python::{Args, Dict, Kind, Obj, PyErr, R, call_method};
use std::rc::Rc;

/// The pairs of a dict.
pub(super) fn pairs(obj: &Obj) -> R<Vec<(Obj, Obj)>> {
    match obj {
        Obj::Dict(dict) => Ok(dict.pairs()),
        other => Err(PyErr::attribute(other, "items")),
    }
}

/// The dict itself.
pub(super) fn dict(obj: &Obj) -> R<&Rc<Dict>> {
    match obj {
        Obj::Dict(dict) => Ok(dict),
        other => Err(PyErr::attribute(other, "items")),
    }
}

/// Whether an id begins with these characters.
pub(super) fn starts(obj: &Obj, with: &str) -> R<bool> {
    text(obj, "startswith").map(|t| t.starts_with(with))
}

/// Text whose method is asked for.
pub(super) fn text<'o>(obj: &'o Obj, method: &str) -> R<&'o str> {
    obj.as_str().ok_or_else(|| PyErr::attribute(obj, method))
}

/// The state without its function: `cmd` of `cmd.run`.
pub(super) fn state_name(state: &Obj) -> R<Obj> {
    let name = text(state, "split")?;
    Ok(Obj::str(name.split_once('.').map_or(name, |(state, _)| state)))
}

/// `id:state`.
pub(super) fn tag(id: &Obj, state: &Obj) -> R<String> {
    Ok(format!("{}:{}", brine_python::str(id)?, brine_python::str(&state_name(state)?)?))
}

/// One state of an id.
pub(super) struct State {
    pub(super) id: Obj,
    /// All states of the id.
    pub(super) states: Obj,
    pub(super) name: Obj,
    pub(super) args: Obj,
}

/// All states but those under these ids.
pub(super) fn states(data: &Obj, but: &[&str]) -> R<Vec<State>> {
    let mut all = Vec::new();
    for (id, states) in pairs(data)? {
        if starts(&id, "__")? || id.as_str().is_some_and(|id| but.contains(&id)) {
            continue;
        }
        for (name, args) in pairs(&states)? {
            if !starts(&name, "__")? {
                all.push(State { id: id.clone(), states: states.clone(), name, args });
            }
        }
    }
    Ok(all)
}

/// A member of a list that is a dict, with its first pair.
pub(super) struct Named {
    pub(super) item: Rc<Dict>,
    pub(super) name: Obj,
    pub(super) value: Obj,
}

/// The first pairs of all dicts in a list, of these names if any are given.
pub(super) fn named(list: &Obj, names: Option<&[&str]>) -> R<Vec<Named>> {
    let mut all = Vec::new();
    for item in list.items()? {
        let Obj::Dict(item) = item else { continue };
        let Some((name, value)) = item.pairs().into_iter().next() else {
            return Err(PyErr::new(Kind::RuntimeError, "generator raised StopIteration"));
        };
        if names.is_none_or(|names| name.as_str().is_some_and(|name| names.contains(&name))) {
            all.push(Named { item, name, value });
        }
    }
    Ok(all)
}

/// The first pairs of all dicts in the lists under these names: what requisites name.
pub(super) fn required(list: &Obj, names: &[&str]) -> R<Vec<Named>> {
    let mut all = Vec::new();
    for outer in named(list, Some(names))? {
        all.extend(named(&outer.value, None)?);
    }
    Ok(all)
}

/// A dict of one pair.
pub(super) fn one(key: Obj, value: Obj) -> R {
    let dict = Dict::new();
    dict.set(key, value)?;
    Ok(Obj::dict(dict))
}

/// `list.insert(0, item)`.
pub(super) fn insert_first(list: &Obj, item: Obj) -> R<()> {
    call_method(list, "insert", &Args::of([Obj::Int(0), item])).map(drop)
}

/// `list.append(item)`.
pub(super) fn append(list: &Obj, item: Obj) -> R<()> {
    call_method(list, "append", &Args::of([item])).map(drop)
}
