//! Zip archives: read as Python's `zipfile` reads them, whose words and oddities functions of `archive` show, and written. A
//! library that hides attributes of other systems, names that come twice and the order of checks cannot do that.

mod decrypt;
mod entry;
mod read;
mod unpack;
mod write;

pub use entry::Entry;
pub use read::Zip;
pub use unpack::{Wish, unpack};
pub use write::Writer;

use brine_core::call::CallError;

/// Why a zip archive is not read, by the exception that Python tells.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is none, or is broken: `zipfile.BadZipFile`.
    Bad(String),
    /// A password is missing or wrong, or a method is not known: `RuntimeError` and kin.
    Runtime(String),
    /// Anything else.
    Other(CallError),
}

impl Fault {
    /// Python's `str(exc)`.
    pub fn text(&self) -> String {
        match self {
            Fault::Bad(text) | Fault::Runtime(text) => text.clone(),
            Fault::Other(e) => e.text(),
        }
    }
}

impl From<CallError> for Fault {
    fn from(e: CallError) -> Self {
        Self::Other(e)
    }
}

impl From<std::io::Error> for Fault {
    fn from(e: std::io::Error) -> Self {
        Self::Other(e.into())
    }
}

type Result<T> = std::result::Result<T, Fault>;

fn bad<T>(text: impl Into<String>) -> Result<T> {
    Err(Fault::Bad(text.into()))
}
