//! The one error type of the harness: a sentence for the person who reads the test output.
//! It carries no codes, because nothing here recovers from one kind and not from another.

use std::fmt;

/// What went wrong, in words.
pub struct Failure(pub String);

/// The result of every harness call and of every case.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As text, too: this is what a failed test shows.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Failure(format!("io: {e}"))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Self {
        Failure(format!("json: {e}"))
    }
}

impl From<String> for Failure {
    fn from(e: String) -> Self {
        Failure(e)
    }
}

impl From<&str> for Failure {
    fn from(e: &str) -> Self {
        Failure(e.to_owned())
    }
}

/// Fails with both values when they differ.
///
/// # Errors
/// When `got` is not `want`.
pub fn same<A, B>(what: &str, got: A, want: B) -> Result
where
    A: PartialEq<B> + fmt::Debug,
    B: fmt::Debug,
{
    if got == want {
        Ok(())
    } else {
        Err(Failure(format!("{what}\n      got  {got:?}\n      want {want:?}")))
    }
}

/// Fails with `what` when `condition` is false.
///
/// # Errors
/// When `condition` is false.
pub fn hold(condition: bool, what: impl FnOnce() -> String) -> Result {
    if condition { Ok(()) } else { Err(Failure(what())) }
}
