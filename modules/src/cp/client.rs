//! What the functions of `cp` ask for: environments, URLs, places in the cache.

use crate::python::path::join;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::Value;
use brine_files::{Got, Order, get_url};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::path::{Path, PathBuf};

/// The environment that was asked for, the option's, or `base`.
pub(super) fn env(cx: &Cx, given: Option<String>) -> String {
    let option = || cx.opts.get("saltenv").filter(|v| v.truthy()).map(python_str);
    given.filter(|env| !env.is_empty()).or_else(option).unwrap_or_else(|| "base".into())
}

/// The file of a URL in the cache, or where it is on this machine.
pub(super) fn cached(cx: &Cx, url: &str, saltenv: &str) -> Result<Value> {
    get_url(cx, &Order::new(url, saltenv)).map(value)
}

/// Stock's value of what was fetched.
pub(super) fn value(got: Got) -> Value {
    match got {
        Got::Nothing => Value::Bool(false),
        Got::NoFolder => "".into(),
        Got::At(path) => text(path).into(),
        Got::Bytes(bytes) => String::from_utf8(bytes).map_or_else(|e| Value::Bytes(e.into_bytes()), Value::Str),
    }
}

/// A path as Python's text.
pub(super) fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

/// Stock's value for a file that is not there.
pub(super) fn or_false(found: Option<PathBuf>) -> Value {
    found.map_or(Value::Bool(false), |path| text(path).into())
}

/// Stock's refusal of what is no path of the tree.
pub(super) fn unsupported(path: &str) -> CallError {
    CallError::exception("salt.exceptions.MinionError", format!("Unsupported path: {path}"))
}

/// The path below `salt://`; an environment that it names does not count here, as in stock.
pub(super) fn below(url: &str) -> Result<String> {
    let (url, _) = brine_files::url::split_env(url);
    url.strip_prefix("salt://").map(str::to_owned).ok_or_else(|| unsupported(&url))
}

/// A name from a listing as a path of the tree: what leads out of it is left out. `|` keeps a `?` in it from being a query.
pub(super) fn listed(name: &str) -> Option<String> {
    if RelPath::parse(name).is_err() {
        tracing::warn!("the file server lists {name:?}, which is no path of a tree: left out");
        return None;
    }
    Some(format!("|{name}"))
}

/// The place in the cache that a file of the tree has, where the names allow one.
pub(super) fn place(cx: &Cx, path: &str, saltenv: &str) -> Option<String> {
    let path = path.trim_start_matches(['|', '/']);
    let (path, saltenv) = (RelPath::parse(path).ok()?, SaltEnv::parse(saltenv).ok()?);
    Some(join(cx.opts.str("cachedir"), &["files", saltenv.as_str(), path.as_str()]))
}

/// Makes the folder of a file; whether it is there then.
pub(super) fn folder(dest: &str, makedirs: bool) -> Result<bool> {
    let folder = crate::python::path::dirname(dest);
    if folder.is_empty() || Path::new(folder).is_dir() {
        return Ok(true);
    }
    if makedirs {
        std::fs::create_dir_all(folder).map_err(|e| crate::hashutil::file_error(&e, folder))?;
    }
    Ok(makedirs)
}

/// The place in the cache of what does not come from a tree.
pub(super) fn place_of(cx: &Cx, url: &str, saltenv: &str) -> String {
    brine_files::url::external(&cx.opts.path("cachedir"), url, saltenv).map_or_else(|| "Invalid path".into(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listing_says_stays_in_the_tree() {
        assert_eq!(listed("a/b?c").as_deref(), Some("|a/b?c"));
        assert_eq!((listed("../a"), listed("/etc/passwd"), listed("a//b")), (None, None, None));
        assert_eq!(below("salt://a/b?saltenv=x").unwrap(), "a/b");
        assert!(below("/a").is_err());
    }
}
