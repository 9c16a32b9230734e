//! A warehouse that is a folder. No symbolic link is followed in it but by our own rules.

use super::{FileId, Files, Listed, Name, Unread, What};
use crate::yaml::MOST_BYTES;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A change within this time of another may leave the same stamp.
const GRAIN: Duration = Duration::from_millis(50);

/// Counts files whose stamp says nothing, so that no two are taken for the same.
static FRESH: AtomicU64 = AtomicU64::new(0);

/// A folder.
pub(crate) struct Directory {
    root: OwnedFd,
    began: Duration,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty())?;
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { root, began })
    }

    /// The content of a file by a path without symbolic links.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, Unread> {
        let failed = |e: &dyn std::fmt::Display| Unread::Failed(e.to_string());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let file = File::from(self.open_at(path, flags).map_err(|e| failed(&e))?);
        let meta = file.metadata().map_err(|e| failed(&e))?;
        if !meta.is_file() {
            return Err(Unread::Failed("it is no file".into()));
        }
        if meta.len() > MOST_BYTES {
            return Err(Unread::TooLarge);
        }
        let mut content = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default() + 1);
        file.take(MOST_BYTES + 1).read_to_end(&mut content).map_err(|e| failed(&e))?;
        if content.len() as u64 > MOST_BYTES { Err(Unread::TooLarge) } else { Ok(content) }
    }

    fn open_at(&self, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { "." } else { path };
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), beneath) {
            // Kernels before 5.6, and sandboxes: step by step, of which each refuses a link.
            Err(Errno::NOSYS | Errno::PERM) => {
                let mut at = None;
                let mut parts = path.split('/').peekable();
                while let Some(part) = parts.next() {
                    let step = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                    let flags = if parts.peek().is_some() { step } else { flags | OFlags::NOFOLLOW };
                    let from = at.as_ref().unwrap_or(&self.root);
                    at = Some(rustix::fs::openat(from, part, flags, Mode::empty())?);
                }
                at.ok_or(Errno::NOENT)
            }
            other => other,
        }
    }

    fn stamp_of(&self, stat: &Stat) -> FileId {
        let time = |seconds: i64, nanos: u64| (seconds, u32::try_from(nanos).unwrap_or_default());
        let changed = time(stat.st_ctime, stat.st_ctime_nsec);
        let age = self.began.saturating_sub(Duration::new(u64::try_from(changed.0).unwrap_or(0), changed.1));
        if age < GRAIN {
            return FileId::Fresh(FRESH.fetch_add(1, Ordering::Relaxed));
        }
        FileId::Stamp {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            changed,
            modified: time(stat.st_mtime, stat.st_mtime_nsec),
        }
    }
}

impl Directory {
    fn stat(&self, path: &str) -> Option<Stat> {
        rustix::fs::statat(&self.root, path, AtFlags::SYMLINK_NOFOLLOW).ok()
    }
}

impl Files for Directory {
    fn stamp(&self, folder: &str) -> Option<FileId> {
        self.stat(folder).map(|stat| self.stamp_of(&stat))
    }

    fn again(&self, old: &Arc<Listed>, real: &str) -> Option<Arc<Listed>> {
        if old.stamp.is_none() || old.stamp != self.stamp(real) {
            return None;
        }
        let mut new = None;
        for (at, (name, id)) in old.boxes.iter().enumerate() {
            let stat = self.stat(&format!("{real}/{name}"))?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return None;
            }
            let now = self.stamp_of(&stat);
            if now != *id {
                Arc::make_mut(new.get_or_insert_with(|| old.clone())).boxes[at].1 = now;
            }
        }
        Some(new.unwrap_or_else(|| old.clone()))
    }

    fn list(&self, folder: &str, wanted: fn(&[u8]) -> bool) -> Result<Vec<Name>, String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = self.open_at(folder, flags).map_err(|e| e.to_string())?;
        let mut names = Vec::new();
        let mut dir = Dir::new(fd).map_err(|e| e.to_string())?;
        while let Some(entry) = dir.read() {
            let entry = entry.map_err(|e| e.to_string())?;
            let fd = dir.fd().map_err(|e| e.to_string())?;
            let name = entry.file_name();
            let bytes = name.to_bytes();
            if matches!(bytes, b"." | b"..") || !wanted(bytes) {
                continue;
            }
            let stat = || rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
            let mut seen = None;
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                match stat() {
                    Ok(stat) => {
                        kind = FileType::from_raw_mode(stat.st_mode);
                        seen = Some(stat);
                    }
                    Err(e) => {
                        names.push(Name { name: bytes.into(), what: What::Unreadable(e.to_string()) });
                        continue;
                    }
                }
            }
            let what = match kind {
                FileType::Directory => What::Folder,
                FileType::Symlink => match rustix::fs::readlinkat(fd, name, Vec::new()) {
                    Ok(target) => What::Link(target.into_bytes()),
                    Err(e) => What::Unreadable(e.to_string()),
                },
                FileType::RegularFile if bytes.ends_with(b".yaml") => match seen.map_or_else(stat, Ok) {
                    Ok(stat) => What::File(self.stamp_of(&stat)),
                    Err(e) => What::Unreadable(e.to_string()),
                },
                _ => What::Other,
            };
            names.push(Name { name: bytes.into(), what });
        }
        Ok(names)
    }
}
