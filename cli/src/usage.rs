//! Command lines that are wrong, said as stock's programs say it: Python optparse's words for what clap found, and
//! optparse's leniency (options may be repeated, long ones abbreviated).

use crate::exit::{CliError, Result};
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{ArgMatches, Command};
use std::ffi::OsString;

/// Reads a command line. Help and version are printed and end the command with success.
pub(crate) fn parse(command: Command, args: impl IntoIterator<Item = OsString>) -> Result<ArgMatches> {
    let command = command.args_override_self(true).infer_long_args(true);
    command.try_get_matches_from(args).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => CliError::Code(0),
            Err(e) => CliError::io("standard output", e),
        },
        _ => CliError::Usage(words(&error)),
    })
}

/// What optparse says about such a mistake.
fn words(error: &Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    // `--timeout <SECONDS>`, `--name=value`: the name alone.
    let option = text(ContextKind::InvalidArg).split([' ', '=', '<']).next().unwrap_or_default();
    let value = text(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("no such option: {option}"),
        ErrorKind::TooManyValues => format!("{option} option does not take a value"),
        ErrorKind::InvalidValue if value.is_empty() => format!("{option} option requires 1 argument"),
        ErrorKind::ValueValidation => format!("option {option}: invalid integer value: '{value}'"),
        // Anything else clap finds has no counterpart; the first line says it.
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    fn read(args: &[&str]) -> Result<ArgMatches> {
        let command = Command::new("p")
            .arg(Arg::new("words").num_args(0..))
            .arg(Arg::new("static").long("static").short('s').action(ArgAction::SetTrue))
            .arg(Arg::new("out-file").long("out-file"))
            .arg(Arg::new("timeout").long("timeout").short('t').value_parser(clap::value_parser!(u32)));
        parse(command, [&["p"], args].concat().into_iter().map(OsString::from))
    }

    #[test]
    fn mistakes_are_said_in_optparses_words() {
        for (args, said) in [
            (&["--bogus", "x"][..], "no such option: --bogus"),
            (&["--bogus=1"], "no such option: --bogus"),
            (&["x", "-y"], "no such option: -y"),
            (&["--static=1"], "--static option does not take a value"),
            (&["--timeout"], "--timeout option requires 1 argument"),
            (&["--timeout", "x"], "option --timeout: invalid integer value: 'x'"),
        ] {
            match read(args) {
                Err(CliError::Usage(text)) => assert_eq!(text, said, "{args:?}"),
                other => panic!("{args:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn options_may_be_repeated_and_abbreviated() {
        let m = read(&["-s", "--out=a", "-s", "-t", "1", "--timeout=2", "word"]).unwrap();
        assert_eq!(m.get_one::<u32>("timeout"), Some(&2));
        assert_eq!(m.get_one::<String>("out-file").map(String::as_str), Some("a"));
        assert_eq!(m.get_one::<String>("words").map(String::as_str), Some("word"));
    }
}
