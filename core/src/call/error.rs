//! How a call fails, as Salt's peers expect to see it.

use crate::text::python_str;
use brine_protocol::Value;

/// What every execution function returns.
pub type Result<T = Value> = std::result::Result<T, CallError>;

/// A function's own result as a value: what the code that `#[exec]` writes ends with.
pub fn returned<T: Into<Value>>(result: Result<T>) -> Result {
    result.map(Into::into)
}

/// A failed call. Each variant is one of the exceptions stock Salt tells apart in a job's return.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// `CommandExecutionError`: the function ran and could not do its work.
    #[error("{0}")]
    Execution(String),
    /// `CommandExecutionError` with `info`: what is known beside the error.
    #[error("{}", .0.text)]
    Detailed(Box<Detailed>),
    /// `SaltInvocationError`: called with values that make no sense.
    #[error("{0}")]
    Invocation(String),
    /// `CommandNotFoundError`: a program that the function needs is missing.
    #[error("{0}")]
    CommandNotFound(String),
    /// `TypeError`: the arguments do not fit the function's parameters.
    #[error("{0}")]
    Arguments(String),
    /// No such function; the text is stock's (`'x.y' is not available.`).
    #[error("{0}")]
    NotAvailable(String),
    /// `SaltClientError` and kin: the master could not be asked.
    #[error("{0}")]
    Client(String),
    /// Any other Python exception, by class name: shown as a traceback.
    #[error("{kind}: {message}")]
    Exception {
        /// Python's class name, such as `ValueError`.
        kind: &'static str,
        /// The text of the exception.
        message: String,
    },
    /// The job was killed while the call ran.
    #[error("the job was cancelled")]
    Cancelled,
}

/// A `CommandExecutionError` that says more than its message.
#[derive(Debug, Clone)]
pub struct Detailed {
    /// The whole text: message, and what else is known.
    pub text: String,
    /// The text without the changes: states show those elsewhere (`strerror_without_changes`).
    pub without_changes: String,
    /// What else is known, such as `changes` and `errors`.
    pub info: Value,
}

impl CallError {
    /// What a state says of a `CommandExecutionError` with details: its text, and the changes that were made all the same.
    /// `None` for every other error.
    pub fn details(&self) -> Option<(&str, Value)> {
        let CallError::Detailed(detailed) = self else { return None };
        let changes =
            detailed.info.get("changes").cloned().unwrap_or_else(|| brine_protocol::Map::new().into());
        Some((&detailed.without_changes, changes))
    }

    /// A `CommandExecutionError`.
    pub fn execution(text: impl Into<String>) -> Self {
        Self::Execution(text.into())
    }

    /// A `SaltInvocationError`.
    pub fn invocation(text: impl Into<String>) -> Self {
        Self::Invocation(text.into())
    }

    /// What is said of keyword arguments that a function does not know.
    pub fn unknown_keywords<'a>(unknown: impl IntoIterator<Item = (&'a Value, &'a Value)>) -> Self {
        let shown =
            unknown.into_iter().map(|(key, value)| format!("{}={}", python_str(key), python_str(value)));
        let shown = shown.collect::<Vec<_>>().join(", ");
        Self::Invocation(format!("The following keyword arguments are not valid: {shown}"))
    }

    /// As a Python traceback, whose last line is what people and tests read.
    pub fn traceback(&self) -> String {
        let kind = match self {
            CallError::Execution(_) | CallError::Detailed(_) => "salt.exceptions.CommandExecutionError",
            CallError::Invocation(_) => "salt.exceptions.SaltInvocationError",
            CallError::CommandNotFound(_) => "salt.exceptions.CommandNotFoundError",
            CallError::Arguments(_) => "TypeError",
            CallError::NotAvailable(_) => "KeyError",
            CallError::Client(_) => "salt.exceptions.SaltClientError",
            CallError::Exception { kind, message } => {
                // Python tells the module of a class that is not its own.
                let kind = match *kind {
                    "SaltRenderError" => "salt.exceptions.SaltRenderError",
                    "error" => "re.error",
                    own => own,
                };
                return format!("Traceback (most recent call last):\n{kind}: {message}\n");
            }
            CallError::Cancelled => "KeyboardInterrupt",
        };
        format!("Traceback (most recent call last):\n{kind}: {self}\n")
    }

    /// Python's `str(exc)`: what a state shows of an error that it caught.
    pub fn text(&self) -> String {
        match self {
            CallError::Exception { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// Whether `except CommandExecutionError` would catch it.
    pub fn is_execution(&self) -> bool {
        matches!(self, CallError::Execution(_) | CallError::Detailed(_) | CallError::CommandNotFound(_))
    }

    /// Whether `except OSError` would catch it.
    pub fn is_os_error(&self) -> bool {
        const KINDS: &[&str] = &[
            "OSError",
            "FileNotFoundError",
            "FileExistsError",
            "PermissionError",
            "IsADirectoryError",
            "NotADirectoryError",
            "TimeoutError",
            "ConnectionError",
            "BlockingIOError",
            "ChildProcessError",
            "InterruptedError",
            "ProcessLookupError",
            "BrokenPipeError",
            "ConnectionRefusedError",
            "ConnectionResetError",
            "ConnectionAbortedError",
        ];
        matches!(self, CallError::Exception { kind, .. } if KINDS.contains(kind))
    }

    /// Any other Python exception, by class name.
    pub fn exception(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Exception { kind, message: message.into() }
    }
}

impl From<std::io::Error> for CallError {
    /// Python's `OSError`.
    fn from(e: std::io::Error) -> Self {
        Self::Exception { kind: "OSError", message: e.to_string() }
    }
}
