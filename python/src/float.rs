//! `float`: shortest text, text to number, arithmetic with Python's signs and errors, rounding.

use crate::error::{PyErr, R};
use crate::obj::Obj;
use crate::ops::Op;
use crate::uni;

/// `repr(x)`: the shortest text that reads back the same, with an exponent from 1e16 on and below 1e-4.
pub fn repr(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let mut text = format!("{x:e}");
    // Of the shortest texts, Python takes the nearest, and of two such the even one.
    let places = text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let nearest = format!("{x:.*e}", places.saturating_sub(1));
    if nearest != text && nearest.parse() == Ok(x) {
        text = nearest;
    }
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let decimals = (places as i32 - 1 - exponent).max(1);
        format!("{x:.*}", decimals as usize)
    } else {
        format!("{digits}{}", exponent_text(exponent))
    }
}

/// `e+16`: a sign and two digits at least.
pub(crate) fn exponent_text(exponent: i32) -> String {
    format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Mantissa, exponent of two, and whether it is negative. The number must be finite.
pub(crate) fn parts(x: f64) -> (u64, i32, bool) {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) =
        if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    (mantissa, exponent, x.is_sign_negative())
}

/// Text as Python's `float()` reads it; `None` when it does not.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let ascii: String = text.trim_matches(uni::is_space).chars().map(uni::to_ascii_digit).collect();
    let bytes = ascii.as_bytes();
    // An underscore stands between two digits.
    for (i, b) in bytes.iter().enumerate() {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        if *b == b'_' && !(digit(i.checked_sub(1)) && digit(Some(i + 1))) {
            return None;
        }
    }
    let plain = ascii.replace('_', "");
    let body = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let special = ["inf", "infinity", "nan"].iter().any(|s| s.eq_ignore_ascii_case(body));
    if !special && !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    plain.parse().ok()
}

/// `a op b`.
pub(crate) fn binary(op: Op, a: f64, b: f64) -> R {
    Ok(Obj::Float(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div if b == 0.0 => return Err(PyErr::zero("float division by zero")),
        Op::Div => a / b,
        Op::FloorDiv if b == 0.0 => return Err(PyErr::zero("float floor division by zero")),
        Op::FloorDiv => floor_div(a, b).0,
        Op::Mod if b == 0.0 => return Err(PyErr::zero("float modulo")),
        Op::Mod => floor_div(a, b).1,
        Op::Pow => power(a, b)?,
        Op::And | Op::Or | Op::Xor => return Err(PyErr::ty("unsupported operand type(s)")),
    }))
}

/// Quotient and remainder, the latter with the sign of `b`.
fn floor_div(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0f64.copysign(a / b), rest);
    }
    let mut floor = quotient.floor();
    if quotient - floor > 0.5 {
        floor += 1.0;
    }
    (floor, rest)
}

fn power(a: f64, b: f64) -> R<f64> {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(PyErr::zero("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        return Err(PyErr::value("the power is a complex number, and there are none"));
    }
    let out = a.powf(b);
    if out.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(PyErr::overflow("(34, 'Numerical result out of range')"));
    }
    Ok(out)
}

/// The power of ten of the first digit.
pub(crate) fn exponent10(x: f64) -> i32 {
    let text = format!("{x:e}");
    text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// `round(x, digits)`, halves (of the exact value) to even.
pub(crate) fn round(x: f64, digits: i64) -> R<f64> {
    if !x.is_finite() || x == 0.0 || digits > 323 {
        return Ok(x);
    }
    if digits < -308 {
        return Ok(0f64.copysign(x));
    }
    let text = if digits >= 0 {
        format!("{x:.*}", digits as usize)
    } else {
        let first = i64::from(exponent10(x.abs()));
        let wanted = first + digits;
        if wanted < -1 {
            return Ok(0f64.copysign(x));
        }
        if wanted == -1 {
            let half: f64 = format!("5e{first}").parse().unwrap_or(0.0);
            let up = x.abs() > half;
            let whole = if up { format!("1e{}", first + 1) } else { "0".into() };
            return Ok(whole.parse::<f64>().unwrap_or(0.0).copysign(x));
        }
        format!("{x:.*e}", wanted as usize)
    };
    let out: f64 = text.parse().unwrap_or(x);
    if out.is_infinite() {
        return Err(PyErr::overflow("rounded value too large to represent"));
    }
    Ok(out)
}

/// `x.hex()`.
pub(crate) fn hex(x: f64) -> String {
    if !x.is_finite() {
        return repr(x);
    }
    let (mantissa, exponent, negative) = parts(x);
    let sign = if negative { "-" } else { "" };
    if mantissa == 0 {
        return format!("{sign}0x0.0p+0");
    }
    let power = exponent + 52;
    let (whole, fraction) = (mantissa >> 52, mantissa & ((1 << 52) - 1));
    format!("{sign}0x{whole}.{fraction:013x}p{power:+}")
}
