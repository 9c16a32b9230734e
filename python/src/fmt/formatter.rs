//! Python's `string.Formatter`: fields as in `str.format`, with lookups and formats of the caller's own, and its own words.

use super::field::{convert, follow, number, split_field};
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::seq;
use crate::uni;

/// What a formatter does in its own way.
pub trait Formatter {
    /// `value.name` in a field.
    ///
    /// # Errors
    /// Python's.
    fn attribute(&self, value: &Obj, name: &str) -> R {
        crate::attr::getattr(value, name)
    }

    /// `value[key]` in a field.
    ///
    /// # Errors
    /// Python's.
    fn item(&self, value: &Obj, key: &Obj) -> R {
        seq::getitem(value, key)
    }

    /// `format(value, spec)`.
    ///
    /// # Errors
    /// Python's.
    fn format(&self, value: &Obj, spec: &str) -> R<String> {
        super::format(value, spec)
    }
}

/// The number of the next field that has none; `None` once fields are numbered by hand.
type Next = Option<usize>;

/// `formatter.vformat(text, args, kwargs)`, where `kwargs` is any mapping.
///
/// # Errors
/// `ValueError` for wrong formats, and what looking up and formatting raises.
pub fn vformat(formatter: &dyn Formatter, text: &str, args: &[Obj], kwargs: &Obj) -> R<String> {
    Run { formatter, args, kwargs }.format(text, 3, &mut Some(0))
}

struct Run<'a> {
    formatter: &'a dyn Formatter,
    args: &'a [Obj],
    kwargs: &'a Obj,
}

impl Run<'_> {
    fn format(&self, text: &str, depth: usize, next: &mut Next) -> R<String> {
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
            let mut value = self.named(field.name, next)?;
            match field.conversion {
                None => {}
                Some(c @ ('r' | 's' | 'a')) => value = convert(&value, c)?,
                Some(c) => return Err(PyErr::value(format!("Unknown conversion specifier {c}"))),
            }
            let spec = self.format(field.spec, depth - 1, next)?;
            out.push_str(&self.formatter.format(&value, &spec)?);
            limit::grown(before, out.len())?;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn named(&self, name: &str, next: &mut Next) -> R {
        let switch = "cannot switch from manual field specification to automatic field numbering";
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, rest) = name.split_at(end);
        let mut at = None;
        if name.is_empty() {
            let Some(n) = *next else { return Err(PyErr::value(switch)) };
            at = Some(n);
            *next = Some(n + 1);
        } else if name.chars().all(uni::is_digit) {
            if next.is_some_and(|n| n > 0) {
                return Err(PyErr::value(switch));
            }
            *next = None;
        }
        if at.is_none() {
            at = number(first)?;
        }
        let value = match at {
            Some(at) => self
                .args
                .get(at)
                .cloned()
                .ok_or_else(|| PyErr::new(Kind::IndexError, "tuple index out of range"))?,
            None => seq::getitem(self.kwargs, &Obj::str(first))?,
        };
        follow(value, rest, |v, name| self.formatter.attribute(v, name), |v, key| self.formatter.item(v, key))
    }
}
