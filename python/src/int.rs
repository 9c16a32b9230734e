//! `int`: text to number and back, powers, and how large one may grow.

use crate::error::{Kind, PyErr, R};
use crate::float;
use crate::limit;
use crate::obj::Obj;
use crate::repr;
use crate::uni;
use num_bigint::{BigInt, Sign};
use num_traits::{One, Signed, ToPrimitive, Zero};

/// Python 3.11 turns no longer numbers into decimal text, nor back.
const DIGITS: usize = 4300;

/// No number grows beyond this: half a megabyte. What is longer than 4300 digits cannot be printed anyway.
const MOST_BITS: u64 = 4 << 20;

/// Whether a number of so many bits may be made.
pub(crate) fn room(bits: u64) -> R<()> {
    if bits > MOST_BITS {
        return Err(PyErr::new(Kind::Limit, format!("an int of more than {MOST_BITS} bits")));
    }
    // Multiplication is slower than linear.
    limit::steps(bits / 4096)?;
    limit::bytes((bits / 8) as usize)
}

/// `x ** y` for a `y` that is not negative.
pub(crate) fn power(x: &BigInt, y: &BigInt) -> R {
    if y.is_zero() {
        return Ok(Obj::Int(1));
    }
    if x.is_zero() || x.is_one() {
        return Ok(Obj::big(x.clone()));
    }
    if *x == BigInt::from(-1) {
        return Ok(Obj::Int(if y.bit(0) { -1 } else { 1 }));
    }
    let times = y.to_u32().unwrap_or(u32::MAX);
    room((x.bits() - 1).max(1).saturating_mul(times.into()))?;
    Ok(Obj::big(x.pow(times)))
}

/// `int(x)` of a `float`: towards zero.
///
/// # Errors
/// `ValueError` of NaN, `OverflowError` of infinity.
pub(crate) fn from_float(x: f64) -> R<BigInt> {
    if x.is_nan() {
        return Err(PyErr::value("cannot convert float NaN to integer"));
    }
    if x.is_infinite() {
        return Err(PyErr::overflow("cannot convert float infinity to integer"));
    }
    let (mantissa, exponent, sign) = float::parts(x);
    let n = BigInt::from(mantissa);
    let n = if exponent >= 0 { n << exponent } else { n >> exponent.unsigned_abs() };
    Ok(if sign { -n } else { n })
}

/// Decimal text.
///
/// # Errors
/// `ValueError` beyond 4300 digits.
pub(crate) fn to_text(n: &BigInt) -> R<String> {
    // 3.32 bits a digit.
    if n.bits() > 14_300 || n.magnitude().to_string().len() > DIGITS {
        return Err(PyErr::value(format!(
            "Exceeds the limit ({DIGITS} digits) for integer string conversion; use \
             sys.set_int_max_str_digits() to increase the limit"
        )));
    }
    Ok(n.to_string())
}

/// Text as Python's `int()` reads it. `shown` is the argument in error texts.
///
/// # Errors
/// `ValueError: invalid literal for int() with base 10: 'x'`.
pub(crate) fn parse(text: &str, base: u32, shown: &Obj) -> R {
    let bad = || -> PyErr {
        let shown = repr::repr(shown).unwrap_or_default();
        let shown: String = shown.chars().take(200).collect();
        PyErr::value(format!("invalid literal for int() with base {base}: {shown}"))
    };
    let given = text.trim_matches(uni::is_space);
    let (sign, body) = match given.as_bytes().first() {
        Some(b'-') => (Sign::Minus, &given[1..]),
        Some(b'+') => (Sign::Plus, &given[1..]),
        _ => (Sign::Plus, given),
    };
    let ascii: String = body.chars().map(uni::to_ascii_digit).collect();
    let lower = ascii.to_ascii_lowercase();
    let prefixed = |p: &str| lower.strip_prefix(p);
    let (radix, digits, prefix) = match base {
        0 | 16 if prefixed("0x").is_some() => (16, prefixed("0x"), true),
        0 | 8 if prefixed("0o").is_some() => (8, prefixed("0o"), true),
        0 | 2 if prefixed("0b").is_some() => (2, prefixed("0b"), true),
        0 => (10, None, false),
        base => (base, None, false),
    };
    let mut digits = digits.unwrap_or(&lower);
    if prefix {
        digits = digits.strip_prefix('_').unwrap_or(digits);
    }
    if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return Err(bad());
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    if base == 0 && !prefix && plain.starts_with('0') && plain.bytes().any(|b| b != b'0') {
        return Err(bad());
    }
    if !plain.chars().all(|c| c.is_digit(radix)) {
        return Err(bad());
    }
    if !radix.is_power_of_two() && plain.len() > DIGITS {
        return Err(PyErr::value(format!(
            "Exceeds the limit ({DIGITS} digits) for integer string conversion: value has {} digits; use \
             sys.set_int_max_str_digits() to increase the limit",
            plain.len()
        )));
    }
    room(plain.len() as u64 * 5)?;
    let n = BigInt::parse_bytes(plain.as_bytes(), radix).ok_or_else(bad)?;
    Ok(Obj::big(if sign == Sign::Minus { -n } else { n }))
}

/// `round(n, digits)` for digits below zero: to tens and hundreds, halves to the even one.
pub(crate) fn round(n: &BigInt, tens: u32) -> R {
    room(u64::from(tens) * 4)?;
    let unit = BigInt::from(10).pow(tens);
    let half = &unit / 2;
    let low = num_integer::Integer::mod_floor(n, &unit);
    let floor = n - &low;
    let up = match low.cmp(&half) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => num_integer::Integer::is_odd(&(&floor / &unit)),
    };
    Ok(Obj::big(if up { floor + unit } else { floor }))
}

/// `abs(n)` needs no more than this.
pub(crate) fn abs(n: &BigInt) -> Obj {
    Obj::big(n.abs())
}
