//! Python's format specifications: width, precision and kind of a field.

use crate::out::python::{len, strip};
use brine_core::text::{python_float, python_str};
use brine_protocol::Value;

/// Python's format specification: `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    comma: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

/// The widest field: a template is an operator's, but its mistakes must not fill memory.
const WIDEST: usize = 1 << 16;

/// What is left of a specification.
struct Rest<'a>(std::str::Chars<'a>);

impl Rest<'_> {
    fn take(&mut self, fits: impl Fn(char) -> bool) -> Option<char> {
        let next = self.0.clone().next().filter(|c| fits(*c));
        if next.is_some() {
            self.0.next();
        }
        next
    }

    /// Digits, if there are any; none if the number is too large.
    fn number(&mut self) -> Option<Option<usize>> {
        let text = self.0.as_str();
        let digits = &text[..text.bytes().take_while(u8::is_ascii_digit).count()];
        self.0 = text[digits.len()..].chars();
        if digits.is_empty() { Some(None) } else { digits.parse().ok().filter(|n| *n <= WIDEST).map(Some) }
    }
}

fn parse(spec: &str) -> Option<Spec> {
    let mut out = Spec::default();
    let mut rest = Rest(spec.chars());
    let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
    let mut ahead = spec.chars();
    if let (Some(fill), Some(align)) = (ahead.next(), ahead.next().filter(|c| is_align(*c))) {
        (out.fill, out.align, rest) = (Some(fill), Some(align), Rest(ahead));
    } else {
        out.align = rest.take(is_align);
    }
    out.sign = rest.take(|c| matches!(c, '+' | '-' | ' '));
    out.alternate = rest.take(|c| c == '#').is_some();
    out.zero = rest.take(|c| c == '0').is_some();
    out.width = rest.number()?.unwrap_or(0);
    out.comma = rest.take(|c| c == ',').is_some();
    if rest.take(|c| c == '.').is_some() {
        out.precision = Some(rest.number()??);
    }
    out.kind = rest.take(|c| c.is_ascii_alphabetic() || c == '%');
    rest.0.as_str().is_empty().then_some(out)
}

/// `format(value, spec)`; none where Python raises.
pub(super) fn apply(value: &Value, spec: &str) -> Option<String> {
    if spec.is_empty() {
        return Some(python_str(value));
    }
    let spec = parse(spec)?;
    let (sign, body, numeric) = match value {
        Value::Str(text) => {
            let fits = matches!(spec.kind, None | Some('s'))
                && spec.sign.is_none()
                && !spec.alternate
                && !spec.comma
                && spec.align != Some('=');
            if !fits {
                return None;
            }
            (String::new(), text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect(), false)
        }
        Value::Bool(b) => number(&Value::Int(i128::from(*b)), &spec)?,
        Value::Int(_) | Value::Float(_) => number(value, &spec)?,
        // Python's other types take no specification.
        _ => return None,
    };
    Some(pad(&sign, &body, numeric, &spec))
}

fn pad(sign: &str, body: &str, numeric: bool, spec: &Spec) -> String {
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    let align = spec.align.unwrap_or(match (numeric, spec.zero) {
        (true, true) => '=',
        (true, false) => '>',
        (false, _) => '<',
    });
    let missing = spec.width.saturating_sub(len(sign) + len(body));
    let fill = |n: usize| fill.to_string().repeat(n);
    match align {
        '<' => format!("{sign}{body}{}", fill(missing)),
        '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{sign}{}{body}", fill(missing)),
        _ => format!("{}{sign}{body}", fill(missing)),
    }
}

/// Sign and digits.
fn number(value: &Value, spec: &Spec) -> Option<(String, String, bool)> {
    if spec.alternate || (spec.comma && spec.zero) {
        return None;
    }
    let (negative, mut digits) = match (value, spec.kind) {
        (Value::Int(n), None | Some('d' | 'b' | 'o' | 'x' | 'X')) => {
            if spec.precision.is_some() {
                return None;
            }
            let size = n.unsigned_abs();
            let digits = match spec.kind {
                Some('b') => format!("{size:b}"),
                Some('o') => format!("{size:o}"),
                Some('x') => format!("{size:x}"),
                Some('X') => format!("{size:X}"),
                _ => size.to_string(),
            };
            (*n < 0, digits)
        }
        _ => {
            let x = value.as_float()?;
            (x.is_sign_negative() && !x.is_nan(), double(x.abs(), spec)?)
        }
    };
    if spec.comma {
        digits = grouped(&digits);
    }
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    Some((sign.to_owned(), digits, true))
}

fn double(x: f64, spec: &Spec) -> Option<String> {
    if !x.is_finite() {
        let text = python_float(x);
        return Some(match spec.kind {
            Some('F' | 'E' | 'G') => text.to_uppercase(),
            Some('%') => format!("{text}%"),
            _ => text,
        });
    }
    let precision = spec.precision.unwrap_or(6);
    Some(match spec.kind {
        None if spec.precision.is_none() => python_float(x),
        None => general(x, precision, true),
        Some('f' | 'F') => format!("{x:.precision$}"),
        Some('%') => format!("{:.precision$}%", x * 100.0),
        Some('e') => exponent(&format!("{x:.precision$e}")),
        Some('E') => exponent(&format!("{x:.precision$e}")).to_uppercase(),
        Some('g') => general(x, precision, false),
        Some('G') => general(x, precision, false).to_uppercase(),
        _ => return None,
    })
}

/// Exponents have a sign and two digits at least.
fn exponent(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: so many digits that count, without zeros at the end; or with a point in any case.
fn general(x: f64, precision: usize, point: bool) -> String {
    let precision = precision.max(1);
    let scientific = format!("{x:.*e}", precision - 1);
    let power: i64 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let most = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(point);
    if power < -4 || power >= most {
        let (mantissa, e) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{e}", trim(mantissa)));
    }
    let places = usize::try_from(i64::try_from(precision).unwrap_or(i64::MAX) - 1 - power).unwrap_or(0);
    let text = trim(&format!("{x:.places$}"));
    if point && !text.contains('.') { format!("{text}.0") } else { text }
}

/// A comma after every three digits before the point.
fn grouped(digits: &str) -> String {
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits[..end].chars().enumerate() {
        if i > 0 && (end - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(strip(&digits[end..]));
    out
}
