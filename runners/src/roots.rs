//! The files below `file_roots` and `pillar_roots`, for the wheel modules of these names.

use std::path::Path;

use brine_core::call::{Cx, Result};
use brine_core::text::is_text;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_protocol::ids::RelPath;

use crate::places;

/// How deep directories are listed.
const DEEPEST: usize = 64;

/// The directories of an environment, in order; None where there is no such environment.
fn dirs(cx: &Cx, option: &str, saltenv: &str) -> Option<Vec<String>> {
    let dirs = cx.opts.get(option)?.get(saltenv)?;
    Some(dirs.as_list().unwrap_or_default().iter().map(python_str).collect())
}

/// As Python joins them.
fn join(root: &str, path: &str) -> String {
    if root.ends_with('/') { format!("{root}{path}") } else { format!("{root}/{path}") }
}

/// The files of that path in each directory of an environment: where, and what is in it.
fn found(cx: &Cx, option: &str, path: &str, saltenv: &str) -> Vec<(String, Vec<u8>)> {
    let Some(relative) = places::relative(path) else { return Vec::new() };
    let roots = dirs(cx, option, saltenv).unwrap_or_default();
    let read = |root: String| {
        let bytes = places::read(Path::new(&root), &relative).ok()?;
        Some((join(&root, path), bytes))
    };
    roots.into_iter().filter_map(read).collect()
}

/// Where a path is, and whether each is `txt` or `bin`.
pub(crate) fn find(cx: &Cx, option: &str, path: &str, saltenv: &str) -> Vec<Value> {
    let kind = |bytes: &[u8]| if is_text(bytes) { "txt" } else { "bin" };
    found(cx, option, path, saltenv)
        .into_iter()
        .map(|(full, bytes)| map! {full => kind(&bytes)}.into())
        .collect()
}

/// Where a path is, and its text; binary files are left out.
pub(crate) fn read(cx: &Cx, option: &str, path: &str, saltenv: &str) -> Vec<Value> {
    let text = |(full, bytes): (String, Vec<u8>)| {
        is_text(&bytes).then(|| map! {full => String::from_utf8_lossy(&bytes).into_owned()}.into())
    };
    found(cx, option, path, saltenv).into_iter().filter_map(text).collect()
}

/// All files of an environment, each directory a dict, each file `f`. Links to directories are not entered.
pub(crate) fn list_env(cx: &Cx, option: &str, saltenv: &str) -> Map {
    let roots = dirs(cx, option, saltenv).unwrap_or_default();
    roots.into_iter().map(|root| (root.clone(), listing(Path::new(&root), 0))).collect()
}

fn listing(dir: &Path, depth: usize) -> Map {
    let (mut below, mut files) = (Map::new(), Map::new());
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            let inside = if depth < DEEPEST { listing(&entry.path(), depth + 1) } else { Map::new() };
            below.insert(name, inside);
        } else if kind.is_symlink() && entry.path().is_dir() {
            below.insert(name, Map::new());
        } else {
            files.insert(name, "f");
        }
    }
    below.sort_by_key_text();
    files.sort_by_key_text();
    below.update(files);
    below
}

/// All environments, each a list of one listing.
pub(crate) fn list_roots(cx: &Cx, option: &str) -> Map {
    let envs = cx.opts.get(option).and_then(Value::as_map).into_iter().flat_map(Map::keys);
    let one = |env: &Value| vec![Value::from(list_env(cx, option, &python_str(env)))];
    envs.map(|env| (env.clone(), one(env))).collect()
}

/// Where a file is to be written.
pub(crate) struct Target<'a> {
    pub(crate) path: &'a str,
    pub(crate) saltenv: &'a str,
    pub(crate) index: i64,
    /// What is said of a path that leaves its root.
    pub(crate) invalid: String,
}

/// Writes a file into a directory of an environment; the text is stock's, about success and failure alike.
pub(crate) fn write(cx: &Cx, option: &str, data: &str, target: &Target<'_>) -> Result<String> {
    let Target { path, saltenv, index, invalid } = target;
    let Some(roots) = dirs(cx, option, saltenv) else {
        return Ok(format!("Named environment {saltenv} is not present"));
    };
    let Some(root) = usize::try_from(*index).ok().and_then(|index| roots.get(index)) else {
        return Ok(format!("Specified index {index} in environment {saltenv} is not present"));
    };
    if path.starts_with('/') {
        return Ok(format!("The path passed in {path} is not relative to the environment {saltenv}"));
    }
    let relative: Option<RelPath> = places::relative(path).filter(|_| !path.ends_with('/'));
    let Some(relative) = relative else { return Ok(invalid.clone()) };
    match places::write(Path::new(root), &relative, data.as_bytes()) {
        Ok(()) => Ok(format!("Wrote data to file {}", join(root, path))),
        // A link on the way.
        Err(e) if matches!(e.raw_os_error(), Some(nix::libc::ELOOP | nix::libc::ENOTDIR)) => {
            Ok(invalid.clone())
        }
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;

    #[test]
    fn text_is_told_from_binary() {
        assert!(is_text(b"") && is_text("é".as_bytes()) && is_text(b"a lot of text\xff"));
        assert!(!is_text(b"a\0b") && !is_text(&[0xff, 0xfe, 0x01, b'a']));
    }

    #[test]
    fn cve_2021_25282_both_roots_are_read_and_written_and_not_left() {
        let tmp = tempfile::tempdir().unwrap();
        let (one, two) = (tmp.path().join("one"), tmp.path().join("two"));
        let text = |path: &Path| path.display().to_string();
        std::fs::create_dir_all(one.join("dir/empty")).unwrap();
        std::fs::create_dir_all(&two).unwrap();
        std::fs::write(one.join("top.sls"), "base: {}").unwrap();
        std::fs::write(two.join("top.sls"), "two\0").unwrap();
        std::fs::write(tmp.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(tmp.path(), one.join("out")).unwrap();
        let envs = map! {"base" => vec![text(&one), text(&two)]};
        let opts = map! {"file_roots" => envs.clone(), "pillar_roots" => envs};
        let cx = Fake::default().cx(Kind::Wheel, tmp.path(), opts);
        for module in ["file_roots", "pillar_roots"] {
            let run = |fun: &str, args: &[&str]| {
                call(&cx, &format!("{module}.{fun}"), Args::positional(args.iter().copied())).unwrap()
            };
            let (first, second) = (text(&one.join("top.sls")), text(&two.join("top.sls")));
            let both: Vec<Value> = vec![map! {first.as_str() => "txt"}.into(), map! {second => "bin"}.into()];
            assert_eq!(run("find", &["top.sls"]), both.into());
            let only: Vec<Value> = vec![map! {first => "base: {}"}.into()];
            assert_eq!(run("read", &["top.sls"]), only.into());
            for outside in ["../secret", "/etc/passwd", "out/secret", "dir/../../secret"] {
                assert_eq!(run("find", &[outside]), list([]), "{outside}");
                assert_eq!(run("read", &[outside]), list([]), "{outside}");
            }
            assert_eq!(run("find", &["top.sls", "none"]), list([]));
            let listed = run("list_env", &[]);
            let want = map! {"dir" => map! {"empty" => Map::new()}, "out" => Map::new(), "top.sls" => "f"};
            assert_eq!(listed.get(&text(&one)), Some(&want.into()));
            assert_eq!(run("list_roots", &[]).get("base"), Some(&vec![listed].into()));
            let written = run("write", &["data", "new/file"]);
            assert_eq!(written, format!("Wrote data to file {}", text(&one.join("new/file"))).into());
            assert_eq!(std::fs::read(one.join("new/file")).unwrap(), b"data");
            std::fs::remove_dir_all(one.join("new")).unwrap();
            let indexed = Args::positional(["d", "x"]).with("index", 2);
            let said = call(&cx, &format!("{module}.write"), indexed).unwrap();
            assert_eq!(said, "Specified index 2 in environment base is not present".into());
            assert_eq!(run("write", &["d", "x", "dev"]), "Named environment dev is not present".into());
            let absolute = "The path passed in /x is not relative to the environment base";
            assert_eq!(run("write", &["d", "/x"]), absolute.into());
            for path in ["../x", "out/x", "out/secret", "a/../../x"] {
                let invalid = if module == "file_roots" {
                    format!("Invalid path: {path}")
                } else {
                    "Invalid path".into()
                };
                assert_eq!(run("write", &["d", path]), invalid.into());
            }
            assert!(!tmp.path().join("x").exists());
            assert_eq!(std::fs::read(tmp.path().join("secret")).unwrap(), b"s");
        }
    }
}
