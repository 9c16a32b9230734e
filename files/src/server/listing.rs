//! Listings of folders, kept until something in them changes.

mod read;
mod watch;

pub(super) use read::Rules;

use crate::backend::Listed;
use brine_core::call::Result;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use watch::Watch;

/// Of how many environments listings are kept.
const MOST: usize = 256;

/// A listing, and what it came from.
struct Kept {
    roots: Vec<PathBuf>,
    listed: Arc<Listed>,
    seen: read::Seen,
}

/// The listings of one tree, by environment.
pub(super) struct Listings {
    state: Mutex<State>,
    most: usize,
}

impl Default for Listings {
    fn default() -> Self {
        Self::keeping(MOST)
    }
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Kept>,
    watch: Watch,
}

impl Listings {
    /// At most so many are kept.
    pub(super) fn keeping(most: usize) -> Self {
        Self { state: Mutex::default(), most }
    }

    /// Forgets listings, of these environments or all; of which there were any.
    pub(super) fn forget(&self, envs: Option<&[String]>) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = |env: &&String| envs.is_none_or(|envs| envs.contains(env));
        let mut gone: Vec<String> = state.kept.keys().filter(meant).cloned().collect();
        gone.sort();
        for env in &gone {
            state.kept.remove(env);
            state.watch.forget(env);
        }
        gone
    }

    /// Everything below some folders, which stand for one environment. Who comes while they are read waits for the one who reads.
    pub(super) fn of(&self, saltenv: &str, roots: &[PathBuf], rules: &Rules) -> Result<Arc<Listed>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        for changed in state.watch.changed() {
            state.kept.remove(&changed);
        }
        if let Some(kept) = state.kept.get(saltenv) {
            if kept.roots == roots && kept.seen.holds() {
                return Ok(kept.listed.clone());
            }
            state.kept.remove(saltenv);
        }
        state.watch.begin(saltenv);
        let (listed, seen) = read::read(roots, rules, &mut state.watch);
        state.watch.end();
        let listed = Arc::new(listed);
        if seen.is_empty() {
            state.watch.forget(saltenv);
            return Ok(listed);
        }
        if state.kept.len() >= self.most
            && let Some(one) = state.kept.keys().next().cloned()
        {
            state.kept.remove(&one);
            state.watch.forget(&one);
        }
        state.kept.insert(saltenv.to_owned(), Kept { roots: roots.to_vec(), listed: listed.clone(), seen });
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ignore::Ignore;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn rules(follow: bool) -> Rules {
        Rules { ignore: Ignore::default(), follow, no_links: false }
    }

    #[test]
    fn a_listing_is_kept_until_something_changes() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for sub in ["root/a/b", "root/empty", "else"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        fs::write(root.join("a/f"), "").unwrap();
        fs::write(dir.path().join("else/g"), "").unwrap();
        symlink("../else", root.join("link")).unwrap();
        let listings = Listings::default();
        let list = || listings.of("base", std::slice::from_ref(&root), &rules(true)).unwrap();
        let first = list();
        assert_eq!(first.files, ["a/f", "link/g"]);
        assert_eq!(first.dirs, ["a", "a/b", "empty", "link"]);
        assert_eq!(first.empty_dirs, ["a/b", "empty"]);
        assert!(Arc::ptr_eq(&first, &list()));
        // Contents and modes are in no listing.
        fs::write(root.join("a/f"), "more").unwrap();
        assert!(Arc::ptr_eq(&first, &list()));

        let same_as_anew = |what: &str| {
            let (kept, anew) = (list(), Listings::default());
            let anew = anew.of("base", std::slice::from_ref(&root), &rules(true)).unwrap();
            assert_eq!(
                (&kept.files, &kept.dirs, &kept.empty_dirs),
                (&anew.files, &anew.dirs, &anew.empty_dirs),
                "{what}"
            );
            assert_eq!(kept.links, anew.links, "{what}");
        };
        type Change<'a> = (&'a str, &'a dyn Fn(&Path));
        let changes: &[Change<'_>] = &[
            ("a file comes", &|root| fs::write(root.join("empty/new"), "").unwrap()),
            ("a file goes", &|root| fs::remove_file(root.join("empty/new")).unwrap()),
            ("a folder comes", &|root| fs::create_dir_all(root.join("n/e/w")).unwrap()),
            ("in the new folder", &|root| fs::write(root.join("n/e/w/x"), "").unwrap()),
            ("a folder moves", &|root| fs::rename(root.join("n/e"), root.join("a/e")).unwrap()),
            ("in the moved folder", &|root| fs::write(root.join("a/e/w/y"), "").unwrap()),
            ("behind a link", &|root| fs::write(root.join("../else/h"), "").unwrap()),
            ("where a link leads", &|root| fs::rename(root.join("../else"), root.join("../gone")).unwrap()),
            ("a folder goes", &|root| fs::remove_dir_all(root.join("a")).unwrap()),
            ("another root in its place", &|root| {
                fs::rename(root, root.with_file_name("old")).unwrap();
                fs::create_dir(root).unwrap();
                fs::write(root.join("z"), "").unwrap();
            }),
            ("no root", &|root| fs::remove_dir_all(root).unwrap()),
            ("a root again", &|root| fs::create_dir_all(root.join("back")).unwrap()),
        ];
        for (what, change) in changes {
            list();
            change(&root);
            same_as_anew(what);
        }
        assert_eq!(list().dirs, ["back"]);
    }

    #[test]
    fn folders_that_are_not_watched_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("a")).unwrap();
        let roots = [root.clone()];
        // Without a name to watch for, nothing is watched.
        let mut watch = Watch::default();
        let mut read = || read::read(&roots, &rules(true), &mut watch);
        let (_, seen) = read();
        assert!(seen.is_empty(), "what has just changed may change unseen");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let seen = loop {
            let (_, seen) = read();
            if !seen.is_empty() {
                break seen;
            }
            assert!(std::time::Instant::now() < deadline);
        };
        assert!(seen.holds());
        fs::write(root.join("a/new"), "").unwrap();
        assert!(!seen.holds());
    }

    #[test]
    fn watches_are_let_go_with_their_folders_and_few_listings_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["one/a", "two"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        let listings = Listings::keeping(2);
        let list = |env: &str, sub: &str| listings.of(env, &[dir.path().join(sub)], &rules(true)).unwrap();
        let kept = || listings.state.lock().unwrap().kept.len();
        list("1", "one");
        list("2", "two");
        list("gone", "none");
        assert_eq!(kept(), 2, "what is not there is not kept");
        fs::remove_dir(dir.path().join("one/a")).unwrap();
        assert!(list("1", "one").dirs.is_empty());
        assert_eq!(listings.state.lock().unwrap().watch.len(), 2);
        list("3", "two");
        assert_eq!(kept(), 2);
        assert!(list("3", "two").files.is_empty());
        fs::write(dir.path().join("two/x"), "").unwrap();
        assert_eq!(list("3", "two").files, ["x"]);
        assert_eq!(list("2", "two").files, ["x"]);
    }
}
