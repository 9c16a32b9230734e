//! `x[i]`, `x[a:b:c]`, `x[k] = v`, and numbers as places.

use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::range::Range;
use num_traits::Signed;
use std::rc::Rc;

/// How many characters.
pub(crate) fn chars(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The number where only an `int` will do.
///
/// # Errors
/// `TypeError: 'str' object cannot be interpreted as an integer`, `OverflowError` beyond 64 bits.
pub fn index(obj: &Obj) -> R<i64> {
    match num(obj) {
        Some(Num::Int(i)) => Ok(i),
        Some(Num::Big(_)) => Err(PyErr::overflow("Python int too large to convert to C ssize_t")),
        _ => Err(PyErr::ty(format!("'{}' object cannot be interpreted as an integer", obj.type_name()))),
    }
}

/// A place in a slice: any size, held to 64 bits. `None` for `None`.
pub(crate) fn bound(obj: &Obj) -> R<Option<i64>> {
    match (obj, num(obj)) {
        (Obj::None, _) => Ok(None),
        (_, Some(Num::Int(i))) => Ok(Some(i)),
        (_, Some(Num::Big(n))) => Ok(Some(if n.is_negative() { i64::MIN } else { i64::MAX })),
        _ => Err(PyErr::ty("slice indices must be integers or None or have an __index__ method")),
    }
}

/// Start and end among `len` items, as methods like `find` understand them.
pub(crate) fn bounds(len: usize, start: Option<i64>, stop: Option<i64>) -> (usize, usize) {
    let place = |n: i64| {
        if n < 0 { len.saturating_sub(n.unsigned_abs() as usize) } else { (n as usize).min(len) }
    };
    // A start beyond the end must not become the end: `''.find('', 1)` is -1.
    let start = start.map_or(0, |n| if n > len as i64 { n as usize } else { place(n) });
    (start, stop.map_or(len, place))
}

/// `x[key]`.
///
/// # Errors
/// `IndexError`, `KeyError`, `TypeError`, as Python.
pub fn getitem(obj: &Obj, key: &Obj) -> R {
    let place = |len: usize, name: &str, what: &str| -> R<usize> {
        let at = match num(key) {
            Some(Num::Int(i)) => i,
            Some(Num::Big(_)) if name == "range" => return Err(PyErr::new(Kind::IndexError, what)),
            Some(Num::Big(_)) => {
                return Err(PyErr::new(Kind::IndexError, "cannot fit 'int' into an index-sized integer"));
            }
            _ if name == "string" => {
                return Err(PyErr::ty(format!("string indices must be integers, not '{}'", key.type_name())));
            }
            _ => {
                return Err(PyErr::ty(format!(
                    "{name} indices must be integers or slices, not {}",
                    key.type_name()
                )));
            }
        };
        let at = if at < 0 { at + len as i64 } else { at };
        match usize::try_from(at) {
            Ok(at) if at < len => Ok(at),
            _ => Err(PyErr::new(Kind::IndexError, what)),
        }
    };
    match obj {
        Obj::List(list) => {
            let at = place(list.len(), "list", "list index out of range")?;
            list.get(at).ok_or_else(|| PyErr::new(Kind::IndexError, "list index out of range"))
        }
        Obj::Tuple(tuple) => Ok(tuple[place(tuple.len(), "tuple", "tuple index out of range")?].clone()),
        Obj::Dict(dict) => dict.get(key)?.ok_or_else(|| PyErr::key(key)),
        Obj::Bytes(bytes) => Ok(Obj::Int(bytes[place(bytes.len(), "byte", "index out of range")?].into())),
        Obj::Range(range) => {
            let what = "range object index out of range";
            let at = place(usize::try_from(range.len()).unwrap_or(usize::MAX), "range", what)?;
            range.get(at as u64).ok_or_else(|| PyErr::new(Kind::IndexError, what))
        }
        Obj::Str(text) => char_at(text, place(chars(text), "string", "string index out of range")?),
        Obj::Other(o) => match (o.getitem(obj, key)?, o.as_str()) {
            (Some(item), _) => Ok(item),
            (None, Some(text)) => char_at(text, place(chars(text), "string", "string index out of range")?),
            (None, None) => Err(not_subscriptable(obj)),
        },
        _ => Err(not_subscriptable(obj)),
    }
}

fn not_subscriptable(obj: &Obj) -> PyErr {
    PyErr::ty(format!("'{}' object is not subscriptable", obj.type_name()))
}

fn char_at(text: &str, at: usize) -> R {
    let c = if text.is_ascii() { text.as_bytes().get(at).map(|b| *b as char) } else { text.chars().nth(at) };
    c.map(Obj::from).ok_or_else(|| PyErr::new(Kind::IndexError, "string index out of range"))
}

/// `x[key] = value`.
///
/// # Errors
/// As [`getitem`]; `TypeError` for what cannot be changed.
pub fn setitem(obj: &Obj, key: &Obj, value: Obj) -> R<()> {
    match obj {
        Obj::Dict(dict) => dict.set(key.clone(), value).map(|_| ()),
        Obj::List(list) => {
            let Some(Num::Int(at)) = num(key) else {
                return Err(PyErr::ty(format!(
                    "list indices must be integers or slices, not {}",
                    key.type_name()
                )));
            };
            let at = if at < 0 { at + list.len() as i64 } else { at };
            let mut items = list.borrow_mut();
            match usize::try_from(at).ok().and_then(|at| items.get_mut(at)) {
                Some(item) => {
                    let old = std::mem::replace(item, value);
                    drop(items);
                    drop(old);
                    Ok(())
                }
                None => Err(PyErr::new(Kind::IndexError, "list assignment index out of range")),
            }
        }
        Obj::Other(o) => o.setitem(key, value),
        _ => Err(PyErr::ty(format!("'{}' object does not support item assignment", obj.type_name()))),
    }
}

/// The places that a slice takes: the first, the step and how many.
fn places(len: usize, start: &Obj, stop: &Obj, step: &Obj) -> R<(i64, i64, usize)> {
    let (start, stop, step) = ends(len, start, stop, step)?;
    let count = Range { start, stop, step }.len();
    Ok((start, step, usize::try_from(count).unwrap_or(usize::MAX)))
}

/// Start, end and step of a slice within `len` items.
fn ends(len: usize, start: &Obj, stop: &Obj, step: &Obj) -> R<(i64, i64, i64)> {
    let step = bound(step)?.unwrap_or(1);
    if step == 0 {
        return Err(PyErr::value("slice step cannot be zero"));
    }
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
    let clamp = |n: Option<i64>, default: i64| match n {
        None => default,
        Some(n) if n < 0 => n.saturating_add(len).max(low),
        Some(n) => n.min(high),
    };
    let start = clamp(bound(start)?, if step < 0 { high } else { low });
    let stop = clamp(bound(stop)?, if step < 0 { low } else { high });
    Ok((start, stop, step))
}

/// `x[start:stop:step]`; what is left out is `None`.
///
/// # Errors
/// `TypeError` for what cannot be sliced, `ValueError` for a step of 0.
pub fn slice(obj: &Obj, start: &Obj, stop: &Obj, step: &Obj) -> R {
    let pick = |items: &[Obj]| -> R<Vec<Obj>> {
        let (first, step, count) = places(items.len(), start, stop, step)?;
        limit::items(count, size_of::<Obj>())?;
        Ok(each(first, step, count).map(|at| items[at].clone()).collect())
    };
    if let Obj::Other(o) = obj
        && let Some(part) = o.slice(start, stop, step)?
    {
        return Ok(part);
    }
    if let Some(text) = obj.as_str() {
        let (first, step, count) = places(chars(text), start, stop, step)?;
        limit::bytes(count)?;
        if step == 1 {
            let out: &str = if text.is_ascii() {
                &text[first as usize..first as usize + count]
            } else {
                substring(text, first as usize, count)
            };
            return Ok(out.into());
        }
        let all: Vec<char> = text.chars().collect();
        return Ok(Obj::str(each(first, step, count).map(|at| all[at]).collect::<String>()));
    }
    Ok(match obj {
        Obj::List(list) => {
            let items = list.borrow().clone();
            Obj::list(pick(&items)?)
        }
        Obj::Tuple(tuple) => Obj::tuple(pick(tuple)?),
        Obj::Bytes(bytes) => {
            let (first, step, count) = places(bytes.len(), start, stop, step)?;
            Obj::bytes(each(first, step, count).map(|at| bytes[at]).collect::<Vec<u8>>())
        }
        Obj::Range(range) => {
            let len = usize::try_from(range.len()).unwrap_or(usize::MAX);
            let (first, last, step) = ends(len, start, stop, step)?;
            let far = || PyErr::overflow("Python int too large to convert to C ssize_t");
            let at = |i: i64| {
                let n = i128::from(range.start) + i128::from(i) * i128::from(range.step);
                i64::try_from(n).map_err(|_| far())
            };
            // Python keeps the end that was asked for, not the one that is reached.
            Obj::Range(Rc::new(Range {
                start: at(first)?,
                stop: at(last)?,
                step: range.step.checked_mul(step).ok_or_else(far)?,
            }))
        }
        Obj::Dict(_) => return Err(PyErr::ty("unhashable type: 'slice'")),
        _ => return Err(not_subscriptable(obj)),
    })
}

fn each(first: i64, step: i64, count: usize) -> impl Iterator<Item = usize> {
    (0..count as i64).map(move |i| (first + i * step) as usize)
}

/// Some characters out of the middle.
pub(crate) fn substring(text: &str, first: usize, count: usize) -> &str {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let from = places.nth(first).unwrap_or(text.len());
    let to = if count == 0 { from } else { places.nth(count - 1).unwrap_or(text.len()) };
    &text[from..to]
}
