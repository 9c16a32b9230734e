//! `json.dumps`.

use brine_python::{Obj, PyErr, R, float_repr, need_bytes};
use std::collections::HashSet;
use std::fmt::Write as _;

/// How deep what is written may nest, as values do elsewhere; Python goes to some 990.
const DEEP: usize = 300;

/// What is written in the place of a value that JSON has not: `json.dumps(default=...)`.
pub type Default<'a> = &'a dyn Fn(&Obj) -> R;

/// The keyword arguments of `json.dumps`.
#[derive(Clone)]
pub struct Options<'a> {
    /// Text beyond ASCII is escaped.
    pub ensure_ascii: bool,
    /// What each level is indented by; none puts all in one line.
    pub indent: Option<String>,
    /// Keys in order.
    pub sort_keys: bool,
    /// Between items and after keys; none is `", "`, or `","` where there is an indentation, and `": "`.
    pub separators: Option<(String, String)>,
    /// Keys that cannot be are left out.
    pub skipkeys: bool,
    /// NaN and infinities may be.
    pub allow_nan: bool,
    /// What is written in the place of a value that JSON has not.
    pub default: Option<Default<'a>>,
}

impl std::default::Default for Options<'_> {
    /// Python's.
    fn default() -> Self {
        Self {
            ensure_ascii: true,
            indent: None,
            sort_keys: false,
            separators: None,
            skipkeys: false,
            allow_nan: true,
            default: None,
        }
    }
}

impl Options<'_> {
    /// What `salt.utils.json.dumps` begins with: text as it is.
    pub fn salt() -> Self {
        Self { ensure_ascii: false, ..Self::default() }
    }
}

/// A value as JSON.
///
/// # Errors
/// `TypeError` for what is no JSON and for keys that cannot be sorted, `ValueError` for what holds itself, `RecursionError`, `Limit`.
pub fn dumps(value: &Obj, options: &Options<'_>) -> R<String> {
    let (items, keys) = match &options.separators {
        Some((items, keys)) => (items.as_str(), keys.as_str()),
        None => (if options.indent.is_some() { "," } else { ", " }, ": "),
    };
    let mut writer =
        Writer { out: String::new(), options, items, keys, open: HashSet::new(), level: 0, counted: 0 };
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer<'o, 'd> {
    out: String,
    options: &'o Options<'d>,
    items: &'o str,
    keys: &'o str,
    /// Addresses of the collections that are being written.
    open: HashSet<usize>,
    level: usize,
    /// How much of the output is accounted for.
    counted: usize,
}

impl Writer<'_, '_> {
    fn value(&mut self, value: &Obj) -> R<()> {
        match value {
            Obj::None => self.out.push_str("null"),
            Obj::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Obj::Int(i) => {
                let _infallible = write!(self.out, "{i}");
            }
            Obj::Big(_) => self.out.push_str(&brine_python::str(value)?),
            Obj::Float(x) => {
                let text = self.float(*x)?;
                self.out.push_str(&text);
            }
            Obj::Str(text) => self.text(text),
            Obj::List(_) | Obj::Tuple(_) => self.list(value)?,
            Obj::Dict(dict) => {
                let pairs = dict.pairs();
                self.dict(value, pairs)?;
            }
            Obj::Other(o) => match (o.as_str(), o.pairs()?) {
                (Some(text), _) => self.text(text),
                (None, Some(pairs)) => self.dict(value, pairs)?,
                (None, None) => self.other(value)?,
            },
            _ => self.other(value)?,
        }
        self.count()
    }

    /// Asks for the room that the output has taken.
    fn count(&mut self) -> R<()> {
        if self.out.len() - self.counted > 4096 {
            need_bytes(self.out.len() - self.counted)?;
            self.counted = self.out.len();
        }
        Ok(())
    }

    fn other(&mut self, value: &Obj) -> R<()> {
        let Some(default) = self.options.default else {
            return Err(PyErr::ty(format!("Object of type {} is not JSON serializable", class(value))));
        };
        let replaced = default(value)?;
        self.enter(value, "object")?;
        self.value(&replaced)?;
        self.leave(value);
        Ok(())
    }

    /// Begins a value that may hold itself.
    fn enter(&mut self, value: &Obj, what: &str) -> R<()> {
        let address = value.address();
        if address != 0 && !self.open.insert(address) {
            return Err(PyErr::value("Circular reference detected"));
        }
        self.level += 1;
        if self.level > DEEP {
            let doing = if what == "list" { " while encoding a JSON object" } else { " in comparison" };
            let doing = if self.options.indent.is_some() { doing } else { " while encoding a JSON object" };
            return Err(PyErr::recursion(doing));
        }
        Ok(())
    }

    fn leave(&mut self, value: &Obj) {
        self.level -= 1;
        self.open.remove(&value.address());
    }

    fn list(&mut self, value: &Obj) -> R<()> {
        let items = value.sequence().unwrap_or_default();
        if items.is_empty() {
            self.out.push_str("[]");
            return Ok(());
        }
        self.enter(value, "list")?;
        self.out.push('[');
        self.line();
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(self.items);
                self.line();
            }
            self.value(item)?;
        }
        self.leave(value);
        self.line();
        self.out.push(']');
        Ok(())
    }

    fn dict(&mut self, value: &Obj, mut pairs: Vec<(Obj, Obj)>) -> R<()> {
        if pairs.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        self.enter(value, "dict")?;
        if self.options.sort_keys {
            sort_pairs(&mut pairs)?;
        }
        self.out.push('{');
        self.line();
        let mut first = true;
        for (key, member) in &pairs {
            let Some(key) = self.key(key)? else { continue };
            if !first {
                self.out.push_str(self.items);
                self.line();
            }
            first = false;
            self.text(&key);
            self.out.push_str(self.keys);
            self.value(member)?;
        }
        self.leave(value);
        self.line();
        self.out.push('}');
        Ok(())
    }

    /// A key's text; none for one to leave out.
    fn key(&self, key: &Obj) -> R<Option<String>> {
        Ok(Some(match key {
            Obj::None => "null".into(),
            Obj::Bool(b) => if *b { "true" } else { "false" }.into(),
            Obj::Int(_) | Obj::Big(_) => brine_python::str(key)?,
            Obj::Float(x) => self.float(*x)?,
            _ => match key.as_str() {
                Some(text) => text.to_owned(),
                None if self.options.skipkeys => return Ok(None),
                None => {
                    // The two encoders of Python name it differently.
                    let class = if self.options.indent.is_some() { class(key) } else { key.type_name() };
                    return Err(PyErr::ty(format!(
                        "keys must be str, int, float, bool or None, not {class}"
                    )));
                }
            },
        }))
    }

    fn line(&mut self) {
        if let Some(indent) = &self.options.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(indent.as_str(), self.level));
        }
    }

    fn float(&self, x: f64) -> R<String> {
        if x.is_finite() {
            return Ok(float_repr(x));
        }
        if !self.options.allow_nan {
            let shown =
                if self.options.indent.is_some() { format!(": {}", float_repr(x)) } else { String::new() };
            return Err(PyErr::value(format!("Out of range float values are not JSON compliant{shown}")));
        }
        Ok(if x.is_nan() {
            "NaN"
        } else if x > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into())
    }

    fn text(&mut self, text: &str) {
        text_into(&mut self.out, text, self.options.ensure_ascii);
    }
}

/// A quoted text.
fn text_into(out: &mut String, text: &str, ascii: bool) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let plain = match c {
            '"' | '\\' => false,
            ' '..='~' => true,
            c => !ascii && c >= '\x7f',
        };
        if plain {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _infallible = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// Python's `x.__class__.__name__`.
fn class(obj: &Obj) -> &str {
    let name = obj.type_name();
    name.rsplit('.').next().unwrap_or(name)
}

/// Pairs in Python's order of their keys.
///
/// # Errors
/// `TypeError` for keys that cannot be compared.
pub(crate) fn sort_pairs(pairs: &mut Vec<(Obj, Obj)>) -> R<()> {
    if pairs.iter().all(|(key, _)| matches!(key, Obj::Str(_))) {
        pairs.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
        return Ok(());
    }
    let tuples = pairs.iter().map(|(key, value)| Obj::tuple(vec![key.clone(), value.clone()])).collect();
    let sorted = brine_python::sorted(&Obj::list(tuples), None, false)?;
    let pair = |item: &Obj| match item {
        Obj::Tuple(pair) => Some((pair.first()?.clone(), pair.get(1)?.clone())),
        _ => None,
    };
    *pairs = sorted.iter().filter_map(pair).collect();
    Ok(())
}
