//! The repositories of one `git` entry of `ext_pillar`, and the folders that they are for one pillar.

use super::conf::{self, ConfigError, Role};
use super::repo::{self, Fetch, Repo, cache_root};
use super::{shared, worktree};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Opts, Value};
use brine_protocol::ids::RelPath;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The branch that stands for what is asked for.
const ANY: &str = "__env__";

/// The remotes of one entry.
#[derive(Debug)]
pub struct GitPillar {
    repos: Vec<Repo>,
    root: PathBuf,
}

/// A remote as a folder of a pillar tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The folder. It does not change.
    pub dir: PathBuf,
    /// The pillar environment.
    pub env: String,
    /// Whether it is only there for others to include, since it has a mount point.
    pub mounted: bool,
}

impl GitPillar {
    /// The remotes of an entry. Nothing is fetched yet.
    ///
    /// # Errors
    /// The configuration is one that stock refuses.
    pub fn new(opts: &Opts, remotes: &[Value]) -> Result<Self, ConfigError> {
        let repos = repo::open_all(Role::Pillar, opts, conf::remotes(Role::Pillar, opts, remotes)?)?;
        Ok(Self { repos, root: cache_root(Role::Pillar, opts) })
    }

    /// The same for everybody in this process who has the same options.
    ///
    /// # Errors
    /// As [`GitPillar::new`].
    pub fn shared(opts: &Opts, remotes: &[Value]) -> Result<Arc<Self>, ConfigError> {
        shared::pillar(opts, remotes)
    }

    /// All entries of `ext_pillar` that are of git.
    ///
    /// # Errors
    /// The configuration of one is one that stock refuses.
    pub fn all(opts: &Opts) -> Result<Vec<Arc<Self>>, ConfigError> {
        let entries = opts.get("ext_pillar").and_then(Value::as_list).unwrap_or_default();
        let git = entries.iter().filter_map(|entry| entry.as_map()?.get("git"));
        git.map(|remotes| Self::shared(opts, &conf::listed(Some(remotes)))).collect()
    }

    /// Whether the configuration of all entries can be used, as a master asks before it starts.
    ///
    /// # Errors
    /// Why not, in stock's words.
    pub fn check(opts: &Opts) -> Result<(), String> {
        if let Some(Value::List(entries)) = opts.get("ext_pillar")
            && entries.iter().any(|entry| !matches!(entry, Value::Map(_) | Value::Str(_) | Value::List(_)))
        {
            return Err("Invalid ext_pillar configuration. It is likely that the external pillar type was not specified for one \
                        or more external pillars."
                .into());
        }
        Self::all(opts).map(|_| ()).map_err(|e| e.to_string())
    }

    /// The remotes.
    pub fn repos(&self) -> &[Repo] {
        &self.repos
    }

    /// Fetches all; whether anything changed.
    pub fn update(&self) -> bool {
        let all: Vec<&Repo> = self.repos.iter().collect();
        let changed = repo::fetch_all(&all).contains(&Fetch::Changed);
        if changed {
            self.reap();
        }
        changed
    }

    /// Fetches those whose interval is over; whether anything changed.
    pub fn update_due(&self) -> bool {
        let now = Instant::now();
        let due: Vec<&Repo> = self.repos.iter().filter(|repo| repo.is_due(now)).collect();
        let changed = repo::fetch_all(&due).contains(&Fetch::Changed);
        if changed {
            self.reap();
        }
        changed
    }

    /// The shortest interval; `None` without remotes.
    pub fn interval(&self) -> Option<Duration> {
        self.repos.iter().map(|repo| Duration::from_secs(repo.conf.update_interval)).min()
    }

    fn reap(&self) {
        let refs: Vec<_> = self.repos.iter().map(Repo::refs).collect();
        let live = refs.iter().flat_map(|refs| refs.trees()).collect();
        worktree::reap(&self.root.join("trees"), &self.root.join("links"), &live);
    }

    /// Removes locks of a kind, for remotes whose URL matches a pattern: what was done, and what went wrong.
    pub fn clear_lock(&self, remote: Option<&str>, kind: &str) -> (Vec<String>, Vec<String>) {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for repo in self.repos.iter().filter(|repo| remote.is_none_or(|glob| fnmatch(&repo.conf.url, glob))) {
            match repo.locks.clear(kind) {
                Ok(text) => done.extend(text),
                Err(text) => failed.push(text),
            }
        }
        (done, failed)
    }

    /// The folders for one pillar, in the order of the configuration; `opts` holds its `pillarenv` and `saltenv`. A remote with
    /// the branch `__env__` that has no such branch or tag is left out.
    ///
    /// What was never fetched is fetched now; all else is as it was after the last good fetch.
    ///
    /// # Errors
    /// A remote was never fetched, or does not have the branch that the configuration names: part of the pillar would be
    /// missing.
    pub fn checkout(&self, opts: &Opts) -> Result<Vec<Checkout>, String> {
        let mut all = Vec::new();
        for repo in &self.repos {
            all.extend(self.one(repo, opts)?);
        }
        Ok(all)
    }

    fn one(&self, repo: &Repo, opts: &Opts) -> Result<Option<Checkout>, String> {
        let conf = &repo.conf;
        let asked = ["pillarenv", "saltenv"].iter().filter_map(|key| opts.get(key)).find(|env| env.truthy());
        let asked = asked.map_or_else(|| "base".to_owned(), python_str);
        let target = match &conf.all_saltenvs {
            _ if conf.branch != ANY => conf.branch.clone(),
            Some(all) => all.clone(),
            None if asked == "base" => conf.base.clone(),
            None => asked.clone(),
        };
        let name = format!("git_pillar remote '{}'", repo.id());
        let find = || {
            let refs = repo.refs();
            let fallback = Some(conf.fallback.as_str()).filter(|name| !name.is_empty());
            let mut names = [Some(target.as_str()), fallback].into_iter().flatten();
            names.find_map(|name| repo.tree_of_ref(&refs, name))
        };
        let mut found = find();
        if found.is_none() {
            repo.fetch_if_due();
            found = find();
        }
        let Some(id) = found else {
            let text = format!("Failed to checkout {target} from {name}: remote ref does not exist");
            if !repo.has_anything() {
                return Err(format!("{name} could not be fetched yet"));
            }
            if conf.branch != ANY || conf.all_saltenvs.is_some() {
                return Err(text);
            }
            tracing::error!("{text}");
            return Ok(None);
        };
        let tree = repo.tree(&id).map_err(|e| format!("{name}: {e}"))?;
        let root = if conf.root.is_empty() { Some(String::new()) } else { tree.real(&conf.root) };
        let Some(root) = root.filter(|root| tree.below(root).is_some()) else {
            tracing::error!("Root path '{}' not present in {name}, skipping.", conf.root);
            return Ok(None);
        };
        let failed = |e: std::io::Error| format!("{name}: {e}");
        let mut dir =
            worktree::folder(&self.root.join("trees"), repo.objects(), &id, &tree).map_err(failed)?;
        if !root.is_empty() {
            dir.push(&root);
        }
        let env = match &conf.all_saltenvs {
            Some(_) if conf.branch == ANY => asked,
            _ if !conf.env.is_empty() => conf.env.clone(),
            _ if conf.branch == conf.base || target == conf.base => "base".into(),
            _ => target,
        };
        let mounted = !conf.mountpoint.is_empty();
        if mounted {
            if RelPath::parse(&conf.mountpoint).is_err() {
                return Err(format!("{name}: its mountpoint is no path below the root"));
            }
            let links = self.root.join("links");
            dir = worktree::mounted(&links, &id, &root, &dir, &conf.mountpoint).map_err(failed)?;
        }
        Ok(Some(Checkout { dir, env, mounted }))
    }
}
