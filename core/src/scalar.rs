//! What a plain YAML 1.1 scalar means to Salt: which words are booleans, numbers, null.
//!
//! Not a YAML parser. The rules are PyYAML's, with Salt's one change: an integer written with leading zeros is
//! decimal (`010` is 10), unless it has a sign. Dates stay text. Both the YAML loader and the matchers (a key
//! `1` in a target may be the number 1) read them here.

use brine_protocol::Value;

/// The YAML tag a plain scalar resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `tag:yaml.org,2002:null`
    Null,
    /// `tag:yaml.org,2002:bool`
    Bool,
    /// `tag:yaml.org,2002:int`
    Int,
    /// `tag:yaml.org,2002:float`
    Float,
    /// `tag:yaml.org,2002:timestamp`, which Salt keeps as text.
    Timestamp,
    /// `tag:yaml.org,2002:merge`, the key `<<`.
    Merge,
    /// `tag:yaml.org,2002:value`, the key `=`.
    Default,
    /// `tag:yaml.org,2002:yaml`: `!`, `&` or `*` alone.
    Indicator,
    /// `tag:yaml.org,2002:str`
    Str,
}

/// The tag that a plain scalar resolves to.
pub fn resolve(text: &str) -> Kind {
    let Some(&first) = text.as_bytes().first() else { return Kind::Null };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => match text {
            "null" | "Null" | "NULL" => Kind::Null,
            _ if boolean(text).is_some() && one_case(text) => Kind::Bool,
            _ => Kind::Str,
        },
        b'~' if text == "~" => Kind::Null,
        b'<' if text == "<<" => Kind::Merge,
        b'=' if text == "=" => Kind::Default,
        b'!' | b'&' | b'*' if text.len() == 1 => Kind::Indicator,
        b'-' | b'+' | b'.' | b'0'..=b'9' => number(text),
        _ => Kind::Str,
    }
}

/// `yes`, `Yes` or `YES`, but not `yEs`.
fn one_case(text: &str) -> bool {
    let tail = text.get(1..).unwrap_or("");
    tail.bytes().all(|b| b.is_ascii_lowercase())
        || (tail.bytes().all(|b| b.is_ascii_uppercase()) && text.as_bytes()[0].is_ascii_uppercase())
}

/// The truth that a boolean word in any case stands for.
pub fn boolean(text: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 6] =
        [("yes", true), ("no", false), ("true", true), ("false", false), ("on", true), ("off", false)];
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, truth)| *truth)
}

fn number(text: &str) -> Kind {
    if is_float(text) {
        Kind::Float
    } else if is_int(text) {
        Kind::Int
    } else if is_timestamp(text) {
        Kind::Timestamp
    } else {
        Kind::Str
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn digits_or_low(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

fn starts_with_digit(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// `[0-5]?[0-9]`
fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [d] => d.is_ascii_digit(),
        [t, d] => (b'0'..=b'5').contains(t) && d.is_ascii_digit(),
        _ => false,
    }
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let body = unsigned(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let Some((whole, rest)) = body.split_once('.') else { return false };
    if whole.contains(':') {
        // Sexagesimal with a fraction: no exponent.
        let mut parts = whole.split(':');
        let head = parts.next().unwrap_or("");
        return starts_with_digit(head)
            && digits_or_low(head)
            && parts.all(is_sixtieth)
            && digits_or_low(rest);
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        e.strip_prefix(['-', '+']).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    });
    if whole.is_empty() {
        // `.5` takes no sign.
        return text.starts_with('.')
            && starts_with_digit(fraction)
            && digits_or_low(fraction)
            && exponent_fits;
    }
    starts_with_digit(whole) && digits_or_low(whole) && digits_or_low(fraction) && exponent_fits
}

fn is_int(text: &str) -> bool {
    let body = unsigned(text);
    let all = |s: &str, ok: fn(u8) -> bool| !s.is_empty() && s.bytes().all(|b| ok(b) || b == b'_');
    if let Some(bits) = body.strip_prefix("0b") {
        return all(bits, |b| matches!(b, b'0' | b'1'));
    }
    if let Some(hex) = body.strip_prefix("0x") {
        return all(hex, |b| b.is_ascii_hexdigit());
    }
    if body == "0" {
        return true;
    }
    if let Some(octal) = body.strip_prefix('0') {
        return all(octal, |b| (b'0'..=b'7').contains(&b));
    }
    let mut parts = body.split(':');
    let head = parts.next().unwrap_or("");
    starts_with_digit(head) && digits_or_low(head) && parts.all(is_sixtieth)
}

fn is_timestamp(text: &str) -> bool {
    let b = text.as_bytes();
    let mut at = 0;
    let digits = |at: &mut usize, least: usize, most: usize| {
        let n = b[*at..].iter().take(most).take_while(|c| c.is_ascii_digit()).count();
        *at += n;
        n >= least
    };
    let one = |at: &mut usize, c: u8| {
        let hit = b.get(*at) == Some(&c);
        *at += usize::from(hit);
        hit
    };
    if !(digits(&mut at, 4, 4) && one(&mut at, b'-')) {
        return false;
    }
    let start = at;
    if digits(&mut at, 2, 2) && one(&mut at, b'-') && digits(&mut at, 2, 2) && at == b.len() {
        return true;
    }
    at = start;
    if !(digits(&mut at, 1, 2) && one(&mut at, b'-') && digits(&mut at, 1, 2)) {
        return false;
    }
    let blanks = |at: &mut usize| {
        let n = b[*at..].iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
        *at += n;
        n
    };
    if !(one(&mut at, b'T') || one(&mut at, b't') || blanks(&mut at) > 0) {
        return false;
    }
    let clock = digits(&mut at, 1, 2)
        && one(&mut at, b':')
        && digits(&mut at, 2, 2)
        && one(&mut at, b':')
        && digits(&mut at, 2, 2);
    if !clock {
        return false;
    }
    if one(&mut at, b'.') {
        digits(&mut at, 0, usize::MAX);
    }
    if at == b.len() {
        return true;
    }
    blanks(&mut at);
    if one(&mut at, b'Z') {
        return at == b.len();
    }
    if !(one(&mut at, b'-') || one(&mut at, b'+')) || !digits(&mut at, 1, 2) {
        return false;
    }
    if one(&mut at, b':') && !digits(&mut at, 2, 2) {
        return false;
    }
    at == b.len()
}

/// Why text tagged as a number is none: the text of Python's exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotANumber(pub String);

/// The value of a scalar with the tag `int`, after Salt's rule on leading zeros. An integer outside 128 bits
/// becomes its decimal text.
pub fn int(text: &str) -> Result<Value, NotANumber> {
    let text = if text != "0" && text.starts_with('0') && !text.starts_with("0b") && !text.starts_with("0x") {
        let bare = text.trim_start_matches('0');
        if bare.is_empty() { "0" } else { bare }
    } else {
        text
    };
    let clean = text.replace('_', "");
    let body = unsigned(&clean);
    let negative = clean.starts_with('-');
    let invalid =
        |base: u32, what: &str| NotANumber(format!("invalid literal for int() with base {base}: '{what}'"));
    if clean.is_empty() {
        return Err(NotANumber("string index out of range".into()));
    }
    let radix = |digits: &str, base: u32| match i128::from_str_radix(digits, base) {
        Ok(n) if !digits.starts_with(['-', '+']) => Ok(n),
        _ => Err(invalid(base, digits)),
    };
    let n = if body == "0" {
        0
    } else if let Some(bits) = body.strip_prefix("0b") {
        radix(bits, 2)?
    } else if let Some(hex) = body.strip_prefix("0x") {
        radix(hex, 16)?
    } else if body.starts_with('0') {
        radix(body, 8)?
    } else if body.contains(':') {
        let mut sum: i128 = 0;
        for part in body.split(':') {
            let part: i128 = part.parse().map_err(|_| invalid(10, part))?;
            sum = sum
                .checked_mul(60)
                .and_then(|s| s.checked_add(part))
                .ok_or_else(|| NotANumber("integer too large".into()))?;
        }
        sum
    } else if !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit()) {
        match body.parse::<i128>() {
            Ok(n) => n,
            Err(_) => return Ok(Value::Str(if negative { format!("-{body}") } else { body.to_owned() })),
        }
    } else {
        return Err(invalid(10, body));
    };
    Ok(Value::Int(if negative { -n } else { n }))
}

/// The value of a scalar with the tag `float`.
pub fn float(text: &str) -> Result<Value, NotANumber> {
    let clean = text.replace('_', "").to_lowercase();
    let body = unsigned(&clean);
    let sign = if clean.starts_with('-') { -1.0 } else { 1.0 };
    let invalid = |what: &str| NotANumber(format!("could not convert string to float: '{what}'"));
    let x = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ if body.contains(':') => {
            // Summed from the least digit, as PyYAML does, so that rounding is the same.
            let mut base = 1.0;
            let mut sum = 0.0;
            for part in body.rsplit(':') {
                let digit: f64 = part.parse().map_err(|_| invalid(part))?;
                sum += digit * base;
                base *= 60.0;
            }
            sum
        }
        _ => body.parse().map_err(|_| invalid(body))?,
    };
    Ok(Value::Float(sign * x))
}

/// The value of a plain scalar. Text that is tagged as a number and is none stays text.
pub fn plain(text: &str) -> Value {
    let value = match resolve(text) {
        Kind::Null => Ok(Value::Nil),
        Kind::Bool => Ok(boolean(text).into()),
        Kind::Int => int(text),
        Kind::Float => float(text),
        _ => Ok(text.into()),
    };
    value.unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        let cases: &[(&str, Value)] = &[
            ("yes", true.into()),
            ("YES", true.into()),
            ("yEs", "yEs".into()),
            ("y", "y".into()),
            ("Off", false.into()),
            ("~", Value::Nil),
            ("", Value::Nil),
            ("010", 10.into()),
            ("-010", (-8).into()),
            ("0644", 644.into()),
            ("0b11", 3.into()),
            ("0x1F", 31.into()),
            ("1_000", 1000.into()),
            ("1:30", 90.into()),
            ("1:90", "1:90".into()),
            ("08", "08".into()),
            ("0_", "0_".into()),
            ("1e3", "1e3".into()),
            ("1.0e3", "1.0e3".into()),
            ("1.0e+3", 1000.0.into()),
            ("-.5", "-.5".into()),
            (".5", 0.5.into()),
            ("1.", 1.0.into()),
            ("1:30.5", 90.5.into()),
            ("-.inf", f64::NEG_INFINITY.into()),
            ("2020-01-02", "2020-01-02".into()),
        ];
        for (text, value) in cases {
            assert_eq!(&plain(text), value, "{text}");
        }
        assert_eq!(resolve("2020-01-02 03:04:05.5 +01:00"), Kind::Timestamp);
        assert_eq!(resolve("2020-1-2"), Kind::Str);
    }
}
