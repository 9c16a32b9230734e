//! Directories made, and anything at a path removed.

use super::attributes::Selinux;
use super::perms::Perms;
use crate::hashutil::file_error;
use crate::python::path::{dirname, expanduser, normpath, split};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::clock::unix_now;
use brine_core::mode::normalize_mode;
use brine_core::text::{python_os_error, python_str};
use brine_core::{Value, map};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// See to it that there is a directory. Those that have to be made get this user, group and mode.
///
/// CLI Example: salt '*' file.mkdir /opt/jetty/context
#[exec]
pub(super) fn mkdir(
    cx: &Cx,
    dir_path: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] mode: Value,
) -> Result<bool> {
    let directory = normpath(&expanduser(&dir_path));
    if !Path::new(&directory).is_dir() {
        makedirs_perms(cx, directory, user, group, mode)?;
    }
    Ok(true)
}

/// See to it that the directory that a path is in is there. Those that have to be made get this user, group and mode. The last
/// part is a directory too if the path ends in a slash.
///
/// CLI Example: salt '*' file.makedirs /opt/code/
#[exec]
pub(super) fn makedirs(
    cx: &Cx,
    path: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] mode: Value,
) -> Result {
    let path = expanduser(&path);
    let mode = if mode.truthy() { normalize_mode(&mode).map_or(Value::Nil, Value::from) } else { mode };
    let mut dir = normpath(dirname(&path));
    if Path::new(&dir).is_dir() {
        return Ok(format!("Directory '{dir}' already exists").into());
    }
    if Path::new(&dir).exists() {
        return Ok(format!("The path '{dir}' already exists and is not a directory").into());
    }
    let mut missing = Vec::new();
    while !Path::new(&dir).is_dir() {
        missing.push(dir.clone());
        let above = dirname(&dir).to_owned();
        if above == dir {
            return Err(CallError::invocation(format!(
                "Recursive creation for path '{above}' would result in an infinite loop. Please use an absolute path."
            )));
        }
        dir = above;
    }
    for dir in missing.into_iter().rev() {
        mkdir(cx, dir, user.clone(), group.clone(), mode.clone())?;
    }
    Ok(Value::Nil)
}

/// Make a directory and those above it, with this user, group and mode.
///
/// CLI Example: salt '*' file.makedirs_perms /opt/code
#[exec]
pub(super) fn makedirs_perms(
    cx: &Cx,
    name: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0755")] mode: Value,
) -> Result {
    let name = expanduser(&name);
    let (mut head, mut tail) = split(&name);
    if tail.is_empty() {
        (head, tail) = split(head);
    }
    if !head.is_empty() && !tail.is_empty() && !Path::new(head).exists() {
        match makedirs_perms(cx, head.to_owned(), user.clone(), group.clone(), mode.clone()) {
            // Somebody else has made it.
            Err(CallError::Exception { kind: "FileExistsError", .. }) => {}
            other => {
                other?;
            }
        }
        if tail == "." {
            return Ok(Value::Nil);
        }
    }
    fs::create_dir(&name).map_err(|e| file_error(&e, &name))?;
    made(cx, &name, &user, &group, &mode)?;
    Ok(Value::Nil)
}

/// User, group and mode of something that was just made.
pub(super) fn made(cx: &Cx, name: &str, user: &Value, group: &Value, mode: &Value) -> Result<()> {
    let mode = if mode.truthy() { Some(whole_number(mode)?) } else { None };
    let perms = Perms { user, group, mode, attrs: None, follow_symlinks: false, selinux: Selinux::default() };
    perms.see_to(cx, name, None).map(drop)
}

/// A mode that stock reads as a decimal number, though its digits are octal.
fn whole_number(mode: &Value) -> Result<String> {
    let text = python_str(mode);
    match text.trim().parse::<u64>() {
        Ok(number) => Ok(format!("{number:04}")),
        Err(_) => Err(CallError::exception(
            "ValueError",
            format!("invalid literal for int() with base 10: {}", brine_core::text::python_repr(&text.into())),
        )),
    }
}

/// Remove a directory with nothing in it; with `recurse` all such below it. With `older_than`, only what has not changed for so
/// many days. `verbose` says what was removed and what could not be.
///
/// CLI Example: salt '*' file.rmdir /tmp/foo/
#[exec]
pub(super) fn rmdir(
    path: String,
    #[default(false)] recurse: bool,
    #[default(false)] verbose: bool,
    #[default(Value::Nil)] older_than: Value,
) -> Result {
    let path = expanduser(&path);
    if !path.starts_with('/') {
        return Err(CallError::invocation("File path must be absolute."));
    }
    if !Path::new(&path).is_dir() {
        return Err(CallError::invocation(format!("A valid directory was not specified: {path}")));
    }
    let mut before = None;
    if older_than.truthy() {
        match python_str(&older_than).trim().parse::<f64>() {
            Ok(days) => before = Some(unix_now() - days.trunc() * 86400.0),
            Err(_) => tracing::error!("Unable to set 'older_than'. Defaulting to 0 days."),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of a clock")]
    let old = |dir: &str| {
        before.is_none_or(|before| {
            fs::metadata(dir).is_ok_and(|meta| meta.mtime() as f64 + meta.mtime_nsec() as f64 * 1e-9 < before)
        })
    };
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    let mut remove = |dir: &str| match fs::remove_dir(dir) {
        Ok(()) => deleted.push(Value::from(dir)),
        Err(e) => {
            tracing::error!("Could not remove '{dir}': {e}");
            errors.push(Value::from(vec![dir.to_owned(), python_os_error(&e, dir)]));
        }
    };
    if recurse {
        let mut below = Vec::new();
        walk(&path, &mut below);
        below.iter().filter(|dir| old(dir)).for_each(|dir| remove(dir));
    }
    let here = old(&path);
    if here {
        remove(&path);
    }
    // Without `recurse`, a directory that is too young is a failure; with it, one of those below decides.
    let result = errors.is_empty() && (here || recurse);
    if verbose {
        return Ok(map! {"deleted" => deleted, "errors" => errors, "result" => result}.into());
    }
    Ok(result.into())
}

/// All directories below one, the deepest first. Links are not followed, but one that leads to a directory is among them.
fn walk(dir: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let below: Vec<(String, bool)> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| (entry.path().to_string_lossy().into_owned(), entry.path().is_symlink()))
        .collect();
    for (path, _) in below.iter().filter(|(_, link)| !link) {
        walk(path, found);
    }
    found.extend(below.into_iter().map(|(path, _)| path));
}

/// Remove what is at a path: a file, a link, a directory with all that is in it. `False` if there is nothing.
///
/// CLI Example: salt '*' file.remove /tmp/foo
#[exec]
pub(super) fn remove(path: String, kwargs: KwArgs) -> Result<bool> {
    // `force` counts on other systems.
    let _unread = kwargs;
    let path = expanduser(&path);
    if !path.starts_with('/') {
        return Err(CallError::invocation(format!("File path must be absolute: {path}")));
    }
    let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(false) };
    let done = if meta.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    done.map_err(|e| CallError::execution(format!("Could not remove '{path}': {}", python_os_error(&e, &path))))?;
    Ok(true)
}
