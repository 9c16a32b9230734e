//! Trees of a repository as folders of this machine: one for each tree's id, made once and never changed.

use super::objects::Objects;
use super::refs::Oid;
use super::tree::{Entry, Tree};
use crate::place::private;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The largest file, and all files of a tree together.
const MOST: u64 = 4 << 30;

/// How long one is kept that no reference leads to and nobody uses.
const KEPT: Duration = Duration::from_secs(86400);

/// How old the note may be that says when one was used.
const NOTED: Duration = Duration::from_secs(3600);

/// The folder of a tree below `trees`.
///
/// # Errors
/// It cannot be read or written, or is too large.
pub(crate) fn folder(trees: &Path, objects: &Objects, id: &Oid, tree: &Tree) -> io::Result<PathBuf> {
    let at = trees.join(id.as_str());
    if let Ok(meta) = fs::symlink_metadata(&at) {
        if meta.modified()?.elapsed().unwrap_or_default() > NOTED {
            // Only so that it is not thrown away.
            let _ = fs::File::open(&at).and_then(|dir| dir.set_modified(SystemTime::now()));
        }
        return Ok(at);
    }
    private(trees)?;
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(trees)?;
    let mut left = MOST;
    let mut links = Vec::new();
    for (path, entry) in tree.entries() {
        let full = new.path().join(path);
        match entry {
            Entry::Dir => private(&full)?,
            Entry::File { blob, executable } => {
                let mode = if *executable { 0o700 } else { 0o600 };
                let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&full)?;
                left -= objects.copy(blob, left, &mut file)?.ok_or(ErrorKind::NotFound)?;
            }
            // One that leads out of the tree, or nowhere, is not made; no other leads through it then.
            Entry::Link { target } if tree.real(path).is_some() => links.push((full, target)),
            Entry::Link { .. } => tracing::debug!("{path} in tree {id} leads out of it or nowhere"),
        }
    }
    // After all files, so that none is written through one.
    for (full, target) in links {
        symlink(target, full)?;
    }
    match fs::rename(new.path(), &at) {
        Ok(()) => {
            let _ = new.keep();
        }
        // Somebody else was quicker.
        Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {}
        Err(e) => return Err(e),
    }
    Ok(at)
}

/// A folder in which another appears at a mount point.
///
/// # Errors
/// It cannot be made.
pub(crate) fn mounted(
    links: &Path,
    id: &Oid,
    root: &str,
    full: &Path,
    mountpoint: &str,
) -> io::Result<PathBuf> {
    let name = format!("{root}:{mountpoint}").replace('%', "%25").replace('/', "%2F");
    let at = links.join(id.as_str()).join(name);
    let place = at.join(mountpoint);
    if let Some(parent) = place.parent() {
        private(parent)?;
    }
    match symlink(full, &place) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(at),
    }
}

/// Throws away what no reference leads to and nobody has used in a long time.
pub(crate) fn reap(trees: &Path, links: &Path, live: &BTreeSet<&Oid>) {
    for entry in fs::read_dir(trees).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if Oid::parse(&name).is_some_and(|id| live.contains(&id)) {
            continue;
        }
        let used = entry.metadata().and_then(|meta| meta.modified());
        if used.is_ok_and(|at| at.elapsed().unwrap_or_default() > KEPT) {
            let _ = fs::remove_dir_all(entry.path());
            let _ = fs::remove_dir_all(links.join(name));
        }
    }
}
