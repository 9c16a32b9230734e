//! Pillar trees in folders on this machine (`pillar_roots`). Files are used where they lie.

use crate::ignore::Ignore;
use crate::path;
use crate::tree::{self, Tree};
use crate::walk::{below_path, walk};
use brine_core::call::Result;
use brine_core::files::{Files, Listing};
use brine_core::{Map, Opts};
use brine_protocol::ids::SaltEnv;
use std::path::PathBuf;

/// `pillar_roots`.
#[derive(Debug)]
pub struct PillarRoots {
    tree: Tree,
    ignore: Ignore,
}

impl PillarRoots {
    /// Folders by environment, and what of them is hidden.
    pub fn new(roots: &Map, opts: &Opts) -> Self {
        Self { tree: Tree::new(roots), ignore: Ignore::new(opts) }
    }
}

impl Files for PillarRoots {
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>> {
        let Some(asked) = path::parse(path, saltenv) else { return Ok(None) };
        let mut all = self.tree.dirs(&asked.saltenv).into_iter().map(|root| tree::join(&root, &asked.path));
        Ok(all.find(|full| full.is_file()))
    }

    /// Root by root. Hidden folders are not read; files are never hidden, as in stock.
    fn list(&self, saltenv: &str, what: Listing) -> Result<Vec<String>> {
        let Ok(saltenv) = SaltEnv::parse(saltenv) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for root in self.tree.dirs(&saltenv) {
            for folder in walk(&root, true, &|name| !self.ignore.hides(name)) {
                let own = if folder.path.is_empty() { "." } else { folder.path.as_str() };
                match what {
                    Listing::Files => {
                        all.extend(folder.files.iter().map(|f| below_path(&folder.path, &f.name)));
                    }
                    Listing::EmptyDirs if !(folder.dirs.is_empty() && folder.files.is_empty()) => {}
                    _ => all.push(own.to_owned()),
                }
            }
        }
        Ok(all)
    }

    /// In the option's order.
    fn envs(&self) -> Result<Vec<String>> {
        Ok(self.tree.envs().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;
    use std::fs;

    #[test]
    fn files_are_used_in_place() {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["a/x", "b", "a/.git"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        for file in ["a/x/init.sls", "b/x.sls", "a/.git/config", "secret"] {
            fs::write(dir.path().join(file), file).unwrap();
        }
        let root = |sub: &str| dir.path().join(sub).to_string_lossy().into_owned();
        let roots = map! {"base" => vec![root("a"), root("b")], "dev" => vec![root("b")]};
        let roots = PillarRoots::new(&roots, &Opts::new(map! {"file_ignore_glob" => vec![".git", "*.sls"]}));
        assert_eq!(roots.cache_file("x/init.sls", "base").unwrap(), Some(dir.path().join("a/x/init.sls")));
        assert_eq!(roots.cache_file("x.sls", "dev").unwrap(), Some(dir.path().join("b/x.sls")));
        for none in ["../secret", "x", "/etc/passwd"] {
            assert_eq!(roots.cache_file(none, "base").unwrap(), None);
        }
        assert_eq!(roots.list("base", Listing::Files).unwrap(), ["x/init.sls", "x.sls"]);
        assert_eq!(roots.list("base", Listing::Dirs).unwrap(), [".", "x", "."]);
        assert_eq!(roots.envs().unwrap(), ["base", "dev"]);
    }
}
