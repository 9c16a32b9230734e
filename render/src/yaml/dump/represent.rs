//! What a value is in YAML: a scalar's text, tag and style, or the members of a collection.

use super::{Dumper, Style};
use crate::yaml::loader::Encrypted;
use base64::Engine as _;
use brine_core::scalar::{self, Kind as Resolved};
use brine_python::{Args, Kind, Obj, PyErr, R, float_repr};
use std::borrow::Cow;

/// A scalar's tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// One that plain scalars resolve to.
    Plain(Resolved),
    Binary,
    Encrypted,
}

impl Tag {
    /// As it is written.
    pub(super) fn short(self) -> &'static str {
        match self {
            Tag::Plain(Resolved::Null) => "!!null",
            Tag::Plain(Resolved::Bool) => "!!bool",
            Tag::Plain(Resolved::Int) => "!!int",
            Tag::Plain(Resolved::Float) => "!!float",
            Tag::Plain(Resolved::Timestamp) => "!!timestamp",
            Tag::Plain(Resolved::Merge) => "!!merge",
            Tag::Plain(Resolved::Default) => "!!value",
            Tag::Plain(Resolved::Indicator) => "!!yaml",
            Tag::Plain(Resolved::Str) => "!!str",
            Tag::Binary => "!!binary",
            Tag::Encrypted => "!encrypted",
        }
    }
}

/// A scalar to write.
pub(super) struct Scalar<'v> {
    pub(super) text: Cow<'v, str>,
    pub(super) tag: Tag,
    pub(super) style: Option<Style>,
    /// Plain, it reads back with its tag.
    pub(super) plain_implicit: bool,
    /// Quoted, it does.
    pub(super) quoted_implicit: bool,
}

/// What a value is.
pub(super) enum Shape<'v> {
    Scalar(Scalar<'v>),
    List(Vec<Obj>),
    /// Pairs, and whether they may be sorted.
    Map(Vec<(Obj, Obj)>, bool),
    Set(Vec<Obj>),
}

/// What represents a value.
pub(super) struct Representer {
    pub(super) dumper: Dumper,
    pub(super) style: Option<Style>,
}

impl Representer {
    /// What a value is.
    ///
    /// # Errors
    /// `RepresenterError`.
    pub(super) fn shape<'v>(&self, value: &'v Obj) -> R<Shape<'v>> {
        Ok(match value {
            Obj::List(_) | Obj::Tuple(_) => Shape::List(value.sequence().unwrap_or_default()),
            Obj::Dict(dict) if self.dumper == Dumper::Safe && dict.is_ordered() => {
                return Err(unknown(value));
            }
            Obj::Dict(dict) => Shape::Map(dict.pairs(), self.sorts(dict.is_ordered())),
            Obj::Set(set) if !set.frozen() => Shape::Set(set.to_vec()),
            Obj::Other(o) if o.as_str().is_none() => match o.pairs()? {
                Some(pairs) => Shape::Map(pairs, self.sorts(false)),
                None => Shape::Scalar(self.scalar(value)?),
            },
            _ => Shape::Scalar(self.scalar(value)?),
        })
    }

    fn sorts(&self, ordered: bool) -> bool {
        match self.dumper {
            Dumper::Ordered | Dumper::Yamlex => !ordered,
            Dumper::Safe | Dumper::Serializer => true,
        }
    }

    /// Whether a value is a scalar without a style of its own.
    pub(super) fn is_leaf(&self, value: &Obj) -> bool {
        self.style.is_none()
            && match value {
                Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) | Obj::Bytes(_) => false,
                Obj::Set(set) => set.frozen(),
                Obj::Other(o) => o.as_str().is_some() || !matches!(o.pairs(), Ok(Some(_))),
                _ => true,
            }
    }

    pub(super) fn scalar<'v>(&self, value: &'v Obj) -> R<Scalar<'v>> {
        let isoformat = |args: Args| {
            let text = brine_python::call_method(value, "isoformat", &args)?;
            Ok(Cow::Owned(text.as_str().unwrap_or_default().to_owned()))
        };
        let (text, kind) = match value {
            Obj::Str(text) => (Cow::Borrowed(&**text), Resolved::Str),
            Obj::None => (Cow::Borrowed("null"), Resolved::Null),
            Obj::Bool(b) => (Cow::Borrowed(if *b { "true" } else { "false" }), Resolved::Bool),
            Obj::Int(i) => (Cow::Owned(i.to_string()), Resolved::Int),
            Obj::Big(_) => (Cow::Owned(brine_python::str(value)?), Resolved::Int),
            Obj::Float(x) => (Cow::Owned(float(*x)), Resolved::Float),
            Obj::Date(_) => (isoformat(Args::default())?, Resolved::Timestamp),
            Obj::DateTime(_) => (isoformat(Args::of([" ".into()]))?, Resolved::Timestamp),
            Obj::Bytes(bytes) => {
                return Ok(Scalar {
                    text: Cow::Owned(base64(bytes)),
                    tag: Tag::Binary,
                    style: Some(Style::Literal),
                    plain_implicit: false,
                    quoted_implicit: false,
                });
            }
            Obj::Other(o) if self.dumper != Dumper::Ordered => match o.as_str() {
                Some(text) if self.dumper == Dumper::Serializer && o.downcast::<Encrypted>().is_some() => {
                    return Ok(Scalar {
                        text: Cow::Borrowed(text),
                        tag: Tag::Encrypted,
                        style: self.style,
                        plain_implicit: false,
                        quoted_implicit: false,
                    });
                }
                Some(text) if self.dumper != Dumper::Safe => (Cow::Borrowed(text), Resolved::Str),
                _ => return Err(unknown(value)),
            },
            _ if self.dumper == Dumper::Ordered => (Cow::Borrowed("NULL"), Resolved::Null),
            _ => return Err(unknown(value)),
        };
        let plain_implicit = scalar::resolve(&text) == kind;
        let quoted_implicit = kind == Resolved::Str;
        Ok(Scalar { text, tag: Tag::Plain(kind), style: self.style, plain_implicit, quoted_implicit })
    }
}

/// What PyYAML says of a value that it cannot write.
fn unknown(value: &Obj) -> PyErr {
    let shown = brine_python::repr(value).unwrap_or_else(|e| e.to_string());
    PyErr::new(Kind::Other("RepresenterError"), format!("('cannot represent an object', {shown})"))
}

/// Doubles: an exponent without a point gets one, for `1e17` would read back as text.
fn float(x: f64) -> String {
    if x.is_nan() {
        return ".nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = float_repr(x);
    if !text.contains('.') && text.contains('e') { text.replacen('e', ".0e", 1) } else { text }
}

/// Python breaks the text after 76 characters, and ends it with a line end.
fn base64(bytes: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 76 + 1);
    for chunk in encoded.as_bytes().chunks(76) {
        lines.push_str(&String::from_utf8_lossy(chunk));
        lines.push('\n');
    }
    lines
}
