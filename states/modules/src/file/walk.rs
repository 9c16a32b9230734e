//! Trees looked through, and what of them is to be kept.

use super::common::chosen;
use super::recurse::kept_by;
use brine_core::call::{Args, Cx, Result};
use brine_core::posixpath::{abspath, dirname, join, relpath};
use brine_core::text::python_str;
use brine_core::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// One folder: where it is, and the names in it.
pub(super) struct Folder {
    pub root: String,
    pub dirs: Vec<String>,
    pub files: Vec<String>,
}

/// One folder as `os.walk` sees it: what leads to a directory is one. None where it cannot be read.
fn folder(root: &str) -> Option<Folder> {
    let mut found = Folder { root: root.to_owned(), dirs: Vec::new(), files: Vec::new() };
    for entry in std::fs::read_dir(root).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() { found.dirs.push(name) } else { found.files.push(name) }
    }
    Some(found)
}

/// Folders from the top down, links not followed, to a depth.
pub(super) fn walk(top: &str, max_depth: Option<i64>) -> Vec<Folder> {
    let mut all = Vec::new();
    below(top, max_depth, 0, &mut all);
    all
}

fn below(root: &str, max_depth: Option<i64>, depth: i64, all: &mut Vec<Folder>) {
    if max_depth.is_some_and(|most| depth >= most) {
        return;
    }
    let Some(found) = folder(root) else { return };
    let dirs: Vec<String> = found.dirs.iter().map(|name| join(root, &[name])).collect();
    all.push(found);
    for dir in dirs {
        if !Path::new(&dir).is_symlink() {
            below(&dir, max_depth, depth + 1, all);
        }
    }
}

/// What the `file` states that a state requires have made below a directory, and so is not cleaned away.
pub(super) fn required(cx: &Cx, name: &str, require: &Value) -> Result<BTreeSet<String>> {
    let mut keep = BTreeSet::new();
    let Some(step) = &cx.step else { return Ok(keep) };
    let wanted = require.as_list().unwrap_or_default().iter().filter_map(|one| one.get("file"));
    for wanted in wanted {
        let hits = step.chunks.iter().filter(|low| low.get("name") == Some(wanted) || low.get("__id__") == Some(wanted));
        for low in hits {
            let path = low.get("name").map(python_str).unwrap_or_default();
            if !Path::new(&path).is_dir() {
                keep.insert(path);
                continue;
            }
            if relpath(&path, name).starts_with("..") {
                continue;
            }
            if low.get_str("fun") == Some("recurse") {
                keep.extend(kept_by(cx, low)?);
                continue;
            }
            keep.insert(path.clone());
            for folder in walk(&path, None) {
                keep.extend(folder.dirs.iter().chain(&folder.files).map(|name| join(&folder.root, &[name])));
            }
        }
    }
    Ok(keep)
}

/// Whether something in a directory is not to be removed, being kept or excluded.
fn stays(path: &str, root: &str, kept: &BTreeSet<String>, exclude: &Value) -> Result<bool> {
    Ok(kept.contains(path) || !chosen(&relpath(path, root), &Value::Nil, exclude)?)
}

/// Removes everything from a directory but what is kept or excluded; in test mode says what that would be.
pub(super) fn clean(cx: &Cx, root: &str, keep: &BTreeSet<String>, exclude: &Value) -> Result<Vec<Value>> {
    let mut kept = BTreeSet::from([root.to_owned()]);
    for path in keep.iter().filter(|path| path.starts_with('/')) {
        let mut path = abspath(path);
        while kept.insert(path.clone()) && !path.trim_start_matches('/').is_empty() {
            path = abspath(dirname(&path));
        }
    }
    let mut removed = Vec::new();
    sweep(cx, root, root, &kept, exclude, &mut removed)?;
    Ok(removed)
}

fn sweep(
    cx: &Cx,
    dir: &str,
    root: &str,
    kept: &BTreeSet<String>,
    exclude: &Value,
    removed: &mut Vec<Value>,
) -> Result<()> {
    let Some(found) = folder(dir) else { return Ok(()) };
    for name in found.dirs.iter().chain(&found.files) {
        let path = join(dir, &[name]);
        if !stays(&path, root, kept, exclude)? {
            if !cx.test {
                cx.call("file.remove", Args::positional([path.as_str()]))?;
            }
            removed.push(path.into());
        }
    }
    for name in &found.dirs {
        let path = join(dir, &[name]);
        if !Path::new(&path).is_symlink() {
            sweep(cx, &path, root, kept, exclude, removed)?;
        }
    }
    Ok(())
}

/// What a directory would lose when it is cleaned: paths that are not kept and not excluded.
pub(super) fn would_go(
    folders: &[Folder],
    name: &str,
    keep: &BTreeSet<String>,
    exclude: &Value,
) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for folder in folders {
        for entry in folder.files.iter().chain(&folder.dirs) {
            let path = join(&folder.root, &[entry]);
            if !keep.contains(&path) && chosen(&relpath(&path, name), &Value::Nil, exclude)? {
                all.push(path);
            }
        }
    }
    Ok(all)
}
