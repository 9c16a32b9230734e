//! `markupsafe`: text that is safe to stand in HTML, and escaping what is not.

mod entities;
mod methods;
mod percent;

pub(crate) use methods::Escaping;

use brine_python::{Args, Kind, Obj, Object, Op, R, find_attr, need_bytes};
use std::rc::Rc;

/// `markupsafe.Markup`: a `str` that escapes what is added to it.
pub struct Markup(Rc<str>);

impl Markup {
    /// Text that is safe as it is.
    #[allow(clippy::new_ret_no_self, reason = "a value is what everybody wants")]
    pub fn new(text: impl Into<Rc<str>>) -> Obj {
        Obj::other(Self(text.into()))
    }

    /// The markup in `obj`, if it is one.
    pub fn find(obj: &Obj) -> Option<&Markup> {
        match obj {
            Obj::Other(o) => o.downcast(),
            _ => None,
        }
    }

    /// The same text as a plain `str`.
    pub fn plain(&self) -> Obj {
        Obj::Str(self.0.clone())
    }
}

/// Whether it is [`Markup`].
pub fn is_markup(obj: &Obj) -> bool {
    Markup::find(obj).is_some()
}

/// What `x.__html__()` gives; `None` when `x` has no such method.
///
/// # Errors
/// What the method raises.
pub fn html(obj: &Obj) -> R<Option<Obj>> {
    if is_markup(obj) {
        return Ok(Some(obj.clone()));
    }
    match html_method(obj)? {
        Some(method) => brine_python::call(&method, &Args::default()).map(Some),
        None => Ok(None),
    }
}

/// `hasattr(x, '__html__')`.
///
/// # Errors
/// What asking raises, other than that there is none.
pub fn has_html(obj: &Obj) -> R<bool> {
    Ok(is_markup(obj) || html_method(obj)?.is_some())
}

fn html_method(obj: &Obj) -> R<Option<Obj>> {
    let Obj::Other(_) = obj else { return Ok(None) };
    match find_attr(obj, "__html__") {
        Err(e) if e.kind() == Kind::AttributeError => Ok(None),
        found => found,
    }
}

/// `markupsafe.escape(x)`.
///
/// # Errors
/// What `str(x)` or `x.__html__()` raises; `Limit`.
pub fn escape(obj: &Obj) -> R {
    match obj {
        Obj::Str(text) => escape_text(text),
        _ => match html(obj)? {
            Some(safe) => mark(&safe),
            None => escape_text(&brine_python::str(obj)?),
        },
    }
}

/// `Markup(x)`: what has `__html__` as that gives it, anything else as its `str`.
///
/// # Errors
/// As [`escape`].
pub fn mark(obj: &Obj) -> R {
    if is_markup(obj) {
        return Ok(obj.clone());
    }
    let obj = html(obj)?.unwrap_or_else(|| obj.clone());
    match brine_python::to_str(&obj)? {
        Obj::Str(text) => Ok(Markup::new(text)),
        other => Ok(Markup::new(other.as_str().unwrap_or_default())),
    }
}

/// `markupsafe.soft_str(x)`: text stays what it is, other values become their `str`.
///
/// # Errors
/// What `str(x)` raises.
pub fn soft_str(obj: &Obj) -> R {
    if obj.as_str().is_some() { Ok(obj.clone()) } else { brine_python::to_str(obj) }
}

fn escape_text(text: &str) -> R {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '\'' | '"');
    if !text.contains(special) {
        return Ok(Markup::new(text));
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'\'' => "&#39;",
            _ => "&#34;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    need_bytes(out.len())?;
    Ok(Markup::new(out))
}

/// `Markup.unescape`: named and numbered characters become what they stand for.
pub(crate) fn unescape(text: &str) -> String {
    entities::unescape(text)
}

/// `Markup(text).striptags()`.
pub(crate) fn striptags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let end = match rest[start..].strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map(|at| at + 7),
            None => rest[start..].find('>').map(|at| at + 1),
        };
        let Some(end) = end else { break };
        kept.push_str(&rest[..start]);
        rest = &rest[start + end..];
    }
    kept.push_str(rest);
    unescape(&brine_python::split_whitespace(&kept).collect::<Vec<_>>().join(" "))
}

impl Object for Markup {
    fn type_name(&self) -> &str {
        "Markup"
    }

    fn module(&self) -> &str {
        "markupsafe"
    }

    fn as_str(&self) -> Option<&str> {
        Some(&self.0)
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("Markup({})", brine_python::repr(&self.plain())?)))
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok(methods::find(&self.0, name))
    }

    fn getitem(&self, _me: &Obj, key: &Obj) -> R<Option<Obj>> {
        mark(&brine_python::getitem(&self.plain(), key)?).map(Some)
    }

    fn slice(&self, start: &Obj, stop: &Obj, step: &Obj) -> R<Option<Obj>> {
        mark(&brine_python::slice(&self.plain(), start, stop, step)?).map(Some)
    }

    fn binary(&self, op: Op, other: &Obj, reflected: bool) -> R<Option<Obj>> {
        match (op, reflected) {
            (Op::Add, _) if other.as_str().is_none() && !has_html(other)? => {
                // Python asks the other type; of those that can be added to, only text takes text.
                match other {
                    Obj::List(_) | Obj::Tuple(_) | Obj::Bytes(_) if reflected => Ok(None),
                    Obj::Other(o) if !reflected => match o.binary(op, &Markup::new(self.0.clone()), true)? {
                        Some(out) => Ok(Some(out)),
                        None => Err(self.unsupported(other, reflected)),
                    },
                    _ => Err(self.unsupported(other, reflected)),
                }
            }
            (Op::Add, false) => self.join(&self.plain(), &escape(other)?).map(Some),
            (Op::Add, true) => self.join(&escape(other)?, &self.plain()).map(Some),
            (Op::Mul, _) => {
                let times = brine_python::index(other)?;
                let out = brine_python::binary(op, &self.plain(), &Obj::Int(times))?;
                mark(&out).map(Some)
            }
            (Op::Mod, false) => percent::percent(&self.0, other).map(Some),
            _ => Ok(None),
        }
    }
}

impl Markup {
    fn join(&self, a: &Obj, b: &Obj) -> R {
        let (a, b) = (a.as_str().unwrap_or_default(), b.as_str().unwrap_or_default());
        need_bytes(a.len().saturating_add(b.len()))?;
        Ok(Markup::new([a, b].concat()))
    }

    fn unsupported(&self, other: &Obj, reflected: bool) -> brine_python::PyErr {
        let (mut a, mut b) = ("Markup", other.type_name());
        if reflected {
            (a, b) = (b, a);
        }
        brine_python::PyErr::ty(format!("unsupported operand type(s) for +: '{a}' and '{b}'"))
    }
}
