//! One directory whose entries are named by single components only.
//!
//! Every operation opens the directory anew and then works relative to that descriptor, so a directory that an
//! operator replaces under a running master is followed, and an entry is never reached through a symbolic link.
//! Only regular files are read; a pipe or device under the name is an error, not a hang.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// A directory, by path.
#[derive(Clone, Debug)]
pub struct Dir {
    path: PathBuf,
}

/// Refuses everything that is not the name of an entry of the directory itself.
fn component(name: &str) -> io::Result<&str> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) || name.len() > 255 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file name"));
    }
    Ok(name)
}

fn is_regular(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode).intersection(SFlag::S_IFMT) == SFlag::S_IFREG
}

impl Dir {
    /// The directory at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the directory and its parents where missing; what is made gets `mode`.
    ///
    /// # Errors
    /// As the system has it.
    pub fn ensure(&self, mode: u32) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(mode).create(&self.path)
    }

    /// As [`Dir::ensure`], and gives exactly `mode` to the directory itself, also where it was there before.
    ///
    /// # Errors
    /// As the system has it.
    pub fn ensure_exactly(&self, mode: u32) -> io::Result<()> {
        self.ensure(mode)?;
        Ok(nix::sys::stat::fchmod(self.fd()?, Mode::from_bits_truncate(mode))?)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory `name` within this one.
    ///
    /// # Errors
    /// When `name` is not a single component.
    pub fn sub(&self, name: &str) -> io::Result<Dir> {
        Ok(Dir { path: self.path.join(component(name)?) })
    }

    fn fd(&self) -> io::Result<OwnedFd> {
        Ok(open(&self.path, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_RDONLY, Mode::empty())?)
    }

    /// The content of a regular file of at most `max` bytes; None when there is no such entry.
    ///
    /// # Errors
    /// When the entry is no regular file, is larger than `max`, or cannot be read.
    pub fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.open(name) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let meta = file.metadata()?;
        if meta.len() > max {
            return Err(io::Error::other("file too large"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        file.take(max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Puts `bytes` under `name`, whole or not at all, with exactly `mode`.
    ///
    /// # Errors
    /// When `name` is no component, or as the system has it.
    pub fn write(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let name = component(name)?;
        let dir = self.fd()?;
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let tmp = format!(".tmp-{:016x}", u64::from_ne_bytes(random));
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(mode);
        let mut file = fs::File::from(openat(&dir, tmp.as_str(), flags, mode)?);
        let done = file
            .write_all(bytes)
            // The mode given to open is cut by the umask.
            .and_then(|()| Ok(nix::sys::stat::fchmod(&file, mode)?))
            .and_then(|()| Ok(renameat(&dir, tmp.as_str(), &dir, name)?));
        if done.is_err() {
            let _ = unlinkat(&dir, tmp.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    /// An existing regular file, to append to.
    ///
    /// # Errors
    /// When it is none, or as the system has it.
    pub fn append(&self, name: &str) -> io::Result<fs::File> {
        let name = component(name)?;
        let flags =
            OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = fs::File::from(openat(&self.fd()?, name, flags, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
    }

    /// An existing regular file, to read from.
    ///
    /// # Errors
    /// When it is none, or as the system has it.
    pub fn open(&self, name: &str) -> io::Result<fs::File> {
        let name = component(name)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = fs::File::from(openat(&self.fd()?, name, flags, Mode::empty())?);
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(file)
    }

    /// Removes a file; false when there was none.
    ///
    /// # Errors
    /// As the system has it; a directory is an error.
    pub fn remove(&self, name: &str) -> io::Result<bool> {
        let name = component(name)?;
        let dir = match self.fd() {
            Ok(dir) => dir,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(e),
        };
        match unlinkat(&dir, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::ENOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Moves a file to another directory under the same name.
    ///
    /// # Errors
    /// As the system has it.
    pub fn move_to(&self, name: &str, other: &Dir) -> io::Result<()> {
        let name = component(name)?;
        Ok(renameat(&self.fd()?, name, &other.fd()?, name)?)
    }

    fn stat(&self, name: &str) -> io::Result<Option<FileStat>> {
        let name = component(name)?;
        let dir = match self.fd() {
            Ok(dir) => dir,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        match fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(nix::errno::Errno::ENOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether there is a regular file of that name.
    pub fn has(&self, name: &str) -> bool {
        matches!(self.stat(name), Ok(Some(stat)) if is_regular(&stat))
    }

    /// Whether there is an entry of that name that is no regular file.
    pub fn has_other(&self, name: &str) -> bool {
        matches!(self.stat(name), Ok(Some(stat)) if !is_regular(&stat))
    }

    /// The permission bits of a regular file, file type included, as `st_mode` has them.
    pub fn mode(&self, name: &str) -> Option<u32> {
        self.stat(name).ok().flatten().map(|stat| stat.st_mode)
    }

    /// When a regular file was last written.
    pub fn modified(&self, name: &str) -> Option<SystemTime> {
        let stat = self.stat(name).ok().flatten().filter(is_regular)?;
        let secs = u64::try_from(stat.st_mtime).ok()?;
        Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(secs))
    }

    /// Names of the regular files, dot files left out, in no order. Names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// As the system has it; a directory that is not there has no files.
    pub fn names(&self) -> io::Result<Vec<String>> {
        self.listing(fs::FileType::is_file)
    }

    /// Names of the sub-directories, dot names left out.
    ///
    /// # Errors
    /// As the system has it; a directory that is not there has none.
    pub fn dirs(&self) -> io::Result<Vec<String>> {
        self.listing(fs::FileType::is_dir)
    }

    /// Names of the entries of one kind; dot names and names that are not UTF-8 are left out.
    fn listing(&self, wanted: fn(&fs::FileType) -> bool) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            if let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string())
                && wanted(&kind)
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// When the directory's own set of entries last changed, to the nanosecond; None when there is no directory.
    pub fn stamp(&self) -> Option<(i64, i64)> {
        fs::metadata(&self.path).ok().map(|m| (m.mtime(), m.mtime_nsec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, Dir) {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::at(tmp.path());
        (tmp, dir)
    }

    #[test]
    fn a_name_is_one_component_or_nothing() {
        let (_tmp, dir) = dir();
        for name in ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\0b"] {
            assert!(dir.read(name, 10).is_err(), "{name:?}");
            assert!(dir.write(name, b"x", 0o600).is_err(), "{name:?}");
            assert!(dir.remove(name).is_err(), "{name:?}");
            assert!(!dir.has(name), "{name:?}");
        }
    }

    #[test]
    fn modes_are_exact_and_writes_replace() {
        let (tmp, dir) = dir();
        dir.write("a", b"one", 0o640).unwrap();
        dir.write("a", b"two", 0o600).unwrap();
        assert_eq!(dir.read("a", 10).unwrap().unwrap(), b"two");
        assert_eq!(dir.mode("a").unwrap() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
        assert_eq!(dir.names().unwrap(), ["a"]);
    }

    #[test]
    fn links_pipes_and_large_files_are_not_read() {
        let (tmp, dir) = dir();
        fs::write(tmp.path().join("real"), b"0123456789").unwrap();
        std::os::unix::fs::symlink("real", tmp.path().join("link")).unwrap();
        nix::unistd::mkfifo(&tmp.path().join("pipe"), Mode::S_IRWXU).unwrap();
        assert!(dir.read("link", 100).is_err());
        assert!(dir.read("pipe", 100).is_err());
        assert!(dir.read("real", 9).is_err());
        assert_eq!(dir.read("none", 9).unwrap(), None);
        assert!(dir.has("real") && !dir.has("link") && dir.has_other("link"));
    }
}
