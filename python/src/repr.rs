//! `repr(x)` and `str(x)`.

use crate::depth;
use crate::dict::Dict;
use crate::error::R;
use crate::float;
use crate::int;
use crate::limit;
use crate::obj::Obj;
use crate::uni;
use std::cell::RefCell;
use std::fmt::Write;

thread_local! {
    /// The containers that are being written, so that one inside of itself is `[...]`.
    static OPEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

struct Open;

impl Open {
    fn new(address: usize) -> Option<Self> {
        OPEN.with(|open| {
            let mut open = open.borrow_mut();
            if open.contains(&address) {
                return None;
            }
            open.push(address);
            Some(Self)
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.with(|open| open.borrow_mut().pop());
    }
}

/// `str(x)`.
///
/// # Errors
/// `RecursionError`, `ValueError` for numbers of over 4300 digits, `Limit`, and what an added type raises.
pub fn str(obj: &Obj) -> R<String> {
    match obj {
        Obj::Str(s) => {
            limit::bytes(s.len())?;
            Ok(s.to_string())
        }
        Obj::Date(d) => Ok(d.to_string()),
        Obj::Time(t) => Ok(t.to_string()),
        Obj::DateTime(d) => Ok(d.iso(' ')),
        Obj::Delta(d) => Ok(d.to_string()),
        Obj::Zone(z) => Ok(z.name()),
        Obj::Other(o) => match (o.str()?, o.as_str()) {
            (Some(text), _) => Ok(text),
            (None, Some(text)) => Ok(text.into()),
            (None, None) => repr(obj),
        },
        _ => repr(obj),
    }
}

/// `str(x)` as a value; text is shared, not copied.
///
/// # Errors
/// As [`str`].
pub fn to_str(obj: &Obj) -> R {
    match obj {
        Obj::Str(_) => Ok(obj.clone()),
        _ => Ok(str(obj)?.into()),
    }
}

/// `repr(x)`.
///
/// # Errors
/// As [`str`].
pub fn repr(obj: &Obj) -> R<String> {
    limit::within(|| {
        let mut out = String::new();
        write(&mut out, obj)?;
        Ok(out)
    })
}

fn write(out: &mut String, obj: &Obj) -> R<()> {
    let before = out.len();
    let _level = depth::enter(" while getting the repr of an object")?;
    match obj {
        Obj::None => out.push_str("None"),
        Obj::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Obj::Int(i) => _ = write!(out, "{i}"),
        Obj::Big(n) => out.push_str(&int::to_text(n)?),
        Obj::Float(x) => out.push_str(&float::repr(*x)),
        Obj::Str(s) => quote(out, s),
        Obj::Bytes(b) => quote_bytes(out, b),
        Obj::List(list) => match Open::new(obj.address()) {
            Some(_open) => {
                out.push('[');
                joined(out, list.len(), |i| list.get(i))?;
                out.push(']');
            }
            None => out.push_str("[...]"),
        },
        Obj::Tuple(tuple) => match Open::new(obj.address()) {
            Some(_open) => {
                let fields = tuple.fields().filter(|fields| fields.shown);
                if let Some(fields) = fields {
                    out.push_str(fields.name);
                }
                out.push('(');
                match fields {
                    Some(fields) => named(out, fields.names, tuple)?,
                    None => joined(out, tuple.len(), |i| tuple.get(i).cloned())?,
                }
                out.push_str(if tuple.len() == 1 { ",)" } else { ")" });
            }
            None => out.push_str("(...)"),
        },
        Obj::Dict(dict) => match Open::new(obj.address()) {
            Some(_open) => write_dict(out, dict)?,
            None if dict.is_ordered() => out.push_str("..."),
            None => out.push_str("{...}"),
        },
        Obj::View(view) => match Open::new(obj.address()) {
            Some(_open) => {
                out.push_str(view.type_name());
                out.push_str("([");
                joined(out, view.dict.len(), |i| view.at(i))?;
                out.push_str("])");
            }
            None => out.push_str("..."),
        },
        Obj::Set(set) => {
            let members = set.to_vec();
            match (set.frozen(), members.is_empty()) {
                (_, true) => _ = write!(out, "{}()", set.type_name()),
                (frozen, false) => {
                    out.push_str(if frozen { "frozenset({" } else { "{" });
                    joined(out, members.len(), |i| members.get(i).cloned())?;
                    out.push_str(if frozen { "})" } else { "}" });
                }
            }
        }
        Obj::Range(range) => out.push_str(&range.repr()),
        Obj::Iter(iter) => out.push_str(&iter.repr()),
        Obj::Date(d) => out.push_str(&d.repr()),
        Obj::Time(t) => out.push_str(&t.repr()),
        Obj::DateTime(d) => out.push_str(&d.repr()),
        Obj::Delta(d) => out.push_str(&d.repr()),
        Obj::Zone(z) => out.push_str(&z.repr()),
        Obj::Other(o) => match (o.repr()?, o.as_str()) {
            (Some(text), _) => out.push_str(&text),
            (None, Some(text)) => quote(out, text),
            (None, None) => {
                let module = match o.module() {
                    "builtins" => String::new(),
                    module => format!("{module}."),
                };
                _ = write!(out, "<{module}{} object at {:#x}>", o.type_name(), obj.address());
            }
        },
    }
    limit::grown(before, out.len())
}

/// Members with their names.
fn named(out: &mut String, names: &[&str], members: &[Obj]) -> R<()> {
    for (at, (name, member)) in names.iter().zip(members).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        write(out, member)?;
    }
    Ok(())
}

fn joined(out: &mut String, len: usize, at: impl Fn(usize) -> Option<Obj>) -> R<()> {
    for i in 0..len {
        let Some(item) = at(i) else { break };
        if i > 0 {
            out.push_str(", ");
        }
        write(out, &item)?;
    }
    Ok(())
}

fn write_dict(out: &mut String, dict: &Dict) -> R<()> {
    let ordered = dict.is_ordered();
    if ordered && dict.is_empty() {
        out.push_str("OrderedDict()");
        return Ok(());
    }
    let (open, between, close) = match ordered {
        true => ("OrderedDict([", ", ", "])"),
        false => ("{", ": ", "}"),
    };
    out.push_str(open);
    for i in 0..dict.len() {
        let pair = dict.borrow().get_index(i).map(|(k, v)| (k.obj().clone(), v.clone()));
        let Some((key, value)) = pair else { break };
        if i > 0 {
            out.push_str(", ");
        }
        if ordered {
            out.push('(');
        }
        write(out, &key)?;
        out.push_str(between);
        write(out, &value)?;
        if ordered {
            out.push(')');
        }
    }
    out.push_str(close);
    Ok(())
}

/// The quote that `repr` takes: `"` only for text with `'` and without `"`.
fn quote_of(single: bool, double: bool) -> char {
    if single && !double { '"' } else { '\'' }
}

/// `repr` of text.
pub(crate) fn quote(out: &mut String, text: &str) {
    let mark = quote_of(text.contains('\''), text.contains('"'));
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if uni::is_printable(c) => out.push(c),
            c => escape(out, c),
        }
    }
    out.push(mark);
}

/// `\x7f`, `\u200b`, `\U000e0001`.
pub(crate) fn escape(out: &mut String, c: char) {
    let n = u32::from(c);
    _ = match n {
        0..=0xff => write!(out, "\\x{n:02x}"),
        0x100..=0xffff => write!(out, "\\u{n:04x}"),
        _ => write!(out, "\\U{n:08x}"),
    };
}

/// `ascii(x)`: `repr` with everything else than ASCII escaped.
///
/// # Errors
/// As [`repr`].
pub fn ascii(obj: &Obj) -> R<String> {
    let text = repr(obj)?;
    if text.is_ascii() {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() { out.push(c) } else { escape(&mut out, c) }
    }
    limit::bytes(out.len())?;
    Ok(out)
}

fn quote_bytes(out: &mut String, bytes: &[u8]) {
    let mark = quote_of(bytes.contains(&b'\''), bytes.contains(&b'"'));
    out.push('b');
    out.push(mark);
    for b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if char::from(*b) == mark => {
                out.push('\\');
                out.push(mark);
            }
            b' '..=b'~' => out.push(char::from(*b)),
            b => _ = write!(out, "\\x{b:02x}"),
        }
    }
    out.push(mark);
}
