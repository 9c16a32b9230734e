//! The files that minions can fetch, below `file_roots`: found, listed, read and written. A path never leaves its root.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value};

use crate::roots::{self, Target};

module! { "file_roots": find, list_env, list_roots, read, write }

/// The option with the roots.
const OPTION: &str = "file_roots";

/// Where a file is, by the roots of an environment in order, and whether each is text (`txt`) or not (`bin`).
///
/// Example: `wheel.cmd("file_roots.find", ["top.sls"])`
#[exec]
fn find(cx: &Cx, path: String, #[default("base")] saltenv: String) -> Result<Vec<Value>> {
    Ok(roots::find(cx, OPTION, &path, &saltenv))
}

/// All files of an environment, as nested dicts.
///
/// Example: `wheel.cmd("file_roots.list_env")`
#[exec]
fn list_env(cx: &Cx, #[default("base")] saltenv: String) -> Result<Map> {
    Ok(roots::list_env(cx, OPTION, &saltenv))
}

/// All files of all environments.
///
/// Example: `wheel.cmd("file_roots.list_roots")`
#[exec]
fn list_roots(cx: &Cx) -> Result<Map> {
    Ok(roots::list_roots(cx, OPTION))
}

/// The text of a file in each root that has it; files that are no text are left out.
///
/// Example: `wheel.cmd("file_roots.read", ["top.sls"])`
#[exec]
fn read(cx: &Cx, path: String, #[default("base")] saltenv: String) -> Result<Vec<Value>> {
    Ok(roots::read(cx, OPTION, &path, &saltenv))
}

/// Write a file into the first root of an environment, or into the one of that index.
///
/// Example: `wheel.cmd("file_roots.write", ["base: {}", "top.sls"])`
#[exec]
fn write(
    cx: &Cx,
    data: String,
    path: String,
    #[default("base")] saltenv: String,
    #[default(0)] index: i64,
) -> Result<String> {
    let invalid = format!("Invalid path: {path}");
    roots::write(cx, OPTION, &data, &Target { path: &path, saltenv: &saltenv, index, invalid })
}
