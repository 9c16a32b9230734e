//! The copy of the tree in which holes are opened.

use super::Hole;
use crate::run::{Result, output, root};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with the files that git knows, as they are in the work tree.
pub(super) struct Tree {
    dir: PathBuf,
}

impl Tree {
    /// Makes the copy, or brings an earlier one up to date. Files that are the same already keep their time, so that
    /// what was built from them stays good.
    pub(super) fn copy(dir: &Path) -> Result<Self> {
        let list = output(Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]))?;
        let names: BTreeSet<&str> = list.split('\0').filter(|n| !n.is_empty()).collect();
        let io = |path: &Path| {
            let path = path.display().to_string();
            move |e: std::io::Error| format!("{path}: {e}")
        };
        for name in &names {
            let (from, to) = (root().join(name), dir.join(name));
            // A file that is deleted but not committed as such.
            let Ok(wanted) = fs::read(&from) else { continue };
            if fs::read(&to).is_ok_and(|there| there == wanted) {
                continue;
            }
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(io(parent))?;
            }
            fs::copy(&from, &to).map_err(io(&to))?;
        }
        let mut there = Vec::new();
        files(dir, dir, &mut there);
        for name in there.iter().filter(|name| !names.contains(name.as_str())) {
            fs::remove_file(dir.join(name)).map_err(io(&dir.join(name)))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `f` while the hole is open.
    pub(super) fn with<T>(&self, hole: &Hole, f: impl FnOnce() -> T) -> Result<T> {
        let path = self.dir.join(hole.file);
        let closed = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", hole.file))?;
        let open = opened(&closed, hole)?;
        let write = |text: &str| fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()));
        write(&open)?;
        let result = f();
        write(&closed)?;
        Ok(result)
    }
}

/// The text of the file with the hole.
pub(super) fn opened(closed: &str, hole: &Hole) -> Result<String> {
    match closed.matches(hole.find).count() {
        1 => Ok(closed.replacen(hole.find, hole.put, 1)),
        n => Err(format!("{}: {} times, not once: {}", hole.file, n, hole.find)),
    }
}

fn files(top: &Path, dir: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            files(top, &path, out);
        } else if let Ok(rel) = path.strip_prefix(top) {
            out.push(rel.to_string_lossy().into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_replaced_where_it_stands_once() {
        let hole = Hole { row: "", file: "x.rs", find: "b", put: "c", tests: &[] };
        assert_eq!(opened("abd", &hole), Ok("acd".into()));
        assert!(opened("abb", &hole).is_err() && opened("a", &hole).is_err());
    }

    #[test]
    fn a_copy_is_brought_up_to_date_and_keeps_what_is_the_same() {
        let tmp = tempfile::tempdir().unwrap();
        let tree = Tree::copy(tmp.path()).unwrap();
        let (same, other) = (tmp.path().join("Cargo.toml"), tmp.path().join("README.md"));
        let (time, text) = (fs::metadata(&same).unwrap().modified().unwrap(), fs::read(&other).unwrap());
        fs::write(&other, "left open").unwrap();
        fs::write(tmp.path().join("more"), "").unwrap();
        Tree::copy(tree.dir()).unwrap();
        assert_eq!(fs::metadata(&same).unwrap().modified().unwrap(), time);
        assert_eq!(fs::read(&other).unwrap(), text);
        assert!(!tmp.path().join("more").exists());
    }
}
