//! What is different between two files, as states show it.

use super::place::Contents;
use crate::hashutil::file_error;
use crate::python::text::latin1;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::config_option::option;
use brine_core::difflib::unified_diff;
use brine_core::text::{is_text, python_str, python_strerror};
use brine_core::Value;
use std::borrow::Cow;

/// Whether the `obfuscate_templates` option hides what templates change.
pub(super) fn obfuscated(cx: &Cx) -> bool {
    option(cx, "obfuscate_templates").is_some_and(|value| value.truthy())
}

/// Lines with their ends; each is UTF-8, or Latin-1 where it is not.
fn lines(bytes: &[u8]) -> Vec<Cow<'_, str>> {
    let text = |line| match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(latin1(line)),
    };
    bytes.split_inclusive(|byte| *byte == b'\n').map(text).collect()
}

/// The difference between two contents; `None` where there is none.
pub(super) fn between(old: &[u8], new: &[u8], names: (&str, &str)) -> Option<String> {
    if old == new {
        return None;
    }
    Some(match (is_text(old), is_text(new)) {
        (true, true) => unified_diff(&lines(old), &lines(new), names, 3).concat(),
        (false, false) => "Replace binary file".into(),
        (false, true) => "Replace binary file with text file".into(),
        (true, false) => "Replace text file with binary file".into(),
    })
}

/// A file that is compared, whole.
fn read(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|e| CallError::execution(format!("Failed to read {path}: {}", python_strerror(&e))))
}

fn not_cached(errors: &[String]) -> CallError {
    let list: String = errors.iter().map(|error| format!("- {error}")).collect::<Vec<_>>().join("\n");
    CallError::execution(format!("Failed to cache one or more files. Additional info follows:\n\n{list}"))
}

/// What a file that is there and new contents differ in. `template` is whether the contents may be secret by the
/// `obfuscate_templates` option.
pub(super) fn with_file(
    cx: &Cx,
    path: &str,
    new: Contents<'_>,
    show_changes: bool,
    template: bool,
) -> Result<Option<String>> {
    let old = read(path)?;
    let new = match new {
        Contents::File(path) => Cow::Owned(read(path)?),
        Contents::Bytes(bytes) => Cow::Borrowed(bytes),
    };
    if old == *new {
        return Ok(None);
    }
    if template && obfuscated(cx) {
        return Ok(Some("<Obfuscated Template>".into()));
    }
    if !show_changes {
        return Ok(Some("<show_changes=False>".into()));
    }
    Ok(between(&old, &new, ("", "")))
}

/// What two files differ in, which may be URLs.
///
/// CLI Example: salt '*' file.get_diff /home/fred/.vimrc salt://users/fred/.vimrc
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn get_diff(
    cx: &Cx,
    file1: String,
    file2: String,
    #[default("base")] saltenv: String,
    #[default(true)] show_filenames: bool,
    #[default(true)] show_changes: bool,
    #[default(false)] template: bool,
    #[default(Value::Nil)] source_hash_file1: Value,
    #[default(Value::Nil)] source_hash_file2: Value,
) -> Result<String> {
    let (mut paths, mut errors) = (Vec::new(), Vec::new());
    for (file, hash) in [(file1, source_hash_file1), (file2, source_hash_file2)] {
        let args = Args::positional([file.as_str(), &saltenv]).with("source_hash", hash);
        match cx.call("cp.cache_file", args) {
            Ok(Value::Bool(false)) => errors.push(format!("File {file} not found")),
            Ok(path) => paths.push(python_str(&path)),
            Err(CallError::Exception { kind: "salt.exceptions.MinionError", message }) => errors.push(message),
            Err(e) => return Err(e),
        }
    }
    let [first, second] = &paths[..] else { return Err(not_cached(&errors)) };
    let (old, new) = (read(first)?, read(second)?);
    if old == new {
        return Ok(String::new());
    }
    if template && obfuscated(cx) {
        return Ok("<Obfuscated Template>".into());
    }
    if !show_changes {
        return Ok("<show_changes=False>".into());
    }
    let names = if show_filenames { (first.as_str(), second.as_str()) } else { ("", "") };
    Ok(between(&old, &new, names).unwrap_or_default())
}

/// Removes a file that a template was rendered to, unless it lies in a tree.
pub(super) fn clean_tmp(cx: &Cx, path: &str) -> Result<()> {
    let prefix = std::env::temp_dir().join("__salt.tmp.");
    if !path.starts_with(&*prefix.to_string_lossy()) {
        return Ok(());
    }
    let roots = cx.opts.get("file_roots").and_then(Value::as_map);
    let mut roots = roots.into_iter().flat_map(|roots| roots.values()).filter_map(Value::as_list).flatten();
    if roots.any(|root| root.as_str().is_some_and(|root| path.starts_with(root))) {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(file_error(&e, path)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_files_are_not_shown() {
        let none = ("", "");
        assert_eq!(between(b"a\n", b"a\n", none), None);
        assert_eq!(between(b"a\n", b"b\n", none).unwrap(), "--- \n+++ \n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(between(b"\0", b"b\n", none).unwrap(), "Replace binary file with text file");
        assert_eq!(between(b"a", b"\0", none).unwrap(), "Replace text file with binary file");
        assert_eq!(between(b"\0", b"\0\0", none).unwrap(), "Replace binary file");
        assert!(between(b"\xe9t\xe9 was summer\n", b"x\n", none).unwrap().contains("-\u{e9}t\u{e9} was summer"));
    }
}
