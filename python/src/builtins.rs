//! Python's built-in functions on iterables: `sorted`, `zip`, `map`, `enumerate`, `sum`, `min` and `max`.

use crate::args::Args;
use crate::attr;
use crate::cmp::{Cmp, compare};
use crate::error::{PyErr, R};
use crate::iter::Iter;
use crate::methods::sort_by;
use crate::obj::Obj;
use crate::ops::{Op, binary};

/// `sorted(items, key=key, reverse=reverse)`.
///
/// # Errors
/// `TypeError` for what cannot be iterated or compared.
pub fn sorted(items: &Obj, key: Option<&Obj>, reverse: bool) -> R<Vec<Obj>> {
    let mut items = items.items()?;
    sort_by(&mut items, key, reverse)?;
    Ok(items)
}

/// `zip(*iterables)`.
///
/// # Errors
/// `TypeError` for what cannot be iterated.
pub fn zip(iterables: &[Obj]) -> R<Iter> {
    let iters = iterables.iter().map(Obj::iter).collect::<R<Vec<_>>>()?;
    Ok(Iter::new("zip", move || {
        let mut row = Vec::with_capacity(iters.len());
        for iter in &iters {
            let Some(item) = iter.next()? else { return Ok(None) };
            row.push(item);
        }
        Ok((!row.is_empty()).then(|| Obj::tuple(row)))
    }))
}

/// `map(function, *iterables)`.
///
/// # Errors
/// `TypeError` for what cannot be iterated; calls raise when their item is asked for.
pub fn map(function: &Obj, iterables: &[Obj]) -> R<Iter> {
    let (function, rows) = (function.clone(), zip(iterables)?);
    Ok(Iter::new("map", move || match rows.next()? {
        Some(Obj::Tuple(row)) => attr::call(&function, &Args::of(row.to_vec())).map(Some),
        _ => Ok(None),
    }))
}

/// `enumerate(items, start)`.
///
/// # Errors
/// `TypeError` for what cannot be iterated.
pub fn enumerate(items: &Obj, start: i64) -> R<Iter> {
    let (items, mut at) = (items.iter()?, i128::from(start));
    Ok(Iter::new("enumerate", move || {
        let Some(item) = items.next()? else { return Ok(None) };
        at += 1;
        Ok(Some(Obj::tuple(vec![(at - 1).into(), item])))
    }))
}

/// `sum(items, start)`.
///
/// # Errors
/// `TypeError` where `+` does not fit, or for text.
pub fn sum(items: &Obj, start: Option<&Obj>) -> R {
    let iter = items.iter()?;
    let mut total = start.cloned().unwrap_or(Obj::Int(0));
    if total.as_str().is_some() {
        return Err(PyErr::ty("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    if matches!(total, Obj::Bytes(_)) {
        return Err(PyErr::ty("sum() can't sum bytes [use b''.join(seq) instead]"));
    }
    while let Some(item) = iter.next()? {
        total = binary(Op::Add, &total, &item)?;
    }
    Ok(total)
}

fn extreme(items: &Obj, op: Cmp) -> R<Option<Obj>> {
    let iter = items.iter()?;
    let Some(mut best) = iter.next()? else { return Ok(None) };
    while let Some(item) = iter.next()? {
        if compare(op, &item, &best)? {
            best = item;
        }
    }
    Ok(Some(best))
}

/// `min(items)`.
///
/// # Errors
/// `ValueError: min() arg is an empty sequence`, `TypeError`.
pub fn min(items: &Obj) -> R {
    extreme(items, Cmp::Lt)?.ok_or_else(|| PyErr::value("min() arg is an empty sequence"))
}

/// `max(items)`.
///
/// # Errors
/// `ValueError: max() arg is an empty sequence`, `TypeError`.
pub fn max(items: &Obj) -> R {
    extreme(items, Cmp::Gt)?.ok_or_else(|| PyErr::value("max() arg is an empty sequence"))
}
