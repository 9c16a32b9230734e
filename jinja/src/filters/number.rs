//! Filters of numbers.

use super::args::{filter_error, only};
use crate::env::State;
use brine_python::{Args, Cmp, Kind, Obj, Op, PyErr, R, Signature, binary, compare, eq, float, int};

pub(super) fn abs(_: &State, args: &Args) -> R {
    brine_python::abs(only("abs", args)?)
}

pub(super) fn length(_: &State, args: &Args) -> R {
    Ok(brine_python::len(only("len", args)?)?.into())
}

fn is_wrong(e: &PyErr) -> bool {
    matches!(
        e.kind(),
        Kind::TypeError | Kind::ValueError | Kind::UnicodeDecodeError | Kind::UnicodeEncodeError
    )
}

pub(super) fn to_int(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_int", 0, &["value", "default", "base"], 1);
    let args = S.bind(args)?;
    let value = args.at(0);
    let ten = Obj::Int(10);
    let base = value.as_str().map(|_| args.get(2).unwrap_or(&ten));
    match int(value, base) {
        Err(e) if is_wrong(&e) => {}
        done => return done,
    }
    match float(value).and_then(|x| int(&Obj::Float(x), None)) {
        Err(e) if is_wrong(&e) || e.kind() == Kind::OverflowError => {
            Ok(args.get(1).cloned().unwrap_or(Obj::Int(0)))
        }
        done => done,
    }
}

pub(super) fn to_float(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_float", 0, &["value", "default"], 1);
    let args = S.bind(args)?;
    match float(args.at(0)) {
        Err(e) if is_wrong(&e) => Ok(args.get(1).cloned().unwrap_or(Obj::Float(0.0))),
        done => done.map(Obj::Float),
    }
}

pub(super) fn round(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_round", 0, &["value", "precision", "method"], 1);
    let args = S.bind(args)?;
    let zero = Obj::Int(0);
    let (value, precision) = (args.at(0), args.get(1).unwrap_or(&zero));
    let up = match args.get(2) {
        None => None,
        Some(method) => {
            // Python looks for a set among others as if it could not change.
            if !matches!(method, Obj::Set(_)) {
                brine_python::hash(method)?;
            }
            match method.as_str() {
                Some("common") => None,
                Some("ceil") => Some(true),
                Some("floor") => Some(false),
                _ => return Err(filter_error("method must be common, ceil or floor")),
            }
        }
    };
    let Some(up) = up else { return brine_python::round(value, Some(precision)) };
    let scale = || binary(Op::Pow, &Obj::Int(10), precision);
    let whole = match binary(Op::Mul, value, &scale()?)? {
        Obj::Float(x) if x.is_finite() => int(&Obj::Float(if up { x.ceil() } else { x.floor() }), None)?,
        Obj::Bool(b) => Obj::Int(b.into()),
        number @ (Obj::Int(_) | Obj::Big(_) | Obj::Float(_)) => int(&number, None)?,
        other => return Err(PyErr::ty(format!("must be real number, not {}", other.type_name()))),
    };
    binary(Op::Div, &whole, &scale()?)
}

pub(super) fn filesizeformat(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_filesizeformat", 0, &["value", "binary"], 1);
    const PREFIXES: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let args = S.bind(args)?;
    let bytes = Obj::Float(float(args.at(0))?);
    let two = args.truth(1, false)?;
    let base: i128 = if two { 1024 } else { 1000 };
    if eq(&bytes, &Obj::Int(1))? {
        return Ok("1 Byte".into());
    }
    if compare(Cmp::Lt, &bytes, &base.into())? {
        return Ok(format!("{} Bytes", brine_python::repr(&int(&bytes, None)?)?).into());
    }
    let scaled = binary(Op::Mul, &base.into(), &bytes)?;
    let mut unit = base;
    for (at, prefix) in PREFIXES.iter().enumerate() {
        unit *= base;
        if at + 1 == PREFIXES.len() || compare(Cmp::Lt, &bytes, &unit.into())? {
            let number = brine_python::format(&binary(Op::Div, &scaled, &unit.into())?, ".1f")?;
            let prefix = match (two, *prefix) {
                (true, "k") => "Ki".to_owned(),
                (true, prefix) => format!("{prefix}i"),
                (false, prefix) => prefix.to_owned(),
            };
            return Ok(format!("{number} {prefix}B").into());
        }
    }
    Ok(Obj::None)
}
