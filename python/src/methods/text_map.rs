//! Methods of `str`: formats, character tables, encoding.

use super::{Fun::Any, Fun::Named, Fun::One, Fun::Pos, Method, encode, own, row};
use crate::dict::Dict;
use crate::error::{Kind, PyErr, R};
use crate::fmt::{Lookup, format_text};
use crate::key::Key;
use crate::limit;
use crate::obj::Obj;
use crate::seq;

pub(super) const METHODS: &[Method] = &[
    row("encode", Named(&["encoding", "errors"], 0, |me, args| encode(own(me), args))),
    row(
        "format",
        Any(|me, args| {
            let named = |name: &str| args.named(name).cloned().ok_or_else(|| PyErr::key(&name.into()));
            Ok(format_text(own(me), &Lookup { positional: Some(&args.pos), named: &named })?.into())
        }),
    ),
    row(
        "format_map",
        One(|me, map| {
            let named = |name: &str| seq::getitem(map, &name.into());
            Ok(format_text(own(me), &Lookup { positional: None, named: &named })?.into())
        }),
    ),
    row("maketrans", Pos(1, 3, maketrans)),
    row("translate", One(translate)),
];

fn maketrans(_: &Obj, args: &[Obj]) -> R {
    let dict = Dict::new();
    let set = |c: char, to: Obj| -> R<()> {
        dict.borrow_mut().insert(Key::new(Obj::Int(u32::from(c).into()))?, to);
        Ok(())
    };
    let text = |at: usize| {
        let name = super::given(&args[at]);
        args[at]
            .as_str()
            .ok_or_else(|| PyErr::ty(format!("maketrans() argument {} must be str, not {name}", at + 1)))
    };
    if let [only] = args {
        let Obj::Dict(from) = only else {
            return Err(PyErr::ty("if you give only one argument to maketrans it must be a dict"));
        };
        if from.is_ordered() {
            return Err(PyErr::ty("if you give only one argument to maketrans it must be a dict"));
        }
        for (key, value) in from.pairs() {
            match key.as_str() {
                Some(key) => {
                    let mut chars = key.chars();
                    match (chars.next(), chars.next()) {
                        (Some(c), None) => set(c, value)?,
                        _ => {
                            return Err(PyErr::value("string keys in translate table must be of length 1"));
                        }
                    }
                }
                None if matches!(key, Obj::Int(_) | Obj::Bool(_) | Obj::Big(_)) => {
                    dict.set(key, value)?;
                }
                None => return Err(PyErr::ty("keys in translate table must be strings or integers")),
            }
        }
        return Ok(Obj::dict(dict));
    }
    let to = text(1)?;
    let gone = if args.len() > 2 { text(2)? } else { "" };
    let from = args[0].as_str().ok_or_else(|| {
        PyErr::ty("first maketrans argument must be a string if there is a second argument")
    })?;
    if seq::chars(from) != seq::chars(to) {
        return Err(PyErr::value("the first two maketrans arguments must have equal length"));
    }
    for (c, to) in from.chars().zip(to.chars()) {
        set(c, Obj::Int(u32::from(to).into()))?;
    }
    for c in gone.chars() {
        set(c, Obj::None)?;
    }
    Ok(Obj::dict(dict))
}

fn translate(me: &Obj, table: &Obj) -> R {
    let mut out = String::new();
    for c in own(me).chars() {
        limit::steps(1)?;
        let before = out.len();
        match seq::getitem(table, &Obj::Int(u32::from(c).into())) {
            Err(e) if matches!(e.kind(), Kind::KeyError | Kind::IndexError | Kind::LookupError) => {
                out.push(c)
            }
            Err(e) => return Err(e),
            Ok(Obj::None) => {}
            Ok(Obj::Int(n)) => match u32::try_from(n).ok().and_then(char::from_u32) {
                Some(c) => out.push(c),
                None => return Err(PyErr::value("character mapping must be in range(0x110000)")),
            },
            Ok(to) => match to.as_str() {
                Some(to) => out.push_str(to),
                None => return Err(PyErr::ty("character mapping must return integer, None or str")),
            },
        }
        limit::grown(before, out.len())?;
    }
    Ok(out.into())
}
