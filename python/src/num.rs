//! Arithmetic of numbers: `int` of any size, `float`, and `bool` as an `int`.

use crate::error::{PyErr, R};
use crate::float;
use crate::int;
use crate::obj::Obj;
use crate::ops::Op;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

/// A number that a value is.
#[derive(Clone, Copy)]
pub(crate) enum Num<'a> {
    Int(i64),
    Big(&'a BigInt),
    Float(f64),
}

impl Num<'_> {
    /// The integer; of a `float` the whole part.
    pub(crate) fn to_big(self) -> BigInt {
        match self {
            Num::Int(i) => i.into(),
            Num::Big(n) => n.clone(),
            Num::Float(x) => int::from_float(x).unwrap_or_default(),
        }
    }

    /// As a `float`.
    ///
    /// # Errors
    /// `OverflowError: int too large to convert to float`.
    pub(crate) fn to_float(self) -> R<f64> {
        match self {
            Num::Int(i) => Ok(i as f64),
            Num::Float(x) => Ok(x),
            Num::Big(n) => match n.to_f64() {
                Some(x) if x.is_finite() => Ok(x),
                _ => Err(PyErr::overflow("int too large to convert to float")),
            },
        }
    }
}

/// The number that a value is, if it is one.
pub(crate) fn num(obj: &Obj) -> Option<Num<'_>> {
    match obj {
        Obj::Bool(b) => Some(Num::Int((*b).into())),
        Obj::Int(i) => Some(Num::Int(*i)),
        Obj::Big(n) => Some(Num::Big(n)),
        Obj::Float(x) => Some(Num::Float(*x)),
        _ => None,
    }
}

/// `a op b`; `None` where there is no such operation for these types.
pub(crate) fn binary(op: Op, a: Num<'_>, b: Num<'_>) -> R<Option<Obj>> {
    if let (Num::Int(a), Num::Int(b)) = (a, b)
        && let Some(short) = small(op, a, b)
    {
        return Ok(Some(Obj::Int(short)));
    }
    match (a, b) {
        (Num::Float(_), _) | (_, Num::Float(_)) => {
            if matches!(op, Op::And | Op::Or | Op::Xor) {
                return Ok(None);
            }
            float::binary(op, a.to_float()?, b.to_float()?).map(Some)
        }
        _ => large(op, a, b).map(Some),
    }
}

/// What 64 bits can do.
fn small(op: Op, a: i64, b: i64) -> Option<i64> {
    match op {
        Op::Add => a.checked_add(b),
        Op::Sub => a.checked_sub(b),
        Op::Mul => a.checked_mul(b),
        Op::FloorDiv if b != 0 => a.checked_div_euclid(b).map(|q| {
            let r = a.rem_euclid(b);
            if b < 0 && r != 0 { q - 1 } else { q }
        }),
        Op::Mod if b != 0 && b != -1 => {
            let r = a % b;
            Some(if r != 0 && (r < 0) != (b < 0) { r + b } else { r })
        }
        Op::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Op::And => Some(a & b),
        Op::Or => Some(a | b),
        Op::Xor => Some(a ^ b),
        _ => None,
    }
}

fn large(op: Op, a: Num<'_>, b: Num<'_>) -> R {
    let (x, y) = (a.to_big(), b.to_big());
    let divided = matches!(op, Op::FloorDiv | Op::Mod | Op::Div) && y.is_zero();
    Ok(match op {
        Op::FloorDiv if divided => return Err(PyErr::zero("integer division or modulo by zero")),
        Op::Mod if divided => return Err(PyErr::zero("integer modulo by zero")),
        Op::Div if divided => return Err(PyErr::zero("division by zero")),
        Op::Add => Obj::big(x + y),
        Op::Sub => Obj::big(x - y),
        Op::Mul => {
            int::room(x.bits() + y.bits())?;
            Obj::big(x * y)
        }
        Op::FloorDiv => Obj::big(x.div_floor(&y)),
        Op::Mod => Obj::big(x.mod_floor(&y)),
        Op::Div => Obj::Float(divide(&x, &y)?),
        Op::Pow if y.is_negative() => return float::binary(Op::Pow, a.to_float()?, b.to_float()?),
        Op::Pow => int::power(&x, &y)?,
        Op::And => Obj::big(x & y),
        Op::Or => Obj::big(x | y),
        Op::Xor => Obj::big(x ^ y),
    })
}

/// The quotient as the nearest `float`.
fn divide(x: &BigInt, y: &BigInt) -> R<f64> {
    if x.is_zero() {
        return Ok(if y.is_negative() { -0.0 } else { 0.0 });
    }
    if x.bits() <= 53 && y.bits() <= 53 {
        return Ok(x.to_f64().unwrap_or(0.0) / y.to_f64().unwrap_or(1.0));
    }
    // 66 bits or more of the quotient, and in the last one whether anything is left: rounding sees the rest of it.
    let shift = 66 - (x.bits() as i64 - y.bits() as i64);
    let (n, d) = if shift >= 0 { (x.abs() << shift, y.abs()) } else { (x.abs(), y.abs() << -shift) };
    let (mut q, r) = n.div_rem(&d);
    if !r.is_zero() {
        q |= BigInt::from(1);
    }
    let mut out = q.to_f64().unwrap_or(f64::INFINITY);
    // In two steps, as 2^shift alone may be out of range.
    let half = -shift / 2;
    out *= 2f64.powi(half as i32);
    out *= 2f64.powi((-shift - half) as i32);
    if out.is_infinite() {
        return Err(PyErr::overflow("integer division result too large for a float"));
    }
    Ok(if x.is_negative() == y.is_negative() { out } else { -out })
}
