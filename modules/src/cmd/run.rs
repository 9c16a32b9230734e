//! Running a prepared command, and what becomes of its output and return code.

use super::encoding::{decode, rstrip};
use super::given::Given;
use super::options::{Options, first_word, is_quiet};
use super::spawn::{Launch, own_session};
use super::wait::{End, Source, reap_later, return_code, wait};
use super::vt;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::{python_os_error, python_repr, python_str};
use brine_core::{Map, Value, map};
use std::io;
use std::process::Stdio;

/// Where the child's error output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stderr {
    /// Into a result of its own.
    Apart,
    /// Into the output.
    Merged,
}

/// Runs the command of `given` and returns `pid`, `retcode`, `stdout` and `stderr`. Sets the job's return code.
pub(super) fn run(cx: &Cx, given: &Given, stderr: Stderr) -> Result<Map> {
    let background = given.flag("bg");
    let python_shell = given.python_shell(cx);
    let options = Options::new(cx, given, python_shell)?;
    let done = if given.flag("use_vt") && !background {
        vt::run(cx, &options, given)?
    } else {
        match plain(cx, given, &options, stderr, background)? {
            Done::Result(map) => map,
            // Stock leaves the job's return code alone here.
            Done::TimedOut(map) => return Ok(map),
        }
    };
    let retcode = done.get("retcode").cloned().unwrap_or_default();
    let ignore = background || given.flag("ignore_retcode");
    cx.job.set_context("retcode", if ignore { Value::from(0) } else { retcode.clone() });
    if !is_quiet(given) {
        log_end(given, &done, &retcode, ignore)?;
    }
    Ok(done)
}

enum Done {
    Result(Map),
    TimedOut(Map),
}

fn plain(cx: &Cx, given: &Given, options: &Options, stderr: Stderr, background: bool) -> Result<Done> {
    let launch = Launch {
        argv: &options.argv,
        env: &options.env,
        cwd: &options.cwd,
        identity: options.identity.clone(),
        umask: options.umask,
        session: own_session(cx), terminal: false,
    };
    let stdin = if options.input.is_some() && !background { Stdio::piped() } else { Stdio::inherit() };
    let failed = |e: io::Error| start_error(given, options, stderr, &e);
    if background {
        let child = launch.start(stdin, Stdio::inherit(), Stdio::inherit()).map_err(failed)?.child;
        let pid = child.id();
        reap_later(child);
        return Ok(Done::Result(map! { "pid" => pid, "retcode" => (), "stdout" => "", "stderr" => "" }));
    }
    let (out, out_end) = io::pipe()?;
    let (err, err_end): (Option<Source>, Stdio) = match stderr {
        Stderr::Merged => (None, out_end.try_clone()?.into()),
        Stderr::Apart => {
            let (err, err_end) = io::pipe()?;
            (Some(Box::new(err)), err_end.into())
        }
    };
    let child = launch.start(stdin, out_end.into(), err_end).map_err(failed)?;
    let pid = child.child.id();
    let sources: Vec<Source> = [Some(Box::new(out) as Source), err].into_iter().flatten().collect();
    match wait(cx, child, options.input.clone(), sources, options.timeout, |_, _| ())? {
        End::Exited(status, outputs) => {
            let encoding = given.text("output_encoding");
            let text = |which: usize| -> Result<String> {
                let bytes = outputs.get(which).map_or(&[][..], Vec::as_slice);
                let text = decode(bytes, encoding.as_deref())?;
                Ok(if given.flag_or("rstrip", true) { rstrip(&text).to_owned() } else { text })
            };
            let (stdout, stderr) = (text(0)?, text(1)?);
            let retcode = judged(options, return_code(status), &stdout, &stderr);
            Ok(Done::Result(
                map! { "pid" => pid, "retcode" => retcode, "stdout" => stdout, "stderr" => stderr },
            ))
        }
        End::TimedOut(_) => {
            let timeout = given.get("timeout").map(python_str).unwrap_or_default();
            let text = format!("{} : Timed out after {timeout} seconds", options.shown);
            Ok(Done::TimedOut(map! { "stdout" => text, "stderr" => "", "retcode" => 1, "pid" => pid }))
        }
    }
}

/// The return code once `success_*` had their say.
pub(super) fn judged(options: &Options, retcode: i64, stdout: &str, stderr: &str) -> i64 {
    let success = options.success_retcodes.contains(&retcode)
        || options.success_stdout.iter().any(|text| stdout.contains(text.as_str()))
        || options.success_stderr.iter().any(|text| stderr.contains(text.as_str()));
    if success { 0 } else { retcode }
}

/// Stock's text for a program that did not start, without environment and input: they may hold secrets.
fn start_error(given: &Given, options: &Options, stderr: Stderr, e: &io::Error) -> CallError {
    if e.kind() == io::ErrorKind::InvalidInput {
        return CallError::exception("ValueError", "embedded null byte");
    }
    let pipe = -1;
    // Stock's `run_bg` alone asks for no pipes.
    let pipes = given.flag_or("with_communicate", true);
    let stderr = match stderr {
        _ if !pipes => Value::Nil,
        Stderr::Merged => Value::from(-2),
        Stderr::Apart => Value::from(pipe),
    };
    let mut context = map! {
        "cwd" => options.cwd.to_string_lossy().into_owned(),
        "shell" => options.python_shell,
        "stdout" => if pipes { Value::from(pipe) } else { Value::Nil },
        "stderr" => stderr,
        "with_communicate" => pipes,
        "timeout" => given.get("timeout").cloned().unwrap_or_default(),
        "bg" => given.flag("bg"),
    };
    if let Some(raw) = given.extra.get("stdin_raw_newlines") {
        context.insert("stdin_raw_newlines", raw.clone());
    }
    if options.changes_itself {
        context.insert("preexec_fn", "chugid_and_umask");
    }
    if options.python_shell {
        context.insert("executable", options.shell.clone());
    }
    context.insert("close_fds", true);
    let cmd = match given.get("cmd") {
        _ if is_quiet(given) => "REDACTED".into(),
        Some(Value::Str(text)) if options.shell.is_none() || options.python_shell => text.clone(),
        Some(Value::Str(_)) => python_repr(&options.argv.clone().into()),
        other => python_str(other.unwrap_or(&Value::Nil)),
    };
    CallError::execution(format!(
        "Unable to run command '{cmd}' with the context '{}', reason: {}",
        python_repr(&context.into()),
        python_os_error(e, &options.argv[0])
    ))
}

fn log_end(given: &Given, done: &Map, retcode: &Value, ignore: bool) -> Result<()> {
    let failed = !ignore && *retcode != Value::Int(0);
    if failed {
        log_failure(given, retcode)?;
    }
    for name in ["stdout", "stderr"] {
        if let Some(text) = done.get_str(name).filter(|text| !text.is_empty()) {
            log_output(given, failed, name, text);
        }
    }
    if retcode.truthy() {
        log_output(given, failed, "retcode", &python_str(retcode));
    }
    Ok(())
}

fn log_failure(given: &Given, retcode: &Value) -> Result<()> {
    let word = first_word(given.get("cmd").unwrap_or(&Value::Nil))?;
    tracing::error!("Command '{word}' failed with return code: {}", python_str(retcode));
    Ok(())
}

/// What stock's `cmd.run` logs once more.
pub(super) fn log_again(given: &Given, failed: bool, retcode: &Value, stdout: &str) -> Result<()> {
    if failed {
        log_failure(given, retcode)?;
    }
    log_output(given, failed, "output", stdout);
    Ok(())
}

/// Logs output at the level the caller chose, or as an error if the command failed.
fn log_output(given: &Given, failed: bool, name: &str, text: &str) {
    let level = given.text("output_loglevel").unwrap_or_default().to_ascii_lowercase();
    let text = brine_core::basic_auth::redacted(text);
    match level.as_str() {
        _ if failed => tracing::error!("{name}: {text}"),
        "error" | "critical" => tracing::error!("{name}: {text}"),
        "warning" => tracing::warn!("{name}: {text}"),
        "debug" => tracing::debug!("{name}: {text}"),
        "trace" | "garbage" | "all" | "profile" => tracing::trace!("{name}: {text}"),
        _ => tracing::info!("{name}: {text}"),
    }
}
