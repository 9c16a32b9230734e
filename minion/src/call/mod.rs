//! `salt-call`: one execution function, run here and printed, with a master or without.
//!
//! Starts no runtime and collects no grains unless the call needs them: most calls are over in a few milliseconds.

mod display;
mod failure;
mod host;
mod options;
mod remote;
mod run;
mod setup;

use crate::cmdline::{self, Parsed};
use crate::startup;
use brine_render::saltfile::{self, SaltfileError};
use failure::Failure;
use std::io::{self, Write};

/// Runs the program on these words (without its own name). Returns the exit code.
pub fn main(words: impl IntoIterator<Item = String>) -> u8 {
    let line = match cmdline::parse(&options::PROGRAM, words) {
        Ok(line) => line,
        Err(message) => return usage_error(&message),
    };
    if let Some(text) = options::PROGRAM.page(&line, &startup::version_text()) {
        return print(&text);
    }
    match work(line) {
        Ok(code) => code,
        Err(failure) => {
            // Both streams in the order they were written to.
            let _ = io::stdout().flush();
            eprint!("{}", failure.stderr);
            failure.code
        }
    }
}

/// The context of local calls with the configuration in a folder: what measures many calls in one process needs no process for each.
///
/// # Errors
/// What `salt-call` would print.
pub fn local_context(config_dir: &str) -> Result<brine_core::Cx, String> {
    let words = ["--local", "-c", config_dir, "test.ping"].map(str::to_owned);
    let line = cmdline::parse(&options::PROGRAM, words)?;
    let made = setup::options(&line, brine_core::Map::new()).and_then(run::local_context);
    made.map_err(|failure| failure.stderr)
}

fn work(mut line: Parsed) -> Result<u8, Failure> {
    setup::read_stdin(&mut line)?;
    let rest = saltfile::fill(&options::PROGRAM, &mut line).map_err(|e| match e {
        SaltfileError::Wrong(text) => Failure::usage(&text),
        other => Failure::text(other),
    })?;
    setup::check(&line).map_err(|message| Failure::usage(&message))?;
    let settled = setup::options(&line, rest)?;
    run::run(&line, settled)
}

fn usage_error(message: &str) -> u8 {
    eprint!("{}", options::PROGRAM.usage_error(message));
    cmdline::EX_USAGE
}

/// Prints to stdout. A reader that has gone is no failure.
fn print(text: &str) -> u8 {
    let _ = io::stdout().write_all(text.as_bytes());
    0
}
