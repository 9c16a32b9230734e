//! Watches of the kernel, kept up with folders that come and move: what pyinotify does for stock.

use brine_core::call::{CallError, Result};
use brine_core::posixpath::{abspath, join, normpath};
use brine_core::target::{Anchor, Regex};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags as Mask, InitFlags, Inotify, WatchDescriptor};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// Events that are read in one turn; what is more waits for the next.
const AT_ONCE: usize = 65_536;
/// Moves of which the other end may still come.
const MOVES: usize = 4096;

/// What is to be watched.
pub(super) struct Wish {
    path: String,
    mask: Mask,
    recurse: bool,
    auto_add: bool,
    exclude: Arc<[Regex]>,
}

impl Wish {
    pub(super) fn new(path: &str, mask: Mask, recurse: bool, auto_add: bool, exclude: &[String]) -> Result<Self> {
        let exclude = exclude
            .iter()
            .map(|pattern| Regex::new(pattern, Anchor::Match))
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| CallError::exception("error", e.to_string()))?;
        Ok(Self { path: normpath(path), mask, recurse, auto_add, exclude })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The path that is watched.
    pub(super) path: String,
    /// What it happened to: that, or a file in it.
    pub(super) pathname: String,
    mask: Mask,
}

impl Event {
    /// `IN_CREATE|IN_ISDIR`
    pub(super) fn name(&self) -> String {
        let what = self.mask.difference(Mask::IN_ISDIR);
        let mut name: String = what.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join("|");
        if self.mask.contains(Mask::IN_ISDIR) {
            name.push_str("|IN_ISDIR");
        }
        name
    }
}

struct Watch {
    path: String,
    /// What is told.
    mask: Mask,
    auto_add: bool,
    exclude: Arc<[Regex]>,
}

#[derive(Clone)]
struct Raw {
    watch: WatchDescriptor,
    mask: Mask,
    cookie: u32,
    name: String,
}

/// The watches of one beacon.
pub(super) struct Manager {
    inotify: Inotify,
    watches: BTreeMap<WatchDescriptor, Watch>,
    /// Where something moved from, by the kernel's number for the move.
    moving: HashMap<u32, String>,
    /// Where it moved to.
    moved: HashMap<String, String>,
    /// Paths that cannot be watched, told once.
    failed: HashSet<String>,
}

impl Manager {
    pub(super) fn new() -> nix::Result<Self> {
        Ok(Self {
            inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
            watches: BTreeMap::new(),
            moving: HashMap::new(),
            moved: HashMap::new(),
            failed: HashSet::new(),
        })
    }

    /// Watches a path if it is there and not watched yet.
    pub(super) fn want(&mut self, wish: &Wish) {
        let known = self.watches.values().any(|watch| watch.path == wish.path);
        if !known && Path::new(&wish.path).exists() {
            self.add(wish);
        }
    }

    /// Watches a path, and all folders below it if that is wished.
    fn add(&mut self, wish: &Wish) {
        let mut folders = vec![wish.path.clone()];
        while let Some(path) = folders.pop() {
            let is_link = |path: &str| std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
            if wish.recurse && !is_link(&path) {
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
                folders.extend(inner.map(|entry| join(&path, &[entry.file_name().to_string_lossy()])));
            }
            if !is_excluded(&wish.exclude, &path) {
                self.add_one(&path, wish.mask, wish.auto_add, &wish.exclude);
            }
        }
    }

    fn add_one(&mut self, path: &str, mask: Mask, auto_add: bool, exclude: &Arc<[Regex]>) -> Option<WatchDescriptor> {
        let asked = if auto_add { mask | Mask::IN_CREATE } else { mask };
        match self.inotify.add_watch(path, asked) {
            Ok(watch) => {
                self.failed.remove(path);
                let new = Watch { path: path.to_owned(), mask, auto_add, exclude: exclude.clone() };
                self.watches.insert(watch, new);
                Some(watch)
            }
            Err(e) => {
                if self.failed.insert(path.to_owned()) {
                    tracing::error!("add_watch: cannot watch {path}: {e}");
                }
                None
            }
        }
    }

    /// What happened since this was asked last. With `coalesce`, the same of the same is told once.
    pub(super) fn events(&mut self, coalesce: bool) -> Vec<Event> {
        let mut seen = HashSet::new();
        let mut queue = VecDeque::new();
        while queue.len() < AT_ONCE {
            match self.inotify.read_events() {
                Ok(events) => queue.extend(events.into_iter().filter_map(|event| {
                    let name = event.name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    let raw = Raw { watch: event.wd, mask: event.mask, cookie: event.cookie, name };
                    let fresh = !coalesce || seen.insert((raw.watch, raw.mask.bits(), raw.cookie, raw.name.clone()));
                    fresh.then_some(raw)
                })),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        let mut told = Vec::new();
        while let Some(raw) = queue.pop_front() {
            told.extend(self.event(raw, &mut queue));
        }
        if self.moving.len() > MOVES || self.moved.len() > MOVES {
            self.moving.clear();
            self.moved.clear();
        }
        told
    }

    fn event(&mut self, raw: Raw, queue: &mut VecDeque<Raw>) -> Option<Event> {
        if raw.mask.contains(Mask::IN_Q_OVERFLOW) {
            tracing::error!("more happened to watched files than the kernel keeps; some events are lost");
            return None;
        }
        let watch = self.watches.get(&raw.watch)?;
        let at = if raw.name.is_empty() { watch.path.clone() } else { join(&watch.path, &[&raw.name]) };
        let is_dir = raw.mask.contains(Mask::IN_ISDIR);
        let grows = is_dir && watch.auto_add && !is_excluded(&watch.exclude, &at);
        let of_mask = watch.mask | Mask::IN_IGNORED | Mask::IN_UNMOUNT;
        let told = raw.mask.intersects(of_mask);
        if raw.mask.contains(Mask::IN_CREATE) && grows {
            self.grow(&raw, &at, queue);
        } else if raw.mask.contains(Mask::IN_MOVED_FROM) {
            self.moving.insert(raw.cookie, normpath(&at));
        } else if raw.mask.contains(Mask::IN_MOVED_TO) {
            let to = normpath(&at);
            match self.moving.remove(&raw.cookie) {
                Some(from) => drop(self.moved.insert(from, to)),
                None if grows => {
                    let wish = Wish {
                        path: to, mask: watch.mask, recurse: true, auto_add: true, exclude: watch.exclude.clone(),
                    };
                    self.add(&wish);
                }
                None => {}
            }
        } else if raw.mask.contains(Mask::IN_MOVE_SELF) {
            self.follow(raw.watch);
        }
        let path = self.watches.get(&raw.watch)?.path.clone();
        if raw.mask.contains(Mask::IN_IGNORED) {
            self.watches.remove(&raw.watch);
        }
        let pathname = abspath(&if raw.name.is_empty() { path.clone() } else { join(&path, &[&raw.name]) });
        told.then_some(Event { path, pathname, mask: raw.mask })
    }

    /// A folder is new in one that grows. What is in it already came before it was watched, and is told as if it came now.
    fn grow(&mut self, raw: &Raw, path: &str, queue: &mut VecDeque<Raw>) {
        let Some(parent) = self.watches.get(&raw.watch) else { return };
        let (mask, exclude) = (parent.mask, parent.exclude.clone());
        let Some(new) = self.add_one(path, mask, true, &exclude) else { return };
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let inner = join(path, &[&name]);
            if self.watches.values().any(|watch| watch.path == inner) {
                continue;
            }
            let mask = match std::fs::metadata(&inner) {
                Ok(meta) if meta.is_file() => Mask::IN_CREATE,
                Ok(meta) if meta.is_dir() => Mask::IN_CREATE | Mask::IN_ISDIR,
                _ => continue,
            };
            queue.push_back(Raw { watch: new, mask, cookie: 0, name });
        }
    }

    /// What is watched has moved: its new path, and that of all below it, as far as it is known.
    fn follow(&mut self, id: WatchDescriptor) {
        let Some(from) = self.watches.get(&id).map(|watch| watch.path.clone()) else { return };
        match self.moved.get(&from).cloned() {
            Some(to) => {
                let below = format!("{from}/");
                for watch in self.watches.values_mut() {
                    if watch.path == from {
                        watch.path.clone_from(&to);
                    } else if let Some(rest) = watch.path.strip_prefix(&below) {
                        watch.path = join(&to, &[rest]);
                    }
                }
            }
            None => {
                tracing::error!("{from} was moved to where nothing is watched; its path is not known any more");
                if let Some(watch) = self.watches.get_mut(&id).filter(|watch| !watch.path.ends_with("-unknown-path")) {
                    watch.path.push_str("-unknown-path");
                }
            }
        }
    }
}

fn is_excluded(exclude: &[Regex], path: &str) -> bool {
    exclude.iter().any(|regex| regex.is_match(path).unwrap_or(false))
}
