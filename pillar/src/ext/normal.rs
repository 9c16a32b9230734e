//! Paths of folders, made plain without looking at the disk.

use std::path::{Component, Path, PathBuf};

/// `os.path.normpath` of an absolute path.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
