//! Command lines as stock Salt's programs read them: a table of options, Python optparse's rules, and a help page
//! made from the table. What an option means is the program's business.

mod parse;

pub use parse::{Parsed, parse};

use std::fmt::Write;

/// Salt's `EX_USAGE`.
pub const EX_USAGE: u8 = 64;

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is there or not.
    Flag,
    /// It takes a value, shown by this name; the last one counts.
    Value(&'static str),
    /// It takes one of these values; shown by this name.
    Choice(&'static str, &'static [&'static str]),
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
}

/// A flag.
pub const fn flag(names: &'static [&'static str], dest: &'static str, help: &'static str) -> Opt {
    Opt { names, dest, kind: Kind::Flag, help }
}

/// An option with a value.
pub const fn value(
    names: &'static [&'static str],
    dest: &'static str,
    metavar: &'static str,
    help: &'static str,
) -> Opt {
    Opt { names, dest, kind: Kind::Value(metavar), help }
}

/// An option that takes a log level.
pub const fn log_level(names: &'static [&'static str], dest: &'static str, help: &'static str) -> Opt {
    Opt { names, dest, kind: Kind::Choice("LEVEL", LOG_LEVELS), help }
}

/// The levels of stock's command lines, in its order.
const LOG_LEVELS: &[&str] =
    &["all", "debug", "error", "critical", "garbage", "info", "profile", "quiet", "trace", "warning"];

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
    pub options: &'static [Opt],
}

impl Program {
    /// The usage line with `Usage: ` in front.
    pub fn usage_line(&self) -> String {
        format!("Usage: {} {}\n", self.name, self.usage)
    }

    /// What goes to stderr when the command line is wrong.
    pub fn usage_error(&self, message: &str) -> String {
        format!("{}\n{}: error: {message}\n", self.usage_line(), self.name)
    }

    /// The help page.
    pub fn help(&self) -> String {
        let mut out = format!("{}\n{}\n\nOptions:\n", self.usage_line(), self.about);
        for option in self.options {
            let names: Vec<String> = option
                .names
                .iter()
                .map(|name| match option.kind {
                    Kind::Flag => (*name).to_owned(),
                    Kind::Value(metavar) | Kind::Choice(metavar, _) if name.starts_with("--") => {
                        format!("{name}={metavar}")
                    }
                    Kind::Value(metavar) | Kind::Choice(metavar, _) => format!("{name} {metavar}"),
                })
                .collect();
            let names = names.join(", ");
            if names.len() <= 20 {
                let _ = writeln!(out, "  {names:<22}{}", option.help);
            } else {
                let _ = writeln!(out, "  {names}\n{:24}{}", "", option.help);
            }
        }
        out
    }

    /// What `--version` prints: the compatibility version, since scripts compare it.
    pub fn version(&self, version: &str) -> String {
        format!("{} {version}\n", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[Opt] = &[
        flag(&["-h", "--help"], "help", "This."),
        value(&["-c", "--config-dir"], "config_dir", "DIR", "Where."),
    ];

    #[test]
    fn help_names_every_option() {
        let program = Program { name: "p", usage: "[options]", about: "About.", options: OPTIONS };
        let help = program.help();
        assert!(
            help.starts_with("Usage: p [options]\n\nAbout.\n\nOptions:\n  -h, --help            This.\n")
        );
        assert!(help.contains("  -c DIR, --config-dir=DIR\n                        Where.\n"));
        assert_eq!(program.usage_error("no"), "Usage: p [options]\n\np: error: no\n");
    }
}
