//! `onlyif`, `unless`, `creates`, `check_cmd`: whether a chunk is run, and whether it succeeded, as commands and execution
//! functions say.

use super::slots;
use super::words::say_whose;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::target::traverse;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;
use std::sync::Arc;

/// The words of a chunk that its commands take over.
const FOR_COMMANDS: [&str; 8] =
    ["cwd", "root", "runas", "env", "prepend_path", "umask", "timeout", "success_retcodes"];

/// What a condition came to.
struct Found {
    comment: Option<String>,
    /// The state is not run, since it is as it should be.
    is_over: bool,
    skip_watch: bool,
}

impl Found {
    fn run(comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), is_over: false, skip_watch: false }
    }

    fn over(comment: &str) -> Self {
        Self { comment: Some(comment.to_owned()), is_over: true, skip_watch: true }
    }
}

/// The part of a chunk's result that its conditions decide: with the result `True`, it is not run.
///
/// As in stock, what calls a function is asked once: it loses the function's name by that, and is malformed when the chunk is
/// run again (after a trial for a `prereq`, to be told of a change, in a retry).
///
/// # Errors
/// What commands and functions raise.
pub(super) fn conditions(cx: &Cx, low: &mut Arc<Map>) -> Result<Map> {
    let options = command_options(cx, low);
    let mut over = false;
    let mut skip_watch: Option<bool> = None;
    let mut comments = Vec::new();
    for key in ["onlyif", "unless", "creates"] {
        let Some(mut wanted) = low.get(key).cloned() else { continue };
        let found = match key {
            "onlyif" => onlyif(cx, &mut wanted, &options),
            "unless" => unless(cx, &mut wanted, &options),
            _ => Ok(creates(&wanted)),
        };
        if entries(&mut wanted).iter().any(|entry| matches!(entry, Value::Map(_))) {
            Arc::make_mut(low).insert(key, wanted);
        }
        let found = found?;
        over |= found.is_over;
        if found.skip_watch {
            skip_watch = Some(true);
        }
        comments.push(found.comment.ok_or_else(|| CallError::exception("KeyError", "'comment'"))?);
    }
    let mut ret = map! {"result" => over, "comment" => comments};
    say_whose(&mut ret, low);
    if let Some(skip) = skip_watch {
        ret.insert("skip_watch", skip);
    }
    Ok(ret)
}

/// The options of the commands of a chunk: its own, but those it excludes.
fn command_options(cx: &Cx, low: &Map) -> Map {
    let excluded: Vec<String> = match low.get("cmd_opts_exclude") {
        Some(Value::List(all)) => all.iter().map(python_str).collect(),
        Some(one) => vec![python_str(one)],
        None => Vec::new(),
    };
    let is_excluded = |key: &str| excluded.iter().any(|excluded| excluded == key);
    let mut options = Map::new();
    for key in FOR_COMMANDS.into_iter().filter(|key| !is_excluded(key)) {
        options.insert(key, low.get(key).cloned());
    }
    match low.get("shell") {
        Some(shell) if !is_excluded("shell") => drop(options.insert("shell", shell.clone())),
        _ => shell_of_minion(cx, &mut options),
    }
    options
}

fn shell_of_minion(cx: &Cx, options: &mut Map) {
    if let Some(shell) = cx.grains.get("shell") {
        options.insert("shell", shell.clone());
    }
}

fn return_code(cx: &Cx, command: &Value, options: &Map) -> Result<Value> {
    let mut args = Args { positional: vec![command.clone()], keyword: options.clone() };
    args.keyword.retain(|_, value| !value.is_nil());
    let code = cx.call("cmd.retcode", args.with("ignore_retcode", true).with("python_shell", true))?;
    tracing::debug!("Last command return code: {}", python_str(&code));
    Ok(code)
}

/// What an entry came to: a return code, or what a function says.
enum Said {
    Code(bool),
    Function(bool),
    /// The entry makes no sense: the comment, if there is one.
    Malformed(Option<String>),
}

/// Runs one entry; a command that cannot be run has this code.
fn ask(cx: &Cx, key: &str, entry: &mut Value, options: &Map, cannot: bool) -> Result<Said> {
    match entry {
        Value::Str(_) => match return_code(cx, entry, options) {
            Ok(code) => Ok(Said::Code(code == Value::Int(0))),
            Err(CallError::Execution(_) | CallError::CommandNotFound(_)) => Ok(Said::Code(cannot)),
            Err(e) => Err(e),
        },
        Value::Map(of) => {
            if !of.contains("fun") {
                let comment = format!("no `fun` argument in {key}: {}", python_str(&Value::Map(of.clone())));
                tracing::warn!("{comment}");
                return Ok(Said::Malformed(Some(comment)));
            }
            let get_return = of.remove("get_return").filter(|path| path.truthy());
            let mut result = call(cx, of)?;
            if let Some(path) = get_return {
                result = traverse(&result, &python_str(&path), ":").cloned().unwrap_or_default();
            }
            match cx.job.context("retcode").filter(|code| code.truthy()) {
                Some(_) => Ok(Said::Code(false)),
                None => Ok(Said::Function(result.truthy())),
            }
        }
        _ => Ok(Said::Malformed(None)),
    }
}

/// Calls the function that an entry names, with the rest of it, which is all that it leaves.
fn call(cx: &Cx, of: &mut Map) -> Result {
    let function = of.remove("fun").map(|name| python_str(&name)).unwrap_or_default();
    let mut positional = match of.remove("args") {
        Some(Value::List(args)) => args,
        Some(Value::Str(text)) => text.chars().map(|letter| letter.to_string().into()).collect(),
        _ => Vec::new(),
    };
    slots::format_list(cx, &mut positional)?;
    slots::format(cx, of)?;
    if cx.registry.get(&function).is_none() {
        return Err(CallError::exception("KeyError", brine_core::text::python_repr(&function.into())));
    }
    cx.call(&function, Args { positional, keyword: of.clone() })
}

fn entries(wanted: &mut Value) -> Vec<&mut Value> {
    match wanted {
        Value::List(all) => all.iter_mut().collect(),
        one => vec![one],
    }
}

/// All have to hold.
fn onlyif(cx: &Cx, wanted: &mut Value, options: &Map) -> Result<Found> {
    let mut found = Found { comment: None, is_over: false, skip_watch: false };
    for entry in entries(wanted) {
        match ask(cx, "onlyif", entry, options, false)? {
            Said::Code(true) | Said::Function(true) => {
                found.comment = Some("onlyif condition is true".into())
            }
            Said::Code(false) | Said::Function(false) => return Ok(Found::over("onlyif condition is false")),
            Said::Malformed(comment) => {
                found.comment =
                    Some(comment.unwrap_or_else(|| "onlyif execution failed, bad type passed".into()));
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// One that does not hold is enough to run.
fn unless(cx: &Cx, wanted: &mut Value, options: &Map) -> Result<Found> {
    let mut found = Found { comment: None, is_over: false, skip_watch: false };
    for entry in entries(wanted) {
        match ask(cx, "unless", entry, options, true)? {
            Said::Code(true) | Said::Function(true) => found = Found::over("unless condition is true"),
            Said::Code(false) => return Ok(Found::run("unless condition is false")),
            Said::Function(false) => {
                return Ok(Found {
                    comment: Some("unless condition is false".into()),
                    is_over: false,
                    ..found
                });
            }
            Said::Malformed(Some(comment)) => return Ok(Found { comment: Some(comment), ..found }),
            Said::Malformed(None) => {
                found.comment = Some("unless condition is false, bad type passed".into());
                found.is_over = false;
            }
        }
    }
    Ok(found)
}

fn creates(wanted: &Value) -> Found {
    let exists = |path: &Value| path.as_str().is_some_and(|path| Path::new(path).exists());
    match wanted {
        Value::Str(path) if exists(wanted) => Found::over(&format!("{path} exists")),
        Value::List(paths) if paths.iter().all(exists) => Found::over("All files in creates exist"),
        _ => Found::run("Creates files not found"),
    }
}

/// The part of a result that `check_cmd` decides.
///
/// # Errors
/// What commands raise.
pub(super) fn check_cmd(cx: &Cx, low: &Map) -> Result<Map> {
    let mut ret = map! {"result" => false};
    say_whose(&mut ret, low);
    let mut options = Map::new();
    shell_of_minion(cx, &mut options);
    let wanted = match low.get("check_cmd") {
        Some(Value::List(all)) => all.as_slice(),
        one => one.map(std::slice::from_ref).unwrap_or_default(),
    };
    for entry in wanted {
        if return_code(cx, entry, &options)? != Value::Int(0) {
            ret.insert("comment", "check_cmd determined the state failed");
            ret.insert("result", false);
            return Ok(ret);
        }
        if ret.get("result") == Some(&Value::Bool(false)) {
            ret.insert("comment", "check_cmd determined the state succeeded");
            ret.insert("result", true);
        }
    }
    Ok(ret)
}
