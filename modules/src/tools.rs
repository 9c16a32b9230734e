//! Programs that modules ask, run through `cmd` as stock does, so that its logging, time-outs and overrides apply.
//! Arguments are passed whole: no text from a caller becomes an option or a second word.

use crate::grains_core::read;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, shlex};

/// Fails in stock's words unless the program is installed.
pub(crate) fn require(program: &str) -> Result<()> {
    match read::which(program) {
        Some(_) => Ok(()),
        None => Err(CallError::CommandNotFound(format!("The '{program}' binary was not found in $PATH."))),
    }
}

/// A command line of these words, each quoted where a shell's splitting would change it.
fn line(words: &[&str]) -> String {
    words.iter().map(|word| shlex::quote(word)).collect::<Vec<_>>().join(" ")
}

fn args(words: &[&str]) -> Args {
    Args::positional([line(words)]).with("python_shell", false)
}

/// What `cmd.run` returns for these words: output and errors as one text.
pub(crate) fn run(cx: &Cx, words: &[&str]) -> Result<String> {
    Ok(python_str(&cx.call("cmd.run", args(words))?))
}

/// As [`run`], for words that stay a list; `ignored`: a code that is not zero is an answer like any other.
pub(crate) fn said(cx: &Cx, words: Vec<Value>, ignored: bool) -> Result<String> {
    let mut args = Args::positional([words]).with("python_shell", false);
    if ignored {
        args = args.with("ignore_retcode", true);
    }
    Ok(python_str(&cx.call("cmd.run", args)?))
}

/// What `cmd.run_stdout` returns: output alone.
pub(crate) fn run_stdout(cx: &Cx, words: &[&str]) -> Result<String> {
    Ok(python_str(&cx.call("cmd.run_stdout", args(words))?))
}

/// As [`run`], given up after some seconds.
pub(crate) fn run_for(cx: &Cx, words: &[&str], seconds: i64) -> Result<String> {
    Ok(python_str(&cx.call("cmd.run", args(words).with("timeout", seconds))?))
}

/// What `cmd.run_all` returns: `retcode`, `stdout`, `stderr`.
pub(crate) fn run_all(cx: &Cx, words: &[&str]) -> Result<Map> {
    all_of(cx, args(words))
}

/// As [`run_all`], where a code that is not zero is an answer like any other.
pub(crate) fn run_quietly(cx: &Cx, words: &[&str]) -> Result<Map> {
    all_of(cx, args(words).with("ignore_retcode", true))
}

/// What `cmd.run_all` returns for these arguments.
pub(crate) fn all_of(cx: &Cx, args: Args) -> Result<Map> {
    match cx.call("cmd.run_all", args)? {
        Value::Map(map) => Ok(map),
        other => Err(CallError::execution(format!("cmd.run_all returned {}", python_str(&other)))),
    }
}

/// One of the texts among what it returned.
pub(crate) fn text(out: &Map, key: &str) -> String {
    out.get(key).map(python_str).unwrap_or_default()
}

/// The return code among it; 0 where there is none.
pub(crate) fn code(out: &Map) -> i64 {
    out.get("retcode").and_then(Value::as_int).unwrap_or(0)
}

/// What `cmd.retcode` returns.
pub(crate) fn retcode(cx: &Cx, words: &[&str]) -> Result<i64> {
    Ok(cx.call("cmd.retcode", args(words))?.as_int().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(line(&["ping", "-c", "4", "a.b"]), "ping -c 4 a.b");
        assert_eq!(line(&["lsof", "-c", "a b; 'x'"]), "lsof -c 'a b; '\"'\"'x'\"'\"''");
        assert_eq!(line(&["x", ""]), "x ''");
    }
}
