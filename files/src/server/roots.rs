//! The backend `roots`: folders on this machine (`file_roots`).

use super::open::{look, open_regular};
use crate::backend::{Backend, Found, Listed};
use crate::ignore::Ignore;
use crate::tree::{self, Tree};
use brine_core::call::Result;
use brine_core::{Map, Opts, Value, map};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::listing::{Listings, Rules};
use super::mtimes::Mtimes;

/// `file_roots`.
pub(super) struct RootsBackend {
    tree: Tree,
    rules: Rules,
    listings: Listings,
    /// With `fileserver_events`: how often what has changed is looked for, and what that was the last time.
    events: Option<(Duration, Mtimes)>,
    news: Mutex<Map>,
}

/// Stock's interval where none is given.
const INTERVAL: u64 = 60;

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
            events: opts.flag("fileserver_events").then(|| {
                let seconds = opts.int("roots_update_interval").and_then(|n| u64::try_from(n).ok());
                let seconds = seconds.filter(|n| *n > 0).unwrap_or(INTERVAL);
                (Duration::from_secs(seconds), Mtimes::new(&opts.path("cachedir")))
            }),
            news: Mutex::default(),
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
    fn forget_lists(&self, envs: Option<&[String]>) -> Vec<String> {
        self.listings.forget(envs)
    }

    fn interval(&self) -> Option<Duration> {
        self.events.as_ref().map(|(interval, _)| *interval)
    }

    /// Nothing is fetched: what has changed is looked for, where somebody is to be told.
    fn update(&self) -> Result<bool> {
        let Some((_, mtimes)) = &self.events else { return Ok(false) };
        let roots: Vec<PathBuf> = self.tree.all_dirs().map(PathBuf::from).collect();
        let (changed, files) = mtimes.look(&roots, &self.rules.ignore);
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = files;
        Ok(changed)
    }

    fn news(&self, changed: bool) -> Map {
        let files = self.news.lock().unwrap_or_else(PoisonError::into_inner).clone();
        map! {"changed" => changed, "files" => files, "backend" => self.name()}
    }
}
