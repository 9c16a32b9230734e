//! Methods of `int` and `float`.

use super::{Fun::Any, Fun::Nil, Method, row};
use crate::cmp::truth;
use crate::error::{PyErr, R};
use crate::float;
use crate::int;
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::seq;
use num_bigint::{BigInt, Sign};
use num_traits::Signed;

pub(super) const INT: &[Method] = &[
    row("as_integer_ratio", Nil(|me| Ok(Obj::tuple(vec![Obj::big(big(me)), Obj::Int(1)])))),
    row(
        "bit_count",
        Nil(|me| {
            let ones: u64 = big(me).magnitude().iter_u64_digits().map(|d| u64::from(d.count_ones())).sum();
            Ok(ones.into())
        }),
    ),
    row("bit_length", Nil(|me| Ok(big(me).bits().into()))),
    row("conjugate", Nil(|me| Ok(Obj::big(big(me))))),
    row(
        "to_bytes",
        Any(|me, args| {
            let slots = args.bind("to_bytes", &["length", "byteorder", "signed"], 0)?;
            if args.pos.len() > 2 {
                return Err(PyErr::ty("to_bytes() takes at most 2 positional arguments (3 given)"));
            }
            to_bytes(me, &slots)
        }),
    ),
];

pub(super) const FLOAT: &[Method] = &[
    row("as_integer_ratio", Nil(ratio)),
    row("conjugate", Nil(|me| Ok(me.clone()))),
    row("hex", Nil(|me| Ok(float::hex(double(me)).into()))),
    row("is_integer", Nil(|me| Ok((double(me).is_finite() && double(me).fract() == 0.0).into()))),
];

/// Attributes of an `int`.
pub(super) fn property(me: &Obj, name: &str) -> Option<Obj> {
    match name {
        "real" | "numerator" => Some(Obj::big(big(me))),
        "imag" => Some(Obj::Int(0)),
        "denominator" => Some(Obj::Int(1)),
        _ => None,
    }
}

fn big(me: &Obj) -> BigInt {
    num(me).map(Num::to_big).unwrap_or_default()
}

fn double(me: &Obj) -> f64 {
    if let Obj::Float(x) = me { *x } else { 0.0 }
}

fn to_bytes(me: &Obj, args: &[Option<Obj>]) -> R {
    let length = args[0].as_ref().map_or(Ok(1), seq::index)?;
    let order = match &args[1] {
        None => "big",
        Some(order) => order.as_str().ok_or_else(|| {
            PyErr::ty(format!("to_bytes() argument 'byteorder' must be str, not {}", super::given(order)))
        })?,
    };
    let signed = args[2].as_ref().map_or(Ok(false), truth)?;
    if !matches!(order, "big" | "little") {
        return Err(PyErr::value("byteorder must be either 'little' or 'big'"));
    }
    let Ok(length) = usize::try_from(length) else {
        return Err(PyErr::value("length argument must be non-negative"));
    };
    let n = big(me);
    if n.is_negative() && !signed {
        return Err(PyErr::overflow("can't convert negative int to unsigned"));
    }
    let mut bytes = match (signed, n.sign()) {
        (_, Sign::NoSign) => Vec::new(),
        (true, _) => n.to_signed_bytes_le(),
        (false, _) => n.to_bytes_le().1,
    };
    if bytes.len() > length {
        return Err(PyErr::overflow("int too big to convert"));
    }
    limit::bytes(length)?;
    bytes.resize(length, if n.is_negative() { 0xff } else { 0 });
    if order == "big" {
        bytes.reverse();
    }
    Ok(bytes.into())
}

fn ratio(me: &Obj) -> R {
    let x = double(me);
    if x.is_nan() {
        return Err(PyErr::value("cannot convert NaN to integer ratio"));
    }
    if x.is_infinite() {
        return Err(PyErr::overflow("cannot convert Infinity to integer ratio"));
    }
    if x.fract() == 0.0 {
        return Ok(Obj::tuple(vec![Obj::big(int::from_float(x)?), Obj::Int(1)]));
    }
    let (mantissa, exponent, negative) = float::parts(x);
    let even = mantissa.trailing_zeros();
    let top = BigInt::from(mantissa >> even);
    let down = exponent.unsigned_abs() - even;
    Ok(Obj::tuple(vec![Obj::big(if negative { -top } else { top }), Obj::big(BigInt::from(1) << down)]))
}
