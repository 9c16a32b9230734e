//! One tree of a repository, with all that is below it: read once, then only looked at.

use super::objects::Objects;
use super::program::Git;
use super::refs::Oid;
use brine_core::posixpath::normpath;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most bytes of a listing: about a million paths.
const MOST: u64 = 256 << 20;

/// The most paths.
const MOST_PATHS: usize = 2_000_000;

/// The longest path.
const LONGEST: usize = 4096;

/// How many links are followed one after the other.
const MOST_LINKS: usize = 100;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A folder.
    Dir,
    /// A file, and whether it can be run.
    File { blob: Oid, executable: bool },
    /// A symbolic link, and what it says.
    Link { target: String },
}

/// A tree: paths with `/`, in order, the root not among them. Other repositories in it (submodules) are left out.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

impl Tree {
    /// Reads a tree by its id.
    ///
    /// # Errors
    /// Git's words, or that it is too large.
    pub(crate) fn read(git: &Git, objects: &Objects, id: &Oid) -> Result<Self, String> {
        let words = ["ls-tree", "-r", "-t", "-z", "--full-tree", id.as_str()];
        let all = git.output(&words, MOST, Duration::from_secs(600))?;
        let mut tree = Self::default();
        for record in all.split(|b| *b == 0).filter(|record| !record.is_empty()) {
            if tree.entries.len() == MOST_PATHS {
                return Err(format!("the tree has more than {MOST_PATHS} paths"));
            }
            let Some((path, mode, blob)) = record_of(record) else { continue };
            // A folder comes before what is in it.
            if path.rsplit_once('/').is_some_and(|(folder, _)| tree.entries.get(folder) != Some(&Entry::Dir))
            {
                continue;
            }
            let entry = match mode {
                "040000" => Entry::Dir,
                "120000" => {
                    let target = objects.text(&blob).map_err(|e| e.to_string())?.unwrap_or_default();
                    match String::from_utf8(target) {
                        Ok(target) if target.len() <= LONGEST => Entry::Link { target },
                        _ => continue,
                    }
                }
                "100755" => Entry::File { blob, executable: true },
                mode if mode.starts_with("100") => Entry::File { blob, executable: false },
                _ => continue,
            };
            tree.entries.insert(path.to_owned(), entry);
        }
        Ok(tree)
    }

    /// Everything, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// How many paths there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Everything below a folder, paths as from there; `None` if there is no such folder.
    pub(crate) fn below<'a>(
        &'a self,
        root: &str,
    ) -> Option<Box<dyn Iterator<Item = (&'a str, &'a Entry)> + 'a>> {
        let root = normpath(root);
        if root == "." {
            return Some(Box::new(self.entries()));
        }
        if self.entries.get(&root) != Some(&Entry::Dir) {
            return None;
        }
        let prefix = format!("{root}/");
        let cut = prefix.len();
        let range =
            self.entries.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix));
        Some(Box::new(range.map(move |(path, entry)| (&path[cut..], entry))))
    }

    /// The file at a path, as stock finds it: links are followed where they are the last part of a path, by their letters. The
    /// blob, and whether it can be run.
    pub(crate) fn find(&self, path: &str) -> Option<(&Oid, bool)> {
        let mut path = normpath(path);
        for _ in 0..MOST_LINKS {
            match self.entries.get(&path)? {
                Entry::Dir => return None,
                Entry::File { blob, executable } => return Some((blob, *executable)),
                Entry::Link { target } => {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    path = join(folder, target);
                }
            }
        }
        None
    }

    /// Where a path leads when every link in it is followed, as a system would; `None` if it leads nowhere or out of the tree.
    pub(crate) fn real(&self, path: &str) -> Option<String> {
        let mut links = 0;
        let mut at: Vec<String> = Vec::new();
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop()?;
                    continue;
                }
                _ => at.push(part),
            }
            match self.entries.get(&at.join("/"))? {
                Entry::Link { target } => {
                    links += 1;
                    if links > MOST_LINKS || target.starts_with('/') || target.is_empty() {
                        return None;
                    }
                    at.pop();
                    todo.extend(target.split('/').rev().map(str::to_owned));
                }
                Entry::File { .. } if !todo.is_empty() => return None,
                _ => {}
            }
        }
        Some(at.join("/"))
    }
}

/// Path, mode and id of one record of a listing. Paths that no honest tree has are left out.
fn record_of(record: &[u8]) -> Option<(&str, &str, Oid)> {
    let record = std::str::from_utf8(record).ok()?;
    let (head, path) = record.split_once('\t')?;
    let mut head = head.split(' ');
    let (mode, _, id) = (head.next()?, head.next()?, head.next()?);
    let bad = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    (path.len() <= LONGEST && !path.split('/').any(bad)).then_some((path, mode, Oid::parse(id)?))
}

/// Salt's way to join paths: slashes before the second do not count.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let path = normpath(path);
    normpath(&format!("{}/{}", normpath(folder), path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Tree {
        let blob = Oid::parse(&"a".repeat(40)).unwrap();
        let entry = |kind: &str| match kind {
            "d" => Entry::Dir,
            "f" => Entry::File { blob: blob.clone(), executable: false },
            target => Entry::Link { target: target.into() },
        };
        Tree { entries: entries.iter().map(|(path, kind)| ((*path).to_owned(), entry(kind))).collect() }
    }

    #[test]
    fn links_are_followed_within_the_tree_only() {
        let tree = tree(&[
            ("a", "d"),
            ("a/f", "f"),
            ("l", "a/f"),
            ("a/up", "../l"),
            ("out", "../../etc/passwd"),
            ("abs", "/etc/passwd"),
            ("dir", "a"),
            ("loop", "loop"),
            ("p", "d"),
            ("p/q", "d"),
            ("p/q/root", "../.."),
            ("p/q/sly", "root/../x"),
            ("p/q/fine", "root/a/f"),
            ("p/x", "f"),
        ]);
        for found in ["a/f", "l", "a/up", "./a//f"] {
            assert!(tree.find(found).is_some(), "{found}");
        }
        for none in ["a", "out", "abs", "dir", "dir/f", "loop", "none", "../a/f", "."] {
            assert!(tree.find(none).is_none(), "{none}");
        }
        for (path, real) in [
            ("l", Some("a/f")),
            ("dir/f", Some("a/f")),
            ("p/q/fine", Some("a/f")),
            ("dir", Some("a")),
            ("p/q/sly", None),
        ] {
            assert_eq!(tree.real(path).as_deref(), real, "{path}");
        }
        for none in ["out", "abs", "loop", "none", "a/f/x", ".."] {
            assert_eq!(tree.real(none), None, "{none}");
        }
        let below: Vec<&str> = tree.below("p/q/").unwrap().map(|(path, _)| path).collect();
        assert_eq!(below, ["fine", "root", "sly"]);
        assert!(tree.below("a/f").is_none() && tree.below("none").is_none());
        assert_eq!(tree.below("").unwrap().count(), tree.len());
    }

    #[test]
    fn records_with_paths_that_lead_elsewhere_are_left_out() {
        let record = |path: &str| {
            let text = format!("100644 blob {}\t{path}", "a".repeat(40));
            record_of(text.as_bytes()).map(|(path, mode, _)| (path.to_owned(), mode.to_owned()))
        };
        assert_eq!(record("a b/\u{e9}\t\n"), Some(("a b/\u{e9}\t\n".into(), "100644".into())));
        for bad in ["", "../x", "a/../b", "/x", "a//b", "./x", ".git/config", "a/.GIT/x", "x/"] {
            assert_eq!(record(bad), None, "{bad}");
        }
        assert!(record_of(b"100644 blob abc\tx").is_none() && record_of(b"\xff").is_none());
    }

    #[test]
    fn paths_are_joined_as_stock_does() {
        assert_eq!(join("", "a"), "a");
        assert_eq!(join("a", "/b/../c"), "a/c");
        assert_eq!(join("a", "../../x"), "../x");
        assert_eq!(normpath("/../a/"), "/a");
    }
}
