//! One remote's repository on this machine: fetched into beside requests, and looked at as it was after the last good fetch.

use super::conf::{ConfigError, RefType, Remote, Role};
use super::lock::Locks;
use super::objects::Objects;
use super::program::{Git, touch};
use super::refs::{Oid, Refs};
use super::tree::Tree;
use crate::place::private;
use crate::sum::Digest;
use base64::Engine;
use brine_core::Opts;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

/// How long one fetch may take in all; one that stands still is given up sooner.
const LONGEST_FETCH: Duration = Duration::from_secs(3600);

/// How many paths of trees are kept in memory for one repository, at least the last tree's.
const KEPT_PATHS: usize = 500_000;

/// What became of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// There is something new.
    Changed,
    /// There is nothing new.
    Same,
    /// It could not be fetched, which was logged.
    Failed,
}

/// One remote's repository.
#[derive(Debug)]
pub struct Repo {
    pub(super) conf: Remote,
    role: Role,
    git: Git,
    /// Holds the repository, `.git`.
    dir: PathBuf,
    /// Holds locks and notes.
    work: PathBuf,
    askpass: PathBuf,
    objects: Objects,
    pub(super) locks: Locks,
    /// The name of its folder.
    pub(super) hash: String,
    /// Touched by whoever fetched something new, so that others read the references again.
    note: PathBuf,
    known: RwLock<Known>,
    fetching: Mutex<()>,
    /// Whether it was ever fetched, by anyone.
    fetched: AtomicBool,
    tried: Mutex<Option<Instant>>,
    trees: Mutex<HashMap<Oid, Slot>>,
}

/// A tree that is read by the first who needs it, while others wait for that one.
type Slot = Arc<OnceLock<Result<Arc<Tree>, String>>>;

#[derive(Debug, Default)]
struct Known {
    refs: Arc<Refs>,
    note: Option<(i64, i64)>,
}

impl Repo {
    /// The repository of a remote below `cachedir`, made if there is none yet; `None` if what lies in its place is none, which is
    /// logged as in stock.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn open(role: Role, opts: &Opts, conf: Remote) -> Result<Option<Self>, ConfigError> {
        let root = cache_root(role, opts);
        let hash = match &conf.name {
            Some(name) => name.clone(),
            None => hashed(&conf.id, opts.str("hash_type")),
        };
        let shown = conf.shown();
        let (dir, work) = (root.join(&hash).join("_"), root.join("work").join(&hash).join("_"));
        let askpass = root.join("work").join("askpass");
        let git = Git::new(dir.join(".git"), &conf, &askpass);
        let global = opts.get(&format!("{}_global_lock", role.name())).is_none_or(brine_core::Value::truthy);
        let repo = Self {
            locks: Locks::new(role, shown.clone(), work.clone(), global),
            objects: Objects::new(git.clone()),
            note: work.join("changed"),
            dir,
            work,
            askpass,
            conf,
            role,
            git,
            hash,
            known: RwLock::default(),
            fetching: Mutex::default(),
            fetched: AtomicBool::new(false),
            tried: Mutex::default(),
            trees: Mutex::default(),
        };
        match repo.prepare() {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(
                    "Cache path {} (corresponding remote: {shown}) exists but is not a valid git repository. You will need to \
                     manually delete this directory on the master to continue to use this {} remote.",
                    repo.dir.display(),
                    role.name()
                );
                return Ok(None);
            }
            Err(e) => {
                let text =
                    format!("Exception caught while initializing {} remote '{shown}': {e}", role.name());
                return Err(ConfigError::new(role, text));
            }
        }
        repo.reload();
        repo.fetched.store(!repo.known().0.trees().is_empty(), Ordering::Relaxed);
        Ok(Some(repo))
    }

    /// Makes what is missing on disk; false if something else lies in its place.
    fn prepare(&self) -> Result<bool, String> {
        for folder in [&self.dir, &self.work] {
            private(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        Git::write_askpass(&self.askpass).map_err(|e| format!("{}: {e}", self.askpass.display()))?;
        if self.git.dir().join("HEAD").exists() {
            return Ok(true);
        }
        let empty = fs::read_dir(&self.dir).map_err(|e| e.to_string())?.next().is_none();
        if empty {
            self.git.output(&["init", "--quiet", "--template="], 1 << 20, Duration::from_secs(60))?;
        }
        Ok(empty)
    }

    /// Forgets what was fetched, whose files are gone.
    pub(super) fn forget(&self) {
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
        self.trees.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.objects.stop();
        self.fetched.store(false, Ordering::Relaxed);
    }

    /// As it stands in the configuration, without a password.
    pub fn id(&self) -> String {
        self.conf.shown()
    }

    /// The branch that it is asked for, if it is one of pillar.
    pub fn branch(&self) -> &str {
        &self.conf.branch
    }

    /// Whether an operator means this one by a URL or a name.
    pub fn is_named(&self, name: &str) -> bool {
        self.conf.url == name || self.conf.name.as_deref() == Some(name)
    }

    /// Removes an update lock that was left.
    pub fn clear_lock(&self) {
        if let Err(e) = self.locks.clear("update") {
            tracing::error!("{e}");
        }
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Fetches, unless somebody else does. What was there before stays in force when it fails.
    pub fn fetch(&self) -> Fetch {
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        self.fetch_alone()
    }

    /// Fetches at most once in an update interval, within a request. Where nothing was ever fetched, somebody who does is waited for.
    pub(super) fn fetch_if_due(&self) {
        if self.has_anything() && !self.is_due(Instant::now()) {
            return;
        }
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_due(Instant::now()) {
            return;
        }
        self.fetch_alone();
    }

    /// Whether it was fetched once.
    pub(super) fn has_anything(&self) -> bool {
        self.fetched.load(Ordering::Relaxed) || self.note.exists()
    }

    /// Whether the interval since the last attempt is over.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let tried = *self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock that asks has the same interval, and is a little early or late.
        let slack = Duration::from_millis(500);
        tried
            .is_none_or(|at| now.duration_since(at) + slack >= Duration::from_secs(self.conf.update_interval))
    }

    fn fetch_alone(&self) -> Fetch {
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let (role, id) = (self.role.name(), self.conf.shown());
        if let Err(e) = self.prepare() {
            tracing::error!("{role} remote '{id}': {e}");
            return Fetch::Failed;
        }
        let _held = match self.locks.hold() {
            Ok(Some(held)) => held,
            Ok(None) => return Fetch::Failed,
            Err(e) => {
                tracing::error!("Unable to set update lock for {id}: {e}");
                return Fetch::Failed;
            }
        };
        tracing::debug!("Fetching {role} remote '{id}'");
        let mut words = vec!["fetch", "--quiet", "--no-write-fetch-head"];
        let depth = self.conf.depth.map(|depth| format!("--depth={depth}"));
        match &depth {
            Some(depth) => words.push(depth),
            None if self.git.dir().join("shallow").exists() => words.push("--unshallow"),
            None => {}
        }
        words.push("brine");
        let failed = self.git.output(&words, 1 << 20, LONGEST_FETCH).err();
        let changed = self.reload();
        if changed && let Err(e) = touch(&self.note).map(|()| self.remember_note()) {
            tracing::warn!("{}: {e}", self.note.display());
        }
        match failed {
            Some(e) => {
                tracing::error!("Error occurred fetching {role} remote '{id}': {e}");
                if changed { Fetch::Changed } else { Fetch::Failed }
            }
            None => {
                self.fetched.store(true, Ordering::Relaxed);
                if changed { Fetch::Changed } else { Fetch::Same }
            }
        }
    }

    fn known(&self) -> (Arc<Refs>, Option<(i64, i64)>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        (known.refs.clone(), known.note)
    }

    fn noted(&self) -> Option<(i64, i64)> {
        fs::metadata(&self.note).ok().map(|meta| (meta.mtime(), meta.mtime_nsec()))
    }

    fn remember_note(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).note = self.noted();
    }

    /// Reads the references again; whether they are others. If they cannot be read the old ones stay.
    fn reload(&self) -> bool {
        let note = self.noted();
        let new = match Refs::read(&self.git) {
            Ok(new) => new,
            Err(e) => {
                tracing::error!(
                    "{} remote '{}': its references cannot be read: {e}",
                    self.role.name(),
                    self.conf.shown()
                );
                return false;
            }
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.note = note;
        let changed = *known.refs != new;
        if changed {
            known.refs = Arc::new(new);
        }
        changed
    }

    /// The references. Those of a fetch that another process made are read before; nobody waits for a fetch.
    pub(super) fn refs(&self) -> Arc<Refs> {
        let (refs, note) = self.known();
        if self.noted() == note {
            return refs;
        }
        let free = match self.fetching.try_lock() {
            Err(TryLockError::WouldBlock) => return refs,
            Ok(free) => Some(free),
            Err(TryLockError::Poisoned(_)) => None,
        };
        self.reload();
        drop(free);
        self.known().0
    }

    /// The tree of a branch or a tag.
    pub(super) fn tree_of_ref(&self, refs: &Refs, name: &str) -> Option<Oid> {
        refs.branch(name).or_else(|| refs.tag(name)).cloned()
    }

    /// The tree that an environment means.
    ///
    /// # Errors
    /// Git cannot be asked.
    pub(super) fn tree_id(&self, refs: &Refs, env: &str) -> std::io::Result<Option<Oid>> {
        if !self.conf.exposes(env) {
            return Ok(None);
        }
        let Some(reference) = self.conf.reference_of(env) else { return Ok(None) };
        for name in [reference, &self.conf.fallback].into_iter().filter(|name| !name.is_empty()) {
            for kind in &self.conf.ref_types {
                let found = match kind {
                    RefType::Branch => refs.branch(name).cloned(),
                    RefType::Tag => refs.tag(name).cloned(),
                    RefType::Sha => self.objects.commit_tree(name)?,
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// A tree, read once.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn tree(&self, id: &Oid) -> Result<Arc<Tree>, String> {
        let slot = {
            let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
            let paths =
                |slot: &Slot| slot.get().and_then(|read| read.as_ref().ok()).map_or(0, |tree| tree.len());
            if !trees.contains_key(id) && trees.values().map(paths).sum::<usize>() > KEPT_PATHS {
                trees.clear();
            }
            trees.entry(id.clone()).or_default().clone()
        };
        let read = slot.get_or_init(|| Tree::read(&self.git, &self.objects, id).map(Arc::new));
        if read.is_err() {
            // It is tried again.
            self.trees.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
        read.clone()
    }
}

/// The folder of a role below `cachedir`.
pub(super) fn cache_root(role: Role, opts: &Opts) -> PathBuf {
    opts.path("cachedir").join(role.name())
}

/// A remote's folder, as stock names it.
fn hashed(id: &str, hash_type: &str) -> String {
    let mut digest = match Digest::new(hash_type) {
        Some(digest) => digest,
        None => match Digest::new("sha256") {
            Some(digest) => digest,
            None => return String::new(),
        },
    };
    digest.update(id.as_bytes());
    let hex = digest.hex();
    let bytes: Vec<u8> =
        (0..hex.len() / 2).filter_map(|n| u8::from_str_radix(&hex[n * 2..n * 2 + 2], 16).ok()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes).replace('/', "_")
}

/// Opens all remotes, and writes down which folder is whose.
///
/// # Errors
/// One cannot be used, or two share a folder.
pub(super) fn open_all(role: Role, opts: &Opts, remotes: Vec<Remote>) -> Result<Vec<Repo>, ConfigError> {
    let mut repos: Vec<Repo> = Vec::new();
    for conf in remotes {
        repos.extend(Repo::open(role, opts, conf)?);
    }
    for (n, repo) in repos.iter().enumerate() {
        let same: Vec<String> = repos.iter().filter(|other| other.hash == repo.hash).map(Repo::id).collect();
        if same.len() > 1 && repos.iter().position(|other| other.hash == repo.hash) == Some(n) {
            return Err(ConfigError::new(
                role,
                format!(
                    "The following {} remotes have conflicting cachedirs: {}. Resolve this using a per-remote parameter called \
                     'name'.",
                    role.name(),
                    same.join(", ")
                ),
            ));
        }
    }
    if !repos.is_empty() {
        write_map(role, &cache_root(role, opts), &repos);
    }
    Ok(repos)
}

/// `remote_map.txt`, as stock writes it but for the time. It is written again when it says something else.
fn write_map(role: Role, root: &Path, repos: &[Repo]) {
    let mut text = format!("# {}_remote map\n", role.name());
    for repo in repos {
        text.push_str(&format!("{} = {}\n", repo.hash, repo.id()));
    }
    let at = root.join("remote_map.txt");
    if fs::read_to_string(&at).is_ok_and(|now| now == text) {
        return;
    }
    if let Err(e) = fs::write(&at, text) {
        tracing::debug!("{}: {e}", at.display());
    }
}

/// Fetches several, some at a time; what became of each.
pub(super) fn fetch_all(repos: &[&Repo]) -> Vec<Fetch> {
    const AT_ONCE: usize = 4;
    let mut all = Vec::new();
    for some in repos.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|repo| scope.spawn(|| repo.fetch())).collect();
            all.extend(threads.into_iter().map(|thread| thread.join().unwrap_or(Fetch::Failed)));
        });
    }
    all
}

/// Removes the folders of remotes that are no longer configured.
pub(super) fn clear_old(root: &Path, repos: &[Repo]) -> bool {
    const OURS: &[&str] = &["hash", "refs", "links", "work", "blobs", "trees"];
    let mut removed = false;
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && !OURS.contains(&name.as_str()) && repos.iter().all(|repo| repo.hash != name) {
            match fs::remove_dir_all(entry.path()) {
                Ok(()) => removed = true,
                Err(e) => {
                    tracing::error!("Unable to remove old remote cachedir {}: {e}", entry.path().display())
                }
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2023_20898_remotes_share_no_folder() {
        use brine_core::map;
        let dir = tempfile::tempdir().unwrap();
        let remote = |url: &str, name: &str| -> brine_core::Value {
            let name: brine_core::Value = map! {"name" => name}.into();
            map! {url => vec![name]}.into()
        };
        let new = |one: &str, two: &str| {
            let remotes = vec![remote("file:///x/a", one), remote("file:///x/b", two)];
            let cachedir = dir.path().to_string_lossy().into_owned();
            let opts = Opts::new(map! {"cachedir" => cachedir, "gitfs_remotes" => remotes});
            crate::git::GitFs::new(&opts).err().map(|e| e.to_string())
        };
        assert_eq!(new("one", "two"), None);
        assert!(new("one", "one").is_some());
    }

    #[test]
    fn folders_have_stocks_names() {
        // hashlib.sha256(b"file:///x").digest(), in base64.
        assert_eq!(hashed("file:///x", "sha256"), "H6ZYR8gy9N0029ZMY2G3AkL4DmEdc3aWYdsc+zvN0Cc=");
        assert_eq!(hashed("file:///x", "md5"), "N_ilUKyRrP4GpHmIjccIZg==");
    }
}
