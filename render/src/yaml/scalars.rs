//! Scalars of each type to values, with Python's exceptions for those that are none.

use super::binary;
use brine_core::scalar;
use brine_python::time::{Date, DateTime, Delta, Time, Zone};
use brine_python::{Kind, Obj, Op, PyErr, R};
use std::rc::Rc;

/// A plain scalar, by Salt's rules.
pub(super) fn salt(text: &str) -> R {
    Ok(match scalar::resolve(text) {
        scalar::Kind::Null => Obj::None,
        scalar::Kind::Bool => boolean(text)?,
        scalar::Kind::Int => int(without_zeros(text))?,
        scalar::Kind::Float => float(text)?,
        _ => Obj::str(text),
    })
}

/// A node with the tag `bool`.
pub(super) fn boolean(text: &str) -> R {
    let lower = text.to_lowercase();
    scalar::boolean(&lower).map(Obj::Bool).ok_or_else(|| PyErr::key(&lower.into()))
}

/// Salt's rule: an integer with leading zeros is decimal.
pub(super) fn without_zeros(text: &str) -> &str {
    if text == "0" || !text.starts_with('0') || text.starts_with("0b") || text.starts_with("0x") {
        return text;
    }
    match text.trim_start_matches('0') {
        "" => "0",
        bare => bare,
    }
}

/// A node with the tag `int`.
pub(super) fn int(text: &str) -> R {
    if let Some(n) = short(text) {
        return Ok(Obj::Int(n));
    }
    let clean = text.replace('_', "");
    let empty = || PyErr::new(Kind::IndexError, "string index out of range");
    let first = clean.chars().next().ok_or_else(empty)?;
    let body = if matches!(first, '+' | '-') { &clean[1..] } else { clean.as_str() };
    let of = |digits: &str, base: i64| brine_python::int(&digits.into(), Some(&Obj::Int(base)));
    let n = if body == "0" {
        return Ok(Obj::Int(0));
    } else if let Some(bits) = body.strip_prefix("0b") {
        of(bits, 2)?
    } else if let Some(hex) = body.strip_prefix("0x") {
        of(hex, 16)?
    } else if body.chars().next().ok_or_else(empty)? == '0' {
        of(body, 8)?
    } else if body.contains(':') {
        let mut sum = Obj::Int(0);
        for part in body.split(':') {
            let part = of(part, 10)?;
            sum = brine_python::binary(Op::Add, &brine_python::binary(Op::Mul, &sum, &Obj::Int(60))?, &part)?;
        }
        sum
    } else {
        of(body, 10)?
    };
    if first == '-' { brine_python::unary(brine_python::Unary::Neg, &n) } else { Ok(n) }
}

/// What most integers are: a few decimal digits.
fn short(text: &str) -> Option<i64> {
    let plain = text.len() < 18 && !text.starts_with(['0', '+']) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A node with the tag `float`.
pub(super) fn float(text: &str) -> R {
    let clean = text.replace('_', "").to_lowercase();
    let first = clean.chars().next();
    let first = first.ok_or_else(|| PyErr::new(Kind::IndexError, "string index out of range"))?;
    let sign = if first == '-' { -1.0 } else { 1.0 };
    let body = if matches!(first, '+' | '-') { &clean[1..] } else { clean.as_str() };
    let of = |digits: &str| brine_python::float(&digits.into());
    let x = match body {
        ".inf" => f64::INFINITY,
        ".nan" => return Ok(Obj::Float(f64::NAN)),
        _ if body.contains(':') => {
            // Summed from the least digit, as PyYAML does, so that rounding is the same.
            let parts = body.split(':').map(of).collect::<R<Vec<f64>>>()?;
            let (mut base, mut sum) = (1.0, 0.0);
            for digit in parts.into_iter().rev() {
                sum += digit * base;
                base *= 60.0;
            }
            sum
        }
        _ => of(body)?,
    };
    Ok(Obj::Float(sign * x))
}

/// A node with the tag `timestamp`, to loaders other than Salt's.
pub(super) fn timestamp(text: &str) -> R {
    // Python's expressions overlook a line end.
    let text = text.strip_suffix('\n').unwrap_or(text);
    // What PyYAML does to text that is none ends so.
    let none = || PyErr::new(Kind::AttributeError, "'NoneType' object has no attribute 'groupdict'");
    if scalar::resolve(text) != scalar::Kind::Timestamp && !is_date(text) {
        return Err(none());
    }
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let (date, clock) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start_matches([' ', '\t'])),
        None => (text, ""),
    };
    let mut parts = date.split('-').map(number);
    let mut part = || parts.next().unwrap_or(0);
    let date = Date::new(part(), part(), part());
    if clock.is_empty() {
        return date.map(Obj::Date);
    }
    let end = clock.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(clock.len());
    let (clock, zone) = (&clock[..end], clock[end..].trim_start_matches([' ', '\t']));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(number);
    let mut part = || parts.next().unwrap_or(0);
    let micro = number(&format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)));
    let zone = match zone.as_bytes().first() {
        None => None,
        Some(b'Z') => Zone::new(0),
        Some(sign) => {
            let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "0"));
            let seconds = (number(hours) * 60 + number(minutes)) as i32 * 60;
            let zone = Zone::new(if *sign == b'-' { -seconds } else { seconds });
            let offset = if *sign == b'-' { -seconds } else { seconds };
            Some(zone.ok_or_else(|| far(offset))?)
        }
    };
    let (hour, minute, second) = (part(), part(), part());
    let date = date?;
    let time = Time::new(hour, minute, second, micro)?;
    Ok(Obj::DateTime(Rc::new(DateTime { date, time, zone: zone.map(Rc::new) })))
}

/// What Python says of a time zone a day or more away.
fn far(seconds: i32) -> PyErr {
    let delta = Delta::of(i128::from(seconds) * 1_000_000).map(Obj::Delta);
    let shown = delta.and_then(|delta| brine_python::repr(&delta)).unwrap_or_default();
    PyErr::value(format!(
        "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {shown}."
    ))
}

/// `2020-1-2`, which is a date where a date is asked for.
fn is_date(text: &str) -> bool {
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let mut parts = text.split('-');
    let mut part = |most| parts.next().is_some_and(|part| digits(part, most));
    text.find('-') == Some(4) && part(4) && part(2) && part(2) && parts.next().is_none()
}

/// A node with the tag `binary`; the error is PyYAML's problem.
pub(super) fn bytes(text: &str) -> Result<Obj, String> {
    binary::decode(text).map(Obj::bytes)
}
