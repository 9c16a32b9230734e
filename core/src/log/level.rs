//! Salt's log levels.

use brine_protocol::Value;

/// A log level. As a threshold, it lets through itself and what is more severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    All,
    /// Noise.
    Garbage,
    /// Step by step.
    Trace,
    /// For developers.
    Debug,
    /// Times that things took.
    Profile,
    /// The course of things.
    Info,
    /// Something is odd.
    Warning,
    /// Something failed.
    Error,
    /// The program cannot go on.
    Critical,
    /// Nothing.
    Quiet,
}

impl Level {
    const NAMES: [(&'static str, Level, i64); 10] = [
        ("all", Level::All, 0),
        ("garbage", Level::Garbage, 1),
        ("trace", Level::Trace, 5),
        ("debug", Level::Debug, 10),
        ("profile", Level::Profile, 15),
        ("info", Level::Info, 20),
        ("warning", Level::Warning, 30),
        ("error", Level::Error, 40),
        ("critical", Level::Critical, 50),
        ("quiet", Level::Quiet, 1000),
    ];

    /// The level of a name in any case, or of a number of Python's scale.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Str(s) => {
                Self::NAMES.iter().find(|(n, ..)| n.eq_ignore_ascii_case(s.trim())).map(|(_, l, _)| *l)
            }
            Value::Int(i) => Self::NAMES.iter().find(|(.., n)| i128::from(*n) >= *i).map(|(_, l, _)| *l),
            _ => None,
        }
    }

    /// All names, least severe first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, ..)| *name)
    }

    fn row(self) -> (&'static str, Level, i64) {
        Self::NAMES[self as usize]
    }

    /// `WARNING`, as lines show it.
    pub fn shown(self) -> String {
        self.row().0.to_uppercase()
    }

    /// Python's number.
    pub fn number(self) -> i64 {
        self.row().2
    }

    /// Escape sequences for the level and for its message on a coloured console.
    pub(super) fn colors(self) -> (&'static str, &'static str) {
        match self {
            Level::Critical => ("\x1b[0;1;31m", "\x1b[0;1;31m"),
            Level::Error => ("\x1b[0;1;31m", "\x1b[0;31m"),
            Level::Warning => ("\x1b[0;1;33m", "\x1b[0;33m"),
            Level::Info => ("\x1b[0;1;32m", "\x1b[0;32m"),
            Level::Profile => ("\x1b[0;1;36m", "\x1b[0;1;36m"),
            Level::Debug => ("\x1b[0;1;36m", "\x1b[0;36m"),
            Level::Trace => ("\x1b[0;1;35m", "\x1b[0;35m"),
            Level::Garbage => ("\x1b[0;1;34m", "\x1b[0;34m"),
            Level::All | Level::Quiet => ("\x1b[0;0m", "\x1b[0;0m"),
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => Level::Trace,
        }
    }
}
