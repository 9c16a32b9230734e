//! The types that option tables are made of, and the sections that every program has.

/// Whether an option takes a value, and of what kind. The text is the name that the value is shown by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is there or not.
    Flag,
    /// It switches its key off.
    Off,
    /// It takes a value; the last one counts.
    Value(&'static str),
    /// It takes an integer, as Python reads one.
    Int(&'static str),
    /// It takes a number.
    Float(&'static str),
    /// It takes one of these values.
    Choice(&'static str, &'static [&'static str]),
}

impl Kind {
    /// The name of the value, if it takes one.
    pub fn metavar(self) -> Option<&'static str> {
        match self {
            Self::Flag | Self::Off => None,
            Self::Value(name) | Self::Int(name) | Self::Float(name) | Self::Choice(name, _) => Some(name),
        }
    }
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Every spelling, dashes included, short ones first.
    pub names: &'static [&'static str],
    /// The key of its value.
    pub dest: &'static str,
    /// Whether it takes a value.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
    /// Its name is taken in full only: an option that stock lacks must not make an abbreviation ambiguous.
    pub whole: bool,
}

impl Opt {
    /// The same, with a name that is taken in full only.
    pub const fn whole(self) -> Self {
        Self { whole: true, ..self }
    }
}

/// Options under one heading.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// Its options.
    pub options: &'static [Opt],
}

/// One program's command line.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What follows the name in the usage line.
    pub usage: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its options.
    pub sections: &'static [Section],
    /// Exit codes and what they mean.
    pub exits: &'static [(u8, &'static str)],
}

/// A flag.
pub const fn flag(names: &'static [&'static str], dest: &'static str, help: &'static str) -> Opt {
    Opt { names, dest, kind: Kind::Flag, help, whole: false }
}

/// A flag that switches its key off.
pub const fn off(names: &'static [&'static str], dest: &'static str, help: &'static str) -> Opt {
    Opt { names, dest, kind: Kind::Off, help, whole: false }
}

/// An option with a value. A value shown as `FILE` or `DIR` is completed as one.
pub const fn value(
    names: &'static [&'static str],
    dest: &'static str,
    metavar: &'static str,
    help: &'static str,
) -> Opt {
    Opt { names, dest, kind: Kind::Value(metavar), help, whole: false }
}

/// An option with an integer.
pub const fn int_value(
    names: &'static [&'static str],
    dest: &'static str,
    metavar: &'static str,
    help: &'static str,
) -> Opt {
    Opt { names, dest, kind: Kind::Int(metavar), help, whole: false }
}

/// An option with a number.
pub const fn float_value(
    names: &'static [&'static str],
    dest: &'static str,
    metavar: &'static str,
    help: &'static str,
) -> Opt {
    Opt { names, dest, kind: Kind::Float(metavar), help, whole: false }
}

/// An option that takes a log level.
pub const fn log_level(names: &'static [&'static str], dest: &'static str, help: &'static str) -> Opt {
    Opt { names, dest, kind: Kind::Choice("LEVEL", LOG_LEVELS), help, whole: false }
}

/// The levels of stock's command lines, in its order.
pub const LOG_LEVELS: &[&str] =
    &["all", "debug", "error", "critical", "garbage", "info", "profile", "quiet", "trace", "warning"];

/// The options that print a page and end the program.
#[rustfmt::skip]
pub const PAGES: Section = Section {
    title: "Pages",
    options: &[
        flag(&["-h", "--help"], "help", "Print this page and exit."),
        flag(&["--version"], "version", "Print the version and exit."),
        flag(&["-V", "--versions-report"], "versions_report", "Print this version and the Salt version it is compatible with, and exit."),
        flag(&["--man"], "man", "Print this program's man page and exit.").whole(),
        Opt {
            names: &["--completion"],
            dest: "completion",
            kind: Kind::Choice("SHELL", &["bash", "zsh", "fish"]),
            help: "Print the script that completes this program's options in a shell (bash, zsh, fish), and exit.",
            whole: true,
        },
    ],
};

const LOG_FILE: Opt = value(&["--log-file"], "log_file", "FILE", "Log to this file.");
const LOG_FILE_LEVEL: Opt =
    log_level(&["--log-file-level"], "log_level_logfile", "Log to the file from this level on.");

/// Where and what to log.
pub const LOGGING: Section = Section {
    title: "Logging",
    options: &[
        log_level(&["-l", "--log-level"], "log_level", "Log to the terminal from this level on."),
        LOG_FILE,
        LOG_FILE_LEVEL,
    ],
};

/// The same for a program with another use for `-l`, and its own log file.
pub const LOGGING_LONG: Section = Section {
    title: "Logging",
    options: &[
        log_level(&["--log-level"], "log_level", "Log to the terminal from this level on."),
        value(&["--log-file"], "key_logfile", "FILE", "Log to this file."),
        LOG_FILE_LEVEL,
    ],
};
