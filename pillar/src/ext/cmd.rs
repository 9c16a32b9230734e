//! `cmd_json`, `cmd_yaml` and `cmd_yamlex`: what a command prints, read as data. What cannot be read is logged and gives nothing,
//! as in stock.
//!
//! `%s` in the command is the minion's id. A shell or a splitter of words reads the command after that, so an id with anything
//! but letters, digits and `._@:+-`, or with a leading `-`, is refused where it would be put in.

use super::{Asked, Source};
use brine_core::call::{Args as CallArgs, CallError};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature};
use brine_render::serialize;
use std::time::{Duration, Instant};

pub(super) const JSON: Source = Source {
    name: "cmd_json",
    run: |asked, args| {
        run(asked, args, Way::Run, "JSON data from", |text| brine_render::json::loads_obj(&Obj::str(text)))
    },
};

pub(super) const YAML: Source = Source {
    name: "cmd_yaml",
    run: |asked, args| {
        run(asked, args, Way::Shell, "YAML data from", |text| {
            brine_render::yaml::load_obj(text, "<unicode string>").map_err(|e| PyErr::value(e.to_string()))
        })
    },
};

pub(super) const YAMLEX: Source = Source {
    name: "cmd_yamlex",
    run: |asked, args| {
        run(asked, args, Way::Run, "YAML data from", |text| {
            serialize::deserialize("yamlex", &Obj::str(text), &Dict::new().into())
        })
    },
};

/// A node classifier of Puppet's: the command with the id as its last word.
pub(super) const PUPPET: Source = Source {
    name: "puppet",
    run: |asked, args| {
        let bound = SIGNATURE.bind(args)?;
        let command = format!("{} %s", brine_python::str(bound.at(0))?);
        run(asked, &Args::of([Obj::str(command)]), Way::Run, "YAML data from", |text| {
            let data = brine_render::yaml::load_obj(text, "<unicode string>")
                .map_err(|e| PyErr::value(e.to_string()))?;
            brine_python::getitem(&data, &Obj::str("parameters"))
        })
    },
};

/// How long a command may take; stock waits for ever.
const LONGEST: Duration = Duration::from_secs(300);

/// Which function runs the command.
#[derive(Clone, Copy)]
enum Way {
    /// `cmd.run`: output and errors, through a shell only where the options say so.
    Run,
    /// `cmd.run_stdout` through a shell.
    Shell,
}

const SIGNATURE: Signature = Signature::new("ext_pillar", 2, &["minion_id", "pillar", "command"], 3);

fn run(asked: &Asked<'_>, args: &Args, way: Way, what: &str, read: fn(&str) -> R) -> R {
    let bound = SIGNATURE.bind(args)?;
    let Some(command) = bound.at(0).as_str() else {
        tracing::error!("{what} a command that is no text failed to parse");
        return Ok(Dict::new().into());
    };
    let command = with_id(command, asked.id)?;
    let outcome = output(asked, &command, way, LONGEST)?.and_then(|text| read(&text));
    Ok(outcome.unwrap_or_else(|e| {
        // What it printed may be secret, and so may the place of an error in it.
        tracing::error!("{what} {command} failed to parse: {}", e.kind().name());
        Dict::new().into()
    }))
}

/// The command with the id in it.
fn with_id(command: &str, id: &str) -> R<String> {
    if !command.contains("%s") {
        return Ok(command.to_owned());
    }
    let plain = |c: char| c.is_alphanumeric() || "._@:+-".contains(c);
    if id.starts_with('-') || !id.chars().all(plain) {
        return Err(PyErr::value("the minion's id cannot stand in a command"));
    }
    Ok(command.replace("%s", id))
}

/// What it prints, or why it does not; an error of its own if it takes too long.
fn output(asked: &Asked<'_>, command: &str, way: Way, longest: Duration) -> R<R<String>> {
    let start = Instant::now();
    let args = CallArgs::positional([command])
        .with("timeout", i64::try_from(longest.as_secs()).unwrap_or(i64::MAX))
        .with("output_loglevel", "quiet");
    let printed = match way {
        Way::Run => asked.cx().call("cmd.run", args),
        Way::Shell => asked.cx().call("cmd.run_stdout", args.with("python_shell", true)),
    };
    if start.elapsed() >= longest {
        let text = format!("the command took longer than {} seconds", longest.as_secs());
        return Err(PyErr::new(Kind::Other("TimeoutError"), text));
    }
    match printed {
        Ok(printed) => {
            Ok(printed.as_str().map(str::to_owned).ok_or_else(|| PyErr::ty("the command printed no text")))
        }
        Err(e @ CallError::Cancelled) => Err(brine_render::template::py_error(e)),
        Err(e) => Ok(Err(brine_render::template::py_error(e))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word_of_the_command() {
        assert_eq!(with_id("echo %s %s", "web-1.example").unwrap(), "echo web-1.example web-1.example");
        for id in ["a;b", "$(id)", "`id`", "a b", "-rf", "a'b", "a\"b", "a&b", "a|b", "a>b", "a*"] {
            assert!(with_id("echo '%s'", id).is_err(), "{id}");
            assert_eq!(with_id("echo", id).unwrap(), "echo");
        }
    }
}
