//! State trees in folders on this machine (`file_roots`), as a minion without a master has them.

use crate::cache::Cache;
use crate::ignore::Ignore;
use crate::path::{self, Asked};
use crate::tree::{self, Tree};
use crate::walk::{below_path, walk};
use brine_core::call::{CallError, Result};
use brine_core::files::{Files, Listing};
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use brine_protocol::ids::SaltEnv;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// The backends that are these folders.
const NAMES: &[&str] = &["roots", "file_roots"];

/// `file_roots`. Files are handed out as copies below `cachedir/files`, as stock's file client keeps them.
#[derive(Debug)]
pub struct Roots {
    tree: Tree,
    ignore: Ignore,
    cache: Cache,
    follow: bool,
    no_links: bool,
}

impl Roots {
    /// Reads the options. Backends other than `roots` have no files here.
    pub fn new(opts: &Opts) -> Self {
        let backends: Vec<String> = match opts.get("fileserver_backend") {
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            Some(Value::Str(text)) => text.split(',').map(str::to_owned).collect(),
            _ => vec!["roots".into()],
        };
        for other in backends.iter().filter(|name| !NAMES.contains(&name.as_str())) {
            tracing::warn!("fileserver_backend {other}: not supported without a master; it has no files");
        }
        let none = Map::new();
        let served = backends.iter().any(|name| NAMES.contains(&name.as_str()));
        let roots = opts.get("file_roots").and_then(Value::as_map).filter(|_| served).unwrap_or(&none);
        Self {
            tree: Tree::new(roots),
            ignore: Ignore::new(opts),
            cache: Cache::new(&opts.path("cachedir")),
            follow: opts.get("fileserver_followsymlinks").is_none_or(Value::truthy),
            no_links: opts.flag("fileserver_ignoresymlinks"),
        }
    }

    /// Where a file lies, and what it is.
    fn find(&self, asked: &Asked) -> Option<(PathBuf, Metadata)> {
        self.tree.dirs(&asked.saltenv).iter().find_map(|root| {
            let full = tree::join(root, &asked.path);
            let meta = fs::metadata(&full).ok().filter(Metadata::is_file)?;
            let inside = self.follow || stays_inside(root, &full);
            (inside && !self.ignore.hides(&full.to_string_lossy())).then_some((full, meta))
        })
    }
}

/// Whether a file, links resolved, is below the root.
fn stays_inside(root: &Path, full: &Path) -> bool {
    match (root.canonicalize(), full.canonicalize()) {
        (Ok(root), Ok(full)) => full.starts_with(root),
        _ => false,
    }
}

impl Files for Roots {
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>> {
        let Some(asked) = path::parse(path, saltenv) else { return Ok(None) };
        let Some((source, meta)) = self.find(&asked) else {
            tracing::debug!("Could not find file 'salt://{path}' in saltenv '{saltenv}'");
            return Ok(None);
        };
        let copied = self.cache.copy(&source, &meta, &asked.saltenv, &asked.path, None);
        copied.map(Some).map_err(|e| CallError::exception("OSError", format!("{}: {e}", source.display())))
    }

    fn list(&self, saltenv: &str, what: Listing) -> Result<Vec<String>> {
        let Ok(saltenv) = SaltEnv::parse(saltenv) else { return Ok(Vec::new()) };
        let mut all = BTreeSet::new();
        for root in self.tree.dirs(&saltenv) {
            let folders = walk(&root, self.follow, &|_| true);
            let empty: BTreeSet<&str> = folders
                .iter()
                .filter(|f| f.dirs.is_empty() && f.files.is_empty())
                .map(|f| f.path.as_str())
                .collect();
            for folder in &folders {
                let entries = if what == Listing::Files { &folder.files } else { &folder.dirs };
                for entry in entries.iter().filter(|entry| !(entry.link && self.no_links)) {
                    let path = below_path(&folder.path, &entry.name);
                    let wanted = what != Listing::EmptyDirs || empty.contains(path.as_str());
                    if wanted && !self.ignore.hides(&path) {
                        all.insert(path);
                    }
                }
            }
        }
        Ok(all.into_iter().collect())
    }

    fn envs(&self) -> Result<Vec<String>> {
        let mut envs: Vec<String> = self.tree.envs().map(str::to_owned).collect();
        envs.sort();
        Ok(envs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;
    use std::os::unix::fs::symlink;

    fn tree(dir: &Path, more: Map) -> Roots {
        for sub in ["a/sub", "a/empty", "b", "envs/dev"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
        for file in ["a/one", "a/sub/x.sls", "a/skip.pyc", "b/one", "b/two", "envs/dev/three", "secret"] {
            fs::write(dir.join(file), file).unwrap();
        }
        symlink("../secret", dir.join("a/out")).unwrap();
        symlink("sub", dir.join("a/link")).unwrap();
        let root = |sub: &str| dir.join(sub).to_string_lossy().into_owned();
        let mut opts = map! {
            "file_roots" => map! {"base" => vec![root("a"), root("b")], "__env__" => vec![root("envs/__env__")]},
            "cachedir" => root("cache"),
            "file_ignore_glob" => vec!["*.pyc"],
        };
        opts.update(more);
        Roots::new(&Opts::new(opts))
    }

    #[test]
    fn files_are_found_copied_and_kept_in_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let roots = tree(dir.path(), Map::new());
        let get = |path: &str, env: &str| {
            roots.cache_file(path, env).unwrap().map(|at| {
                assert!(at.starts_with(dir.path().join("cache/files")));
                fs::read_to_string(at).unwrap()
            })
        };
        assert_eq!(get("one", "base").as_deref(), Some("a/one"));
        assert_eq!(get("two", "base").as_deref(), Some("b/two"));
        assert_eq!(get("link/x.sls", "base").as_deref(), Some("a/sub/x.sls"));
        assert_eq!(get("three", "dev").as_deref(), Some("envs/dev/three"));
        assert_eq!(get("three?saltenv=dev", "base").as_deref(), Some("envs/dev/three"));
        assert_eq!(get("out", "base").as_deref(), Some("secret"));
        for (path, env) in [
            ("sub", "base"),
            ("three", "base"),
            ("../secret", "base"),
            ("/etc/passwd", "base"),
            ("sub/../one", "base"),
            ("secret", ".."),
            ("skip.pyc", "base"),
            ("", "base"),
        ] {
            assert_eq!(get(path, env), None, "{path} {env}");
        }
        assert_eq!(roots.envs().unwrap(), ["__env__", "base"]);
    }

    #[test]
    fn listings_are_the_file_servers() {
        let dir = tempfile::tempdir().unwrap();
        let roots = tree(dir.path(), Map::new());
        let list = |what| roots.list("base", what).unwrap();
        assert_eq!(list(Listing::Files), ["link/x.sls", "one", "out", "sub/x.sls", "two"]);
        assert_eq!(list(Listing::Dirs), ["empty", "link", "sub"]);
        assert_eq!(list(Listing::EmptyDirs), ["empty"]);
        assert!(roots.list("..", Listing::Files).unwrap().is_empty());
    }

    #[test]
    fn links_follow_the_options() {
        let dir = tempfile::tempdir().unwrap();
        let roots = tree(
            dir.path(),
            map! {"fileserver_followsymlinks" => false, "fileserver_ignoresymlinks" => true},
        );
        assert_eq!(roots.cache_file("out", "base").unwrap(), None);
        assert!(roots.cache_file("link/x.sls", "base").unwrap().is_some());
        assert_eq!(roots.list("base", Listing::Files).unwrap(), ["one", "sub/x.sls", "two"]);
        assert_eq!(roots.list("base", Listing::Dirs).unwrap(), ["empty", "sub"]);
        let none = tempfile::tempdir().unwrap();
        let roots = tree(none.path(), map! {"fileserver_backend" => vec!["git"]});
        assert_eq!(roots.cache_file("one", "base").unwrap(), None);
    }
}
