//! What is wrong with a warehouse, and where.

use std::fmt;
use std::sync::Arc;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// A path relative to the warehouse. What was made of a folder's or a link's name names that.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The beginning of a file, which stands for the whole of it.
    #[must_use]
    pub fn whole(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 1, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Values are missing or not what they should be: nothing should be built on this.
    Error,
    /// It works as Pallet Jack has it, and is likely not what was meant.
    Warning,
}

impl Severity {
    /// As it is printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One fault of a warehouse.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// Where, if it is in one place.
    pub place: Option<Place>,
    /// What sort of fault, in words that do not change: `dangling-link`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, for people.
    pub message: String,
    /// The pallet that it is about: kind and full name.
    pub pallet: Option<(Arc<str>, Arc<str>)>,
}

impl Finding {
    pub(crate) fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), code, severity: Severity::Error, message: message.into(), pallet: None }
    }

    pub(crate) fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// Whether nothing should be built on a warehouse that has it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub(crate) fn of(mut self, kind: &Arc<str>, full_name: &Arc<str>) -> Self {
        self.pallet = Some((kind.clone(), full_name.clone()));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {} ({})", self.severity.word(), self.message, self.code)
    }
}
