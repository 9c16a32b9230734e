//! Digits of doubles in the styles e, f, g and %, as C's printf has them.

use crate::float;

/// Digits of a finite double, without sign, in style `e`, `f` or `g` (small letters).
pub(super) fn digits(x: f64, style: char, precision: usize, alternate: bool) -> String {
    let x = x.abs();
    match style {
        'f' => {
            let mut out = format!("{x:.precision$}");
            if alternate && precision == 0 {
                out.push('.');
            }
            out
        }
        'e' => scientific(x, precision, alternate),
        _ => {
            let precision = precision.max(1);
            let rounded = format!("{x:.*e}", precision - 1);
            let exponent: i64 = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
            general(x, exponent, precision as i64, precision as i64, alternate)
        }
    }
}

/// Style `g`: plain while the exponent is below `plain_until`, with `precision` digits.
pub(super) fn general(x: f64, exponent: i64, precision: i64, plain_until: i64, alternate: bool) -> String {
    let scientific_style = exponent < -4 || exponent >= plain_until;
    let out = if scientific_style {
        scientific(x, (precision - 1) as usize, alternate)
    } else {
        let mut out = format!("{x:.*}", (precision - 1 - exponent).max(0) as usize);
        if alternate && !out.contains('.') {
            out.push('.');
        }
        out
    };
    if alternate {
        return out;
    }
    let (number, tail) = match out.find('e') {
        Some(at) => out.split_at(at),
        None => (out.as_str(), ""),
    };
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number}{tail}")
}

fn scientific(x: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{x:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{mantissa}{point}{}", float::exponent_text(exponent.parse().unwrap_or(0)))
}
