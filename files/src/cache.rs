//! The copy of a tree's files that a minion keeps below `cachedir/files`, which is where templates are read from.

use brine_protocol::ids::{RelPath, SaltEnv};
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            file: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// The copies, and which of them are known to be good.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    known: Mutex<HashMap<PathBuf, (Stamp, Stamp)>>,
}

impl Cache {
    /// Copies below a `cachedir`.
    pub(crate) fn new(cachedir: &Path) -> Self {
        Self { dir: cachedir.join("files"), known: Mutex::default() }
    }

    /// The copy of a file, made anew where it is not the same. One that was compared or made before costs a `stat`.
    pub(crate) fn copy(
        &self,
        source: &Path,
        meta: &Metadata,
        saltenv: &SaltEnv,
        path: &RelPath,
    ) -> io::Result<PathBuf> {
        let mut copy = self.dir.clone();
        copy.push(saltenv.as_str());
        copy.extend(path.components());
        let from = Stamp::of(meta);
        if let Ok(now) = fs::symlink_metadata(&copy) {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&copy).copied();
            if known == Some((from, Stamp::of(&now)))
                || (now.is_file() && now.len() == meta.len() && same(source, &copy)?)
            {
                self.note(&copy, from, &now);
                return Ok(copy);
            }
            if now.is_dir() {
                fs::remove_dir_all(&copy)?;
            }
        }
        write(source, &copy)?;
        self.note(&copy, from, &fs::symlink_metadata(&copy)?);
        Ok(copy)
    }

    fn note(&self, copy: &Path, from: Stamp, now: &Metadata) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(copy.to_owned(), (from, Stamp::of(now)));
    }
}

/// Whether two files of one length hold the same.
fn same(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let n = a.read(&mut left)?;
        if n == 0 {
            return Ok(b.read(&mut right)? == 0);
        }
        if let Err(e) = b.read_exact(&mut right[..n]) {
            return if e.kind() == io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(e) };
        }
        if left[..n] != right[..n] {
            return Ok(false);
        }
    }
}

/// Copies so that nobody sees half of it. Only the minion itself may read it.
fn write(source: &Path, copy: &Path) -> io::Result<()> {
    let folder = copy.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if folder.is_file() {
        fs::remove_file(folder)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut File::open(source)?, new.as_file_mut())?;
    new.persist(copy).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_is_made_only_where_it_differs() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("source");
        let cache = Cache::new(&dir.path().join("cache"));
        let (env, path) = (SaltEnv::parse("base").unwrap(), RelPath::parse("a/b").unwrap());
        let copy = |cache: &Cache| cache.copy(&source, &fs::metadata(&source).unwrap(), &env, &path).unwrap();
        let made = |at: &Path| Stamp::of(&fs::metadata(at).unwrap());

        fs::write(&source, "one").unwrap();
        let at = copy(&cache);
        assert_eq!(at, dir.path().join("cache/files/base/a/b"));
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(at.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        let first = made(&at);
        assert_eq!((copy(&cache), made(&at)), (at.clone(), first));
        // Another process compares, and copies nothing.
        assert_eq!((copy(&Cache::new(&dir.path().join("cache"))), made(&at)), (at.clone(), first));

        fs::write(&source, "two").unwrap();
        copy(&cache);
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");
        fs::write(&at, "bad").unwrap();
        copy(&cache);
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");

        // Folders and files that lie in the way.
        fs::remove_file(&at).unwrap();
        fs::create_dir_all(at.join("x")).unwrap();
        copy(&cache);
        fs::remove_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at.parent().unwrap(), "").unwrap();
        copy(&cache);
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");
    }
}
