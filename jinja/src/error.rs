//! Why a text is no template: the words and the line.

/// The exception of Python's that the same text ends with in Jinja2: what is said around the message depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// `TemplateSyntaxError`.
    Syntax,
    /// `TemplateAssertionError`, a kind of syntax error.
    Assertion,
    /// Another exception of Python's, which names no line: a number that Python does not read.
    Value,
    /// Our own: a limit that was passed, or delimiters that cannot be used. Jinja2 runs out of stack, or of memory.
    Limit,
}

/// Text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Which kind of fault.
    pub kind: ErrorKind,
    /// The line it is in, from 1.
    pub line: u32,
    /// Jinja2's words.
    pub message: String,
}

impl Error {
    pub(crate) fn syntax(line: u32, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Syntax, line, message: message.into() }
    }

    pub(crate) fn assertion(line: u32, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Assertion, line, message: message.into() }
    }

    pub(crate) fn value(line: u32, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Value, line, message: message.into() }
    }

    pub(crate) fn limit(line: u32, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Limit, line, message: message.into() }
    }
}
