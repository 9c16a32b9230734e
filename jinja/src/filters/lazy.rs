//! Filters that are generators: nothing is done, and nothing can go wrong, before the first item is asked for.

use super::args::{Getter, filter_error};
use crate::env::State;
use crate::undefined::is_undefined;
use brine_python::{
    Args, Bound, Cmp, Iter, Key, Members, Obj, Op, PyErr, R, Signature, binary, call_method, compare, eq,
    need_bytes, need_items, truth,
};

/// A generator: `start` runs when the first item is asked for, what it gives makes all items.
fn generator<T: 'static>(
    name: &'static str,
    start: impl FnOnce() -> R<Option<T>> + 'static,
    mut next: impl FnMut(&mut T) -> R<Option<Obj>> + 'static,
) -> Obj {
    let (mut start, mut running) = (Some(start), None);
    Obj::Iter(Iter::generator(name, move || {
        if let Some(start) = start.take() {
            running = start()?;
        }
        match &mut running {
            Some(running) => next(running),
            None => Ok(None),
        }
    }))
}

/// The items of a value that is not false; `map` and `select` do not look further at one that is.
fn items_if_true(value: &Obj) -> R<bool> {
    truth(value)
}

/// What `map` does with an item.
enum Mapping {
    Attribute(Getter),
    Filter(Obj, Args),
}

fn mapping(args: &Bound) -> R<Mapping> {
    if args.rest.is_empty()
        && let Some((_, attribute)) = args.named.iter().find(|(name, _)| &**name == "attribute")
    {
        let other = |name: &str| name != "attribute" && name != "default";
        let default = args.named.iter().find(|(name, _)| &**name == "default").map(|(_, value)| value);
        if let Some((name, _)) = args.named.iter().find(|(name, _)| other(name)) {
            let name = brine_python::repr(&Obj::Str(name.clone()))?;
            return Err(filter_error(format!("Unexpected keyword argument {name}")));
        }
        let default = default.filter(|value| !matches!(value, Obj::None));
        return Ok(Mapping::Attribute(Getter::new(Some(attribute), false)?.or(default)));
    }
    match args.rest.split_first() {
        Some((name, rest)) => Ok(Mapping::Filter(name.clone(), with_place(rest, args))),
        None => Err(filter_error("map requires a filter argument")),
    }
}

/// The arguments of a filter or test that is called for each item, with a place for the item in front.
fn with_place(rest: &[Obj], args: &Bound) -> Args {
    let mut pos = vec![Obj::None];
    pos.extend_from_slice(rest);
    Args { pos, kw: args.named.clone() }
}

fn with_item(args: &Args, item: Obj) -> Args {
    let mut args = args.clone();
    args.pos[0] = item;
    args
}

pub(super) fn map(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_map", 1, &["context", "value"], 2).rest().named();
    let (state, args) = (state.clone(), S.bind(args)?);
    let start = move || {
        if !items_if_true(args.at(0))? {
            return Ok(None);
        }
        Ok(Some((mapping(&args)?, args.at(0).iter()?)))
    };
    Ok(generator("sync_do_map", start, move |(mapping, items)| {
        let Some(item) = items.next()? else { return Ok(None) };
        match mapping {
            Mapping::Attribute(getter) => getter.get(&state, &item),
            Mapping::Filter(name, args) => state.call_filter(name, &with_item(args, item)),
        }
        .map(Some)
    }))
}

/// What `select` asks of an item.
struct Choice {
    getter: Option<Getter>,
    test: Option<(Obj, Args)>,
}

fn choice(args: &Bound, by_attribute: bool) -> R<Choice> {
    let mut rest = args.rest.as_slice();
    let mut getter = None;
    if by_attribute {
        let (attribute, more) =
            rest.split_first().ok_or_else(|| filter_error("Missing parameter for attribute name"))?;
        getter = Some(Getter::new(Some(attribute), false)?);
        rest = more;
    }
    let test = rest.split_first().map(|(name, more)| (name.clone(), with_place(more, args)));
    Ok(Choice { getter, test })
}

fn select_or_reject(state: &State, args: Bound, wanted: bool, by_attribute: bool) -> Obj {
    let state = state.clone();
    let start = move || {
        if !items_if_true(args.at(0))? {
            return Ok(None);
        }
        Ok(Some((choice(&args, by_attribute)?, args.at(0).iter()?)))
    };
    generator("select_or_reject", start, move |(choice, items)| {
        while let Some(item) = items.next()? {
            let value = match &choice.getter {
                Some(getter) => getter.get(&state, &item)?,
                None => item.clone(),
            };
            let found = match &choice.test {
                Some((name, args)) => state.call_test(name, &with_item(args, value))?,
                None => value,
            };
            if truth(&found)? == wanted {
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

pub(super) fn select(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_select", 1, &["context", "value"], 2).rest().named();
    Ok(select_or_reject(state, S.bind(args)?, true, false))
}

pub(super) fn reject(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_reject", 1, &["context", "value"], 2).rest().named();
    Ok(select_or_reject(state, S.bind(args)?, false, false))
}

pub(super) fn selectattr(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_selectattr", 1, &["context", "value"], 2).rest().named();
    Ok(select_or_reject(state, S.bind(args)?, true, true))
}

pub(super) fn rejectattr(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_rejectattr", 1, &["context", "value"], 2).rest().named();
    Ok(select_or_reject(state, S.bind(args)?, false, true))
}

pub(super) fn unique(state: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("sync_do_unique", 1, &["environment", "value", "case_sensitive", "attribute"], 2);
    let (state, args) = (state.clone(), S.bind(args)?);
    let start = move || {
        let getter = Getter::new(args.get(2), !args.truth(1, false)?)?;
        Ok(Some((getter, args.at(0).iter()?, Members::default())))
    };
    Ok(generator("sync_do_unique", start, move |(getter, items, seen)| {
        while let Some(item) = items.next()? {
            need_bytes(48)?;
            if seen.insert(Key::new(getter.get(&state, &item)?)?) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

pub(super) fn items(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_items", 0, &["value"], 1);
    let args = S.bind(args)?;
    let start = move || {
        let value = args.at(0);
        if is_undefined(value) {
            return Ok(None);
        }
        if !crate::tests::is_mapping(value)? {
            return Err(PyErr::ty("Can only get item pairs from a mapping."));
        }
        call_method(value, "items", &Args::default())?.iter().map(Some)
    };
    Ok(generator("do_items", start, |items| items.next()))
}

pub(super) fn slice(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_slice", 0, &["value", "slices", "fill_with"], 2);
    struct Slices {
        items: Vec<Obj>,
        each: usize,
        longer: usize,
        count: i64,
        at: i64,
    }
    let args = S.bind(args)?;
    let fill = args.some(2).cloned();
    let start = move || {
        let items = args.at(0).items()?;
        let (len, slices) = (Obj::from(items.len()), args.at(1));
        let each = binary(Op::FloorDiv, &len, slices)?;
        let longer = binary(Op::Mod, &len, slices)?;
        let count = match slices {
            // More than anybody can count.
            Obj::Big(_) if compare(Cmp::Gt, slices, &Obj::Int(0))? => i64::MAX,
            Obj::Big(_) => 0,
            slices => brine_python::index(slices)?,
        };
        // Of a number below zero there is no part at all.
        let size = |n: &Obj| match n {
            Obj::Big(_) => Ok(0),
            n => brine_python::index(n).map(|n| usize::try_from(n).unwrap_or(0)),
        };
        Ok(Some(Slices { each: size(&each)?, longer: size(&longer)?, items, count, at: 0 }))
    };
    Ok(generator("sync_do_slice", start, move |s| {
        if s.at >= s.count {
            return Ok(None);
        }
        let at = usize::try_from(s.at).unwrap_or(usize::MAX);
        let from = at.saturating_mul(s.each) + at.min(s.longer);
        let to = from + s.each + usize::from(at < s.longer);
        need_items(to - from + 1, size_of::<Obj>())?;
        let mut part = s.items.get(from..to).unwrap_or_default().to_vec();
        if let Some(fill) = &fill
            && at >= s.longer
        {
            part.push(fill.clone());
        }
        s.at += 1;
        Ok(Some(Obj::list(part)))
    }))
}

pub(super) fn batch(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_batch", 0, &["value", "linecount", "fill_with"], 2);
    let args = S.bind(args)?;
    let (count, fill) = (args.at(1).clone(), args.some(2).cloned());
    let start = move || args.at(0).iter().map(|items| Some((items, None::<Obj>, false)));
    Ok(generator("do_batch", start, move |(items, held, ended)| {
        let mut part: Vec<Obj> = held.take().into_iter().collect();
        while !*ended {
            let Some(item) = items.next()? else {
                *ended = true;
                break;
            };
            if eq(&part.len().into(), &count)? {
                *held = Some(item);
                return Ok(Some(Obj::list(part)));
            }
            need_bytes(size_of::<Obj>())?;
            part.push(item);
        }
        if part.is_empty() {
            return Ok(None);
        }
        if let Some(fill) = &fill
            && compare(Cmp::Lt, &part.len().into(), &count)?
        {
            let missing = binary(Op::Sub, &count, &part.len().into())?;
            let filling = binary(Op::Mul, &Obj::list(vec![fill.clone()]), &missing)?;
            part.extend(filling.items()?);
        }
        Ok(Some(Obj::list(part)))
    }))
}
