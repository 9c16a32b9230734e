//! The backend `roots`: folders on this machine (`file_roots`).

use super::open::{look, open_regular};
use crate::backend::{Backend, Found, Listed};
use crate::ignore::Ignore;
use crate::tree::{self, Tree};
use brine_core::call::Result;
use brine_core::{Map, Opts, Value};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::listing::{Listings, Rules};

/// `file_roots`.
pub(super) struct RootsBackend {
    tree: Tree,
    rules: Rules,
    listings: Listings,
}

impl RootsBackend {
    /// Reads the options.
    pub(super) fn new(opts: &Opts) -> Self {
        let none = Map::new();
        Self {
            tree: Tree::new(opts.get("file_roots").and_then(Value::as_map).unwrap_or(&none)),
            rules: Rules {
                ignore: Ignore::new(opts),
                follow: opts.get("fileserver_followsymlinks").is_none_or(Value::truthy),
                no_links: opts.flag("fileserver_ignoresymlinks"),
            },
            listings: Listings::default(),
        }
    }

    /// The first root that has a file.
    fn first<T>(
        &self,
        path: &RelPath,
        saltenv: &SaltEnv,
        get: impl Fn(&Path, Option<&Path>) -> std::io::Result<Option<T>>,
    ) -> Result<Option<(PathBuf, T)>> {
        for root in self.tree.dirs(saltenv) {
            let full = tree::join(&root, path);
            let inside = (!self.rules.follow).then_some(root.as_path());
            if let Some(got) = get(&full, inside)?
                && !self.rules.ignore.hides(&full.to_string_lossy())
            {
                return Ok(Some((full, got)));
            }
        }
        Ok(None)
    }
}

impl Backend for RootsBackend {
    fn name(&self) -> &'static str {
        "roots"
    }

    /// Sorted.
    fn envs(&self) -> Result<Vec<String>> {
        let mut envs: Vec<String> = self.tree.envs().map(str::to_owned).collect();
        envs.sort();
        Ok(envs)
    }

    fn find(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<Found>> {
        let found = self.first(path, saltenv, look)?;
        Ok(found.map(|(full, (_, meta))| Found { full, meta }))
    }

    fn open(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<(File, Metadata)>> {
        Ok(self.first(path, saltenv, open_regular)?.map(|(_, opened)| opened))
    }

    fn list(&self, saltenv: &SaltEnv) -> Result<Arc<Listed>> {
        self.listings.of(saltenv.as_str(), &self.tree.dirs(saltenv), &self.rules)
    }
}
