//! Binary and unary operators on any values.

use crate::cmp::{as_members, contains};
use crate::error::{PyErr, R};
use crate::fmt;
use crate::key::Key;
use crate::limit;
use crate::num::{self, Num};
use crate::obj::Obj;
use crate::seq;
use crate::set::{Members, Set, members_of};
use crate::time;
use std::rc::Rc;

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `**`
    Pow,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
}

impl Op {
    /// As error texts write it.
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
            Op::FloorDiv => "//",
            Op::Mod => "%",
            Op::Pow => "** or pow()",
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
        }
    }
}

/// A unary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-x`
    Neg,
    /// `+x`
    Pos,
    /// `~x`
    Invert,
}

/// `a op b`.
///
/// # Errors
/// Python's: `TypeError` where the types do not fit, `ZeroDivisionError`, `OverflowError`; `Limit`.
pub fn binary(op: Op, a: &Obj, b: &Obj) -> R {
    if let (Some(x), Some(y)) = (num::num(a), num::num(b)) {
        if let (Obj::Bool(x), Obj::Bool(y), Op::And | Op::Or | Op::Xor) = (a, b, op) {
            return Ok(Obj::Bool(match op {
                Op::And => x & y,
                Op::Or => x | y,
                _ => x ^ y,
            }));
        }
        if let Some(out) = num::binary(op, x, y)? {
            return Ok(out);
        }
        return Err(unsupported(op, a, b));
    }
    if let Obj::Other(x) = a
        && let Some(out) = x.binary(op, b, false)?
    {
        return Ok(out);
    }
    // Text formats whatever comes, before what comes is asked.
    if op == Op::Mod && matches!(a, Obj::Str(_)) {
        return fmt::percent(a.as_str().unwrap_or_default(), b);
    }
    if let Obj::Other(y) = b
        && let Some(out) = y.binary(op, a, true)?
    {
        return Ok(out);
    }
    match op {
        Op::Mod if let Obj::Bytes(bytes) = a => return fmt::percent_bytes(bytes, b),
        Op::Mod if a.as_str().is_some() => return fmt::percent(a.as_str().unwrap_or_default(), b),
        Op::Add => {
            if let Some(out) = concat(a, b)? {
                return Ok(out);
            }
        }
        Op::Mul => {
            if let Some(out) = repeat(a, b)? {
                return Ok(out);
            }
        }
        Op::Sub | Op::And | Op::Or | Op::Xor => {
            if let Some(out) = set_operation(op, a, b)? {
                return Ok(out);
            }
        }
        _ => {}
    }
    match time::binary(op, a, b)? {
        Some(out) => Ok(out),
        None => Err(unsupported(op, a, b)),
    }
}

fn unsupported(op: Op, a: &Obj, b: &Obj) -> PyErr {
    PyErr::ty(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        op.symbol(),
        a.type_name(),
        b.type_name()
    ))
}

fn concat(a: &Obj, b: &Obj) -> R<Option<Obj>> {
    let refuse = |to: &str| {
        let from = b.type_name();
        Err(PyErr::ty(format!("can only concatenate {to} (not \"{from}\") to {to}")))
    };
    if let Some(x) = a.as_str() {
        let Some(y) = b.as_str() else { return refuse("str") };
        limit::bytes(x.len().saturating_add(y.len()))?;
        return Ok(Some(Obj::Str([x, y].concat().into())));
    }
    Ok(Some(match (a, b) {
        (Obj::List(x), Obj::List(y)) => {
            limit::items(x.len() + y.len(), size_of::<Obj>())?;
            let mut out = x.borrow().clone();
            out.extend_from_slice(&y.borrow());
            Obj::list(out)
        }
        (Obj::List(_), _) => return refuse("list"),
        (Obj::Tuple(x), Obj::Tuple(y)) => {
            limit::items(x.len() + y.len(), size_of::<Obj>())?;
            Obj::tuple([&x[..], &y[..]].concat())
        }
        (Obj::Tuple(_), _) => return refuse("tuple"),
        (Obj::Bytes(x), Obj::Bytes(y)) => {
            limit::bytes(x.len().saturating_add(y.len()))?;
            Obj::bytes([&x[..], &y[..]].concat())
        }
        (Obj::Bytes(_), _) => return Err(PyErr::ty(format!("can't concat {} to bytes", b.type_name()))),
        _ => return Ok(None),
    }))
}

fn is_sequence(obj: &Obj) -> bool {
    obj.as_str().is_some() || matches!(obj, Obj::List(_) | Obj::Tuple(_) | Obj::Bytes(_))
}

fn repeat(a: &Obj, b: &Obj) -> R<Option<Obj>> {
    let (sequence, times) = match (is_sequence(a), is_sequence(b)) {
        (true, _) => (a, b),
        (false, true) => (b, a),
        (false, false) => return Ok(None),
    };
    let times = match num::num(times) {
        Some(Num::Int(n)) => usize::try_from(n.max(0)).unwrap_or(usize::MAX),
        Some(Num::Big(_)) => return Err(PyErr::overflow("cannot fit 'int' into an index-sized integer")),
        _ => {
            return Err(PyErr::ty(format!(
                "can't multiply sequence by non-int of type '{}'",
                times.type_name()
            )));
        }
    };
    let copies = |items: &[Obj]| -> R<Vec<Obj>> {
        limit::items(items.len().saturating_mul(times), size_of::<Obj>())?;
        Ok(std::iter::repeat_n(items, times).flatten().cloned().collect())
    };
    if let Some(text) = sequence.as_str() {
        limit::bytes(text.len().saturating_mul(times))?;
        return Ok(Some(Obj::Str(if text.is_empty() { "".into() } else { text.repeat(times).into() })));
    }
    Ok(Some(match sequence {
        Obj::List(list) if list.is_empty() => Obj::list(Vec::new()),
        Obj::Tuple(tuple) if tuple.is_empty() => Obj::tuple(Vec::new()),
        Obj::List(list) => {
            let items = list.borrow().clone();
            Obj::list(copies(&items)?)
        }
        Obj::Tuple(tuple) => Obj::tuple(copies(tuple)?),
        Obj::Bytes(bytes) if bytes.is_empty() => Obj::bytes([]),
        Obj::Bytes(bytes) => {
            limit::bytes(bytes.len().saturating_mul(times))?;
            Obj::bytes(bytes.repeat(times))
        }
        _ => return Ok(None),
    }))
}

/// What an operator does with two sets.
pub(crate) fn members(op: Op, a: &Members, b: &Members) -> Members {
    match op {
        Op::Sub => a.difference(b).cloned().collect(),
        Op::And => a.intersection(b).cloned().collect(),
        Op::Xor => a.symmetric_difference(b).cloned().collect(),
        _ => a.union(b).cloned().collect(),
    }
}

/// What a view and something else have in common; members are taken from the shorter one of two views.
fn view_and(a: &Obj, b: &Obj) -> R<Members> {
    let is_view = |obj: &Obj| matches!(obj, Obj::View(view) if !view.is_values());
    let (mut me, mut other) = if is_view(a) { (a, b) } else { (b, a) };
    let longer = is_view(other) && len(other)? > len(me)?;
    if longer || matches!(other, Obj::Set(s) if !s.frozen()) && len(me)? <= len(other)? {
        (me, other) = (other, me);
    }
    let iter = other.iter()?;
    let mut both = Members::default();
    while let Some(item) = iter.next()? {
        if contains(me, &item)? {
            both.insert(Key::new(item)?);
        }
    }
    Ok(both)
}

fn set_operation(op: Op, a: &Obj, b: &Obj) -> R<Option<Obj>> {
    if let (Op::Or, Obj::Dict(x), Obj::Dict(y)) = (op, a, b) {
        // What either makes ordered is ordered.
        let out = if y.is_ordered() { y.like() } else { x.like() };
        out.update(a)?;
        out.update(b)?;
        return Ok(Some(Obj::dict(out)));
    }
    let frozen = match (a, b) {
        (Obj::Set(x), Obj::Set(_)) => x.frozen(),
        // A view takes any iterable, on either side.
        (Obj::View(v), _) | (_, Obj::View(v)) if !v.is_values() => {
            if op == Op::And {
                return view_and(a, b).map(|both| Some(Obj::Set(Rc::new(Set::new(both, false)))));
            }
            let (x, y) = (members_of(a)?, members_of(b)?);
            return Ok(Some(Obj::Set(Rc::new(Set::new(members(op, &x, &y), false)))));
        }
        _ => return Ok(None),
    };
    let (Some(x), Some(y)) = (as_members(a)?, as_members(b)?) else { return Ok(None) };
    limit::items(x.len() + y.len(), 48)?;
    // What is in both is taken from the shorter one, or from the second.
    let out = if op == Op::And && y.len() <= x.len() { members(op, &y, &x) } else { members(op, &x, &y) };
    Ok(Some(Obj::Set(Rc::new(Set::new(out, frozen)))))
}

/// `-x`, `+x`, `~x`.
///
/// # Errors
/// `TypeError: bad operand type for unary -: 'str'`.
pub fn unary(op: Unary, obj: &Obj) -> R {
    let sign = match op {
        Unary::Neg => "-",
        Unary::Pos => "+",
        Unary::Invert => "~",
    };
    match (op, num::num(obj)) {
        (Unary::Neg, Some(Num::Int(i))) => {
            return Ok(i.checked_neg().map_or_else(|| Obj::big(-num_bigint::BigInt::from(i)), Obj::Int));
        }
        (Unary::Neg, Some(Num::Big(n))) => return Ok(Obj::big(-n)),
        (Unary::Neg, Some(Num::Float(x))) => return Ok(Obj::Float(-x)),
        (Unary::Pos, Some(Num::Int(i))) => return Ok(Obj::Int(i)),
        (Unary::Pos, Some(_)) => return Ok(obj.clone()),
        (Unary::Invert, Some(Num::Int(i))) => return Ok(Obj::Int(!i)),
        (Unary::Invert, Some(Num::Big(n))) => return Ok(Obj::big(!n.clone())),
        _ => {}
    }
    match (op, obj) {
        (Unary::Neg, Obj::Delta(d)) => Ok(Obj::Delta(d.negated()?)),
        (Unary::Pos, Obj::Delta(_)) => Ok(obj.clone()),
        _ => Err(PyErr::ty(format!("bad operand type for unary {sign}: '{}'", obj.type_name()))),
    }
}

/// `len(x)`.
///
/// # Errors
/// `TypeError: object of type 'int' has no len()`.
pub fn len(obj: &Obj) -> R<usize> {
    Ok(match obj {
        Obj::List(l) => l.len(),
        Obj::Tuple(t) => t.len(),
        Obj::Dict(d) => d.len(),
        Obj::View(v) => v.dict.len(),
        Obj::Set(s) => s.len(),
        Obj::Bytes(b) => b.len(),
        Obj::Range(r) => usize::try_from(r.len()).unwrap_or(usize::MAX),
        Obj::Str(s) => seq::chars(s),
        Obj::Other(o) => match (o.len()?, o.as_str()) {
            (Some(n), _) => n,
            (None, Some(text)) => seq::chars(text),
            (None, None) => return Err(no_len(obj)),
        },
        _ => return Err(no_len(obj)),
    })
}

fn no_len(obj: &Obj) -> PyErr {
    PyErr::ty(format!("object of type '{}' has no len()", obj.type_name()))
}
