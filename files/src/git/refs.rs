//! The references of a repository at one moment, each with the tree of its commit.

use super::conf::{RefType, Remote};
use super::program::Git;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// The most bytes of names and ids that are read: some hundred thousand references.
const MOST: u64 = 64 << 20;

/// An object's id: hexadecimal, 40 or 64 letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Oid(Box<str>);

impl Oid {
    /// A whole id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (hex && matches!(text.len(), 40 | 64)).then(|| Self(text.into()))
    }

    /// The letters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// References by name, with trees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refs {
    /// `refs/remotes/origin/`: those elsewhere lead to no tree in stock either.
    branches: BTreeMap<String, Oid>,
    tags: BTreeMap<String, Oid>,
}

impl Refs {
    /// As they are now.
    ///
    /// # Errors
    /// Git's words.
    pub(crate) fn read(git: &Git) -> Result<Self, String> {
        let words = [
            "for-each-ref",
            "--format=%(objecttype) %(tree) %(*objecttype) %(*tree) %(refname)",
            "refs/remotes",
            "refs/tags",
        ];
        let all = git.output(&words, MOST, Duration::from_secs(120))?;
        let mut refs = Self::default();
        for line in all.split(|b| *b == b'\n') {
            // Names that are no text cannot be asked for.
            if let Ok(line) = std::str::from_utf8(line) {
                refs.line(line);
            }
        }
        Ok(refs)
    }

    fn line(&mut self, line: &str) {
        let mut parts = line.splitn(5, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (kind, tree, tagged, tagged_tree, name) = (next(), next(), next(), next(), next());
        let tree = match (kind, tagged) {
            ("commit", _) => tree,
            ("tag", "commit") => tagged_tree,
            _ => return,
        };
        let Some(tree) = Oid::parse(tree) else { return };
        if let Some(rest) = name.strip_prefix("refs/remotes/") {
            let Some(short) = rest.strip_prefix("origin/") else { return };
            self.branches.insert(short.to_owned(), tree);
        } else if let Some(short) = name.strip_prefix("refs/tags/") {
            self.tags.insert(short.to_owned(), tree);
        }
    }

    /// The tree of a branch.
    pub(crate) fn branch(&self, name: &str) -> Option<&Oid> {
        self.branches.get(name)
    }

    /// The tree of a tag.
    pub(crate) fn tag(&self, name: &str) -> Option<&Oid> {
        self.tags.get(name)
    }

    /// All trees.
    pub(crate) fn trees(&self) -> BTreeSet<&Oid> {
        self.branches.values().chain(self.tags.values()).collect()
    }

    /// The environments that the references of a remote stand for, without those that its lists hide.
    pub(crate) fn envs(&self, remote: &Remote) -> BTreeSet<String> {
        let mut envs = BTreeSet::new();
        if is_hex(&remote.base) {
            envs.insert("base".to_owned());
        }
        let branches = self.branches.keys().filter(|_| remote.ref_types.contains(&RefType::Branch));
        let tags = self.tags.keys().filter(|_| remote.ref_types.contains(&RefType::Tag));
        for name in branches.chain(tags) {
            match remote.revmap.get(name) {
                Some(mapped) => envs.extend(mapped.iter().cloned()),
                None if *name == remote.base => {
                    envs.insert("base".to_owned());
                }
                None if !remote.disable_saltenv_mapping => {
                    envs.insert(name.clone());
                }
                None => {}
            }
        }
        envs.extend(remote.revmap.values().flatten().cloned());
        envs.retain(|env| remote.exposes(env));
        envs
    }
}

/// Whether Python's `int(text, 16)` takes it.
pub(crate) fn is_hex(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let text = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .map_or(text, |rest| rest.strip_prefix('_').unwrap_or(rest));
    !text.is_empty()
        && text.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_references_with_trees() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let mut refs = Refs::default();
        for line in [
            format!("commit {a}   refs/remotes/origin/feature/x"),
            format!("tag  commit {b} refs/tags/v1"),
            format!("commit {a}   refs/tags/v0"),
            "tag  blob  refs/tags/blob".into(),
            "blob    refs/tags/blob2".into(),
            String::new(),
        ] {
            refs.line(&line);
        }
        assert_eq!(refs.branch("feature/x").unwrap().as_str(), a);
        assert_eq!(refs.tag("v1").unwrap().as_str(), b);
        assert_eq!(refs.tag("v0").unwrap().as_str(), a);
        assert_eq!((refs.tag("blob"), refs.tag("blob2"), refs.branch("v1")), (None, None, None));
        assert_eq!(refs.trees().len(), 2);
    }

    #[test]
    fn hexadecimal_is_what_python_takes() {
        for yes in ["0", "dead", "DEAD", "0xdead", "-1", " ab ", "a_b", "0x_a"] {
            assert!(is_hex(yes), "{yes}");
        }
        for no in ["", "base", "0x", "a__b", "_a", "a_", "g", "1 2"] {
            assert!(!is_hex(no), "{no}");
        }
    }
}
