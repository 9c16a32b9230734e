//! `int(x)`, `float(x)`, `round(x)`, `abs(x)`: what other values become as numbers.

use crate::error::{PyErr, R};
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::repr;
use crate::seq;
use crate::time;
use crate::{float as floats, int as ints};
use num_bigint::BigInt;

fn text_of(obj: &Obj) -> Option<String> {
    match obj {
        Obj::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => obj.as_str().map(str::to_owned),
    }
}

/// `int(x)` and `int(x, base)`.
///
/// # Errors
/// `ValueError` for text that is no number, `TypeError` for other values, `OverflowError` for infinity.
pub fn int(obj: &Obj, base: Option<&Obj>) -> R {
    if let Some(base) = base {
        let base = match base {
            // Any size will do to be wrong.
            Obj::Big(_) => -1,
            base => seq::index(base)?,
        };
        let Some(base) = u32::try_from(base).ok().filter(|b| *b == 0 || (2..=36).contains(b)) else {
            return Err(PyErr::value("int() base must be >= 2 and <= 36, or 0"));
        };
        return match text_of(obj) {
            Some(text) => ints::parse(&text, base, obj),
            None => Err(PyErr::ty("int() can't convert non-string with explicit base")),
        };
    }
    match num(obj) {
        Some(Num::Int(i)) => return Ok(Obj::Int(i)),
        Some(Num::Big(_)) => return Ok(obj.clone()),
        Some(Num::Float(x)) => return Ok(Obj::big(ints::from_float(x)?)),
        None => {}
    }
    if let Obj::Other(o) = obj
        && let Some(n) = o.int()?
    {
        return Ok(n);
    }
    match text_of(obj) {
        Some(text) => ints::parse(&text, 10, obj),
        None => Err(PyErr::ty(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            obj.type_name()
        ))),
    }
}

/// `float(x)`.
///
/// # Errors
/// `ValueError` for text that is no number, `TypeError` for other values, `OverflowError` for large numbers.
pub fn float(obj: &Obj) -> R<f64> {
    if let Some(n) = num(obj) {
        return n.to_float();
    }
    if let Obj::Other(o) = obj
        && let Some(x) = o.float()?
    {
        return Ok(x);
    }
    match text_of(obj) {
        Some(text) => floats::parse(&text).ok_or_else(|| {
            let shown = repr::repr(obj).unwrap_or_default();
            PyErr::value(format!("could not convert string to float: {shown}"))
        }),
        None => Err(PyErr::ty(format!(
            "float() argument must be a string or a real number, not '{}'",
            obj.type_name()
        ))),
    }
}

/// `round(x)` and `round(x, digits)`.
///
/// # Errors
/// `TypeError` for what is no number, `ValueError` and `OverflowError` for NaN and infinity without digits.
pub fn round(obj: &Obj, digits: Option<&Obj>) -> R {
    let Some(n) = num(obj) else {
        return Err(PyErr::ty(format!("type {} doesn't define __round__ method", obj.type_name())));
    };
    let digits = match digits {
        None | Some(Obj::None) => None,
        Some(digits) => Some(seq::index(digits)?),
    };
    match (n, digits) {
        (Num::Float(x), Some(digits)) => Ok(Obj::Float(floats::round(x, digits)?)),
        (Num::Float(x), None) => {
            let rounded = if x.is_finite() { x.round_ties_even() } else { x };
            Ok(Obj::big(ints::from_float(rounded)?))
        }
        (n, Some(digits)) if digits < 0 => {
            ints::round(&n.to_big(), u32::try_from(digits.unsigned_abs()).unwrap_or(u32::MAX))
        }
        (Num::Int(i), _) => Ok(Obj::Int(i)),
        (Num::Big(_), _) => Ok(obj.clone()),
    }
}

/// `abs(x)`.
///
/// # Errors
/// `TypeError: bad operand type for abs(): 'str'`.
pub fn abs(obj: &Obj) -> R {
    match (num(obj), obj) {
        (Some(Num::Int(i)), _) => Ok(i.checked_abs().map_or_else(|| ints::abs(&BigInt::from(i)), Obj::Int)),
        (Some(Num::Big(n)), _) => Ok(ints::abs(n)),
        (Some(Num::Float(x)), _) => Ok(Obj::Float(x.abs())),
        (None, Obj::Delta(d)) => Ok(Obj::Delta(time::Delta::of(d.micros().abs())?)),
        _ => Err(PyErr::ty(format!("bad operand type for abs(): '{}'", obj.type_name()))),
    }
}
