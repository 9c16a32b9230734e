//! What goes from one renderer to the next: text to read, or a value.

use brine_python::{Obj, PyErr, R};
use std::rc::Rc;

/// The output of a renderer and the input of the next. It does not print, as it may be what was encrypted.
#[derive(Clone)]
pub enum Data {
    /// Text to read: stock's `StringIO`, which the first renderer and all that read templates give.
    Stream(Rc<str>),
    /// Any value; text as a value is a `str`.
    Value(Obj),
}

impl Data {
    /// Text to read.
    pub fn stream(text: impl AsRef<str>) -> Self {
        Data::Stream(Rc::from(text.as_ref()))
    }

    /// The text, whichever form it has; `None` for what is no text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Data::Stream(text) => Some(text),
            Data::Value(value) => value.as_str(),
        }
    }

    /// As the value that callers outside get: what can be read has been read.
    pub fn into_value(self) -> Obj {
        match self {
            Data::Stream(text) => Obj::Str(text),
            Data::Value(value) => value,
        }
    }

    /// The text that a renderer of a data format reads.
    ///
    /// # Errors
    /// `AttributeError`, as for what has no `read`.
    pub(super) fn read(&self) -> R<&str> {
        match self {
            Data::Stream(text) => Ok(text),
            Data::Value(value) => value.as_str().ok_or_else(|| PyErr::attribute(value, "read")),
        }
    }

    /// The same without a first line that begins with `#!`; `None` when only white space is left.
    ///
    /// # Errors
    /// As [`Data::read`].
    pub(super) fn read_without_shebang(&self) -> R<Option<&str>> {
        let mut text = self.read()?;
        if text.starts_with("#!") {
            text = text.find('\n').map_or(text, |end| &text[end + 1..]);
        }
        Ok(if blank(text) { None } else { Some(text) })
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Data::Stream(_) => "Stream",
            Data::Value(_) => "Value",
        })
    }
}

/// Python's white space.
pub(super) fn space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Whether there is nothing but white space.
pub(super) fn blank(text: &str) -> bool {
    text.chars().all(space)
}
