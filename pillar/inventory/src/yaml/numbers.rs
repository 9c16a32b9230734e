//! Numbers as Ruby's reader has them, and as Ruby writes them.

use num_bigint::{BigInt, Sign};

/// A whole number of base 2, 8, 10 or 16; underscores and commas among its digits count for nothing.
pub(super) fn integer(value: &str) -> Option<BigInt> {
    let (negative, digits) = signed(value);
    let (base, digits) = if let Some(rest) = digits.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = digits.strip_prefix("0x") {
        (16, rest)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else {
        return decimal(digits).map(|n| if negative { -n } else { n });
    };
    let only = |b: u8| matches!(b, b'_' | b',') || char::from(b).is_digit(base);
    if digits.is_empty() || !digits.bytes().all(only) {
        return None;
    }
    let digits: String = digits.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    if digits.is_empty() {
        // `0_` is nothing but its zero; `0x_` is no number.
        return (base == 8).then(BigInt::default);
    }
    bounded(&digits, base, negative)
}

fn decimal(digits: &str) -> Option<BigInt> {
    let bytes = digits.as_bytes();
    if digits == "0" {
        return Some(BigInt::default());
    }
    if !matches!(bytes.first()?, b'1'..=b'9') {
        return None;
    }
    // A comma or underscore stands before a digit.
    let fits = |at: usize| match bytes[at] {
        b'0'..=b'9' => true,
        b'_' | b',' => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        _ => false,
    };
    if !(0..bytes.len()).all(fits) {
        return None;
    }
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    bounded(&digits, 10, false)
}

/// The most digits that are read as a number: more cost too much, and stay text.
const MOST_DIGITS: usize = 10_000;

fn bounded(digits: &str, base: u32, negative: bool) -> Option<BigInt> {
    let n = (digits.len() <= MOST_DIGITS).then(|| BigInt::parse_bytes(digits.as_bytes(), base))??;
    Some(if negative { BigInt::from_biguint(Sign::Minus, n.into_parts().1) } else { n })
}

fn signed(value: &str) -> (bool, &str) {
    match value.as_bytes().first() {
        Some(b'-') => (true, &value[1..]),
        Some(b'+') => (false, &value[1..]),
        _ => (false, value),
    }
}

/// A number with a point. Without one there is none: `1e3` is a text.
pub(super) fn float(value: &str) -> Option<f64> {
    let (_, rest) = signed(value);
    let point = rest.find('.')?;
    let (whole, after) = (&rest[..point], &rest[point + 1..]);
    let starts = whole.is_empty() || whole.starts_with(|c: char| c.is_ascii_digit());
    if !starts || !whole.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b',')) {
        return None;
    }
    let decimals = after.bytes().take_while(u8::is_ascii_digit).count();
    let exponent = &after[decimals..];
    if !exponent.is_empty() {
        let digits = exponent.strip_prefix(['e', 'E'])?.strip_prefix(['+', '-'])?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    if whole.is_empty() && decimals == 0 {
        return None;
    }
    value.replace(['_', ','], "").parse().ok()
}

/// `h:m` and `h:m:s`, where the first part counts 3600 in both.
pub(super) fn sexagesimal(value: &str) -> Option<BigInt> {
    let parts = sixties(value)?;
    let mut sum = BigInt::default();
    for (at, part) in parts.iter().enumerate() {
        sum += leading(part)? * WEIGHTS[at];
    }
    Some(sum)
}

/// The same with decimals at its end.
pub(super) fn sexagesimal_float(value: &str) -> Option<f64> {
    let (whole, decimals) = value.split_once('.')?;
    if !decimals.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return None;
    }
    let parts = sixties(whole)?;
    let mut sum = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        let number = if last { format!("{part}.{}", to_f(decimals)) } else { to_f(part) };
        sum += number.parse::<f64>().ok()? * f64::from(WEIGHTS[at]);
    }
    Some(sum)
}

const WEIGHTS: [u32; 3] = [3600, 60, 1];

/// Two or three parts, of which all but the first have one digit, or two below 60.
fn sixties(value: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = value.split(':').collect();
    let (first, rest) = parts.split_first()?;
    let (_, digits) = signed(first);
    let first_fits = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let fits = |part: &&str| match part.as_bytes() {
        [b] => b.is_ascii_digit(),
        [tens, ones] => matches!(tens, b'0'..=b'5') && ones.is_ascii_digit(),
        _ => false,
    };
    (first_fits && matches!(rest.len(), 1 | 2) && rest.iter().all(fits)).then_some(parts)
}

/// The number that a text begins with, as Ruby's `to_i`: single underscores among its digits count for nothing.
fn leading(part: &str) -> Option<BigInt> {
    let (negative, _) = signed(part);
    let digits = to_f(part);
    bounded(digits.trim_start_matches(['+', '-']), 10, negative)
}

fn to_f(part: &str) -> String {
    let end = part.find("__").unwrap_or(part.len());
    part[..end].replace('_', "")
}

/// A float as Ruby writes it: the shortest digits that read back, with a point; with an exponent below 1e-4, and from 1e15 where no
/// digit is behind the point.
pub(super) fn float_text(n: f64) -> String {
    if n.is_nan() {
        return "NaN".into();
    }
    if n.is_infinite() {
        return if n > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    // Of two shortest ones that are equally near, Ruby takes that which rounding to even gives.
    let shortest = format!("{n:e}");
    let count = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{n:.*e}", count.saturating_sub(1));
    let shortest = if even.parse() == Ok(n) { even } else { shortest };
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = digits.replace('.', "");
    let (whole, len) = (usize::try_from(exponent + 1).unwrap_or(0), digits.len());
    if n == 0.0 {
        return format!("{sign}0.0");
    }
    match exponent {
        -4..0 => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        0.. if whole < len => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
        0..15 => format!("{sign}{digits}{}.0", "0".repeat(whole - len)),
        _ => {
            let rest = if len > 1 { &digits[1..] } else { "0" };
            let direction = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{}.{rest}e{direction}{:02}", &digits[..1], exponent.abs())
        }
    }
}
