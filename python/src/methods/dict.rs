//! Methods of `dict`, `OrderedDict` and of the views of their keys and items.

use super::{Fun::Any, Fun::Named, Fun::Nil, Fun::One, Fun::Pos, Method, row};
use crate::args::Args;
use crate::cmp::{contains, truth};
use crate::dict::{Dict, Part, View};
use crate::error::{Kind, PyErr, R};
use crate::key::Key;
use crate::limit;
use crate::obj::Obj;
use crate::ops::len;
use std::rc::Rc;

pub(super) const DICT: &[Method] = &[
    row("clear", Nil(clear)),
    row("copy", Nil(copy)),
    row("fromkeys", Pos(1, 2, fromkeys)),
    row(
        "get",
        Pos(1, 2, |me, args| {
            Ok(dict(me)?.get(&args[0])?.or_else(|| args.get(1).cloned()).unwrap_or_default())
        }),
    ),
    row("items", Nil(|me| view(me, Part::Items))),
    row("keys", Nil(|me| view(me, Part::Keys))),
    row("pop", Pos(1, 2, |me, args| pop(me, &args[0], args.get(1)))),
    row("popitem", Nil(|me| popitem(me, true, "popitem(): dictionary is empty"))),
    row("setdefault", Pos(1, 2, |me, args| setdefault(me, &args[0], args.get(1)))),
    row("update", Any(update)),
    row("values", Nil(|me| view(me, Part::Values))),
];

/// Those that an `OrderedDict` has beside, or in its own way.
pub(super) const ORDERED: &[Method] = &[
    row("clear", Nil(clear)),
    row("copy", Nil(copy)),
    row("items", Nil(|me| view(me, Part::Items))),
    row("keys", Nil(|me| view(me, Part::Keys))),
    row("values", Nil(|me| view(me, Part::Values))),
    row(
        "update",
        Any(|me, args| match args.pos.len() {
            0 | 1 => update(me, args),
            n => Err(PyErr::ty(format!("update() takes at most 1 positional argument ({n} given)"))),
        }),
    ),
    row(
        "fromkeys",
        Named(&["iterable", "value"], 1, |me, args| {
            let args: Vec<Obj> = args.iter().map(|a| a.clone().unwrap_or_default()).collect();
            fromkeys(me, &args)
        }),
    ),
    row(
        "move_to_end",
        Named(&["key", "last"], 1, |me, args| {
            let key = args[0].clone().unwrap_or_default();
            let last = args[1].as_ref().map_or(Ok(true), truth)?;
            let mut table = dict(me)?.borrow_mut();
            if table.is_empty() {
                return Err(no_key(&key));
            }
            let Some(at) = table.get_index_of(&Key::new(key.clone())?) else { return Err(no_key(&key)) };
            let end = if last { table.len() - 1 } else { 0 };
            table.move_index(at, end);
            Ok(Obj::None)
        }),
    ),
    row(
        "pop",
        Named(&["key", "default"], 1, |me, args| {
            let key = args[0].as_ref().unwrap_or(&Obj::None);
            Key::new(key.clone())?;
            pop(me, key, args[1].as_ref()).map_err(|_| no_key(key))
        }),
    ),
    row(
        "popitem",
        Named(&["last"], 0, |me, args| {
            popitem(me, args[0].as_ref().map_or(Ok(true), truth)?, "dictionary is empty")
        }),
    ),
    row(
        "setdefault",
        Named(&["key", "default"], 1, |me, args| {
            setdefault(me, args[0].as_ref().unwrap_or(&Obj::None), args[1].as_ref())
        }),
    ),
];

pub(super) const VIEW: &[Method] = &[row(
    "isdisjoint",
    One(|me, other| {
        let (mut me, mut other) = (me, other);
        let set_like = matches!(other, Obj::Set(_)) || matches!(other, Obj::View(view) if !view.is_values());
        // The shorter one is gone through.
        if set_like && len(other)? > len(me)? {
            (me, other) = (other, me);
        }
        let iter = other.iter()?;
        while let Some(item) = iter.next()? {
            if contains(me, &item)? {
                return Ok(false.into());
            }
        }
        Ok(true.into())
    }),
)];

fn dict(me: &Obj) -> R<&Rc<Dict>> {
    match me {
        Obj::Dict(dict) => Ok(dict),
        _ => Err(PyErr::ty(format!("descriptor requires a 'dict' object but received '{}'", me.type_name()))),
    }
}

/// `KeyError` as an `OrderedDict` has it: the members of a tuple, and of `None` nothing, become the exception's arguments.
fn no_key(key: &Obj) -> PyErr {
    match key {
        Obj::None => PyErr::new(Kind::KeyError, ""),
        Obj::Tuple(t) if t.is_empty() => PyErr::new(Kind::KeyError, ""),
        Obj::Tuple(t) if t.len() == 1 => PyErr::key(&t[0]),
        key => PyErr::key(key),
    }
}

fn clear(me: &Obj) -> R {
    let old = std::mem::take(&mut *dict(me)?.borrow_mut());
    drop(old);
    Ok(Obj::None)
}

fn copy(me: &Obj) -> R {
    let out = dict(me)?.like();
    out.update(me)?;
    Ok(Obj::dict(out))
}

fn view(me: &Obj, part: Part) -> R {
    Ok(Obj::View(Rc::new(View { dict: dict(me)?.clone(), part })))
}

fn fromkeys(me: &Obj, args: &[Obj]) -> R {
    let out = dict(me)?.like();
    let keys = args[0].iter()?;
    while let Some(key) = keys.next()? {
        out.set(key, args.get(1).cloned().unwrap_or_default())?;
    }
    Ok(Obj::dict(out))
}

fn pop(me: &Obj, key: &Obj, default: Option<&Obj>) -> R {
    let dict = dict(me)?;
    limit::steps(dict.len() as u64 / 1024)?;
    // An empty dict does not even look at the key.
    let found = if dict.is_empty() { None } else { dict.remove(key)? };
    found.or_else(|| default.cloned()).ok_or_else(|| PyErr::key(key))
}

fn popitem(me: &Obj, last: bool, empty: &str) -> R {
    let mut table = dict(me)?.borrow_mut();
    let pair = if last { table.pop() } else { table.shift_remove_index(0) };
    match pair {
        Some((key, value)) => Ok(Obj::tuple(vec![key.into_obj(), value])),
        None => Err(PyErr::new(Kind::KeyError, format!("'{empty}'"))),
    }
}

fn setdefault(me: &Obj, key: &Obj, default: Option<&Obj>) -> R {
    let dict = dict(me)?;
    if let Some(value) = dict.get(key)? {
        return Ok(value);
    }
    let value = default.cloned().unwrap_or_default();
    dict.set(key.clone(), value.clone())?;
    Ok(value)
}

fn update(me: &Obj, args: &Args) -> R {
    let dict = dict(me)?;
    match args.pos.as_slice() {
        [] => {}
        [from] => dict.update(from)?,
        more => {
            return Err(PyErr::ty(format!("update expected at most 1 argument, got {}", more.len())));
        }
    }
    for (name, value) in &args.kw {
        dict.set(Obj::Str(name.clone()), value.clone())?;
    }
    Ok(Obj::None)
}
