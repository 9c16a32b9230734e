//! `tojson`: `json.dumps` with sorted keys, made safe for HTML.

use super::args::sorted_by;
use crate::env::State;
use crate::markup::Markup;
use brine_python::{Args, Obj, Op, PyErr, R, Signature, binary, call_method, need_bytes, take_steps};
use std::fmt::Write;

/// Deeper than this, Python's own recursion ends.
const DEEP: usize = 300;

pub(super) fn tojson(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_tojson", 1, &["eval_ctx", "value", "indent"], 2);
    let args = S.bind(args)?;
    let mut writer = Writer { out: String::new(), indent: None, open: Vec::new() };
    // Text alone is written before the indent is looked at.
    if let Some(indent) = args.some(1).filter(|_| args.at(0).as_str().is_none()) {
        let indent = match indent.as_str() {
            Some(indent) => indent.to_owned(),
            None => brine_python::str(&binary(Op::Mul, &" ".into(), indent)?)?,
        };
        writer.indent = Some(indent);
    }
    writer.value(args.at(0))?;
    let mut safe = String::with_capacity(writer.out.len());
    for c in writer.out.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\'' => safe.push_str("\\u0027"),
            c => safe.push(c),
        }
    }
    Ok(Markup::new(safe))
}

struct Writer {
    out: String,
    /// What one level is indented by; without it all is on one line.
    indent: Option<String>,
    /// The containers that are being written.
    open: Vec<usize>,
}

impl Writer {
    fn value(&mut self, value: &Obj) -> R<()> {
        take_steps(1)?;
        let before = self.out.len();
        match value {
            Obj::None => self.out.push_str("null"),
            Obj::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Obj::Int(_) | Obj::Big(_) => self.out.push_str(&brine_python::repr(value)?),
            Obj::Float(x) => self.out.push_str(&number(*x)),
            Obj::List(_) | Obj::Tuple(_) => {
                let items = value.sequence().unwrap_or_default();
                self.container(value, "[", "]", items, |writer, item| writer.value(item))?;
            }
            Obj::Dict(_) => {
                let items = call_method(value, "items", &Args::default())?;
                let pairs = sorted_by(&items, |pair| Ok(pair.clone()), None)?;
                self.container(value, "{", "}", pairs, |writer, pair| {
                    let (key, value) = super::args::unpack2(pair)?;
                    writer.key(&key)?;
                    writer.out.push_str(": ");
                    writer.value(&value)
                })?;
            }
            other => match other.as_str() {
                Some(text) => self.text(text),
                None => {
                    return Err(PyErr::ty(format!(
                        "Object of type {} is not JSON serializable",
                        class(other)
                    )));
                }
            },
        }
        need_bytes(self.out.len() - before)
    }

    fn container(
        &mut self,
        of: &Obj,
        open: &str,
        close: &str,
        items: Vec<Obj>,
        each: impl Fn(&mut Self, &Obj) -> R<()>,
    ) -> R<()> {
        self.out.push_str(open);
        if items.is_empty() {
            self.out.push_str(close);
            return Ok(());
        }
        if self.open.contains(&of.address()) {
            return Err(PyErr::value("Circular reference detected"));
        }
        if self.open.len() >= DEEP {
            return Err(PyErr::recursion(" while encoding a JSON object"));
        }
        self.open.push(of.address());
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push_str(if self.indent.is_some() { "," } else { ", " });
            }
            self.new_line()?;
            each(self, item)?;
        }
        self.open.pop();
        self.new_line()?;
        self.out.push_str(close);
        Ok(())
    }

    fn new_line(&mut self) -> R<()> {
        if let Some(indent) = &self.indent {
            need_bytes(indent.len().saturating_mul(self.open.len()))?;
            self.out.push('\n');
            for _ in &self.open {
                self.out.push_str(indent);
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &Obj) -> R<()> {
        let text = match key {
            Obj::None => "null".into(),
            Obj::Bool(b) => if *b { "true" } else { "false" }.into(),
            Obj::Int(_) | Obj::Big(_) => brine_python::repr(key)?,
            Obj::Float(x) => number(*x),
            _ => match key.as_str() {
                Some(text) => text.to_owned(),
                None => {
                    return Err(PyErr::ty(format!(
                        "keys must be str, int, float, bool or None, not {}",
                        class(key)
                    )));
                }
            },
        };
        self.text(&text);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                ' '..='~' => self.out.push(c),
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
            }
        }
        self.out.push('"');
    }
}

fn number(x: f64) -> String {
    if x.is_nan() {
        "NaN".into()
    } else if x.is_infinite() {
        if x > 0.0 { "Infinity" } else { "-Infinity" }.into()
    } else {
        brine_python::float_repr(x)
    }
}

/// `type(x).__name__`, without a module also for dates.
fn class(obj: &Obj) -> &str {
    crate::env::short_type(obj)
}
