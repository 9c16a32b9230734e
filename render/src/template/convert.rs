//! Failed calls as Python exceptions, and back.

use brine_core::call::CallError;
use brine_python::{Kind, PyErr};

/// A failed call as the exception that a template sees.
pub fn py_error(e: CallError) -> PyErr {
    let text = e.to_string();
    match e {
        CallError::Execution(_) | CallError::Detailed(_) => {
            PyErr::new(Kind::Other("CommandExecutionError"), text)
        }
        CallError::Invocation(_) => PyErr::new(Kind::Other("SaltInvocationError"), text),
        CallError::CommandNotFound(_) => PyErr::new(Kind::Other("CommandNotFoundError"), text),
        CallError::Arguments(_) => PyErr::ty(text),
        CallError::NotAvailable(_) => PyErr::new(Kind::KeyError, text),
        CallError::Client(_) => PyErr::new(Kind::Other("SaltClientError"), text),
        CallError::Cancelled => PyErr::new(Kind::Other("KeyboardInterrupt"), text),
        CallError::Exception { kind, message } => PyErr::new(class(kind), message),
    }
}

/// A class by its name.
fn class(name: &'static str) -> Kind {
    match name {
        "AttributeError" => Kind::AttributeError,
        "IndexError" => Kind::IndexError,
        "KeyError" => Kind::KeyError,
        "LookupError" => Kind::LookupError,
        "OverflowError" => Kind::OverflowError,
        "RecursionError" => Kind::RecursionError,
        "RuntimeError" => Kind::RuntimeError,
        "StopIteration" => Kind::StopIteration,
        "TypeError" => Kind::TypeError,
        "UnicodeDecodeError" => Kind::UnicodeDecodeError,
        "UnicodeEncodeError" => Kind::UnicodeEncodeError,
        "ValueError" => Kind::ValueError,
        "ZeroDivisionError" => Kind::ZeroDivisionError,
        name => Kind::Other(name),
    }
}

/// An exception as a failed call.
pub fn call_error(e: PyErr) -> CallError {
    let text = e.to_string();
    match e.kind() {
        Kind::Other("CommandExecutionError") => CallError::Execution(text),
        Kind::Other("SaltInvocationError") => CallError::Invocation(text),
        Kind::Other("CommandNotFoundError") => CallError::CommandNotFound(text),
        Kind::Other("SaltClientError") => CallError::Client(text),
        Kind::Other("KeyboardInterrupt") => CallError::Cancelled,
        kind => CallError::Exception { kind: kind.name(), message: text },
    }
}
