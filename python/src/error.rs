//! Python's exceptions as values: a kind, a text, and for `KeyError` the key. Not for faults of this program.

use crate::obj::Obj;
use std::fmt;

/// What operations on values return.
pub type R<T = Obj> = Result<T, PyErr>;

/// The class of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in Python")]
pub enum Kind {
    AttributeError,
    IndexError,
    KeyError,
    /// More memory or work than the evaluation may use; see [`crate::Limits`].
    Limit,
    LookupError,
    OverflowError,
    RecursionError,
    RuntimeError,
    StopIteration,
    TypeError,
    UnicodeDecodeError,
    UnicodeEncodeError,
    ValueError,
    ZeroDivisionError,
    /// A class that another crate brings, by its name.
    Other(&'static str),
}

impl Kind {
    /// Python's name of the class. A limit is a `MemoryError`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::AttributeError => "AttributeError",
            Kind::IndexError => "IndexError",
            Kind::KeyError => "KeyError",
            Kind::Limit => "MemoryError",
            Kind::LookupError => "LookupError",
            Kind::OverflowError => "OverflowError",
            Kind::RecursionError => "RecursionError",
            Kind::RuntimeError => "RuntimeError",
            Kind::StopIteration => "StopIteration",
            Kind::TypeError => "TypeError",
            Kind::UnicodeDecodeError => "UnicodeDecodeError",
            Kind::UnicodeEncodeError => "UnicodeEncodeError",
            Kind::ValueError => "ValueError",
            Kind::ZeroDivisionError => "ZeroDivisionError",
            Kind::Other(name) => name,
        }
    }
}

/// A raised exception. `Display` is Python's `str()` of it.
#[derive(Clone)]
pub struct PyErr(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    text: String,
    value: Option<Obj>,
}

impl PyErr {
    /// An exception of any class.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, text: text.into(), value: None }))
    }

    /// `KeyError` of a key; its text is the key's `repr`.
    pub fn key(key: &Obj) -> Self {
        let text = crate::repr::repr(key).unwrap_or_else(|e| e.to_string());
        Self(Box::new(Inner { kind: Kind::KeyError, text, value: Some(key.clone()) }))
    }

    /// `TypeError`.
    pub fn ty(text: impl Into<String>) -> Self {
        Self::new(Kind::TypeError, text)
    }

    /// `ValueError`.
    pub fn value(text: impl Into<String>) -> Self {
        Self::new(Kind::ValueError, text)
    }

    /// `OverflowError`.
    pub fn overflow(text: impl Into<String>) -> Self {
        Self::new(Kind::OverflowError, text)
    }

    /// `ZeroDivisionError`.
    pub fn zero(text: impl Into<String>) -> Self {
        Self::new(Kind::ZeroDivisionError, text)
    }

    /// `AttributeError: 'x' object has no attribute 'y'`.
    pub fn attribute(of: &Obj, name: &str) -> Self {
        Self::new(Kind::AttributeError, format!("'{}' object has no attribute '{name}'", of.type_name()))
    }

    /// `RecursionError`, with what was being done.
    pub fn recursion(doing: &str) -> Self {
        Self::new(Kind::RecursionError, format!("maximum recursion depth exceeded{doing}"))
    }

    /// Its class.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What was looked for, if this is a `KeyError` of a mapping.
    pub fn key_value(&self) -> Option<&Obj> {
        self.0.value.as_ref()
    }
}

impl fmt::Display for PyErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for PyErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.text)
    }
}

impl std::error::Error for PyErr {}
