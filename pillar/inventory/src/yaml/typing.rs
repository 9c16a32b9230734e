//! How Ruby's reader (Psych 4) types a plain scalar, and the text that `String()` makes of that.
//!
//! Its rules are older than YAML 1.2: octal numbers begin with a zero, `12:30:45` is a number of base 60, `:foo` is a symbol, and
//! `yes` is true.

use super::{dates, numbers};
use crate::node::Native;
use std::borrow::Cow;

/// A typed scalar.
pub(super) struct Typed<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) native: Native,
}

impl<'a> Typed<'a> {
    fn string(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), native: Native::Str }
    }

    fn of(text: impl Into<Cow<'a, str>>, native: Native) -> Self {
        Self { text: text.into(), native }
    }
}

/// Types a scalar with its tag; `quoted` is one in quotes, or of a block, that has none.
pub(super) fn scalar<'a>(value: &'a str, tag: Option<&str>, quoted: bool) -> Typed<'a> {
    match tag {
        _ if quoted => Typed::string(value),
        Some("!str" | super::tags::STR) => Typed::string(value),
        Some("!float" | "tag:yaml.org,2002:float") => match plain(value) {
            Typed { native: Native::Int(n), .. } => float(n as f64),
            other => other,
        },
        _ => plain(value),
    }
}

fn float<'a>(n: f64) -> Typed<'a> {
    Typed::of(numbers::float_text(n), Native::Float(n))
}

/// Types a plain scalar.
fn plain(value: &str) -> Typed<'_> {
    if value.is_empty() {
        return Typed::of("", Native::Null);
    }
    if is_words(value) {
        return words(value);
    }
    if let Some(text) = dates::time(value) {
        return Typed::of(text, Native::Time);
    }
    if let Some(text) = dates::date(value) {
        return text.map_or(Typed::string(value), |text| Typed::of(text, Native::Date));
    }
    match value.to_ascii_lowercase().as_str() {
        ".inf" | "+.inf" => return Typed::of("Infinity", Native::Float(f64::INFINITY)),
        "-.inf" => return Typed::of("-Infinity", Native::Float(f64::NEG_INFINITY)),
        ".nan" => return Typed::of("NaN", Native::Float(f64::NAN)),
        _ => {}
    }
    if let Some(rest) = value.strip_prefix(':').filter(|rest| !rest.is_empty()) {
        return Typed::of(symbol(rest), Native::Symbol);
    }
    if let Some(n) = numbers::sexagesimal(value) {
        return whole(n);
    }
    if let Some(n) = numbers::sexagesimal_float(value).or_else(|| numbers::float(value)) {
        return float(n);
    }
    numbers::integer(value).map_or(Typed::string(value), whole)
}

fn whole<'a>(n: num_bigint::BigInt) -> Typed<'a> {
    let native = i64::try_from(&n).map_or(Native::Big, Native::Int);
    Typed::of(n.to_string(), native)
}

/// Whether it begins as words do: one character that begins no number, if any, and then one that is in none.
fn is_words(value: &str) -> bool {
    let wordy = |c: char| {
        c.is_alphabetic() || matches!(c, '_' | ' ' | '\t'..='\r') || "!@#$%^&*(){}<>|/\\~;=".contains(c)
    };
    let mut chars = value.chars();
    let Some(first) = chars.next() else { return false };
    let begins = wordy(first);
    begins
        || !(first.is_ascii_digit() || matches!(first, '.' | ':' | '-')) && chars.next().is_some_and(wordy)
        || value.contains('\n')
}

/// Words, of which a few mean something. Ruby looks at each line of them.
fn words(value: &str) -> Typed<'_> {
    if value.chars().count() > 5 {
        return Typed::string(value);
    }
    let lines = || value.split('\n');
    let other = |line: &str| line.chars().next().is_none_or(|c| !"ytonfYTONF~".contains(c));
    let any = |words: &[&str]| lines().any(|line| words.iter().any(|word| line.eq_ignore_ascii_case(word)));
    if lines().any(other) {
        Typed::string(value)
    } else if value == "~" || any(&["null"]) {
        Typed::of("", Native::Null)
    } else if any(&["yes", "true", "on"]) {
        Typed::of("true", Native::Bool(true))
    } else if any(&["no", "false", "off"]) {
        Typed::of("false", Native::Bool(false))
    } else {
        Typed::string(value)
    }
}

/// The name of a symbol, of what is after its colon.
fn symbol(rest: &str) -> &str {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| {
        let end = rest.rfind(quote).filter(|end| *end > 0)?;
        rest.get(1..end)
    });
    match inner {
        Some(inner) => inner.strip_prefix(':').unwrap_or(inner),
        None => rest,
    }
}
