//! Numbers: where one ends, and its value as Python reads it.

use super::chars::digit;
use crate::tree::Const;

/// Python reads no decimal number of more digits.
const MOST_DIGITS: usize = 4300;

/// A number at the start of `text`: its length and its value, or Python's complaint. `after_dot`: a dot stands before it, so
/// that it has no fraction.
pub(super) fn number(text: &str, after_dot: bool) -> Option<(usize, Result<Const, String>)> {
    if !after_dot && let Some(end) = float_end(text) {
        return Some((end, float(&text[..end])));
    }
    integer(text)
}

/// Digits with single underscores between them.
fn digits_end(text: &str) -> Option<usize> {
    let mut end = None;
    let mut underscore = false;
    for (at, c) in text.char_indices() {
        if digit(c).is_some() {
            (end, underscore) = (Some(at + c.len_utf8()), false);
        } else if c == '_' && end.is_some() && !underscore {
            underscore = true;
        } else {
            break;
        }
    }
    end
}

fn float_end(text: &str) -> Option<usize> {
    let whole = digits_end(text)?;
    let fraction = text[whole..].strip_prefix('.').and_then(digits_end).map(|n| whole + 1 + n);
    let exponent = |from: usize| {
        let rest = text[from..].strip_prefix(['e', 'E'])?;
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        Some(text.len() - digits.len() + digits_end(digits)?)
    };
    exponent(fraction.unwrap_or(whole)).or(fraction)
}

fn float(text: &str) -> Result<Const, String> {
    match text.chars().find(|c| !c.is_ascii()) {
        None => {
            // Only digits, a dot and an exponent are left: this is always a number.
            let plain = text.replace('_', "");
            plain
                .parse()
                .map(Const::Float)
                .map_err(|_| format!("could not convert string to float: '{plain}'"))
        }
        Some(c) if text.starts_with(c) => {
            Err(format!("invalid character '{c}' (U+{:04X}) (<unknown>, line 1)", c as u32))
        }
        Some(_) => Err("invalid decimal literal (<unknown>, line 1)".into()),
    }
}

/// `(_?d)+`: digits of a kind, each with at most one underscore before it.
fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    let mut underscore = false;
    for (at, c) in text.char_indices() {
        if is(c) {
            (end, underscore) = (at + c.len_utf8(), false);
        } else if c == '_' && !underscore {
            underscore = true;
        } else {
            break;
        }
    }
    end
}

fn integer(text: &str) -> Option<(usize, Result<Const, String>)> {
    let prefixed = |letters: [char; 2], radix: u32, is: fn(char) -> bool| {
        let digits = text.strip_prefix('0')?.strip_prefix(letters)?;
        let end = run(digits, is);
        (end > 0).then(|| (end + 2, Ok(whole(&digits[..end], radix))))
    };
    prefixed(['b', 'B'], 2, |c| matches!(c, '0' | '1'))
        .or_else(|| prefixed(['o', 'O'], 8, |c| matches!(c, '0'..='7')))
        .or_else(|| prefixed(['x', 'X'], 16, |c| c.is_ascii_hexdigit() || digit(c).is_some()))
        .or_else(|| {
            let end = match text.chars().next()? {
                '1'..='9' => 1 + run(&text[1..], |c| digit(c).is_some()),
                '0' => 1 + run(&text[1..], |c| c == '0'),
                _ => return None,
            };
            let digits = text[..end].chars().filter(|&c| c != '_').count();
            if digits > MOST_DIGITS {
                let message = format!(
                    "Exceeds the limit ({MOST_DIGITS} digits) for integer string conversion: value has {digits} digits; \
                     use sys.set_int_max_str_digits() to increase the limit"
                );
                return Some((end, Err(message)));
            }
            Some((end, Ok(whole(&text[..end], 10))))
        })
}

fn whole(digits: &str, radix: u32) -> Const {
    let plain: String =
        digits.chars().filter(|&c| c != '_').map(|c| digit(c).map_or(c, |n| char::from(b'0' + n))).collect();
    match i64::from_str_radix(&plain, radix) {
        Ok(number) => Const::Int(number),
        Err(_) => Const::BigInt(radix, plain.into()),
    }
}
