//! What the functions of `cp` ask the files of a call for: URLs, environments, places in the cache.

use crate::python::path::{expanduser, join};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::Value;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::path::Path;

/// The environment that was asked for, the option's, or `base`.
pub(super) fn env(cx: &Cx, given: Option<String>) -> String {
    let option = || cx.opts.get("saltenv").filter(|v| v.truthy()).map(python_str);
    given.filter(|env| !env.is_empty()).or_else(option).unwrap_or_else(|| "base".into())
}

/// A URL and the environment that it names itself, if it does.
pub(super) fn split(url: &str) -> (String, Option<String>) {
    let Some(rest) = url.strip_prefix("salt://") else { return (url.to_owned(), None) };
    if let Some((path, _)) = rest.split_once("?env=") {
        return (format!("salt://{path}"), None);
    }
    match rest.split_once("?saltenv=") {
        Some((path, env)) => (format!("salt://{path}"), Some(env.to_owned())),
        None => (url.to_owned(), None),
    }
}

/// What a URL is: its scheme in lower case, empty for a plain path.
pub(super) fn scheme(url: &str) -> String {
    match url.split_once(':') {
        Some((scheme, _))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            scheme.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// The file of a URL on this machine, or `False`-like `None` where there is none.
pub(super) fn cached(cx: &Cx, url: &str, saltenv: &str) -> Result<Option<String>> {
    let (url, own) = split(url);
    let saltenv = own.as_deref().unwrap_or(saltenv);
    match scheme(&url).as_str() {
        "salt" => {
            let file = cx.host.files().cache_file(url.trim_start_matches("salt://"), saltenv)?;
            Ok(file.map(|path| path.to_string_lossy().into_owned()))
        }
        "" | "file" => {
            let path = url.strip_prefix("file://").unwrap_or(&url).trim_end_matches('/');
            if !path.starts_with('/') {
                return Err(CallError::execution(format!("Path '{path}' is not absolute")));
            }
            Ok(Some(path.to_owned()))
        }
        other => Err(CallError::execution(format!("files cannot be fetched with {other}: {url}"))),
    }
}

/// Stock's value for a file that is not there.
pub(super) fn or_false(found: Option<String>) -> Value {
    found.map_or(Value::Bool(false), Value::Str)
}

/// The path below `salt://`.
pub(super) fn below(url: &str) -> Result<&str> {
    url.strip_prefix("salt://")
        .ok_or_else(|| CallError::exception("MinionError", format!("Unsupported path: {url}")))
}

/// The place in the cache that a file of the tree has, where the names allow one.
pub(super) fn place(cx: &Cx, path: &str, saltenv: &str) -> Option<String> {
    let path = path.trim_start_matches(['|', '/']);
    let (path, saltenv) = (RelPath::parse(path).ok()?, SaltEnv::parse(saltenv).ok()?);
    Some(join(cx.opts.str("cachedir"), &["files", saltenv.as_str(), path.as_str()]))
}

/// Copies a file to where it was asked for. `None` where its folder is missing and must not be made.
pub(super) fn copy(source: &str, dest: &str, makedirs: bool) -> Result<Option<String>> {
    let dest = expanduser(dest);
    let dest = if Path::new(&dest).is_dir() || dest.ends_with('/') {
        join(&dest, &[crate::python::path::basename(source)])
    } else {
        dest
    };
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, &dest);
    if let Some(folder) = Path::new(&dest).parent().filter(|f| !f.as_os_str().is_empty() && !f.is_dir()) {
        if !makedirs {
            return Ok(None);
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let same = std::fs::read(&dest).ok().is_some_and(|old| std::fs::read(source).is_ok_and(|new| new == old));
    if !same {
        // Only the contents: a file made by stock has the mode that new files have.
        let bytes = std::fs::read(source).map_err(|e| crate::hashutil::file_error(&e, source))?;
        std::fs::write(&dest, bytes).map_err(failed)?;
    }
    Ok(Some(dest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(split("salt://a?saltenv=dev"), ("salt://a".into(), Some("dev".into())));
        assert_eq!(split("salt://a?env=dev"), ("salt://a".into(), None));
        assert_eq!(split("/a?saltenv=dev"), ("/a?saltenv=dev".into(), None));
        assert_eq!((scheme("HTTP://x").as_str(), scheme("/a:b").as_str(), scheme("a").as_str()), ("http", "", ""));
    }
}
