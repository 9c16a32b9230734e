//! Methods of `list`, `tuple` and `range`.

use super::{Fun::Any, Fun::Nil, Fun::One, Fun::Pos, Method, row};
use crate::args::Args;
use crate::attr;
use crate::cmp::{self, same};
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::list::List;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::repr;
use crate::seq;
use std::rc::Rc;

pub(super) const LIST: &[Method] = &[
    row(
        "append",
        One(|me, item| {
            limit::bytes(size_of::<Obj>())?;
            list(me)?.borrow_mut().push(item.clone());
            Ok(Obj::None)
        }),
    ),
    row(
        "clear",
        Nil(|me| {
            let old = std::mem::take(&mut *list(me)?.borrow_mut());
            drop(old);
            Ok(Obj::None)
        }),
    ),
    row("copy", Nil(|me| Ok(Obj::list(me.items()?)))),
    row("count", One(count)),
    row(
        "extend",
        One(|me, items| {
            let items = items.items()?;
            list(me)?.borrow_mut().extend(items);
            Ok(Obj::None)
        }),
    ),
    row("index", Pos(1, 3, index)),
    row("insert", Pos(2, 2, insert)),
    row("pop", Pos(0, 1, pop)),
    row(
        "remove",
        One(|me, item| {
            let list = list(me)?;
            match position(me, item, 0, usize::MAX)? {
                Some(at) => {
                    let gone = list.borrow_mut().remove(at);
                    drop(gone);
                    Ok(Obj::None)
                }
                None => Err(PyErr::value("list.remove(x): x not in list")),
            }
        }),
    ),
    row(
        "reverse",
        Nil(|me| {
            list(me)?.borrow_mut().reverse();
            Ok(Obj::None)
        }),
    ),
    row("sort", Any(sort)),
];

pub(super) const TUPLE: &[Method] = &[row("count", One(count)), row("index", Pos(1, 3, index))];

pub(super) const RANGE: &[Method] = &[
    row("count", One(|me, item| Ok(i64::from(cmp::contains(me, item)?).into()))),
    row(
        "index",
        One(|me, item| {
            let Obj::Range(range) = me else { return Err(wrong(me)) };
            let at = match num(item) {
                Some(Num::Int(n)) => range.position(n),
                Some(Num::Float(x)) if x.fract() == 0.0 && x.abs() < 9e18 => range.position(x as i64),
                _ => None,
            };
            match (at, num(item)) {
                (Some(at), _) => Ok(at.into()),
                (None, Some(Num::Int(_) | Num::Big(_))) => {
                    Err(PyErr::value(format!("{} is not in range", repr::repr(item)?)))
                }
                (None, _) => Err(PyErr::value("sequence.index(x): x not in sequence")),
            }
        }),
    ),
];

fn wrong(me: &Obj) -> PyErr {
    PyErr::ty(format!("descriptor requires another object than '{}'", me.type_name()))
}

fn list(me: &Obj) -> R<&Rc<List>> {
    if let Obj::List(list) = me { Ok(list) } else { Err(wrong(me)) }
}

fn get(me: &Obj, at: usize) -> Option<Obj> {
    match me {
        Obj::List(list) => list.get(at),
        Obj::Tuple(tuple) => tuple.get(at).cloned(),
        _ => None,
    }
}

fn position(me: &Obj, item: &Obj, from: usize, to: usize) -> R<Option<usize>> {
    let mut at = from;
    while at < to {
        let Some(member) = get(me, at) else { break };
        limit::steps(1)?;
        if same(&member, item)? {
            return Ok(Some(at));
        }
        at += 1;
    }
    Ok(None)
}

fn count(me: &Obj, item: &Obj) -> R {
    let mut n = 0;
    let mut at = 0;
    while let Some(member) = get(me, at) {
        limit::steps(1)?;
        n += i64::from(same(&member, item)?);
        at += 1;
    }
    Ok(n.into())
}

fn index(me: &Obj, args: &[Obj]) -> R {
    let len = match me {
        Obj::List(list) => list.len(),
        Obj::Tuple(tuple) => tuple.len(),
        _ => 0,
    };
    let place = |at: usize| match args.get(at) {
        None => Ok(None),
        Some(Obj::None) => Err(()),
        Some(n) => seq::bound(n).map_err(|_| ()),
    };
    let no_number = |()| PyErr::ty("slice indices must be integers or have an __index__ method");
    let (from, to) = seq::bounds(len, place(1).map_err(no_number)?, place(2).map_err(no_number)?);
    match position(me, &args[0], from, to)? {
        Some(at) => Ok(at.into()),
        None if matches!(me, Obj::Tuple(_)) => Err(PyErr::value("tuple.index(x): x not in tuple")),
        None => Err(PyErr::value(format!("{} is not in list", repr::repr(&args[0])?))),
    }
}

fn insert(me: &Obj, args: &[Obj]) -> R {
    limit::bytes(size_of::<Obj>())?;
    let at = seq::index(&args[0])?;
    let mut items = list(me)?.borrow_mut();
    let (at, _) = seq::bounds(items.len(), Some(at), None);
    let at = at.min(items.len());
    // What moves is work.
    limit::steps((items.len() - at) as u64 / 1024)?;
    items.insert(at, args[1].clone());
    Ok(Obj::None)
}

fn pop(me: &Obj, args: &[Obj]) -> R {
    let at = args.first().map_or(Ok(-1), seq::index)?;
    let mut items = list(me)?.borrow_mut();
    if items.is_empty() {
        return Err(PyErr::new(Kind::IndexError, "pop from empty list"));
    }
    let at = if at < 0 { at + items.len() as i64 } else { at };
    match usize::try_from(at) {
        Ok(at) if at < items.len() => Ok(items.remove(at)),
        _ => Err(PyErr::new(Kind::IndexError, "pop index out of range")),
    }
}

fn sort(me: &Obj, args: &Args) -> R {
    if args.pos.len() + args.kw.len() > 2 {
        args.bind("sort", &["key", "reverse"], 0)?;
    }
    if !args.pos.is_empty() {
        return Err(PyErr::ty("sort() takes no positional arguments"));
    }
    let args = args.bind("sort", &["key", "reverse"], 0)?;
    let reverse = args[1].as_ref().map_or(Ok(0), super::c_int)? != 0;
    let list = list(me)?;
    let mut items = std::mem::take(&mut *list.borrow_mut());
    let sorted = sort_by(&mut items, args[0].as_ref(), reverse);
    // The list is empty for whoever looks at it meanwhile.
    let meanwhile = std::mem::replace(&mut *list.borrow_mut(), items);
    sorted?;
    if !meanwhile.is_empty() {
        return Err(PyErr::value("list modified during sort"));
    }
    Ok(Obj::None)
}

/// Sorts by a key function, if there is one.
pub(crate) fn sort_by(items: &mut Vec<Obj>, key: Option<&Obj>, reverse: bool) -> R<()> {
    limit::items(items.len(), size_of::<Obj>())?;
    let Some(key) = key.filter(|key| !matches!(key, Obj::None)) else {
        return cmp::sort(items, |item| item, reverse);
    };
    let mut pairs = Vec::with_capacity(items.len());
    for item in items.iter() {
        pairs.push((attr::call(key, &Args::of([item.clone()]))?, item.clone()));
    }
    let sorted = cmp::sort(&mut pairs, |(key, _)| key, reverse);
    *items = pairs.into_iter().map(|(_, item)| item).collect();
    sorted
}
