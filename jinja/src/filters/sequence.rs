//! Filters of sequences whose result is made at once.

use super::args::{Getter, MultiGetter, filter_error, ignore_case, sorted_by};
use crate::env::State;
use crate::markup::{Markup, escape, has_html, mark, soft_str};
use crate::undefined::is_undefined;
use brine_python::{
    Args, Cmp, Fields, Iter, Kind, Obj, R, Signature, Tuple, call_method, compare, eq, need_bytes,
};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

/// The type of what `groupby` gives.
static GROUP: Fields =
    Fields { name: "_GroupTuple", module: "jinja2.filters", names: &["grouper", "list"], shown: false };

pub(super) fn list(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_list", 0, &["value"], 1);
    Ok(Obj::list(S.bind(args)?.at(0).items()?))
}

pub(super) fn first(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_first", 1, &["environment", "seq"], 2);
    let first = S.bind(args)?.at(0).iter()?.next()?;
    Ok(first.unwrap_or_else(|| state.undefined_hint("No first item, sequence was empty.")))
}

/// `reversed(x)`; what is undefined has a length and items, so it can be reversed.
fn reversed(obj: &Obj) -> R<Iter> {
    if is_undefined(obj) {
        brine_python::len(obj)?;
        return Ok(Iter::over("reversed", Vec::new()));
    }
    if let Some(markup) = Markup::find(obj) {
        let plain = brine_python::reversed(&markup.plain())?;
        return Ok(Iter::new("reversed", move || plain.next()?.map(|c| mark(&c)).transpose()));
    }
    brine_python::reversed(obj)
}

pub(super) fn last(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_last", 1, &["environment", "seq"], 2);
    let last = reversed(S.bind(args)?.at(0))?.next()?;
    Ok(last.unwrap_or_else(|| state.undefined_hint("No last item, sequence was empty.")))
}

pub(super) fn reverse(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_reverse", 0, &["value"], 1);
    let args = S.bind(args)?;
    let value = args.at(0);
    if value.as_str().is_some() {
        return brine_python::slice(value, &Obj::None, &Obj::None, &Obj::Int(-1));
    }
    match reversed(value) {
        Err(e) if e.kind() == Kind::TypeError => match value.items() {
            Ok(mut items) => {
                items.reverse();
                Ok(Obj::list(items))
            }
            Err(e) if e.kind() == Kind::TypeError => Err(filter_error("argument must be iterable")),
            Err(e) => Err(e),
        },
        done => done.map(Obj::Iter),
    }
}

/// A number below `n` that nobody can foresee.
pub(crate) fn random_below(n: u64) -> u64 {
    // The remainder favours small numbers, for any length of a list by less than can be seen.
    RandomState::new().hash_one(n) % n.max(1)
}

pub(super) fn random(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_random", 1, &["context", "seq"], 2);
    let args = S.bind(args)?;
    let seq = args.at(0);
    let none = || Ok(state.undefined_hint("No random item, sequence was empty."));
    let len = brine_python::len(seq)? as u64;
    if len == 0 {
        return none();
    }
    let at = Obj::from(random_below(len));
    match brine_python::getitem(seq, &at) {
        Err(e) if e.kind() == Kind::IndexError => none(),
        done => done,
    }
}

pub(super) fn join(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("sync_do_join", 1, &["eval_ctx", "value", "d", "attribute"], 2);
    let args = S.bind(args)?;
    let empty = Obj::from("");
    let d = args.get(1).unwrap_or(&empty);
    let getter = args.some(2).map(|attribute| Getter::new(Some(attribute), false)).transpose()?;
    let value = args.at(0);
    let each = |item: &Obj| match &getter {
        Some(getter) => getter.get(state, item),
        None => Ok(item.clone()),
    };
    // What cannot be iterated is said before anything becomes text, but for a delimiter without attributes.
    let sep = if getter.is_some() || state.autoescape { None } else { Some(brine_python::str(d)?) };
    let iter = value.iter()?;
    if !state.autoescape {
        let sep = match sep {
            Some(sep) => sep,
            None => brine_python::str(d)?,
        };
        let mut out = String::new();
        let mut at = 0;
        while let Some(item) = iter.next()? {
            let before = out.len();
            if at > 0 {
                out.push_str(&sep);
            }
            match each(&item)? {
                Obj::Str(text) => out.push_str(&text),
                other => out.push_str(&brine_python::str(&other)?),
            }
            need_bytes(out.len() - before)?;
            at += 1;
        }
        return Ok(out.into());
    }
    let mut items = Vec::new();
    if has_html(d)? {
        let d = soft_str(d)?;
        while let Some(item) = iter.next()? {
            items.push(soft_str(&each(&item)?)?);
        }
        return call_method(&d, "join", &Args::of([Obj::list(items)]));
    }
    while let Some(item) = iter.next()? {
        items.push(each(&item)?);
    }
    // One item of markup makes all of it markup.
    let mut any = false;
    for item in &mut items {
        if has_html(item)? {
            any = true;
        } else {
            *item = brine_python::to_str(item)?;
        }
    }
    let d = if any { escape(d)? } else { brine_python::to_str(d)? };
    call_method(&d, "join", &Args::of([Obj::list(items)]))
}

pub(super) fn sum(state: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("sync_do_sum", 1, &["environment", "iterable", "attribute", "start"], 2);
    let args = S.bind(args)?;
    let start = args.get(2);
    let Some(attribute) = args.some(1) else { return brine_python::sum(args.at(0), start) };
    let getter = Getter::new(Some(attribute), false)?;
    let (state, items) = (state.clone(), args.at(0).iter()?);
    let mapped = Iter::new("map", move || match items.next()? {
        Some(item) => getter.get(&state, &item).map(Some),
        None => Ok(None),
    });
    brine_python::sum(&Obj::Iter(mapped), start)
}

fn extreme(state: &State, args: &Args, signature: &Signature, op: Cmp) -> R {
    let args = signature.bind(args)?;
    let iter = args.at(0).iter()?;
    let Some(first) = iter.next()? else {
        return Ok(state.undefined_hint("No aggregated item, sequence was empty."));
    };
    let getter = Getter::new(args.get(2), !args.truth(1, false)?)?;
    let (mut best_key, mut best) = (getter.get(state, &first)?, first);
    while let Some(item) = iter.next()? {
        let key = getter.get(state, &item)?;
        if compare(op, &key, &best_key)? {
            (best_key, best) = (key, item);
        }
    }
    Ok(best)
}

pub(super) fn min(state: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("do_min", 1, &["environment", "value", "case_sensitive", "attribute"], 2);
    extreme(state, args, &S, Cmp::Lt)
}

pub(super) fn max(state: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("do_max", 1, &["environment", "value", "case_sensitive", "attribute"], 2);
    extreme(state, args, &S, Cmp::Gt)
}

pub(super) fn sort(state: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("do_sort", 1, &["environment", "value", "reverse", "case_sensitive", "attribute"], 2);
    let args = S.bind(args)?;
    let getter = MultiGetter::new(args.get(3), !args.truth(2, false)?)?;
    Ok(Obj::list(sorted_by(args.at(0), |item| getter.get(state, item), args.get(1))?))
}

pub(super) fn dictsort(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_dictsort", 0, &["value", "case_sensitive", "by", "reverse"], 1);
    let args = S.bind(args)?;
    let is = |name: &str| args.get(2).map_or(Ok(name == "key"), |by| eq(by, &name.into()));
    let at = if is("key")? {
        0
    } else if is("value")? {
        1
    } else {
        return Err(filter_error("You can only sort by either \"key\" or \"value\""));
    };
    let items = call_method(args.at(0), "items", &Args::default())?;
    let key = |item: &Obj| {
        let value = brine_python::getitem(item, &Obj::Int(at))?;
        if args.truth(1, false)? { Ok(value) } else { ignore_case(&value) }
    };
    Ok(Obj::list(sorted_by(&items, key, args.get(3))?))
}

pub(super) fn groupby(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new(
        "sync_do_groupby",
        1,
        &["environment", "value", "attribute", "default", "case_sensitive"],
        3,
    );
    let args = S.bind(args)?;
    let exact = args.truth(3, false)?;
    let default = args.some(2);
    let getter = Getter::new(args.get(1), !exact)?.or(default);
    let mut groups: Vec<(Obj, Vec<Obj>)> = Vec::new();
    for item in sorted_by(args.at(0), |item| getter.get(state, item), None)? {
        let key = getter.get(state, &item)?;
        match groups.last_mut() {
            Some((last, items)) if last.is(&key) || eq(last, &key)? => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let shown = Getter::new(args.get(1), false)?.or(default);
    let rows = groups.into_iter().map(|(key, items)| {
        let key = match items.first() {
            Some(first) if !exact => shown.get(state, first)?,
            _ => key,
        };
        Ok(Obj::Tuple(Rc::new(Tuple::named(vec![key, Obj::list(items)], &GROUP))))
    });
    Ok(Obj::list(rows.collect::<R<Vec<_>>>()?))
}
