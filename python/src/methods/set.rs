//! Methods of `set` and `frozenset`.

use super::{Fun::Any, Fun::Nil, Fun::One, Method, row};
use crate::args::Args;
use crate::error::{Kind, PyErr, R};
use crate::key::Key;
use crate::limit;
use crate::obj::Obj;
use crate::ops::{Op, members};
use crate::set::{Members, Set, members_of};
use std::rc::Rc;

pub(super) const FROZEN: &[Method] = &[
    row("copy", Nil(|me| like(me, own(me)?.borrow().clone()))),
    row("difference", Any(|me, args| like(me, all(me, args, Op::Sub, "difference")?))),
    row("intersection", Any(|me, args| like(me, all(me, args, Op::And, "intersection")?))),
    row("isdisjoint", One(isdisjoint)),
    row("issubset", One(|me, other| Ok(own(me)?.borrow().is_subset(&members_of(other)?).into()))),
    row("issuperset", One(issuperset)),
    row(
        "symmetric_difference",
        One(|me, other| like(me, members(Op::Xor, &own(me)?.borrow().clone(), &members_of(other)?))),
    ),
    row("union", Any(|me, args| like(me, all(me, args, Op::Or, "union")?))),
];

/// The first member in common ends it: what follows may be anything.
fn isdisjoint(me: &Obj, other: &Obj) -> R {
    let me = own(me)?;
    if let Obj::Set(other) = other {
        return Ok(me.borrow().is_disjoint(&other.borrow()).into());
    }
    let iter = other.iter()?;
    while let Some(item) = iter.next()? {
        let key = Key::new(item)?;
        if me.borrow().contains(&key) {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

pub(super) const SET: &[Method] = &[
    row(
        "add",
        One(|me, item| {
            limit::bytes(48)?;
            let key = Key::new(item.clone())?;
            own(me)?.borrow_mut().insert(key);
            Ok(Obj::None)
        }),
    ),
    row("clear", Nil(|me| replace(me, Members::default()))),
    row("difference_update", Any(difference_update)),
    row(
        "discard",
        One(|me, item| {
            let key = lookup(item)?;
            own(me)?.borrow_mut().shift_remove(&key);
            Ok(Obj::None)
        }),
    ),
    row("intersection_update", Any(|me, args| replace(me, all(me, args, Op::And, "intersection_update")?))),
    row(
        "pop",
        Nil(|me| {
            let first = own(me)?.borrow_mut().shift_remove_index(0);
            first.map(Key::into_obj).ok_or_else(|| PyErr::new(Kind::KeyError, "'pop from an empty set'"))
        }),
    ),
    row(
        "remove",
        One(|me, item| {
            let key = lookup(item)?;
            let found = own(me)?.borrow_mut().shift_remove(&key);
            if found { Ok(Obj::None) } else { Err(PyErr::key(item)) }
        }),
    ),
    row(
        "symmetric_difference_update",
        One(|me, other| {
            let out = members(Op::Xor, &own(me)?.borrow().clone(), &members_of(other)?);
            replace(me, out)
        }),
    ),
    row("update", Any(update)),
];

fn own(me: &Obj) -> R<&Rc<Set>> {
    match me {
        Obj::Set(set) => Ok(set),
        _ => Err(PyErr::ty(format!("descriptor requires a 'set' object but received '{}'", me.type_name()))),
    }
}

/// What is looked for: a set as a key is frozen.
fn lookup(item: &Obj) -> R<Key> {
    match item {
        Obj::Set(set) if !set.frozen() => Key::new(Obj::Set(Rc::new(Set::new(set.borrow().clone(), true)))),
        item => Key::new(item.clone()),
    }
}

fn update(me: &Obj, args: &Args) -> R {
    if !args.kw.is_empty() {
        return Err(PyErr::ty("update() takes no keyword arguments"));
    }
    for arg in &args.pos {
        let iter = arg.iter()?;
        while let Some(item) = iter.next()? {
            limit::bytes(48)?;
            let key = Key::new(item)?;
            own(me)?.borrow_mut().insert(key);
        }
    }
    Ok(Obj::None)
}

fn difference_update(me: &Obj, args: &Args) -> R {
    if !args.kw.is_empty() {
        return Err(PyErr::ty("difference_update() takes no keyword arguments"));
    }
    for arg in &args.pos {
        // It may be itself.
        let arg = if arg.is(me) { like(me, own(me)?.borrow().clone())? } else { arg.clone() };
        let iter = arg.iter()?;
        while let Some(item) = iter.next()? {
            let key = Key::new(item)?;
            own(me)?.borrow_mut().shift_remove(&key);
        }
    }
    Ok(Obj::None)
}

fn issuperset(me: &Obj, other: &Obj) -> R {
    let iter = other.iter()?;
    while let Some(item) = iter.next()? {
        let key = Key::new(item)?;
        if !own(me)?.borrow().contains(&key) {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

fn like(me: &Obj, members: Members) -> R {
    limit::items(members.len(), 48)?;
    Ok(Obj::Set(Rc::new(Set::new(members, own(me)?.frozen()))))
}

fn replace(me: &Obj, members: Members) -> R {
    let old = std::mem::replace(&mut *own(me)?.borrow_mut(), members);
    drop(old);
    Ok(Obj::None)
}

/// The operation with all arguments, one after the other.
fn all(me: &Obj, args: &Args, op: Op, name: &str) -> R<Members> {
    if !args.kw.is_empty() {
        return Err(PyErr::ty(format!("{name}() takes no keyword arguments")));
    }
    let mut out = own(me)?.borrow().clone();
    for arg in &args.pos {
        let other = members_of(arg)?;
        out = match op {
            // What is in both is taken from the one that is gone through.
            Op::And if matches!(arg, Obj::Set(_)) && other.len() > out.len() => members(op, &out, &other),
            Op::And => members(op, &other, &out),
            op => members(op, &out, &other),
        };
    }
    Ok(out)
}
