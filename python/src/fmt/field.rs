//! `str.format`: fields, their attributes and items, conversions, nested specs.

use super::format;
use crate::attr::getattr;
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::repr;
use crate::seq::getitem;
use crate::uni;

/// What the first part of a field may be looked up in.
pub(crate) struct Lookup<'a> {
    /// The values of `{}` and `{0}`; `None` where there are none, as in `format_map`.
    pub(crate) positional: Option<&'a [Obj]>,
    /// The value of `{name}`.
    pub(crate) named: &'a dyn Fn(&str) -> R,
}

/// Whether fields are numbered by themselves or by hand.
#[derive(Clone, Copy, PartialEq)]
enum Numbering {
    Open,
    Automatic(usize),
    Manual,
}

/// `text.format(...)`.
///
/// # Errors
/// `ValueError` for wrong formats, and what looking up and formatting raises.
pub(crate) fn format_text(text: &str, lookup: &Lookup<'_>) -> R<String> {
    render(text, lookup, &mut Numbering::Open, 2)
}

fn render(text: &str, lookup: &Lookup<'_>, numbering: &mut Numbering, depth: usize) -> R<String> {
    if depth == 0 {
        return Err(PyErr::value("Max string recursion exceeded"));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let before = out.len();
        out.push_str(&rest[..at]);
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        if rest.starts_with(mark) {
            out.push_str(mark);
            rest = &rest[1..];
            continue;
        }
        if mark == "}" || rest.is_empty() {
            return Err(PyErr::value(format!("Single '{mark}' encountered in format string")));
        }
        let (field, after) = split_field(rest)?;
        rest = after;
        out.push_str(&render_field(&field, lookup, numbering, depth)?);
        limit::grown(before, out.len())?;
    }
    out.push_str(rest);
    Ok(out)
}

pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) conversion: Option<char>,
    pub(super) spec: &'a str,
}

/// The field at the start of `text`, which follows a `{`, and what is behind its `}`.
pub(super) fn split_field(text: &str) -> R<(Field<'_>, &str)> {
    let mut bracket = false;
    let mut end = None;
    for (at, c) in text.char_indices() {
        match c {
            '{' if !bracket => return Err(PyErr::value("unexpected '{' in field name")),
            '[' => bracket = true,
            ']' => bracket = false,
            '}' | ':' | '!' if !bracket => {
                end = Some((at, c));
                break;
            }
            _ => {}
        }
    }
    let Some((at, mark)) = end else {
        return Err(PyErr::value("expected '}' before end of string"));
    };
    let name = &text[..at];
    let mut rest = &text[at + 1..];
    let mut conversion = None;
    match mark {
        '}' => return Ok((Field { name, conversion, spec: "" }, rest)),
        '!' => {
            let mut chars = rest.chars();
            let Some(c) = chars.next() else {
                return Err(PyErr::value("end of string while looking for conversion specifier"));
            };
            conversion = Some(c);
            rest = chars.as_str();
            match chars.next() {
                Some(':') => rest = chars.as_str(),
                Some('}') => return Ok((Field { name, conversion, spec: "" }, chars.as_str())),
                Some(_) => return Err(PyErr::value("expected ':' after conversion specifier")),
                None => {}
            }
            if rest.is_empty() && !text.ends_with(':') {
                return Err(PyErr::value("unmatched '{' in format spec"));
            }
        }
        _ => {}
    }
    let mut open = 1;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((Field { name, conversion, spec: &rest[..at] }, &rest[at + 1..]));
        }
    }
    Err(PyErr::value("unmatched '{' in format spec"))
}

fn render_field(
    field: &Field<'_>,
    lookup: &Lookup<'_>,
    numbering: &mut Numbering,
    depth: usize,
) -> R<String> {
    let mut value = named(field.name, lookup, numbering)?;
    match field.conversion {
        None => {}
        Some(c @ ('r' | 's' | 'a')) => value = convert(&value, c)?,
        Some(c @ '!'..='~') => return Err(PyErr::value(format!("Unknown conversion specifier {c}"))),
        Some(c) => {
            return Err(PyErr::value(format!("Unknown conversion specifier \\x{:x}", u32::from(c))));
        }
    }
    if field.spec.contains(['{', '}']) {
        let spec = render(field.spec, lookup, numbering, depth - 1)?;
        return format(&value, &spec);
    }
    format(&value, field.spec)
}

/// `!r`, `!s` and `!a`.
pub(super) fn convert(value: &Obj, conversion: char) -> R {
    match conversion {
        'r' => Ok(repr::repr(value)?.into()),
        'a' => Ok(repr::ascii(value)?.into()),
        _ => repr::to_str(value),
    }
}

/// What follows the first part of a field's name: attributes, and items in brackets.
pub(super) fn follow(
    mut value: Obj,
    mut rest: &str,
    attribute: impl Fn(&Obj, &str) -> R,
    item: impl Fn(&Obj, &Obj) -> R,
) -> R {
    while !rest.is_empty() {
        let empty = || PyErr::value("Empty attribute in format string");
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return Err(empty());
            }
            value = attribute(&value, &after[..end])?;
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').ok_or_else(|| PyErr::value("Missing ']' in format string"))?;
            if end == 0 {
                return Err(empty());
            }
            let key = match number(&after[..end])? {
                Some(n) => Obj::from(n),
                None => Obj::str(&after[..end]),
            };
            value = item(&value, &key)?;
            rest = &after[end + 1..];
        } else {
            return Err(PyErr::value("Only '.' or '[' may follow ']' in format field specifier"));
        }
    }
    Ok(value)
}

/// The number that a name is, if it is one.
pub(super) fn number(text: &str) -> R<Option<usize>> {
    if text.is_empty() || !text.chars().all(uni::is_decimal) {
        return Ok(None);
    }
    // Digits of any script will do.
    match text.chars().map(uni::to_ascii_digit).collect::<String>().parse::<i64>() {
        Ok(n) => Ok(Some(n as usize)),
        Err(_) => Err(PyErr::value("Too many decimal digits in format string")),
    }
}

fn named(name: &str, lookup: &Lookup<'_>, numbering: &mut Numbering) -> R {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, rest) = name.split_at(end);
    let mut at = number(first)?;
    let automatic = first.is_empty();
    if automatic || at.is_some() {
        match (*numbering, automatic) {
            (Numbering::Automatic(_), false) => {
                return Err(PyErr::value(
                    "cannot switch from automatic field numbering to manual field specification",
                ));
            }
            (Numbering::Manual, true) => {
                return Err(PyErr::value(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            (Numbering::Automatic(n), true) => {
                at = Some(n);
                *numbering = Numbering::Automatic(n + 1);
            }
            (Numbering::Open, true) => {
                at = Some(0);
                *numbering = Numbering::Automatic(1);
            }
            (_, false) => *numbering = Numbering::Manual,
        }
    }
    let value = match (at, lookup.positional) {
        (Some(_), None) => {
            return Err(PyErr::value("Format string contains positional fields"));
        }
        (Some(at), Some(values)) => values.get(at).cloned().ok_or_else(|| {
            let text = format!("Replacement index {at} out of range for positional args tuple");
            PyErr::new(Kind::IndexError, text)
        })?,
        (None, _) => (lookup.named)(first)?,
    };
    follow(value, rest, getattr, getitem)
}
