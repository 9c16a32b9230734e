//! `json`: Python's `json.dumps` with text left as it is (`ensure_ascii=False`).

use super::python::sorted;
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::{python_float, python_repr};
use brine_protocol::Value;
use std::fmt::Write as _;

/// Four columns unless `output_indent` says otherwise: text stands for itself, negative or null puts all on a line;
/// `pretty` sorts as well.
pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let blanks = |n: i128| usize::try_from(n).ok().map(|n| " ".repeat(n));
    let (indent, sort) = match &style.indent {
        None => (blanks(4), false),
        Some(Value::Nil) => (None, false),
        Some(Value::Int(n)) => (blanks(*n), false),
        Some(Value::Bool(b)) => (blanks(i128::from(*b)), false),
        Some(Value::Str(s)) if s == "pretty" => (blanks(4), true),
        Some(Value::Str(s)) => (Some(s.clone()), false),
        // Python cannot indent by these, nor write anything then.
        Some(_) => return Ok("{}".into()),
    };
    let mut out = String::new();
    let mut writer = Writer { out: &mut out, indent, sort };
    Ok(match writer.value(data, 0) {
        Ok(()) => out,
        // What cannot be written becomes an empty map.
        Err(Unserializable) => "{}".into(),
    })
}

/// `json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort)`, for callers that need JSON text; none if a
/// key is no scalar, or keys cannot be compared.
pub fn dumps(value: &Value, indent: Option<usize>, sort: bool) -> Option<String> {
    let mut out = String::new();
    let indent = indent.map(|n| " ".repeat(n));
    Writer { out: &mut out, indent, sort }.value(value, 0).ok().map(|()| out)
}

struct Writer<'a> {
    out: &'a mut String,
    /// What stands before a line for each level; none puts all on one line.
    indent: Option<String>,
    sort: bool,
}

struct Unserializable;

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) -> Result<(), Unserializable> {
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(i) => self.out.push_str(&i.to_string()),
            Value::Float(x) => self.out.push_str(&float(*x)),
            Value::Str(s) => self.text(s),
            Value::Bytes(_) | Value::DateTime(_) => self.text(&python_repr(value)),
            Value::List(items) if items.is_empty() => self.out.push_str("[]"),
            Value::List(items) => {
                self.out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(i, level + 1);
                    self.value(item, level + 1)?;
                }
                self.close(']', level);
            }
            Value::Map(map) if map.is_empty() => self.out.push_str("{}"),
            Value::Map(map) => {
                self.out.push('{');
                let entries: Vec<_> =
                    if self.sort { sorted(map).ok_or(Unserializable)? } else { map.iter().collect() };
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    self.separate(i, level + 1);
                    match key {
                        Value::Str(s) => self.text(s),
                        Value::Nil => self.out.push_str("\"null\""),
                        Value::Bool(b) => {
                            let _infallible = write!(self.out, "\"{b}\"");
                        }
                        Value::Int(i) => {
                            let _infallible = write!(self.out, "\"{i}\"");
                        }
                        Value::Float(x) => {
                            let _infallible = write!(self.out, "\"{}\"", float(*x));
                        }
                        _ => return Err(Unserializable),
                    }
                    self.out.push_str(": ");
                    self.value(value, level + 1)?;
                }
                self.close('}', level);
            }
        }
        Ok(())
    }

    fn separate(&mut self, i: usize, level: usize) {
        if i > 0 {
            self.out.push_str(if self.indent.is_some() { "," } else { ", " });
        }
        self.line(level);
    }

    fn line(&mut self, level: usize) {
        if let Some(indent) = &self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(indent.as_str(), level));
        }
    }

    fn close(&mut self, c: char, level: usize) {
        self.line(level);
        self.out.push(c);
    }

    fn text(&mut self, s: &str) {
        self.out.push('"');
        for c in s.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                c if (c as u32) < 0x20 => {
                    let _infallible = write!(self.out, "\\u{:04x}", c as u32);
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

fn float(x: f64) -> String {
    if x.is_nan() {
        "NaN".into()
    } else if x.is_infinite() {
        if x > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        python_float(x)
    }
}
