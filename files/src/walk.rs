//! Folders read to the bottom, through symbolic links where wanted, but never round in a circle.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How deep folders are read.
const DEPTH: usize = 200;

/// One folder's contents.
pub(crate) struct Folder {
    /// Relative to the root, with `/`; empty for the root.
    pub(crate) path: String,
    /// Names of folders in it, those that links lead to included; sorted.
    pub(crate) dirs: Vec<Entry>,
    /// Names of all else; sorted.
    pub(crate) files: Vec<Entry>,
    /// Whether there is nothing in it at all, names that cannot be listed included.
    pub(crate) bare: bool,
}

/// Something in a folder.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) link: bool,
}

/// Reads a folder and all below it, parents first; `enter` says of a folder's name whether it is read too. What cannot be read
/// is left out, as is what is no UTF-8.
pub(crate) fn walk(root: &Path, follow: bool, enter: &dyn Fn(&str) -> bool) -> Vec<Folder> {
    walk_seeing(root, follow, enter, &mut |_| {})
}

/// The same; `see` is told of each folder before it is read.
pub(crate) fn walk_seeing(
    root: &Path,
    follow: bool,
    enter: &dyn Fn(&str) -> bool,
    see: &mut dyn FnMut(&Path),
) -> Vec<Folder> {
    let mut walk = Walk { above: Vec::new(), follow, enter, see, found: Vec::new() };
    if let Ok(meta) = fs::metadata(root) {
        walk.above.push(id(&meta));
        walk.below(root.to_owned(), String::new());
    }
    walk.found
}

struct Walk<'a> {
    above: Vec<(u64, u64)>,
    follow: bool,
    enter: &'a dyn Fn(&str) -> bool,
    see: &'a mut dyn FnMut(&Path),
    found: Vec<Folder>,
}

fn id(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

impl Walk<'_> {
    fn below(&mut self, full: PathBuf, path: String) {
        (self.see)(&full);
        let Ok(entries) = fs::read_dir(&full) else { return };
        let (mut dirs, mut files, mut below, mut bare) = (Vec::new(), Vec::new(), Vec::new(), true);
        for entry in entries.flatten() {
            bare = false;
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            let link = kind.is_symlink();
            if kind.is_dir() || (link && entry.path().is_dir()) {
                if (self.enter)(&name) {
                    if self.follow || !link {
                        below.push(name.clone());
                    }
                    dirs.push(Entry { name, link });
                }
            } else {
                files.push(Entry { name, link });
            }
        }
        dirs.sort_by(|a, b| a.name.cmp(&b.name));
        files.sort_by(|a, b| a.name.cmp(&b.name));
        below.sort();
        self.found.push(Folder { path: path.clone(), dirs, files, bare });
        for name in below {
            let full = full.join(&name);
            let Ok(meta) = fs::metadata(&full) else { continue };
            if self.above.len() < DEPTH && !self.above.contains(&id(&meta)) {
                self.above.push(id(&meta));
                self.below(full, below_path(&path, &name));
                self.above.pop();
            }
        }
    }
}

/// A name in a folder of the tree.
pub(crate) fn below_path(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_links_end() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/f"), "").unwrap();
        std::os::unix::fs::symlink("..", dir.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink("a/b", dir.path().join("also")).unwrap();
        let all =
            |follow| walk(dir.path(), follow, &|_| true).into_iter().map(|f| f.path).collect::<Vec<_>>();
        assert_eq!(all(true), ["", "a", "a/b", "also"]);
        assert_eq!(all(false), ["", "a", "a/b"]);
        let some = walk(dir.path(), true, &|name| name != "a");
        assert_eq!(some[0].dirs.len(), 1);
        assert!(walk(Path::new("/nonexistent"), true, &|_| true).is_empty());
    }
}
