//! The help page and the words for a wrong command line.

use super::{Kind, Opt, Program};
use std::fmt::Write;

/// Columns that help texts start at.
const COLUMN: usize = 26;
/// Columns of a page.
const WIDTH: usize = 100;

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
        let mut out = format!("{}\n", self.usage_line());
        for line in wrapped(self.about, WIDTH) {
            let _ = writeln!(out, "{line}");
        }
        for section in self.sections {
            let _ = write!(out, "\n{}:\n", section.title);
            for option in section.options {
                entry(&mut out, &names(option, ", "), option.help);
            }
        }
        if !self.exits.is_empty() {
            out.push_str("\nExit codes:\n");
            for (code, meaning) in self.exits {
                entry(&mut out, &code.to_string(), meaning);
            }
        }
        out
    }
}

pub(super) fn entry(out: &mut String, left: &str, text: &str) {
    let lines = wrapped(text, WIDTH - COLUMN);
    let mut lines = lines.iter();
    if left.len() + 4 <= COLUMN {
        let _ =
            writeln!(out, "  {left:<width$}{}", lines.next().map_or("", String::as_str), width = COLUMN - 2);
    } else {
        let _ = writeln!(out, "  {left}");
    }
    for line in lines {
        let _ = writeln!(out, "{:COLUMN$}{line}", "");
    }
}

/// `-c DIR, --config-dir=DIR`.
pub(super) fn names(option: &Opt, between: &str) -> String {
    let spelled = |name: &&str| match option.kind.metavar() {
        None => (*name).to_owned(),
        Some(metavar) if name.starts_with("--") => format!("{name}={metavar}"),
        Some(metavar) => format!("{name} {metavar}"),
    };
    option.names.iter().map(spelled).collect::<Vec<_>>().join(between)
}

/// Text in lines of at most so many columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
                continue;
            }
            if line.chars().count() + 1 + word.chars().count() <= width {
                line.push(' ');
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

/// The values that an option takes, if they are a closed list.
pub(super) fn choices(option: &Opt) -> &'static [&'static str] {
    match option.kind {
        Kind::Choice(_, choices) => choices,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Section, flag, value};
    use super::*;

    const OPTIONS: &[Opt] = &[
        flag(&["-h", "--help"], "help", "This."),
        value(&["-c", "--config-dir"], "config_dir", "DIR", "Where."),
    ];
    const PROGRAM: Program = Program {
        name: "p",
        usage: "[options]",
        about: "About.",
        sections: &[Section { title: "Options", options: OPTIONS }],
        exits: &[(64, "The command line is wrong.")],
    };

    #[test]
    fn help_names_every_option() {
        let want = "Usage: p [options]\n\nAbout.\n\nOptions:\n  -h, --help              This.\n  -c DIR, --config-dir=DIR\n\
                    \x20                         Where.\n\nExit codes:\n  64                      The command line is wrong.\n";
        assert_eq!(PROGRAM.help(), want);
        assert_eq!(PROGRAM.usage_error("no"), "Usage: p [options]\n\np: error: no\n");
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("overlong x", 3), ["overlong", "x"]);
        assert_eq!(wrapped("", 3), [""]);
    }
}
