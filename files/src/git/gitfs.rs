//! `gitfs`: branches, tags and commits of remotes as environments of the file server.

use super::blobs::Blobs;
use super::conf::{self, ConfigError, Role};
use super::refs::{Oid, Refs, is_hex};
use super::repo::{self, Fetch, Repo, cache_root};
use super::shared;
use super::tree::{Entry, join};
use crate::{Backend, Found, Listed};
use brine_core::call::{CallError, Result};
use brine_core::target::fnmatch;
use brine_core::{Opts, Value};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many listings are kept.
const KEPT_LISTS: usize = 256;

/// All remotes of `gitfs_remotes`.
#[derive(Debug)]
pub struct GitFs {
    repos: Vec<Repo>,
    root: PathBuf,
    file_lists: PathBuf,
    blobs: Blobs,
    /// Without a master nobody else fetches: whoever asks does, when an interval is over.
    masterless: bool,
    /// The environments, of the references that they were made of.
    known: Mutex<Option<Known>>,
    /// Listings by environment, each with the trees that it is made of.
    lists: Mutex<HashMap<String, List>>,
}

type List = (Vec<Option<Oid>>, bool, Arc<Listed>);

#[derive(Clone, Debug)]
struct Known {
    refs: Vec<Arc<Refs>>,
    envs: Arc<BTreeSet<String>>,
}

impl GitFs {
    /// The remotes as the options have them. Nothing is fetched yet.
    ///
    /// # Errors
    /// The configuration is one that stock refuses.
    pub fn new(opts: &Opts) -> std::result::Result<Self, ConfigError> {
        let list = conf::listed(opts.get("gitfs_remotes"));
        let repos = repo::open_all(Role::Gitfs, opts, conf::remotes(Role::Gitfs, opts, &list)?)?;
        let root = cache_root(Role::Gitfs, opts);
        Ok(Self {
            repos,
            file_lists: opts.path("cachedir").join("file_lists/gitfs"),
            blobs: Blobs::new(root.join("blobs")),
            root,
            masterless: opts.str("__role") == "minion",
            known: Mutex::default(),
            lists: Mutex::default(),
        })
    }

    /// The same for everybody in this process who has the same options.
    ///
    /// # Errors
    /// As [`GitFs::new`].
    pub fn shared(opts: &Opts) -> std::result::Result<Arc<Self>, ConfigError> {
        shared::gitfs(opts)
    }

    /// Fetches the remotes whose interval is over; whether anything changed.
    pub fn update_due(&self) -> bool {
        let now = Instant::now();
        let due: Vec<&Repo> = self.repos.iter().filter(|repo| repo.is_due(now)).collect();
        self.fetch(&due)
    }

    /// The shortest `update_interval`; `None` without remotes.
    pub fn interval(&self) -> Option<Duration> {
        self.repos.iter().map(|repo| Duration::from_secs(repo.conf.update_interval)).min()
    }

    /// Fetches the remotes with these URLs or names, or all; whether anything changed.
    pub fn update_named(&self, names: Option<&[String]>) -> bool {
        let meant = |repo: &&Repo| names.is_none_or(|names| names.iter().any(|name| repo.is_named(name)));
        let repos: Vec<&Repo> = self.repos.iter().filter(meant).collect();
        self.fetch(&repos)
    }

    fn fetch(&self, repos: &[&Repo]) -> bool {
        let cleared = repo::clear_old(&self.root, &self.repos);
        let changed = repo::fetch_all(repos).contains(&Fetch::Changed);
        if changed {
            self.blobs.reap();
        }
        changed || cleared
    }

    /// Puts update locks there, for remotes whose URL matches a pattern: what was done, and what went wrong.
    pub fn lock(&self, remote: Option<&str>) -> (Vec<String>, Vec<String>) {
        self.each(remote, |repo| repo.locks.lock())
    }

    /// Removes locks of a kind, for remotes whose URL matches a pattern: what was done, and what went wrong.
    pub fn clear_lock(&self, remote: Option<&str>, kind: &str) -> (Vec<String>, Vec<String>) {
        self.each(remote, |repo| repo.locks.clear(kind))
    }

    fn each(
        &self,
        remote: Option<&str>,
        act: impl Fn(&Repo) -> std::result::Result<Option<String>, String>,
    ) -> (Vec<String>, Vec<String>) {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for repo in self.repos.iter().filter(|repo| remote.is_none_or(|glob| fnmatch(&repo.conf.url, glob))) {
            match act(repo) {
                Ok(text) => done.extend(text),
                Err(text) => failed.push(text),
            }
        }
        (done, failed)
    }

    /// The references of all remotes, and the environments that they make.
    fn known(&self) -> Known {
        if self.masterless {
            self.repos.iter().for_each(Repo::fetch_if_due);
        }
        let refs: Vec<Arc<Refs>> = self.repos.iter().map(Repo::refs).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known
            && known.refs.iter().zip(&refs).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            return known.clone();
        }
        let envs = self.repos.iter().zip(&refs).flat_map(|(repo, refs)| refs.envs(&repo.conf)).collect();
        known.insert(Known { refs, envs: Arc::new(envs) }).clone()
    }
}

fn failed(repo: &Repo, e: impl std::fmt::Display) -> CallError {
    CallError::exception("OSError", format!("gitfs remote '{}': {e}", repo.id()))
}

impl Backend for GitFs {
    fn name(&self) -> &'static str {
        "gitfs"
    }

    fn envs(&self) -> Result<Vec<String>> {
        Ok(self.known().envs.iter().cloned().collect())
    }

    fn find(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<Found>> {
        let (path, env) = (path.as_str(), saltenv.as_str());
        let known = self.known();
        for (repo, refs) in self.repos.iter().zip(&known.refs) {
            let mountpoint = repo.conf.mountpoint_of(env);
            let below = match mountpoint {
                "" => Some(path),
                mountpoint => path.strip_prefix(mountpoint).filter(|rest| rest.starts_with('/')),
            };
            let Some(below) = below else { continue };
            if !is_hex(env) && !known.envs.contains(env) && repo.conf.fallback.is_empty() {
                continue;
            }
            let Some(id) = repo.tree_id(refs, env).map_err(|e| failed(repo, e))? else { continue };
            let tree = repo.tree(&id).map_err(|e| failed(repo, e))?;
            let in_repo = join(repo.conf.root_of(env), below.trim_start_matches('/'));
            let Some((blob, executable)) = tree.find(&in_repo) else { continue };
            let found = self.blobs.file(repo.objects(), blob, executable).map_err(|e| failed(repo, e))?;
            if let Some((full, meta)) = found {
                return Ok(Some(Found { full, meta }));
            }
        }
        Ok(None)
    }

    fn list(&self, saltenv: &SaltEnv) -> Result<Arc<Listed>> {
        let env = saltenv.as_str();
        let known = self.known();
        let (hex, listed) = (is_hex(env), known.envs.contains(env));
        let mut ids = Vec::new();
        for (repo, refs) in self.repos.iter().zip(&known.refs) {
            let seen = hex || listed || !repo.conf.fallback.is_empty();
            ids.push(if seen { repo.tree_id(refs, env).map_err(|e| failed(repo, e))? } else { None });
        }
        let with_links = hex || listed;
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, links, list)) = lists.get(env)
            && *of == ids
            && *links == with_links
        {
            return Ok(list.clone());
        }
        drop(lists);
        let (mut files, mut dirs, mut links) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for (repo, id) in self.repos.iter().zip(&ids) {
            let Some(id) = id else { continue };
            let tree = repo.tree(id).map_err(|e| failed(repo, e))?;
            if tree.len() == 0 {
                // As in stock, a mount point does not appear for nothing.
                continue;
            }
            let Some(entries) = tree.below(repo.conf.root_of(env)) else { continue };
            let mountpoint = repo.conf.mountpoint_of(env);
            for (path, entry) in entries {
                let path = if mountpoint.is_empty() { path.to_owned() } else { join(mountpoint, path) };
                match entry {
                    Entry::Dir => {
                        dirs.insert(path);
                    }
                    Entry::File { .. } => {
                        files.insert(path);
                    }
                    Entry::Link { target } => {
                        links.insert(path.clone(), target.clone());
                        files.insert(path);
                    }
                }
            }
            if !mountpoint.is_empty() {
                dirs.insert(mountpoint.to_owned());
            }
        }
        let list = Arc::new(Listed {
            files: files.into_iter().collect(),
            dirs: dirs.into_iter().collect(),
            links: if with_links { links.into_iter().collect() } else { Vec::new() },
            ..Listed::default()
        });
        lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= KEPT_LISTS {
            lists.clear();
        }
        lists.insert(env.to_owned(), (ids, with_links, list.clone()));
        Ok(list)
    }

    fn update(&self) -> Result<bool> {
        Ok(GitFs::update_named(self, None))
    }

    fn is_fetched(&self) -> bool {
        true
    }

    fn interval(&self) -> Option<Duration> {
        GitFs::interval(self)
    }

    fn update_due(&self) -> Result<bool> {
        Ok(GitFs::update_due(self))
    }

    fn update_named(&self, remotes: &[String]) -> Result<bool> {
        Ok(GitFs::update_named(self, Some(remotes)))
    }

    fn lock(&self, remote: Option<&str>) -> (Vec<String>, Vec<String>) {
        GitFs::lock(self, remote)
    }

    fn clear_lock(&self, remote: Option<&str>) -> (Vec<String>, Vec<String>) {
        GitFs::clear_lock(self, remote, "update")
    }

    fn clear_cache(&self) -> Vec<String> {
        let mut errors = Vec::new();
        for dir in [&self.root, &self.file_lists] {
            if let Err(e) = fs::remove_dir_all(dir)
                && e.kind() != std::io::ErrorKind::NotFound
            {
                errors.push(format!("Unable to delete {}: {e}", dir.display()));
            }
        }
        self.repos.iter().for_each(Repo::forget);
        errors
    }
}

/// Whether the options ask for this backend.
pub fn is_asked_for(opts: &Opts) -> bool {
    let named = |name: &str| matches!(name.trim(), "git" | "gitfs");
    match opts.get("fileserver_backend") {
        Some(Value::List(list)) => list.iter().filter_map(Value::as_str).any(named),
        Some(Value::Str(text)) => text.split(',').any(named),
        _ => false,
    }
}
