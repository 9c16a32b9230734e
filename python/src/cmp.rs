//! `==`, order, `in`, `bool()` and sorting.

use crate::depth;
use crate::dict::{Dict, Part, View};
use crate::error::{PyErr, R};
use crate::int;
use crate::key::Key;
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::set::Members;
use std::cmp::Ordering;

/// `bool(x)`.
///
/// # Errors
/// What an added type raises.
pub fn truth(obj: &Obj) -> R<bool> {
    Ok(match obj {
        Obj::None => false,
        Obj::Bool(b) => *b,
        Obj::Int(i) => *i != 0,
        Obj::Float(x) => *x != 0.0,
        Obj::Str(s) => !s.is_empty(),
        Obj::Bytes(b) => !b.is_empty(),
        Obj::List(l) => !l.is_empty(),
        Obj::Tuple(t) => !t.is_empty(),
        Obj::Dict(d) => !d.is_empty(),
        Obj::View(v) => !v.dict.is_empty(),
        Obj::Set(s) => !s.is_empty(),
        Obj::Range(r) => !r.is_empty(),
        Obj::Delta(d) => d.micros() != 0,
        Obj::Other(o) => match o.len()? {
            Some(n) if o.as_str().is_none() => n != 0 && o.truth()?,
            _ => o.truth()?,
        },
        _ => true,
    })
}

/// The order of two numbers, exact also between `int` and `float`; `None` with NaN.
pub(crate) fn numbers(a: Num<'_>, b: Num<'_>) -> Option<Ordering> {
    match (a, b) {
        (Num::Int(a), Num::Int(b)) => Some(a.cmp(&b)),
        (Num::Float(a), Num::Float(b)) => a.partial_cmp(&b),
        (Num::Float(_), _) => numbers(b, a).map(Ordering::reverse),
        (a, Num::Float(x)) => {
            if let (Num::Int(i), true) = (a, x.abs() < 9e15)
                && i.unsigned_abs() < 1 << 53
            {
                return (i as f64).partial_cmp(&x);
            }
            if x.is_nan() {
                return None;
            }
            if x.is_infinite() {
                return Some(if x > 0.0 { Ordering::Less } else { Ordering::Greater });
            }
            let whole = int::from_float(x.floor()).ok()?;
            let rest = if x.fract() == 0.0 { Ordering::Equal } else { Ordering::Less };
            Some(a.to_big().cmp(&whole).then(rest))
        }
        (a, b) => Some(a.to_big().cmp(&b.to_big())),
    }
}

/// `a == b`.
///
/// # Errors
/// `RecursionError` for what is nested too deep, and what an added type raises.
pub fn eq(a: &Obj, b: &Obj) -> R<bool> {
    if let (Obj::Str(a), Obj::Str(b)) = (a, b) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (num(a), num(b)) {
        return Ok(numbers(a, b) == Some(Ordering::Equal));
    }
    let _level = depth::enter(" in comparison")?;
    Ok(match (a, b) {
        (Obj::Other(x), _) => match (x.eq(b)?, b) {
            (Some(equal), _) => equal,
            (None, Obj::Other(y)) => match y.eq(a)? {
                Some(equal) => equal,
                None => same_text(a, b).unwrap_or_else(|| a.is(b)),
            },
            (None, _) => same_text(a, b).unwrap_or(false),
        },
        (_, Obj::Other(y)) => match y.eq(a)? {
            Some(equal) => equal,
            None => same_text(a, b).unwrap_or(false),
        },
        (Obj::List(x), Obj::List(y)) => a.is(b) || all_eq(x.len(), y.len(), |i| x.get(i), |i| y.get(i))?,
        (Obj::Tuple(x), Obj::Tuple(y)) => {
            // Unlike lists, tuples of different length compare what they both have first: that may raise.
            let both = x.len().min(y.len());
            all_eq(both, both, |i| x.get(i).cloned(), |i| y.get(i).cloned())? && x.len() == y.len()
        }
        (Obj::Dict(x), Obj::Dict(y)) => a.is(b) || dicts_eq(x, y)?,
        (Obj::Set(x), Obj::Set(y)) => *x.borrow() == *y.borrow(),
        (Obj::View(x), _) | (_, Obj::View(x)) if x.part != Part::Values => {
            // The members of the view are looked for in the other.
            let (me, other) = if matches!(a, Obj::View(_)) { (a, b) } else { (b, a) };
            set_like(a) && set_like(b) && crate::ops::len(a)? == crate::ops::len(b)? && all_in(me, other)?
        }
        (Obj::Range(x), Obj::Range(y)) => x.canonical() == y.canonical(),
        (Obj::DateTime(x), Obj::DateTime(y)) => x.same(y),
        (Obj::Zone(x), Obj::Zone(y)) => x.seconds() == y.seconds(),
        _ => a.is(b),
    })
}

fn same_text(a: &Obj, b: &Obj) -> Option<bool> {
    Some(a.as_str()? == b.as_str()?)
}

/// Equality of members: what is the same is equal, even NaN.
pub(crate) fn same(a: &Obj, b: &Obj) -> R<bool> {
    Ok(a.is(b) || eq(a, b)?)
}

fn all_eq(n: usize, m: usize, a: impl Fn(usize) -> Option<Obj>, b: impl Fn(usize) -> Option<Obj>) -> R<bool> {
    if n != m {
        return Ok(false);
    }
    for i in 0..n {
        if let (Some(a), Some(b)) = (a(i), b(i))
            && !same(&a, &b)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn dicts_eq(a: &Dict, b: &Dict) -> R<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    let in_order = a.is_ordered() && b.is_ordered();
    for (i, (key, value)) in a.pairs().into_iter().enumerate() {
        if in_order && b.borrow().get_index(i).is_none_or(|(k, _)| !eq(k.obj(), &key).unwrap_or(false)) {
            return Ok(false);
        }
        match b.get(&key)? {
            Some(other) if same(&value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn set_like(obj: &Obj) -> bool {
    matches!(obj, Obj::Set(_)) || matches!(obj, Obj::View(view) if !view.is_values())
}

fn all_in(a: &Obj, b: &Obj) -> R<bool> {
    let iter = a.iter()?;
    while let Some(item) = iter.next()? {
        if !contains(b, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The members of a set or of a view that behaves like one.
pub(crate) fn as_members(obj: &Obj) -> R<Option<Members>> {
    Ok(match obj {
        Obj::Set(set) => Some(set.borrow().clone()),
        Obj::View(view) if !view.is_values() => Some(view_members(view)?),
        _ => None,
    })
}

fn view_members(view: &View) -> R<Members> {
    view.members().into_iter().map(Key::new).collect()
}

/// An order that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Cmp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Cmp::Lt => order.is_lt(),
            Cmp::Le => order.is_le(),
            Cmp::Gt => order.is_gt(),
            Cmp::Ge => order.is_ge(),
        }
    }
}

/// `a < b` and its kin.
///
/// # Errors
/// `TypeError: '<' not supported between instances of 'int' and 'str'`.
pub fn compare(op: Cmp, a: &Obj, b: &Obj) -> R<bool> {
    if let (Some(a), Some(b)) = (num(a), num(b)) {
        return Ok(numbers(a, b).is_some_and(|order| op.holds(order)));
    }
    let _level = depth::enter(" in comparison")?;
    let refused = || {
        let (sign, a, b) = (op.symbol(), a.type_name().to_owned(), b.type_name());
        Err(PyErr::ty(format!("'{sign}' not supported between instances of '{a}' and '{b}'")))
    };
    if let Obj::Other(x) = a
        && let Some(order) = x.cmp(b)?
    {
        return Ok(op.holds(order));
    }
    if let Obj::Other(y) = b
        && let Some(order) = y.cmp(a)?
    {
        return Ok(op.holds(order.reverse()));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return Ok(op.holds(a.cmp(b)));
    }
    match (a, b) {
        (Obj::Bytes(a), Obj::Bytes(b)) => Ok(op.holds(a.cmp(b))),
        (Obj::List(x), Obj::List(y)) => sequences(
            op,
            x.len(),
            y.len(),
            |i| x.get(i).unwrap_or_default(),
            |i| y.get(i).unwrap_or_default(),
        ),
        (Obj::Tuple(x), Obj::Tuple(y)) => sequences(op, x.len(), y.len(), |i| x[i].clone(), |i| y[i].clone()),
        (Obj::Set(_) | Obj::View(_), Obj::Set(_) | Obj::View(_)) if set_like(a) && set_like(b) => {
            let (n, m) = (crate::ops::len(a)?, crate::ops::len(b)?);
            Ok(match op {
                Cmp::Lt => n < m && all_in(a, b)?,
                Cmp::Le => n <= m && all_in(a, b)?,
                Cmp::Gt => n > m && all_in(b, a)?,
                Cmp::Ge => n >= m && all_in(b, a)?,
            })
        }
        (Obj::Date(a), Obj::Date(b)) => Ok(op.holds(a.cmp(b))),
        (Obj::Delta(a), Obj::Delta(b)) => Ok(op.holds(a.micros().cmp(&b.micros()))),
        (Obj::Time(a), Obj::Time(b)) => Ok(op.holds(a.cmp(b))),
        (Obj::DateTime(a), Obj::DateTime(b)) => {
            if a.zone.is_some() != b.zone.is_some() {
                return Err(PyErr::ty("can't compare offset-naive and offset-aware datetimes"));
            }
            Ok(op.holds(a.utc_micros().cmp(&b.utc_micros())))
        }
        (Obj::DateTime(_), Obj::Date(_)) | (Obj::Date(_), Obj::DateTime(_)) => {
            Err(PyErr::ty("can't compare datetime.datetime to datetime.date"))
        }
        _ => refused(),
    }
}

fn sequences(op: Cmp, n: usize, m: usize, a: impl Fn(usize) -> Obj, b: impl Fn(usize) -> Obj) -> R<bool> {
    for i in 0..n.min(m) {
        let (a, b) = (a(i), b(i));
        if !same(&a, &b)? {
            return compare(op, &a, &b);
        }
    }
    Ok(op.holds(n.cmp(&m)))
}

/// `item in container`.
///
/// # Errors
/// `TypeError` for what contains nothing, or for an item of the wrong type.
pub fn contains(container: &Obj, item: &Obj) -> R<bool> {
    match container {
        Obj::Dict(dict) => return Ok(dict.get(item)?.is_some()),
        Obj::Set(set) => {
            let item = match item {
                Obj::Set(s) if !s.frozen() => Obj::Set(crate::set::Set::new(s.borrow().clone(), true).into()),
                _ => item.clone(),
            };
            let key = Key::new(item)?;
            return Ok(set.borrow().contains(&key));
        }
        Obj::View(view) => match (view.part, item) {
            (Part::Keys, _) => return Ok(view.dict.get(item)?.is_some()),
            (Part::Items, Obj::Tuple(pair)) if pair.len() == 2 => {
                return Ok(match view.dict.get(&pair[0])? {
                    Some(value) => same(&value, &pair[1])?,
                    None => false,
                });
            }
            (Part::Items, _) => return Ok(false),
            (Part::Values, _) => {}
        },
        // What may be equal to anything is compared with each number.
        Obj::Range(range) if !matches!(item, Obj::Other(_)) => {
            return Ok(match num(item) {
                Some(Num::Int(n)) => range.position(n).is_some(),
                Some(Num::Float(x)) if x.fract() == 0.0 && x.abs() < 9e18 => {
                    range.position(x as i64).is_some()
                }
                _ => false,
            });
        }
        Obj::Bytes(bytes) => return contains_bytes(bytes, item),
        Obj::Other(o) => {
            if let Some(found) = o.contains(item)? {
                return Ok(found);
            }
        }
        _ => {}
    }
    if let Some(text) = container.as_str() {
        return match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => Err(PyErr::ty(format!(
                "'in <string>' requires string as left operand, not {}",
                item.type_name()
            ))),
        };
    }
    let not = |_| PyErr::ty(format!("argument of type '{}' is not iterable", container.type_name()));
    let iter = match container {
        // What its own code raises stays as it is.
        Obj::Other(_) => container.iter().map_err(|e| {
            let none = format!("'{}' object is not iterable", container.type_name());
            if e.to_string() == none { not(e) } else { e }
        })?,
        _ => container.iter().map_err(not)?,
    };
    while let Some(member) = iter.next()? {
        if same(&member, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains_bytes(bytes: &[u8], item: &Obj) -> R<bool> {
    match item {
        Obj::Bytes(part) => Ok(part.is_empty() || bytes.windows(part.len()).any(|w| w == &**part)),
        Obj::Int(_) | Obj::Bool(_) | Obj::Big(_) => match num(item) {
            Some(Num::Int(n @ 0..=255)) => Ok(bytes.contains(&(n as u8))),
            _ => Err(PyErr::value("byte must be in range(0, 256)")),
        },
        _ => Err(PyErr::ty(format!("a bytes-like object is required, not '{}'", item.type_name()))),
    }
}

/// Sorts by `<` alone, stably, in Python's order of comparisons for less than 64 items.
///
/// # Errors
/// `TypeError` of the comparison; the items are then in the order they had got to.
pub fn sort<T: Clone>(items: &mut Vec<T>, key: impl Fn(&T) -> &Obj, reverse: bool) -> R<()> {
    if reverse {
        items.reverse();
    }
    let sorted = sort_with(items, &|a: &T, b: &T| compare(Cmp::Lt, key(a), key(b)));
    if reverse {
        items.reverse();
    }
    sorted
}

/// Sorts stably by any order.
pub(crate) fn sort_with<T: Clone>(items: &mut Vec<T>, less: &impl Fn(&T, &T) -> R<bool>) -> R<()> {
    limit::steps((items.len() as u64).saturating_mul(1 + items.len().checked_ilog2().unwrap_or(0) as u64))?;
    if items.len() < 64 { insertion(items, less) } else { merge_sort(items, less) }
}

fn merge_sort<T: Clone>(items: &mut Vec<T>, less: &impl Fn(&T, &T) -> R<bool>) -> R<()> {
    let mut runs: Vec<Vec<T>> = Vec::new();
    for chunk in items.chunks(63) {
        let mut run = chunk.to_vec();
        insertion(&mut run, less)?;
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut each = runs.into_iter();
        while let Some(a) = each.next() {
            merged.push(match each.next() {
                Some(b) => merge(a, b, less)?,
                None => a,
            });
        }
        runs = merged;
    }
    *items = runs.pop().unwrap_or_default();
    Ok(())
}

/// What is in order at the front is found first; the rest is put in by halving.
fn insertion<T>(items: &mut [T], less: &impl Fn(&T, &T) -> R<bool>) -> R<()> {
    if items.len() < 2 {
        return Ok(());
    }
    let mut run = 2;
    if less(&items[1], &items[0])? {
        while run < items.len() && less(&items[run], &items[run - 1])? {
            run += 1;
        }
        items[..run].reverse();
    } else {
        while run < items.len() && !less(&items[run], &items[run - 1])? {
            run += 1;
        }
    }
    for at in run..items.len() {
        let (mut left, mut right) = (0, at);
        while left < right {
            let middle = left + (right - left) / 2;
            if less(&items[at], &items[middle])? {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        items[left..=at].rotate_right(1);
    }
    Ok(())
}

fn merge<T>(a: Vec<T>, b: Vec<T>, less: &impl Fn(&T, &T) -> R<bool>) -> R<Vec<T>> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        let from_b = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) => less(y, x)?,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => return Ok(out),
        };
        out.extend(if from_b { b.next() } else { a.next() });
    }
}
