//! The man page, as roff.

use super::Program;
use super::help::names;
use std::fmt::Write;

impl Program {
    /// The man page for section 1; `version` is the compatibility version.
    pub fn man(&self, version: &str) -> String {
        let title = self.name.to_uppercase();
        let mut out = format!(".TH \"{}\" \"1\" \"\" \"Salt {}\" \"Brine\"\n", text(&title), text(version));
        let about = self.about.trim_end_matches('.');
        let _ = write!(out, ".SH NAME\n{} \\- {}\n", text(self.name), text(about));
        let _ = write!(out, ".SH SYNOPSIS\n.B {}\n{}\n", text(self.name), text(self.usage));
        let _ = write!(out, ".SH DESCRIPTION\n{}\n", text(self.about));
        out.push_str(".SH OPTIONS\n");
        for section in self.sections {
            let _ = writeln!(out, ".SS {}", text(section.title));
            for option in section.options {
                let _ = write!(out, ".TP\n.B {}\n{}\n", text(&names(option, ", ")), text(option.help));
            }
        }
        if !self.exits.is_empty() {
            out.push_str(".SH EXIT STATUS\n");
            for (code, meaning) in self.exits {
                let _ = write!(out, ".TP\n.B {code}\n{}\n", text(meaning));
            }
        }
        out
    }

    /// What the man page of a program says of one of its commands.
    pub(super) fn man_part(&self) -> String {
        let mut out = format!(".SS {} {}\n{}\n", text(self.name), text(self.usage), text(self.about));
        for option in self.options() {
            let _ = write!(out, ".TP\n.B {}\n{}\n", text(&names(option, ", ")), text(option.help));
        }
        out
    }
}

/// Text that roff takes for nothing but text: no escapes, hyphens that can be copied, no request at its start.
fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len() + 8);
    if plain.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    for c in plain.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '`' => out.push_str("\\(ga"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_an_order_to_roff() {
        assert_eq!(text(".so /etc/passwd"), "\\&.so /etc/passwd");
        assert_eq!(text("-x 'a\\b'"), "\\-x \\(aqa\\eb\\(aq");
    }
}
