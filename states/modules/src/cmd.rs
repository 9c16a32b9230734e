//! States that run commands and scripts. How a command is run is `cmd`'s, the execution module.

mod stateful;

use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::state::state_module;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use stateful::reinterpreted;

state_module! {
    "cmd": call, mod_watch, run, script, wait, wait_call, wait_script, "watch" => wait
}

given! {
    /// Run a command only when something it watches has changed. Arguments are those of `cmd.run`.
    fn wait(
        name, cwd = (), root = (), runas = (), shell = (), env = Vec::<Value>::new(), stateful = false,
        output_loglevel = "debug", hide_output = false, use_vt = false, success_retcodes = (), success_stdout = (),
        success_stderr = (); kwargs
    ) => waiting
}

given! {
    /// Run a script only when something it watches has changed. Arguments are those of `cmd.script`.
    fn wait_script(
        name, source = (), template = (), cwd = (), runas = (), shell = (), env = (), stateful = false, use_vt = false,
        output_loglevel = "debug", hide_output = false, success_retcodes = (), success_stdout = (),
        success_stderr = (); kwargs
    ) => waiting
}

given! {
    /// Call a Python function only when something it watches has changed. For the renderer `pydsl`.
    fn wait_call(
        name, func, args = Vec::<Value>::new(), kws = (), stateful = false, use_vt = false, output_loglevel = "debug",
        hide_output = false; kwargs
    ) => waiting
}

given! {
    /// Run a command.
    ///
    /// name: the command, for a shell. cwd: where it runs. root: run it in this root directory. runas: as this user.
    /// shell: the shell. env: variables, a dict or a list of dicts. prepend_path: a directory in front of `PATH`.
    /// stateful: the command says on its last line (`changed=yes comment='..'`, or all its output is one JSON object)
    /// whether it changed anything; as a list with `test_name`, another command to run in test mode.
    /// output_loglevel, hide_output: where output goes. timeout: seconds until it is killed; ignore_timeout: which is no failure.
    /// use_vt: on a terminal. success_retcodes, success_stdout, success_stderr: what counts as success. Further arguments
    /// are those of the execution function `cmd.run_all`. password concerns Windows only.
    fn run(
        name, cwd = (), root = (), runas = (), password = (), shell = (), env = (), prepend_path = (), stateful = false,
        output_loglevel = "debug", hide_output = false, timeout = (), ignore_timeout = false, use_vt = false,
        success_retcodes = (), success_stdout = (), success_stderr = (); kwargs
    ) => run_command
}

given! {
    /// Fetch a script and run it.
    ///
    /// source: where it is (`salt://`, a URL, a path); without it `name`, up to its first blank. name: shown, and the arguments
    /// after the first word. args: arguments, where `name` has none. template: render the script first, with `context` and
    /// `defaults`. All others are as for `cmd.run`.
    fn script(
        name, source = (), template = (), cwd = (), runas = (), password = (), shell = (), env = (), stateful = false,
        timeout = (), use_vt = false, output_loglevel = "debug", hide_output = false, defaults = (), context = (),
        success_retcodes = (), success_stdout = (), success_stderr = (); kwargs
    ) => run_script
}

given! {
    /// Call a Python function, which only the renderer `pydsl` has.
    fn call(
        name, func, args = Vec::<Value>::new(), kws = (), output_loglevel = "debug", hide_output = false, use_vt = false;
        kwargs
    ) => run_call
}

given! {
    /// Run what is watched for: called by the runner, not from SLS files.
    fn mod_watch(name; kwargs) => watched
}

fn result(name: &Value, result: impl Into<Value>, comment: impl Into<Value>) -> Map {
    map! { "name" => name.clone(), "changes" => Map::new(), "result" => result.into(), "comment" => comment.into() }
}

fn waiting(_: &Cx, given: Given) -> Result {
    Ok(result(&given.value("name"), true, "").into())
}

/// Whether the output says what was changed, and the name to run in test mode.
fn stateful(given: &Given) -> Result<(bool, Option<Value>)> {
    match given.value("stateful") {
        Value::List(list) => match list.first() {
            None => Err(CallError::exception("IndexError", "list index out of range")),
            Some(Value::Map(first)) => Ok((true, first.get("test_name").cloned().filter(Value::truthy))),
            // Python looks for the word in the text, and takes it for a key then.
            Some(Value::Str(text)) if text.contains("test_name") => {
                Err(CallError::exception("TypeError", "string indices must be integers"))
            }
            Some(Value::Str(_) | Value::List(_)) => Ok((!list.is_empty(), None)),
            Some(other) => {
                let kind = brine_core::text::python_type(other);
                Err(CallError::exception("TypeError", format!("argument of type '{kind}' is not iterable")))
            }
        },
        other => Ok((other == Value::Bool(true), None)),
    }
}

const BAD_ENV: &str = "Invalidly-formatted 'env' parameter. See documentation.";

fn bad_env(given: &Given) -> bool {
    given.get("env").is_some_and(|env| !matches!(env, Value::List(_) | Value::Map(_)))
}

/// The directory that a command is to run in and cannot.
fn missing_cwd(given: &Given) -> Option<String> {
    let cwd = python_str(given.set_to("cwd")?);
    (!std::path::Path::new(&cwd).is_dir()).then(|| format!("Desired working directory \"{cwd}\" is not available"))
}

fn shell(cx: &Cx, given: &Given) -> Value {
    given.set_to("shell").or_else(|| cx.grains.get("shell")).cloned().unwrap_or_default()
}

fn finished(cx: &Cx, mut ret: Map, stateful: bool, retcode: &Value) -> Result {
    if stateful {
        ret = reinterpreted(ret)?;
    }
    let changed = ret.get("changes").is_some_and(Value::truthy);
    if cx.test && *retcode == Value::Int(0) && changed {
        ret.insert("result", ());
    }
    Ok(ret.into())
}

fn run_command(cx: &Cx, given: Given) -> Result {
    let mut name = given.value("name");
    let mut ret = result(&name, false, "");
    let (stateful, test_name) = stateful(&given)?;
    if let (true, Some(test_name)) = (cx.test, &test_name) {
        name = test_name.clone();
    }
    if bad_env(&given) {
        ret.insert("comment", BAD_ENV);
        return Ok(ret.into());
    }
    let shown = python_str(&name);
    if cx.test && test_name.is_none() {
        ret.insert("result", ());
        ret.insert("comment", format!("Command \"{shown}\" would have been executed"));
        ret.insert("changes", map! { "cmd" => name });
        return Ok(if stateful { reinterpreted(ret)? } else { ret }.into());
    }
    if let Some(comment) = missing_cwd(&given) {
        ret.insert("comment", comment);
        return Ok(ret.into());
    }
    let mut args = Args { positional: Vec::new(), keyword: given.extra.clone() };
    for key in [
        "cwd", "root", "runas", "password", "use_vt", "env", "prepend_path", "output_loglevel", "hide_output",
        "success_retcodes", "success_stdout", "success_stderr", "timeout",
    ] {
        args.keyword.insert(key, given.value(key));
    }
    args.keyword.insert("shell", shell(cx, &given));
    args.keyword.insert("cmd", name);
    args.keyword.insert("python_shell", true);
    let function = if given.truthy("root") { "cmd.run_chroot" } else { "cmd.run_all" };
    let mut done = match cx.call(function, args) {
        Ok(done) => done,
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(e) => {
            ret.insert("comment", e.text());
            return Ok(ret.into());
        }
    };
    let retcode = done.get("retcode").cloned().unwrap_or_default();
    ret.insert("result", !retcode.truthy());
    ret.insert("comment", format!("Command \"{shown}\" run"));
    let timed_out = |done: &Value| {
        retcode == Value::Int(1)
            && done.get("stdout").and_then(Value::as_str).is_some_and(|out| out.contains("Timed out after"))
    };
    if given.truthy("ignore_timeout") && timed_out(&done) {
        if let Some(done) = done.as_map_mut() {
            done.insert("retcode", 0);
        }
        ret.insert("result", true);
    }
    let retcode = done.get("retcode").cloned().unwrap_or_default();
    ret.insert("changes", done);
    finished(cx, ret, stateful, &retcode)
}

fn run_script(cx: &Cx, given: Given) -> Result {
    let mut name = given.value("name");
    let (stateful, test_name) = stateful(&given)?;
    if let (true, Some(test_name)) = (cx.test, &test_name) {
        name = test_name.clone();
    }
    let mut ret = result(&name, false, "");
    if bad_env(&given) {
        ret.insert("comment", BAD_ENV);
        return Ok(ret.into());
    }
    for key in ["context", "defaults"] {
        if given.set_to(key).is_some_and(|value| value.as_map().is_none()) {
            ret.insert(
                "comment",
                format!("Invalidly-formatted '{key}' parameter. Must be formed as a dict."),
            );
            return Ok(ret.into());
        }
    }
    let mut context = given.get("defaults").and_then(Value::as_map).cloned().unwrap_or_default();
    context.update(given.get("context").and_then(Value::as_map).cloned().unwrap_or_default());
    let shown = python_str(&name);
    let source = given.get("source").cloned().unwrap_or_else(|| name.clone());
    let mut args = Args { positional: vec![source.clone()], keyword: given.extra.clone() };
    for key in [
        "runas", "password", "env", "cwd", "template", "timeout", "output_loglevel", "hide_output", "use_vt",
        "success_retcodes", "success_stdout", "success_stderr",
    ] {
        args.keyword.insert(key, given.value(key));
    }
    let saltenv = cx.saltenv().to_owned();
    args.keyword.insert("shell", shell(cx, &given));
    args.keyword.insert("context", context);
    args.keyword.insert("saltenv", saltenv.as_str());
    args.keyword.insert("python_shell", true);
    let words = brine_python::split_whitespace(&shown).count();
    if words > 1 && !given.truthy("args") {
        let arguments = shown.split_once(' ').map(|(_, rest)| rest);
        let wrong = || CallError::exception("IndexError", "list index out of range");
        args.keyword.insert("args", arguments.ok_or_else(wrong)?);
    }
    if cx.test && test_name.is_none() {
        ret.insert("result", ());
        ret.insert("comment", format!("Command '{shown}' would have been executed"));
        return Ok(if stateful { reinterpreted(ret)? } else { ret }.into());
    }
    if let Some(comment) = missing_cwd(&given) {
        ret.insert("comment", comment);
        return Ok(ret.into());
    }
    let done = match cx.call("cmd.script", args) {
        Ok(done) => done,
        Err(
            e @ (CallError::Execution(_)
            | CallError::CommandNotFound(_)
            | CallError::Exception {
                kind: "OSError" | "FileNotFoundError" | "PermissionError" | "SaltRenderError" | "NotADirectoryError",
                ..
            }),
        ) => {
            ret.insert("comment", e.text());
            return Ok(ret.into());
        }
        Err(e) => return Err(e),
    };
    let retcode = done.get("retcode").cloned().unwrap_or_default();
    let failed = if given.truthy("retcode") { done.truthy() } else { retcode.truthy() };
    ret.insert("result", !failed);
    ret.insert(
        "comment",
        if done.get("cache_error").is_some_and(Value::truthy) {
            format!("Unable to cache script {} from saltenv '{saltenv}'", python_str(&source))
        } else {
            format!("Command '{shown}' run")
        },
    );
    ret.insert("changes", done);
    finished(cx, ret, stateful, &retcode)
}

/// What is no function of Python's cannot be called; SLS files have nothing else to give.
fn run_call(_: &Cx, given: Given) -> Result {
    let kind = brine_core::text::python_type(&given.value("func"));
    Err(CallError::exception("TypeError", format!("'{kind}' object is not callable")))
}

fn watched(cx: &Cx, mut given: Given) -> Result {
    let name = given.value("name");
    let sfun = given.extra.get("sfun").cloned();
    let sfun = sfun.ok_or_else(|| CallError::exception("KeyError", "'sfun'"))?;
    let function = match sfun.as_str() {
        Some("wait" | "run" | "watch") => "cmd.run",
        Some("wait_script" | "script") => "cmd.script",
        Some("wait_call" | "call") if given.truthy("func") => "cmd.call",
        Some("wait_call" | "call") => {
            let comment = format!("cmd.{} needs a named parameter func", python_str(&sfun));
            return Ok(result(&name, false, comment).into());
        }
        _ => {
            let comment = format!(
                "cmd.{} does not work with the watch requisite, please use cmd.wait or cmd.wait_script",
                python_str(&sfun)
            );
            return Ok(result(&name, false, comment).into());
        }
    };
    let stateful = function != "cmd.call" && given.truthy("stateful");
    if stateful {
        given.take("stateful");
    }
    let done = cx.call_state(function, Args { positional: vec![name], keyword: given.extra })?;
    match done {
        Value::Map(done) if stateful => Ok(reinterpreted(done)?.into()),
        done => Ok(done),
    }
}
