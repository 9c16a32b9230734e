//! Folders of a warehouse or of its repository, watched by the kernel: when something there may have changed.
//!
//! Of a repository those with references are watched, not its objects: a push ends in the renaming of a file there.

use brine_pillar::inventory::Place;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags as F, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How long a folder in which people work must be quiet before it is read.
const QUIET: Duration = Duration::from_millis(100);
/// How often it is read while it is not.
const RESTLESS: Duration = Duration::from_secs(2);
/// How deep folders of references are nested.
const DEEPEST: usize = 64;

/// The watches on one warehouse. A thread reads what the kernel says; it ends with this.
pub(super) struct Watch {
    place: Place,
    shared: Arc<Shared>,
    /// A watch for its own sake: its end wakes the thread.
    bell: WatchDescriptor,
}

struct Shared {
    inotify: Inotify,
    some: Notify,
    /// Whether folders came or went since that was asked last.
    folders: AtomicBool,
    broken: AtomicBool,
    over: AtomicBool,
}

impl Watch {
    /// Nothing is watched yet.
    ///
    /// # Errors
    /// As the system has it.
    pub(super) fn new(place: Place) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC)?;
        let bell = inotify.add_watch("/", F::IN_DELETE_SELF | F::IN_ONLYDIR)?;
        let flag = || AtomicBool::new(false);
        let shared =
            Arc::new(Shared { inotify, some: Notify::new(), folders: flag(), broken: flag(), over: flag() });
        let thread = shared.clone();
        std::thread::Builder::new().name("inventory".into()).spawn(move || thread.read())?;
        Ok(Self { place, shared, bell })
    }

    /// Watches all folders that are there now, before they are read. Blocks.
    ///
    /// # Errors
    /// One cannot be watched; `fs.inotify.max_user_watches` may be too small.
    pub(super) fn arm(&self) -> io::Result<()> {
        let flags = F::IN_CREATE
            | F::IN_DELETE
            | F::IN_MOVED_FROM
            | F::IN_MOVED_TO
            | F::IN_CLOSE_WRITE
            | F::IN_DELETE_SELF
            | F::IN_MOVE_SELF
            | F::IN_ONLYDIR;
        for folder in folders(&self.place) {
            match self.shared.inotify.add_watch(&folder, flags) {
                // One that has gone meanwhile is not there any more either.
                Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(e) => return Err(io::Error::other(format!("{}: {e}", folder.display()))),
            }
        }
        Ok(())
    }

    /// Waits until something may have changed; whether folders came or went, so that [`Watch::arm`] is due.
    ///
    /// # Errors
    /// Nothing can be waited for any more.
    pub(super) async fn changed(&self) -> io::Result<bool> {
        let shared = &self.shared;
        shared.some.notified().await;
        if self.place.reference.is_none() {
            // Several files are written one after the other.
            let quiet = async { while tokio::time::timeout(QUIET, shared.some.notified()).await.is_ok() {} };
            let _ = tokio::time::timeout(RESTLESS, quiet).await;
        }
        if shared.broken.load(Ordering::Acquire) {
            return Err(io::Error::other("inotify has ended"));
        }
        Ok(shared.folders.swap(false, Ordering::AcqRel))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // It is there as long as this is.
        let _ = self.shared.inotify.rm_watch(self.bell);
    }
}

impl Shared {
    fn read(&self) {
        while !self.over.load(Ordering::Acquire) {
            match self.inotify.read_events() {
                Ok(events) => self.note(&events),
                Err(Errno::EINTR) => {}
                Err(_) => {
                    self.broken.store(true, Ordering::Release);
                    self.some.notify_one();
                    return;
                }
            }
        }
    }

    fn note(&self, events: &[InotifyEvent]) {
        let of_folders = F::IN_ISDIR | F::IN_DELETE_SELF | F::IN_MOVE_SELF | F::IN_Q_OVERFLOW | F::IN_IGNORED;
        if events.iter().any(|event| event.mask.intersects(of_folders)) {
            self.folders.store(true, Ordering::Release);
        }
        // Git makes a file beside the one that it will replace, and says nothing by it.
        let lock = |event: &InotifyEvent| {
            event.name.as_ref().is_some_and(|name| name.to_string_lossy().ends_with(".lock"))
        };
        if !events.iter().all(lock) {
            self.some.notify_one();
        }
    }
}

/// The folders that say whether something changed. Where the place is not there, the nearest one above it.
fn folders(place: &Place) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if place.reference.is_some() {
        match place.repository() {
            Some((repository, _)) => {
                let git = references(&repository);
                for name in ["refs", "reftable"] {
                    below(&git.join(name), DEEPEST, &mut found);
                }
                found.push(git);
            }
            None => found.push(nearest(&place.warehouse)),
        }
    } else {
        let folder = place.folder();
        below(&folder, usize::MAX, &mut found);
        if found.is_empty() {
            found.push(nearest(&folder));
        }
    }
    found
}

/// A folder and all folders below it that are no links.
fn below(folder: &Path, deepest: usize, found: &mut Vec<PathBuf>) {
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        if depth < deepest {
            let inner = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            open.extend(inner.map(|entry| (entry.path(), depth + 1)));
        }
        found.push(folder);
    }
}

/// Where a repository has its references: also one whose `.git` is a file that says where it is, or that shares them with others.
fn references(repository: &Path) -> PathBuf {
    let inner = repository.join(".git");
    let own = match std::fs::read_to_string(&inner) {
        Ok(text) => repository.join(text.trim().strip_prefix("gitdir:").unwrap_or(".git").trim()),
        Err(_) if inner.is_dir() => inner,
        Err(_) => repository.to_owned(),
    };
    match std::fs::read_to_string(own.join("commondir")) {
        Ok(common) => own.join(common.trim()),
        Err(_) => own,
    }
}

/// The nearest folder that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    fn place(warehouse: &Path, reference: Option<&str>) -> Place {
        Place { warehouse: warehouse.to_owned(), reference: reference.map(str::to_owned), below: None }
    }

    fn git(dir: &Path, words: &[&str]) {
        let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
        assert!(Command::new("git").args(author).args(words).current_dir(dir).status().unwrap().success());
    }

    async fn told(watch: &Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.is_ok_and(|r| r.is_ok())
    }

    /// Nothing more comes of what was done before.
    async fn calm(watch: &Watch) {
        while tokio::time::timeout(Duration::from_millis(50), watch.changed()).await.is_ok() {}
    }

    #[tokio::test]
    async fn a_push_is_noticed_and_objects_are_not() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "--bare", "bare"]);
        git(dir.path(), &["init", "-q", "-b", "main", "work"]);
        let work = dir.path().join("work");
        git(&work, &["remote", "add", "origin", "../bare"]);
        git(&work, &["commit", "-q", "--allow-empty", "-m", "x"]);
        let watch = Watch::new(place(&dir.path().join("bare"), Some("main"))).unwrap();
        watch.arm().unwrap();
        git(&work, &["push", "-q", "origin", "main"]);
        assert!(told(&watch).await);
        watch.arm().unwrap();
        calm(&watch).await;
        // Also what is packed, and what stands in a folder that is new.
        git(&dir.path().join("bare"), &["pack-refs", "--all"]);
        assert!(told(&watch).await);
        git(&work, &["push", "-q", "origin", "main:team/new"]);
        assert!(told(&watch).await);
        calm(&watch).await;
        git(&dir.path().join("bare"), &["hash-object", "-w", "HEAD"]);
        let nothing = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
        assert!(nothing.is_err(), "an object says nothing");
        // Of a work tree, it is the repository around it that counts.
        let watch = Watch::new(place(&work, Some("main"))).unwrap();
        watch.arm().unwrap();
        git(&work, &["commit", "-q", "--allow-empty", "-m", "y"]);
        assert!(told(&watch).await);
    }

    #[tokio::test]
    async fn folders_that_come_are_watched_too() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("w");
        let watch = Watch::new(place(&root, None)).unwrap();
        watch.arm().unwrap();
        fs::create_dir_all(root.join("rack/r1")).unwrap();
        assert!(watch.changed().await.unwrap());
        watch.arm().unwrap();
        fs::write(root.join("rack/r1/a.yaml"), "a: 1\n").unwrap();
        assert!(!watch.changed().await.unwrap());
        std::os::unix::fs::symlink("../r1", root.join("rack/r1/l")).unwrap();
        assert!(told(&watch).await);
        fs::remove_dir_all(&root).unwrap();
        assert!(watch.changed().await.unwrap());
        watch.arm().unwrap();
        fs::create_dir_all(&root).unwrap();
        assert!(told(&watch).await);
    }
}
