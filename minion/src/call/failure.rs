//! How `salt-call` tells that something failed: stock's texts on stderr, stock's exit codes, nothing on stdout.

use crate::cmdline::EX_USAGE;
use brine_core::call::CallError;

/// The end of a `salt-call` that printed no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What goes to stderr, line ends included.
    pub(super) stderr: String,
    /// The exit code.
    pub(super) code: u8,
    /// The function's documentation follows on stdout.
    pub(super) shows_usage: bool,
}

impl Failure {
    /// A text with its line ends, and an exit code.
    pub(super) fn new(stderr: impl Into<String>, code: u8) -> Self {
        Self { stderr: stderr.into(), code, shows_usage: false }
    }

    /// A text and exit code 1.
    pub(super) fn text(text: impl std::fmt::Display) -> Self {
        Self { stderr: format!("{text}\n"), code: 1, shows_usage: false }
    }

    /// A wrong command line.
    pub(super) fn usage(message: &str) -> Self {
        Self { stderr: super::options::PROGRAM.usage_error(message), code: EX_USAGE, shows_usage: false }
    }

    /// A function that does not exist.
    pub(super) fn missing(error: &CallError) -> Self {
        Self { stderr: format!("{error}\n"), code: 255, shows_usage: false }
    }

    /// A call that failed. To stock a `SaltInvocationError` of a function is a `TypeError`, too; keywords that a function without
    /// `takes_kwargs` does not know are refused before it is called.
    pub(super) fn call(fun: &str, error: &CallError, takes_kwargs: bool) -> Self {
        let before =
            |e: &str| !takes_kwargs && e.starts_with("The following keyword arguments are not valid");
        let shows_usage = match error {
            CallError::Arguments(_) => true,
            CallError::Invocation(e) => !before(e),
            _ => false,
        };
        let stderr = match error {
            CallError::Execution(_) | CallError::Detailed(_) => format!("Error running '{fun}': {error}\n"),
            CallError::CommandNotFound(e) => format!("Command required for '{fun}' not found: {e}\n"),
            CallError::Arguments(e) | CallError::Invocation(e) if shows_usage => {
                format!("\nPassed invalid arguments: {e}.\n\nUsage:\n")
            }
            CallError::Arguments(e) | CallError::Invocation(e) | CallError::Client(e) => format!("{e}\n"),
            other => other.traceback(),
        };
        Self { stderr, code: 1, shows_usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_in_stocks_words() {
        let text = |e: &CallError| Failure::call("t.f", e, false).stderr;
        assert_eq!(text(&CallError::execution("x")), "Error running 't.f': x\n");
        assert_eq!(
            text(&CallError::CommandNotFound("x".into())),
            "Command required for 't.f' not found: x\n"
        );
        assert_eq!(text(&CallError::invocation("x")), "\nPassed invalid arguments: x.\n\nUsage:\n");
        let unknown = CallError::invocation("The following keyword arguments are not valid: a=b");
        assert_eq!(text(&unknown), "The following keyword arguments are not valid: a=b\n");
        assert_eq!(
            text(&CallError::Arguments("f() takes 0".into())),
            "\nPassed invalid arguments: f() takes 0.\n\nUsage:\n"
        );
        assert!(text(&CallError::exception("ValueError", "bad")).ends_with("\nValueError: bad\n"));
        assert_eq!(Failure::missing(&CallError::NotAvailable("'a.b' is not available.".into())).code, 255);
    }
}
