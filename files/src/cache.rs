//! The copies of a tree's files that a minion keeps below `cachedir/files`, laid out as stock's file client does, and what is known
//! of them. Who fetches is the client's business.

use crate::place::{self, folder};
use crate::stamp::Stamp;
use crate::sum;
use crate::unseen::Unseen;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A checksum: its kind and its text.
type Sum = (String, String);

/// The copies, which of them are known to be good, and which are being made. One for a process, shared by its clients.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    copies: Mutex<HashMap<PathBuf, (Stamp, Stamp)>>,
    sums: Mutex<HashMap<PathBuf, (Stamp, Sum)>>,
    busy: Mutex<HashMap<PathBuf, Weak<Mutex<()>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    /// Copies below a `cachedir`.
    #[must_use]
    pub fn new(cachedir: &Path) -> Self {
        Self {
            dir: cachedir.to_owned(),
            copies: Mutex::default(),
            sums: Mutex::default(),
            busy: Mutex::default(),
        }
    }

    /// The `cachedir` in force, or another: absolute, or below it.
    pub(crate) fn dir(&self, other: Option<&str>) -> PathBuf {
        other.map_or_else(|| self.dir.clone(), |other| self.dir.join(other))
    }

    /// The copy of a file on this machine, made anew where it is not the same. One that was compared or made before costs a
    /// `stat`.
    pub(crate) fn copy(
        &self,
        source: &Path,
        meta: &Metadata,
        saltenv: &SaltEnv,
        path: &RelPath,
        cachedir: Option<&str>,
    ) -> io::Result<PathBuf> {
        let root = self.dir(cachedir).join("files");
        let copy = place::below(&root, saltenv, path);
        let from = Stamp::of(meta);
        if let Ok(now) = fs::symlink_metadata(&copy) {
            let known = lock(&self.copies).get(&copy).copied();
            if known == Some((from, Stamp::of(&now)))
                || (now.is_file() && now.len() == meta.len() && same(source, &copy)?)
            {
                self.note(&copy, from, &now);
                return Ok(copy);
            }
        }
        write(source, &root, &copy)?;
        self.note(&copy, from, &fs::symlink_metadata(&copy)?);
        Ok(copy)
    }

    fn note(&self, copy: &Path, from: Stamp, now: &Metadata) {
        lock(&self.copies).insert(copy.to_owned(), (from, Stamp::of(now)));
    }

    /// Whether a regular file has this checksum. One that was summed before costs a `stat`.
    pub(crate) fn has_sum(&self, file: &Path, form: &str, hsum: &str) -> io::Result<bool> {
        let Ok(meta) = fs::metadata(file)
            .and_then(|meta| if meta.is_file() { Ok(meta) } else { Err(io::ErrorKind::NotFound.into()) })
        else {
            return Ok(false);
        };
        let stamp = Stamp::of(&meta);
        if let Some((known, (kind, text))) = lock(&self.sums).get(file)
            && *known == stamp
            && kind == form
        {
            return Ok(text == hsum);
        }
        let Some(found) = sum::of_file(file, form)? else { return Ok(false) };
        let equal = found == hsum;
        lock(&self.sums).insert(file.to_owned(), (stamp, (form.to_owned(), found)));
        Ok(equal)
    }

    /// Notes the checksum of a file that has just been made.
    pub(crate) fn note_sum(&self, file: &Path, form: &str, hsum: &str) {
        if let Ok(meta) = fs::metadata(file) {
            lock(&self.sums).insert(file.to_owned(), (Stamp::of(&meta), (form.to_owned(), hsum.to_owned())));
        }
    }

    /// Whoever makes a file holds this meanwhile: others who want it wait, and find it made.
    pub(crate) fn turn(&self, file: &Path) -> Arc<Mutex<()>> {
        let mut busy = lock(&self.busy);
        if let Some(turn) = busy.get(file).and_then(Weak::upgrade) {
            return turn;
        }
        busy.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        busy.insert(file.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// Whether two files of one length hold the same.
fn same(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut left, mut right) = ([0; 8 << 10], [0; 8 << 10]);
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
fn write(source: &Path, root: &Path, copy: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let folder = folder(root, copy)?;
    let mut new = Unseen::new_in(folder, 0o600)?;
    io::copy(&mut from, new.file())?;
    place::settle(new, copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_copy_is_made_only_where_it_differs() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("source");
        let cache = Cache::new(&dir.path().join("cache"));
        let (env, path) = (SaltEnv::parse("base").unwrap(), RelPath::parse("a/b").unwrap());
        let copy =
            |cache: &Cache| cache.copy(&source, &fs::metadata(&source).unwrap(), &env, &path, None).unwrap();
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

        // Folders, files and links that lie in the way.
        fs::remove_file(&at).unwrap();
        fs::create_dir_all(at.join("x")).unwrap();
        copy(&cache);
        fs::remove_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at.parent().unwrap(), "").unwrap();
        copy(&cache);
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::remove_dir_all(at.parent().unwrap()).unwrap();
        symlink(&elsewhere, at.parent().unwrap()).unwrap();
        copy(&cache);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");
    }

    #[test]
    fn a_sum_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        let cache = Cache::new(dir.path());
        assert!(!cache.has_sum(&file, "md5", "x").unwrap());
        fs::write(&file, "abc").unwrap();
        assert!(cache.has_sum(&file, "md5", "900150983cd24fb0d6963f7d28e17f72").unwrap());
        assert!(!cache.has_sum(&file, "sha1", "900150983cd24fb0d6963f7d28e17f72").unwrap());
        cache.note_sum(&file, "md5", "told");
        assert!(cache.has_sum(&file, "md5", "told").unwrap());
        fs::write(&file, "abcd").unwrap();
        assert!(!cache.has_sum(&file, "md5", "told").unwrap());
        assert!(!cache.has_sum(dir.path(), "md5", "told").unwrap());
    }
}
