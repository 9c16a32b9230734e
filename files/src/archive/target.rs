//! The folder that an archive is unpacked to, and everything that is made below it. No name, and no link that the archive or
//! somebody else has put there, leads out of it; a file is there whole or not at all.

use brine_core::call::{CallError, Result};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RawMode, ResolveFlags, Stat, Timespec, Timestamps, chownat, fchmod,
    fchown, futimens, linkat, mkdirat, mknodat, openat, openat2, renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a file is given beside its contents. What is `None` is as it is with any new file, or as the file was that is replaced.
#[derive(Clone, Copy, Default)]
pub(super) struct Attributes {
    pub(super) owner: Option<(u32, u32)>,
    pub(super) mode: Option<u32>,
    /// Seconds and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
}

impl Attributes {
    /// Gives them to something that is open.
    fn give(&self, fd: impl AsFd) -> rustix::io::Result<()> {
        if let Some((user, group)) = self.owner {
            fchown(&fd, uid(user), gid(group))?;
        }
        if let Some(mode) = self.mode {
            fchmod(&fd, Mode::from_raw_mode((mode & 0o7777) as RawMode))?;
        }
        if let Some((seconds, nanos)) = self.mtime {
            let time = Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
            futimens(&fd, &Timestamps { last_access: time, last_modification: time })?;
        }
        Ok(())
    }
}

fn uid(number: u32) -> Option<Uid> {
    (number != u32::MAX).then(|| Uid::from_raw(number))
}

fn gid(number: u32) -> Option<Gid> {
    (number != u32::MAX).then(|| Gid::from_raw(number))
}

/// The parts of a name in an archive; `None` if it leads out of any folder.
pub(super) fn parts(name: &[u8]) -> Option<Vec<&[u8]>> {
    if name.starts_with(b"/") || name.contains(&0) {
        return None;
    }
    let parts: Vec<&[u8]> =
        name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    (!parts.contains(&&b".."[..])).then_some(parts)
}

/// The mode that the system gives new files of this thread.
pub(super) fn masked(mode: u32) -> u32 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mode & !mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

/// A folder that things are made below.
pub(super) struct Target {
    root: OwnedFd,
    path: PathBuf,
}

/// A place below it: an open folder, and a name in that.
struct Place<'n> {
    folder: OwnedFd,
    name: &'n OsStr,
}

impl Place<'_> {
    /// What is there, links as themselves.
    fn what(&self) -> Option<Stat> {
        statat(&self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW).ok()
    }

    /// Puts something made beside it in the place.
    fn persist(&self, new: &str) -> rustix::io::Result<()> {
        let done = renameat(&self.folder, new, &self.folder, self.name);
        // What has not moved, or is another name of the same file, goes.
        let _ = unlinkat(&self.folder, new, AtFlags::empty());
        done
    }

    /// Makes something beside the place, under a name that nobody has.
    fn beside<T>(&self, make: impl Fn(&str) -> rustix::io::Result<T>) -> rustix::io::Result<(String, T)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        for _ in 0..1000 {
            let name =
                format!(".___unpacked.{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            match make(&name) {
                Err(Errno::EXIST) => continue,
                other => return other.map(|made| (name, made)),
            }
        }
        Err(Errno::EXIST)
    }
}

impl Target {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let root = openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let root = root.map_err(|e| crate::file_error(&e.into(), path))?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// Python's error for something below the folder.
    pub(super) fn failed(&self, e: impl Into<io::Error>, name: &[u8]) -> CallError {
        let e = e.into();
        match e.raw_os_error() {
            Some(libc) if libc == Errno::XDEV.raw_os_error() => self.outside(name),
            _ => crate::file_error(&e, &self.path.join(OsStr::from_bytes(name))),
        }
    }

    fn outside(&self, name: &[u8]) -> CallError {
        let name = String::from_utf8_lossy(name);
        CallError::execution(format!("{name} leads out of {}", self.path.display()))
    }

    fn named<'n>(&self, name: &'n [u8]) -> Result<Vec<&'n [u8]>> {
        parts(name).ok_or_else(|| self.outside(name))
    }

    /// Opens a folder below; links that lead elsewhere below are followed.
    fn folder(&self, parts: &[&[u8]]) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if parts.is_empty() {
            return openat(&self.root, ".", flags, Mode::empty());
        }
        let path = parts.join(&b'/');
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.root, OsStr::from_bytes(&path), flags, Mode::empty(), beneath) {
            // An old kernel: no links at all.
            Err(Errno::NOSYS) => {
                let mut at = openat(&self.root, ".", flags, Mode::empty())?;
                for part in parts {
                    at = openat(&at, OsStr::from_bytes(part), flags | OFlags::NOFOLLOW, Mode::empty())?;
                }
                Ok(at)
            }
            other => other,
        }
    }

    /// Opens a folder below, and makes it and those above it.
    fn made(&self, parts: &[&[u8]]) -> rustix::io::Result<OwnedFd> {
        match (self.folder(parts), parts.split_last()) {
            (Err(Errno::NOENT), Some((last, above))) => {
                let above = self.made(above)?;
                match mkdirat(above, OsStr::from_bytes(last), Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => self.folder(parts),
                    Err(e) => Err(e),
                }
            }
            (other, _) => other,
        }
    }

    /// The place of a name; folders above it are made.
    fn place<'n>(&self, name: &'n [u8]) -> Result<Place<'n>> {
        let parts = self.named(name)?;
        let Some((last, above)) = parts.split_last() else { return Err(self.failed(Errno::ISDIR, name)) };
        let folder = self.made(above).map_err(|e| self.failed(e, name))?;
        Ok(Place { folder, name: OsStr::from_bytes(last) })
    }

    /// Makes a file of what `write` writes into it. A file that is there is replaced, and so is a link.
    pub(super) fn file(
        &self,
        name: &[u8],
        attributes: Attributes,
        write: impl FnOnce(&mut File) -> Result<()>,
    ) -> Result<()> {
        let place = self.place(name)?;
        let failed = |e: Errno| self.failed(e, name);
        let old = place.what();
        let kind = old.as_ref().map(|old| FileType::from_raw_mode(old.st_mode));
        if kind == Some(FileType::Directory) {
            return Err(failed(Errno::ISDIR));
        }
        let old = old.filter(|_| kind == Some(FileType::RegularFile));
        // Nobody else reads it before it has the mode that it is to have.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = |new: &str| openat(&place.folder, new, flags, Mode::from_raw_mode(0o600));
        let (new, fd) = place.beside(make).map_err(failed)?;
        let mut file = File::from(fd);
        let attributes = Attributes {
            owner: attributes.owner.or_else(|| {
                let own = rustix::process::geteuid().is_root();
                old.as_ref().filter(|_| own).map(|old| (old.st_uid, old.st_gid))
            }),
            mode: attributes
                .mode
                .or_else(|| Some(old.as_ref().map_or_else(|| masked(0o666), |old| old.st_mode & 0o7777))),
            ..attributes
        };
        let written = write(&mut file).and_then(|()| attributes.give(&file).map_err(failed));
        match written {
            Ok(()) => place.persist(&new).map_err(failed),
            Err(e) => {
                let _ = unlinkat(&place.folder, new.as_str(), AtFlags::empty());
                Err(e)
            }
        }
    }

    /// Makes a folder, unless it is there.
    pub(super) fn dir(&self, name: &[u8], mode: u32) -> Result<()> {
        let parts = self.named(name)?;
        let Some((last, above)) = parts.split_last() else { return Ok(()) };
        let failed = |e| self.failed(e, name);
        let above = self.made(above).map_err(failed)?;
        match mkdirat(above, OsStr::from_bytes(last), Mode::from_raw_mode(mode as RawMode)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(e) => Err(failed(e)),
        }
    }

    /// Gives a folder its attributes.
    pub(super) fn dir_attributes(&self, name: &[u8], attributes: Attributes) -> Result<()> {
        let folder = self.folder(&self.named(name)?).map_err(|e| self.failed(e, name))?;
        attributes.give(folder).map_err(|e| self.failed(e, name))
    }

    /// Makes a symbolic link. It may lead anywhere: nothing is written through it. `over`: one that is there is replaced.
    pub(super) fn link(&self, name: &[u8], end: &[u8], owner: Option<(u32, u32)>, over: bool) -> Result<()> {
        let place = self.place(name)?;
        let failed = |e| self.failed(e, name);
        let end = OsStr::from_bytes(end);
        if !over {
            return symlinkat(end, &place.folder, place.name).map_err(failed);
        }
        let (new, ()) = place.beside(|new| symlinkat(end, &place.folder, new)).map_err(failed)?;
        if let Some((user, group)) = owner {
            let given =
                chownat(&place.folder, new.as_str(), uid(user), gid(group), AtFlags::SYMLINK_NOFOLLOW);
            given.map_err(failed)?;
        }
        place.persist(&new).map_err(failed)
    }

    /// Makes another name of a file. `false`: there is no such file.
    pub(super) fn hard_link(&self, name: &[u8], end: &[u8]) -> Result<bool> {
        let parts = self.named(end)?;
        let Some((last, above)) = parts.split_last() else { return Ok(false) };
        let from = match self.folder(above) {
            Err(Errno::NOENT) => return Ok(false),
            other => other.map_err(|e| self.failed(e, end))?,
        };
        let last = OsStr::from_bytes(last);
        if statat(&from, last, AtFlags::SYMLINK_NOFOLLOW).is_err() {
            return Ok(false);
        }
        let place = self.place(name)?;
        let failed = |e| self.failed(e, name);
        let make = |new: &str| linkat(&from, last, &place.folder, new, AtFlags::empty());
        let (new, ()) = place.beside(make).map_err(failed)?;
        place.persist(&new).map_err(failed)?;
        Ok(true)
    }

    /// Makes a pipe or a device.
    pub(super) fn node(
        &self,
        name: &[u8],
        kind: FileType,
        device: (u32, u32),
        attributes: Attributes,
    ) -> Result<()> {
        let place = self.place(name)?;
        let failed = |e| self.failed(e, name);
        let device = rustix::fs::makedev(device.0, device.1);
        mknodat(&place.folder, place.name, kind, Mode::from_raw_mode(0o600), device).map_err(failed)?;
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        if let Some((user, group)) = attributes.owner {
            chownat(&place.folder, place.name, uid(user), gid(group), flags).map_err(failed)?;
        }
        if let Some(mode) = attributes.mode {
            let mode = Mode::from_raw_mode((mode & 0o7777) as RawMode);
            rustix::fs::chmodat(&place.folder, place.name, mode, AtFlags::empty()).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn write(text: &'static str) -> impl FnOnce(&mut File) -> Result<()> {
        move |file| Ok(file.write_all(text.as_bytes())?)
    }

    #[test]
    fn nothing_leads_out() {
        assert!(parts(b"a/../b").is_none() && parts(b"/a").is_none() && parts(b"./a..b/").is_some());
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        let target = Target::open(&inside).unwrap();
        let plain = Attributes::default();
        target.link(b"up", b"../out", None, true).unwrap();
        target.link(b"far", outside.as_os_str().as_bytes(), None, true).unwrap();
        for name in ["up/x", "far/x", "../x", "/x", "a/../../x", "up/new/x"] {
            let text = target.file(name.as_bytes(), plain, write("x")).unwrap_err().to_string();
            assert!(text.contains("leads out of"), "{name}: {text}");
            assert!(target.dir(format!("{name}/d").as_bytes(), 0o755).is_err(), "{name}");
            assert!(target.hard_link(b"h", name.as_bytes()).is_err(), "{name}");
        }
        assert!(target.dir_attributes(b"far", Attributes { mode: Some(0o700), ..plain }).is_err());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        // A link is replaced, what it leads to stays.
        fs::write(outside.join("f"), "theirs").unwrap();
        symlink(outside.join("f"), inside.join("f")).unwrap();
        target.file(b"f", plain, write("mine")).unwrap();
        assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "theirs");
        assert!(!fs::symlink_metadata(inside.join("f")).unwrap().is_symlink());
    }

    #[test]
    fn what_stays_below_works() {
        let dir = tempfile::tempdir().unwrap();
        let target = Target::open(dir.path()).unwrap();
        let plain = Attributes::default();
        let at = |name: &str| dir.path().join(name);
        target.dir(b"./lib/", 0o755).unwrap();
        target.link(b"lib64", b"lib", None, true).unwrap();
        let attributes = Attributes { mode: Some(0o4751), mtime: Some((1000, 0)), ..plain };
        target.file(b"lib64/deep/x", attributes, write("x")).unwrap();
        assert_eq!(fs::metadata(at("lib/deep/x")).unwrap().permissions().mode() & 0o7777, 0o4751);
        target.file(b"lib/deep/x", plain, write("y")).unwrap();
        assert_eq!(fs::metadata(at("lib/deep/x")).unwrap().permissions().mode() & 0o7777, 0o4751);
        assert!(
            target.hard_link(b"y", b"lib/deep/x").unwrap() && target.hard_link(b"y", b"lib/deep/x").unwrap()
        );
        assert!(!target.hard_link(b"z", b"none/x").unwrap());
        assert!(target.file(b"lib", plain, write("x")).is_err());
        assert!(target.file(b"broken", plain, |_| Err(CallError::execution("no"))).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        assert_eq!(fs::read_dir(at("lib/deep")).unwrap().count(), 1);
    }
}
