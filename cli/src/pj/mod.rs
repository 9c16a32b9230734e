//! `pj`: looks at a warehouse of Pallet Jack's format, checks it, and makes other servers' configuration of it. What a warehouse
//! means is `brine_inventory`'s; here are command lines, files and terminals.

mod create;
mod diff;
mod dump;
mod export;
mod hook;
mod lint;
pub mod options;
mod print;
mod progress;
mod query;
mod warehouse;
mod r#where;

use crate::exit::{CliError, Result};
use brine_core::cmdline::{Parsed, Program, parse};
use options::SUITE;
use std::ffi::OsString;

/// One command and what it was told.
pub(crate) struct Told {
    program: &'static Program,
    line: Parsed,
}

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = OsString>) -> Result {
    let words: Vec<String> = args.skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    let Some((program, named)) = SUITE.command(&words) else { return alone(&words) };
    let line = parse(program, words.into_iter().skip(named))
        .map_err(|e| CliError::Usage(program.usage_error(&e)))?;
    if line.has("help") {
        return print::text(&program.help());
    }
    let told = Told { program, line };
    match program.name {
        "pj lint" => lint::run(&told),
        "pj dump" => dump::run(&told),
        "pj query" => query::run(&told),
        "pj where" => r#where::run(&told),
        "pj diff" => diff::run(&told),
        name if name.starts_with("pj create ") => create::run(&told),
        name if name.starts_with("pj export ") => export::run(&told),
        "pj hook pre-receive" => hook::pre_receive(&told),
        _ => hook::post_receive(&told),
    }
}

/// A command line that names no command: a page, or a mistake.
fn alone(words: &[String]) -> Result {
    let program = SUITE.program;
    let wrong = |e: String| CliError::Usage(program.usage_error(&e));
    let line = parse(program, words.iter().cloned()).map_err(wrong)?;
    if line.has("help") {
        return print::text(&SUITE.help());
    }
    if line.has("man") {
        return print::text(&SUITE.man(brine_core::COMPAT_VERSION_LINE));
    }
    if let Some(shell) = line.get("completion") {
        return print::text(&SUITE.completion(shell));
    }
    if let Some(page) = program.page(&line, brine_core::COMPAT_VERSION_LINE) {
        return print::text(&page);
    }
    let (said, next) = match line.args.first() {
        None => ("a command is missing".to_owned(), SUITE.next(&[])),
        Some(first) => match SUITE.next(&[first]) {
            next if next.is_empty() => (format!("there is no command {first:?}"), SUITE.next(&[])),
            next => (format!("what to {first} is missing"), next),
        },
    };
    Err(wrong(format!("{said}; choose from {}", next.join(", "))))
}

impl Told {
    /// Whether an option was given.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.line.has(key)
    }

    /// The text of an option.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.line.get(key)
    }

    /// The text of an option that cannot be left out; `name` is how it is written.
    pub(crate) fn needed(&self, key: &str, name: &str) -> Result<&str> {
        self.get(key).filter(|t| !t.is_empty()).ok_or_else(|| self.usage(&format!("option {name} is needed")))
    }

    /// The error of a wrong command line, with usage.
    pub(crate) fn usage(&self, message: &str) -> CliError {
        CliError::Usage(self.program.usage_error(message))
    }

    /// What else stands on the command line must be nothing.
    pub(crate) fn no_arguments(&self) -> Result {
        match self.line.args.first() {
            None => Ok(()),
            Some(word) => Err(self.usage(&format!("unexpected argument {word:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        let words = line.split_whitespace().map(OsString::from);
        run(std::iter::once("pj".into()).chain(words)).unwrap_err().to_string()
    }

    #[test]
    fn a_command_line_without_a_command_says_which_there_are() {
        for (line, part) in [
            ("", "a command is missing; choose from lint, dump, query, where, diff, create, export, hook"),
            ("bake", "there is no command \"bake\""),
            ("create", "what to create is missing; choose from domain, system, interface"),
            ("export dns", "what to export is missing"),
            ("--bogus", "no such option: --bogus"),
            ("dump --bogus", "pj dump: error: no such option: --bogus"),
            ("lint word", "unexpected argument \"word\""),
        ] {
            let said = error(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
