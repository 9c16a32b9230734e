//! A format spec, `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, and what it does to a value.

use super::number;
use crate::error::{PyErr, R};
use crate::float;
use crate::int;
use crate::limit;
use crate::num::Num;
use crate::obj::Obj;
use crate::seq;
use crate::uni;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

/// A spec that was understood.
pub(super) struct Spec {
    fill: char,
    align: char,
    sign: Option<char>,
    no_negative_zero: bool,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn is_align(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '^')
}

impl Spec {
    pub(super) fn parse(text: &str, of: &Obj, align: char) -> R<Self> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let peek = |at: usize| chars.get(at).copied();
        let number = |at: &mut usize| -> R<Option<usize>> {
            let from = *at;
            let mut n: usize = 0;
            while let Some(d) = peek(*at).and_then(|c| uni::to_ascii_digit(c).to_digit(10)) {
                n = n
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(d as usize))
                    .filter(|n| *n <= i64::MAX as usize)
                    .ok_or_else(|| PyErr::value("Too many decimal digits in format string"))?;
                *at += 1;
            }
            Ok((*at > from).then_some(n))
        };
        let mut spec = Self {
            fill: ' ',
            align,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        };
        let (mut filled, mut aligned) = (false, false);
        if let (Some(fill), Some(align)) = (peek(0), peek(1).filter(|c| is_align(*c))) {
            (spec.fill, spec.align, filled, aligned, at) = (fill, align, true, true, 2);
        } else if let Some(align) = peek(0).filter(|c| is_align(*c)) {
            (spec.align, aligned, at) = (align, true, 1);
        }
        if let Some(sign @ ('+' | '-' | ' ')) = peek(at) {
            spec.sign = Some(sign);
            at += 1;
        }
        if peek(at) == Some('z') {
            spec.no_negative_zero = true;
            at += 1;
        }
        if peek(at) == Some('#') {
            spec.alternate = true;
            at += 1;
        }
        if !filled && peek(at) == Some('0') {
            spec.fill = '0';
            if !aligned && align == '>' {
                spec.align = '=';
            }
            at += 1;
        }
        spec.width = number(&mut at)?.unwrap_or(0);
        if peek(at) == Some(',') {
            spec.grouping = Some(',');
            at += 1;
        }
        if peek(at) == Some('_') {
            if spec.grouping.is_some() {
                return Err(PyErr::value("Cannot specify both ',' and '_'."));
            }
            spec.grouping = Some('_');
            at += 1;
        }
        if peek(at) == Some(',') && spec.grouping == Some('_') {
            return Err(PyErr::value("Cannot specify both ',' and '_'."));
        }
        if peek(at) == Some('.') {
            at += 1;
            spec.precision =
                Some(number(&mut at)?.ok_or_else(|| PyErr::value("Format specifier missing precision"))?);
        }
        if chars.len() - at > 1 {
            return Err(PyErr::value(format!(
                "Invalid format specifier '{text}' for object of type '{}'",
                of.type_name()
            )));
        }
        spec.kind = peek(at);
        spec.check_grouping(spec.kind.or(of.as_str().map(|_| 's')))?;
        Ok(spec)
    }

    fn check_grouping(&self, kind: Option<char>) -> R<()> {
        let Some(mark) = self.grouping else { return Ok(()) };
        match kind {
            None | Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => Ok(()),
            Some('b' | 'o' | 'x' | 'X') if mark == '_' => Ok(()),
            Some(kind) if ('!'..='\x7f').contains(&kind) => {
                Err(PyErr::value(format!("Cannot specify '{mark}' with '{kind}'.")))
            }
            Some(kind) => {
                Err(PyErr::value(format!("Cannot specify '{mark}' with '\\x{:x}'.", u32::from(kind))))
            }
        }
    }

    fn unknown(&self, of: &Obj) -> PyErr {
        let name = of.type_name();
        match self.kind.unwrap_or('s') {
            kind @ '!'..='\x7f' => {
                PyErr::value(format!("Unknown format code '{kind}' for object of type '{name}'"))
            }
            kind => PyErr::value(format!(
                "Unknown format code '\\x{:x}' for object of type '{name}'",
                u32::from(kind)
            )),
        }
    }

    /// Puts text in its place within the width.
    fn pad(&self, sign: &str, body: &str) -> R<String> {
        let len = seq::chars(sign) + seq::chars(body);
        let missing = self.width.saturating_sub(len);
        limit::bytes(missing.saturating_mul(self.fill.len_utf8()).saturating_add(body.len()))?;
        let fill = |n: usize| std::iter::repeat_n(self.fill, n).collect::<String>();
        Ok(match self.align {
            '<' => format!("{sign}{body}{}", fill(missing)),
            '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", fill(missing)),
            _ => format!("{}{sign}{body}", fill(missing)),
        })
    }

    /// A text.
    pub(super) fn text(&self, text: &str) -> R<String> {
        if !matches!(self.kind, None | Some('s')) {
            return Err(self.unknown(&Obj::str("")));
        }
        let refuse = |what: &str| Err(PyErr::value(format!("{what} not allowed in string format specifier")));
        match self.sign {
            Some(' ') => return refuse("Space"),
            Some(_) => return refuse("Sign"),
            None => {}
        }
        if self.no_negative_zero {
            return refuse("Negative zero coercion (z)");
        }
        if self.alternate {
            return refuse("Alternate form (#)");
        }
        if self.align == '=' {
            return refuse("'=' alignment");
        }
        let text = match self.precision {
            Some(most) if most < seq::chars(text) => seq::substring(text, 0, most),
            _ => text,
        };
        self.pad("", text)
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            (false, _) => "",
        }
    }

    /// An integer.
    pub(super) fn int(&self, n: Num<'_>, of: &Obj) -> R<String> {
        match self.kind {
            None | Some('d' | 'b' | 'o' | 'x' | 'X' | 'c' | 'n') => {}
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => return self.float(n.to_float()?, of),
            Some(_) => return Err(self.unknown(of)),
        }
        if self.precision.is_some() {
            return Err(PyErr::value("Precision not allowed in integer format specifier"));
        }
        if self.no_negative_zero {
            return Err(PyErr::value("Negative zero coercion (z) not allowed in integer format specifier"));
        }
        if self.kind == Some('c') {
            if self.sign.is_some() {
                return Err(PyErr::value("Sign not allowed with integer format specifier 'c'"));
            }
            if self.alternate {
                return Err(PyErr::value("Alternate form (#) not allowed with integer format specifier 'c'"));
            }
            if n.to_big().to_i64().is_none() {
                return Err(PyErr::overflow("Python int too large to convert to C long"));
            }
            let c = n.to_big().to_u32().and_then(char::from_u32);
            let c = c.ok_or_else(|| PyErr::overflow("%c arg not in range(0x110000)"))?;
            return self.pad("", &c.to_string());
        }
        let n = n.to_big();
        let (radix, prefix) = match self.kind {
            Some('b') => (2, "0b"),
            Some('o') => (8, "0o"),
            Some('x') => (16, "0x"),
            Some('X') => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = radix_text(&n.abs(), radix)?;
        if self.kind == Some('X') {
            digits = digits.to_ascii_uppercase();
        }
        let prefix = if self.alternate { prefix } else { "" };
        let sign = format!("{}{prefix}", self.sign(n.is_negative()));
        let every = if radix == 10 { 3 } else { 4 };
        self.finish(&sign, &digits, "", every)
    }

    /// A double.
    pub(super) fn float(&self, x: f64, of: &Obj) -> R<String> {
        let kind = match self.kind {
            None => 'r',
            Some('n') => 'g',
            Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => kind,
            Some(_) => return Err(self.unknown(of)),
        };
        let precision = self.precision.unwrap_or(6);
        if precision > i32::MAX as usize {
            return Err(PyErr::value("precision too big"));
        }
        limit::bytes(precision)?;
        let x = if kind == '%' { x * 100.0 } else { x };
        let mut digits = if !x.is_finite() {
            if x.is_nan() { "nan".to_owned() } else { "inf".to_owned() }
        } else {
            match (kind, self.precision) {
                ('r', None) => {
                    let text = float::repr(x.abs());
                    if self.alternate && !text.contains('.') { text.replace('e', ".e") } else { text }
                }
                ('r', Some(precision)) => brief(x, precision.max(1), self.alternate),
                ('%', _) => number::digits(x, 'f', precision, self.alternate),
                (kind, _) => number::digits(x, kind.to_ascii_lowercase(), precision, self.alternate),
            }
        };
        let mut negative = x.is_sign_negative() && !x.is_nan();
        if self.no_negative_zero && digits.bytes().take_while(|b| *b != b'e').all(|b| b"0.".contains(&b)) {
            negative = false;
        }
        if matches!(kind, 'E' | 'F' | 'G') {
            digits = digits.to_ascii_uppercase();
        }
        if kind == '%' {
            digits.push('%');
        }
        let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = digits.split_at(whole);
        self.finish(self.sign(negative), whole, rest, 3)
    }

    /// Groups digits and pads; zeros that fill are grouped too.
    fn finish(&self, sign: &str, digits: &str, rest: &str, every: usize) -> R<String> {
        let Some(mark) = self.grouping.filter(|_| !digits.is_empty()) else {
            return self.pad(sign, &format!("{digits}{rest}"));
        };
        let mut grouped = String::new();
        let mut digits = digits.to_owned();
        if self.fill == '0' && self.align == '=' {
            let room = self.width.saturating_sub(sign.len() + rest.len());
            limit::bytes(room)?;
            // As many digits as fill the room with their marks.
            let mut count = room - room / (every + 1);
            if room.is_multiple_of(every + 1) && room > 0 {
                count += 1;
            }
            if count > digits.len() {
                digits = "0".repeat(count - digits.len()) + &digits;
            }
        }
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(every) {
                grouped.push(mark);
            }
            grouped.push(c);
        }
        self.pad(sign, &format!("{grouped}{rest}"))
    }
}

/// Digits in a radix; decimal ones are limited as in `str(n)`.
pub(super) fn radix_text(n: &BigInt, radix: u32) -> R<String> {
    if radix == 10 { int::to_text(n) } else { Ok(n.to_str_radix(radix)) }
}

/// No type but a precision: as `g`, with a digit after the point, and an exponent one digit earlier.
fn brief(x: f64, precision: usize, alternate: bool) -> String {
    let x = x.abs();
    let rounded = format!("{x:.*e}", precision - 1);
    let exponent: i64 = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let precision = precision as i64;
    let text = number::general(x, exponent, precision, precision - 1, alternate);
    if text.contains(['.', 'e']) { text } else { text + ".0" }
}
