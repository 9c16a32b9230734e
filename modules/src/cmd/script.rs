//! `cmd.script`: a file from the master or this machine, copied to a private temporary file, run, removed.

use super::given::Given;
use super::identity;
use super::run::{Stderr, run};
use crate::python::shlex;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Runs the script and returns what `cmd.run_all` returns.
pub(super) fn script(cx: &Cx, mut given: Given) -> Result<Map> {
    let python_shell = given.python_shell(cx);
    let source = given.text("source").unwrap_or_default();
    let args = given.take("args");
    let template = given.text("template").filter(|template| !template.is_empty());
    given.set("template", ());
    let Some((path, keep)) = copy(cx, &given, &source, template.as_deref())? else {
        return Ok(
            map! { "pid" => 0, "retcode" => 1, "stdout" => "", "stderr" => "", "cache_error" => true },
        );
    };
    let args: Vec<String> = match &args {
        Value::List(list) => list.iter().map(python_str).collect(),
        Value::Nil => Vec::new(),
        other => shlex::split(&python_str(other))?,
    };
    given.set("python_shell", python_shell && args.is_empty());
    let path = path.to_string_lossy().into_owned();
    let mut argv = Vec::new();
    if given.flag("bg") {
        // Nobody waits, so the script's shell removes the file once it has run.
        let body = "script=\"$1\"; shift; trap 'rm -f -- \"$script\"' EXIT; \"$@\"";
        argv.extend(["/bin/sh", "-c", body, "salt-cmd-script", &path].map(str::to_owned));
    }
    argv.push(path);
    argv.extend(args);
    given.set("cmd", argv.clone());
    let mut result = match run(cx, &given, Stderr::Apart) {
        Err(e @ (CallError::Execution(_) | CallError::Detailed(_) | CallError::Invocation(_))) => {
            tracing::error!("cmd.script: Unable to run script '{argv:?}': {e}");
            Map::new()
        }
        other => other?,
    };
    if given.flag("bg") && !result.is_empty() {
        // The path is left to the background shell.
        let _ = keep.keep();
    }
    if given.flag("hide_output") {
        result.insert("stdout", "");
        result.insert("stderr", "");
    }
    Ok(result)
}

/// A private copy that the user of the script may read and execute; `None` when there is no such file.
fn copy(cx: &Cx, given: &Given, source: &str, template: Option<&str>) -> Result<Option<(PathBuf, TempPath)>> {
    let extension = Path::new(source.split('?').next().unwrap_or(source)).extension();
    let suffix = extension.map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix("__salt.tmp.").suffix(&suffix);
    let file = match given.text("cwd").filter(|cwd| !cwd.is_empty()) {
        Some(cwd) if !Path::new(&cwd).is_dir() => {
            let text = format!("[Errno 2] No such file or directory: '{cwd}/__salt.tmp.{suffix}'");
            return Err(CallError::exception("FileNotFoundError", text));
        }
        Some(cwd) => builder.tempfile_in(cwd)?,
        None => builder.tempfile()?,
    };
    let saltenv = given.get("saltenv").or_else(|| cx.opts.get("saltenv")).cloned();
    let saltenv = saltenv.filter(|env| !env.is_nil()).unwrap_or_else(|| "base".into());
    let (mut file, path) = file.into_parts();
    if let Some(template) = template {
        // It puts a new file in the place of one that is there, which would not be the one that is open here.
        let private = tempfile::tempdir()?;
        let rendered = private.path().join("script");
        let mut args = Args::positional([
            source.into(),
            rendered.to_string_lossy().into_owned().into(),
            Value::from(template),
            saltenv,
        ]);
        args.keyword = given.extra.clone();
        if !cx.call("cp.get_template", args)?.truthy() {
            return Ok(None);
        }
        io::copy(&mut std::fs::File::open(&rendered)?, &mut file)?;
    } else {
        let Some(mut cached) = cached(cx, source, saltenv)? else { return Ok(None) };
        io::copy(&mut cached, &mut file)?;
    }
    // The open file, not its name: in a directory of theirs, others may have put a link there.
    file.set_permissions(std::fs::Permissions::from_mode(0o500))?;
    if let Some(name) = given.text("runas").filter(|name| !name.is_empty()) {
        let missing = || CallError::execution(format!("User '{name}' is not available"));
        let user = identity::user(&name)?.ok_or_else(missing)?;
        std::os::unix::fs::fchown(&file, Some(user.uid.as_raw()), None)?;
    }
    // Closed before it runs: a file open for writing cannot be executed.
    drop(file);
    Ok(Some((path.to_path_buf(), path)))
}

/// The source's content, by the file client.
fn cached(cx: &Cx, source: &str, saltenv: Value) -> Result<Option<File>> {
    let local = cx.call("cp.cache_file", Args::positional([source.into(), saltenv]))?;
    let path = Path::new(local.as_str().unwrap_or_default());
    // Regular files only: a pipe would be waited for.
    if !path.is_absolute() || !path.is_file() {
        return Ok(None);
    }
    Ok(Some(File::open(path)?))
}
