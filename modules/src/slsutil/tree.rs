//! Paths in the state tree: whether they exist, and the nearest one upwards.

use crate::python::path::{dirname, join, normpath};
use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::files::Listing;
use brine_render::template::Session;

/// Where a job keeps the listings that it has asked for.
fn listed(cx: &Cx, saltenv: &str, what: Listing, path: &str) -> Result<bool> {
    let key = format!("slsutil:{saltenv}:{what:?}");
    let kept = match cx.job.context(&key) {
        Some(Value::List(kept)) => kept,
        _ => {
            let all: Vec<Value> =
                Session::of(cx).files.list(saltenv, what)?.into_iter().map(Value::from).collect();
            cx.job.set_context(&key, all.clone());
            all
        }
    };
    Ok(kept.iter().any(|one| one.as_str() == Some(path)))
}

fn exists(cx: &Cx, path: &str, saltenv: &str) -> Result<bool> {
    Ok(listed(cx, saltenv, Listing::Files, path)? || listed(cx, saltenv, Listing::Dirs, path)?)
}

/// Return `True` if a file exists in the state tree, `False` otherwise.
///
/// CLI Example: salt '*' slsutil.file_exists nginx/defaults.yaml
#[exec]
pub(super) fn file_exists(cx: &Cx, path: String, #[default("base")] saltenv: String) -> Result<bool> {
    listed(cx, &saltenv, Listing::Files, &path)
}

/// Return `True` if a directory exists in the state tree, `False` otherwise.
///
/// CLI Example: salt '*' slsutil.dir_exists nginx/files
#[exec]
pub(super) fn dir_exists(cx: &Cx, path: String, #[default("base")] saltenv: String) -> Result<bool> {
    listed(cx, &saltenv, Listing::Dirs, &path)
}

/// Return `True` if a file or directory exists in the state tree, `False` otherwise.
///
/// CLI Example: salt '*' slsutil.path_exists nginx/defaults.yaml
#[exec]
pub(super) fn path_exists(cx: &Cx, path: String, #[default("base")] saltenv: String) -> Result<bool> {
    exists(cx, &path, &saltenv)
}

/// Find the first path matching a filename or list of filenames in a specified directory or the nearest ancestor
/// directory.
///
/// CLI Example: salt '*' slsutil.findup formulas/shared/nginx map.jinja
#[exec]
pub(super) fn findup(
    cx: &Cx,
    startpath: String,
    filenames: Value,
    #[default("base")] saltenv: String,
) -> Result<String> {
    let mut at = if startpath.is_empty() { startpath } else { normpath(&startpath) };
    if !at.is_empty() && !exists(cx, &at, &saltenv)? {
        return Err(CallError::invocation(format!("Starting path not found in the state tree: {at}")));
    }
    let names = match filenames {
        Value::Str(one) => vec![Value::Str(one)],
        Value::List(names) => names,
        _ => return Err(CallError::invocation("Filenames argument must be a string or list of strings")),
    };
    loop {
        for name in &names {
            let name = normpath(&brine_core::text::python_str(name));
            let full = normpath(&join(&normpath(&at), &[name.trim_start_matches('/')]));
            if exists(cx, &full, &saltenv)? {
                return Ok(full);
            }
        }
        if at.is_empty() {
            return Err(CallError::execution("File pattern(s) not found in path ancestry"));
        }
        at = dirname(&at).to_owned();
    }
}
