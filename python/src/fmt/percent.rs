//! `'%s' % x` and `b'%s' % x`.

use super::number;
use super::percent_bytes::bytes_of;
use super::spec::radix_text;
use crate::conv;
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::repr;
use crate::seq;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use std::iter::Peekable;
use std::str::Chars;

/// The values that conversions take in turn.
struct Values<'a> {
    all: &'a Obj,
    taken: usize,
    to: To,
}

/// What is formatted: text, or bytes, each of them as the character of its number.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum To {
    Text,
    Bytes,
}

impl Values<'_> {
    fn next(&mut self) -> R {
        let value = match self.all {
            Obj::Tuple(values) => values.get(self.taken).cloned(),
            one => (self.taken == 0).then(|| one.clone()),
        };
        self.taken += 1;
        value.ok_or_else(|| PyErr::ty("not enough arguments for format string"))
    }

    /// Whether all were used, as far as it matters: a mapping need not be.
    fn done(&self) -> bool {
        match self.all {
            Obj::Tuple(values) => self.taken >= values.len(),
            one => self.taken > 0 || is_mapping(one, self.to),
        }
    }
}

/// What `%` takes for a mapping: what can be subscripted, but for tuples and text.
fn is_mapping(obj: &Obj, to: To) -> bool {
    match obj {
        Obj::Dict(_) | Obj::List(_) | Obj::Range(_) => true,
        Obj::Bytes(_) => to == To::Text,
        Obj::Other(o) => o.subscriptable(),
        _ => false,
    }
}

/// The flags, width and precision of one conversion.
#[derive(Default)]
pub(super) struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    pub(super) precision: Option<usize>,
}

type Input<'a> = Peekable<std::iter::Enumerate<Chars<'a>>>;

fn take(input: &mut Input<'_>) -> R<(usize, char)> {
    input.next().ok_or_else(|| PyErr::value("incomplete format"))
}

/// `text % values`.
///
/// # Errors
/// As Python: `TypeError` for values that do not fit, `ValueError` for wrong formats, `KeyError`, `Limit`.
pub fn percent(text: &str, all: &Obj) -> R {
    formatted(text, all, To::Text).map(Obj::from)
}

pub(super) fn formatted(text: &str, all: &Obj, to: To) -> R<String> {
    let mut values = Values { all, taken: 0, to };
    let mut out = String::new();
    let mut input: Input<'_> = text.chars().enumerate().peekable();
    while let Some((_, c)) = input.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if input.peek().is_some_and(|(_, c)| *c == '%') {
            input.next();
            out.push('%');
            continue;
        }
        let before = out.len();
        let mut value = None;
        if input.peek().is_some_and(|(_, c)| *c == '(') {
            input.next();
            if !is_mapping(all, to) {
                return Err(PyErr::ty("format requires a mapping"));
            }
            let key = key(&mut input)?;
            let key = if to == To::Text { key.into() } else { Obj::bytes(bytes_of(&key)) };
            value = Some(seq::getitem(all, &key)?);
            values.taken += 1;
        }
        let conversion = read(&mut input, &mut values)?;
        let (at, kind) = take(&mut input)?;
        let value = match value {
            Some(value) => value,
            None => values.next()?,
        };
        match to {
            To::Text => conversion.write(&mut out, kind, at, &value)?,
            To::Bytes => conversion.write_bytes(&mut out, kind, at, &value)?,
        }
        limit::grown(before, out.len())?;
    }
    if !values.done() {
        let what = if to == To::Text { "string" } else { "bytes" };
        return Err(PyErr::ty(format!("not all arguments converted during {what} formatting")));
    }
    Ok(out)
}

fn key(input: &mut Input<'_>) -> R<String> {
    let mut open = 1;
    let mut key = String::new();
    for (_, c) in input.by_ref() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(key);
        }
        key.push(c);
    }
    Err(PyErr::value("incomplete format key"))
}

fn star(values: &mut Values<'_>, c_type: &str) -> R<i64> {
    match values.next()? {
        Obj::Bool(b) => Ok(b.into()),
        Obj::Int(n) => Ok(n),
        Obj::Big(_) => Err(PyErr::overflow(format!("Python int too large to convert to C {c_type}"))),
        _ => Err(PyErr::ty("* wants int")),
    }
}

fn digits(input: &mut Input<'_>, what: &str) -> R<usize> {
    let mut n: usize = 0;
    while let Some(d) = input.peek().and_then(|(_, c)| c.to_digit(10)) {
        input.next();
        n = n.saturating_mul(10).saturating_add(d as usize);
        if n > i32::MAX as usize && what == "precision" || n > i64::MAX as usize {
            return Err(PyErr::value(format!("{what} too big")));
        }
    }
    Ok(n)
}

fn read(input: &mut Input<'_>, values: &mut Values<'_>) -> R<Conversion> {
    let mut it = Conversion::default();
    while let Some((_, c)) = input.peek() {
        match c {
            '-' => it.left = true,
            '+' => it.plus = true,
            ' ' => it.space = true,
            '#' => it.alternate = true,
            '0' => it.zero = true,
            _ => break,
        }
        input.next();
    }
    if input.peek().is_some_and(|(_, c)| *c == '*') {
        input.next();
        let width = star(values, "ssize_t")?;
        it.left |= width < 0;
        it.width = width.checked_abs().map_or(0, |width| width as usize);
    } else {
        it.width = digits(input, "width")?;
    }
    if input.peek().is_some_and(|(_, c)| *c == '.') {
        input.next();
        let precision = if input.peek().is_some_and(|(_, c)| *c == '*') {
            input.next();
            let n = star(values, "int")?;
            if i32::try_from(n).is_err() {
                return Err(PyErr::overflow("Python int too large to convert to C int"));
            }
            n.max(0) as usize
        } else {
            digits(input, "precision")?
        };
        it.precision = Some(precision);
    }
    if input.peek().is_some_and(|(_, c)| matches!(c, 'h' | 'l' | 'L')) {
        input.next();
    }
    Ok(it)
}

impl Conversion {
    pub(super) fn write(&self, out: &mut String, kind: char, at: usize, value: &Obj) -> R<()> {
        match kind {
            's' | 'r' | 'a' => {
                let text = match kind {
                    's' => repr::str(value)?,
                    'r' => repr::repr(value)?,
                    _ => repr::ascii(value)?,
                };
                let text = match self.precision {
                    Some(most) if most < seq::chars(&text) => seq::substring(&text, 0, most),
                    _ => &text,
                };
                self.pad(out, "", text, false)
            }
            'c' => self.pad(out, "", &char_of(value)?, false),
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => self.int(out, kind, value),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.float(out, kind, value),
            kind => {
                let shown = if (' '..='~').contains(&kind) { kind } else { '?' };
                Err(PyErr::value(format!(
                    "unsupported format character '{shown}' ({:#x}) at index {at}",
                    u32::from(kind)
                )))
            }
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    fn int(&self, out: &mut String, kind: char, value: &Obj) -> R<()> {
        let hex = matches!(kind, 'o' | 'x' | 'X');
        // Only numbers of their own type are asked: text is none here.
        let own = match value {
            Obj::Other(o) if !hex => match o.int() {
                Err(e) if e.kind() == Kind::TypeError => None,
                own => own?,
            },
            _ => None,
        };
        let n: BigInt = match num(own.as_ref().unwrap_or(value)) {
            Some(Num::Float(_)) if hex => return Err(no_int(kind, "an integer", value)),
            Some(Num::Float(x)) => crate::int::from_float(x)?,
            Some(n) => n.to_big(),
            None => return Err(no_int(kind, if hex { "an integer" } else { "a real number" }, value)),
        };
        let (radix, prefix) = match kind {
            'o' => (8, "0o"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = radix_text(&n.abs(), radix)?;
        if kind == 'X' {
            digits = digits.to_ascii_uppercase();
        }
        if let Some(least) = self.precision {
            limit::bytes(least)?;
            digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
        }
        let prefix = if self.alternate { prefix } else { "" };
        self.pad(out, &format!("{}{prefix}", self.sign(n.is_negative())), &digits, true)
    }

    pub(super) fn float(&self, out: &mut String, kind: char, value: &Obj) -> R<()> {
        let own = match value {
            Obj::Other(o) => o.float()?,
            _ => None,
        };
        let x = match (own, num(value)) {
            (Some(x), _) => x,
            (None, Some(_)) => conv::float(value)?,
            (None, None) => return Err(PyErr::ty(format!("must be real number, not {}", value.type_name()))),
        };
        let precision = self.precision.unwrap_or(6);
        limit::bytes(precision)?;
        let mut digits = match (x.is_nan(), x.is_finite()) {
            (true, _) => "nan".to_owned(),
            (_, false) => "inf".to_owned(),
            _ => number::digits(x, kind.to_ascii_lowercase(), precision, self.alternate),
        };
        if kind.is_ascii_uppercase() {
            digits = digits.to_ascii_uppercase();
        }
        self.pad(out, self.sign(x.is_sign_negative() && !x.is_nan()), &digits, true)
    }

    pub(super) fn pad(&self, out: &mut String, sign: &str, body: &str, number: bool) -> R<()> {
        let missing = self.width.saturating_sub(seq::chars(sign) + seq::chars(body));
        limit::bytes(missing)?;
        let (space, zeros) = match (self.left, self.zero && number) {
            (true, _) => (0, 0),
            (false, true) => (0, missing),
            (false, false) => (missing, 0),
        };
        out.extend(std::iter::repeat_n(' ', space));
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', zeros));
        out.push_str(body);
        out.extend(std::iter::repeat_n(' ', missing - space - zeros));
        Ok(())
    }
}

fn no_int(kind: char, wanted: &str, value: &Obj) -> PyErr {
    PyErr::ty(format!("%{kind} format: {wanted} is required, not {}", value.type_name()))
}

fn char_of(value: &Obj) -> R<String> {
    if let Some(text) = value.as_str()
        && seq::chars(text) == 1
    {
        return Ok(text.to_owned());
    }
    match num(value) {
        Some(Num::Float(_)) | None => Err(PyErr::ty("%c requires int or char")),
        Some(n) => n
            .to_big()
            .to_u32()
            .and_then(char::from_u32)
            .map(String::from)
            .ok_or_else(|| PyErr::overflow("%c arg not in range(0x110000)")),
    }
}
