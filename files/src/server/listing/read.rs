//! Folders read into a listing, with what must still be so for it to hold.

use super::watch::Watch;
use crate::backend::Listed;
use crate::ignore::Ignore;
use crate::stamp::Stamp;
use crate::walk::{Entry, Folder, below_path, walk_seeing};
use nix::sys::statfs::{FsType, statfs};
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What of a tree is listed.
#[derive(Debug)]
pub(in super::super) struct Rules {
    /// What is hidden.
    pub(in super::super) ignore: Ignore,
    /// `fileserver_followsymlinks`
    pub(in super::super) follow: bool,
    /// `fileserver_ignoresymlinks`
    pub(in super::super) no_links: bool,
}

/// What a name leads to: whether a folder, and which.
type Target = Option<(bool, u64, u64)>;

fn target(path: &Path) -> Target {
    fs::metadata(path).ok().map(|meta| (meta.is_dir(), meta.dev(), meta.ino()))
}

/// What a listing depends on beside folders that are watched.
#[derive(Default)]
pub(super) struct Seen {
    /// Roots and links, and what they led to.
    names: Vec<(PathBuf, Target)>,
    /// Folders that are not watched.
    folders: Vec<(PathBuf, Stamp)>,
    /// No root is there, or a folder changed while it was read: nothing to rely on.
    nothing: bool,
}

impl Seen {
    /// Whether all is as it was.
    pub(super) fn holds(&self) -> bool {
        self.names.iter().all(|(path, was)| target(path) == *was)
            && self
                .folders
                .iter()
                .all(|(path, was)| fs::metadata(path).is_ok_and(|meta| Stamp::of(&meta) == *was))
    }

    /// Whether the listing is not to be kept.
    pub(super) fn is_empty(&self) -> bool {
        self.nothing
    }
}

/// Changes of folders within this time may share one time stamp.
const FRESH: Duration = Duration::from_millis(50);

fn is_fresh(meta: &Metadata) -> bool {
    let age =
        meta.modified().and_then(|at| SystemTime::now().duration_since(at).map_err(std::io::Error::other));
    age.is_ok_and(|age| age < FRESH)
}

/// Whether other machines may change files without this one's kernel knowing.
fn is_remote(folder: &Path) -> bool {
    /// NFS, SMB, SMB2, CIFS, FUSE, 9P, Ceph, AFS, GFS2, OCFS2, Lustre: see `statfs(2)`.
    const KINDS: [i64; 11] = [
        0x6969,
        0x517b,
        0xfe53_4d42,
        0xff53_4d42,
        0x6573_5546,
        0x0102_1997,
        0x00c3_6400,
        0x5346_414f,
        0x0116_1970,
        0x7461_636f,
        0x0bd0_0bd0,
    ];
    statfs(folder).is_ok_and(|found| {
        let FsType(kind) = found.filesystem_type();
        KINDS.contains(&(kind & 0xffff_ffff))
    })
}

/// Everything below some roots.
pub(super) fn read(roots: &[PathBuf], rules: &Rules, watch: &mut Watch) -> (Listed, Seen) {
    let mut seen = Seen::default();
    let mut listed = Listed::default();
    let mut remote = HashMap::new();
    for root in roots {
        seen.names.push((root.clone(), target(root)));
        let mut look = |folder: &Path, seen: &mut Seen| {
            let mut watched =
                |dev| !*remote.entry(dev).or_insert_with(|| is_remote(folder)) && watch.add(folder);
            let Ok(meta) = fs::metadata(folder) else { return };
            if !watched(meta.dev()) {
                seen.nothing |= is_fresh(&meta);
                seen.folders.push((folder.to_owned(), Stamp::of(&meta)));
            }
        };
        let folders = walk_seeing(root, rules.follow, &|_| true, &mut |folder| look(folder, &mut seen));
        let read: HashSet<&str> = folders.iter().map(|folder| folder.path.as_str()).collect();
        let bare: HashSet<&str> =
            folders.iter().filter(|f| f.bare).map(|folder| folder.path.as_str()).collect();
        let real_root = real(root, 0);
        for Folder { path: folder, dirs, files, .. } in &folders {
            for (entry, is_dir) in dirs.iter().map(|e| (e, true)).chain(files.iter().map(|e| (e, false))) {
                let Entry { name, link } = entry;
                let path = below_path(folder, name);
                let full = || if path.is_empty() { root.clone() } else { root.join(&path) };
                if *link {
                    seen.names.push((full(), target(&full())));
                    if rules.no_links {
                        continue;
                    }
                }
                if rules.ignore.hides(&path) {
                    continue;
                }
                if is_dir {
                    // A folder that is listed but not read: behind a link.
                    let unread = !read.contains(path.as_str()) && {
                        look(&full(), &mut seen);
                        fs::read_dir(full()).is_ok_and(|mut entries| entries.next().is_none())
                    };
                    if bare.contains(path.as_str()) || unread {
                        listed.empty_dirs.push(path.clone());
                    }
                }
                if *link
                    && let Some(to) = says(&full())
                    && (!rules.follow || stays(&full(), &to, &real_root))
                {
                    listed.links.push((path.clone(), to));
                }
                if is_dir { &mut listed.dirs } else { &mut listed.files }.push(path);
            }
        }
    }
    seen.nothing |= seen.names.iter().take(roots.len()).all(|(_, target)| target.is_none());
    for list in [&mut listed.files, &mut listed.dirs, &mut listed.empty_dirs] {
        list.sort();
        list.dedup();
    }
    // Of links of one name, the last root's, as in stock.
    listed.links.reverse();
    listed.links.sort_by(|a, b| a.0.cmp(&b.0));
    listed.links.dedup_by(|later, first| later.0 == first.0);
    (listed, seen)
}

fn says(link: &Path) -> Option<String> {
    fs::read_link(link).ok()?.into_os_string().into_string().ok()
}

/// Whether stock takes a link for one that stays below the root. A link with `..` in front is taken as if it began one folder further
/// down than it does.
fn stays(link: &Path, to: &str, real_root: &Path) -> bool {
    let from = if to.starts_with("..") { link } else { link.parent().unwrap_or(link) };
    let target = real(&plain(&from.join(to)), 0);
    target.strip_prefix(real_root).is_ok_and(|below| !below.to_string_lossy().starts_with(".."))
}

/// Without `.` and `..`, by the text alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// The path with all links resolved, as far as there is something.
fn real(path: &Path, depth: usize) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let Some((parent, name)) = path.parent().zip(path.file_name()).filter(|_| depth < 40) else {
        return path.to_owned();
    };
    match fs::read_link(path) {
        Ok(to) => real(&plain(&parent.join(to)), depth + 1),
        Err(_) => real(parent, depth + 1).join(name),
    }
}
