//! A file while it is fetched. A large one is kept when the connection breaks, and is gone on with the next time, by whoever
//! wants the same contents.

use crate::place;
use crate::sum::Digest;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::{NamedTempFile, TempPath};

/// From how many bytes on a part is worth keeping.
const WORTH: u64 = 1 << 20;
/// How long one is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the server says of a file's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// Python's name of the algorithm.
    pub(super) form: String,
    /// The checksum in hexadecimal.
    pub(super) text: String,
}

/// The beginning of a file, on disk and summed.
pub(super) struct Part {
    file: File,
    path: TempPath,
    /// Whether the name says what the contents will be, so that another can go on.
    named: bool,
    len: u64,
    digest: Digest,
}

impl Part {
    /// Goes on with the part of these contents that there is in a folder, or begins one. None where the algorithm is not known.
    pub(super) fn open(dir: &Path, saltenv: &SaltEnv, path: &RelPath, sum: &Sum) -> io::Result<Option<Self>> {
        let Some(mut digest) = Digest::new(&sum.form) else { return Ok(None) };
        place::private(dir)?;
        let whose = name(&[saltenv.as_str(), path.as_str()]);
        let own = format!("{whose}.{}", name(&[&sum.form, &sum.text]));
        sweep(dir, &whose, &own);
        let at = dir.join(own);
        if let Some(mut file) = claim(&at)? {
            let len = digest.read(&mut file)?;
            file.seek(io::SeekFrom::Start(len))?;
            let path = TempPath::try_from_path(at)?;
            return Ok(Some(Self { file, path, named: true, len, digest }));
        }
        // Another process is at it.
        let (file, path) = NamedTempFile::new_in(dir)?.into_parts();
        Ok(Some(Self { file, path, named: false, len: 0, digest }))
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All is there: the file, if it is what was said.
    pub(super) fn finish(self, sum: &Sum) -> Option<TempPath> {
        (self.digest.hex() == sum.text).then_some(self.path)
    }

    /// The connection broke: what is worth it is kept.
    pub(super) fn leave(self) {
        if self.named && self.len >= WORTH {
            // It stays where it is.
            let _ = self.path.keep();
        }
    }
}

/// A name for a file that says everything and is none of a peer's.
fn name(parts: &[&str]) -> String {
    let mut text = String::new();
    if let Some(mut digest) = Digest::new("sha256") {
        for part in parts {
            digest.update(part.as_bytes());
            digest.update(b"\0");
        }
        text = digest.hex();
        text.truncate(40);
    }
    text
}

/// Opens a part that no other process has.
fn claim(at: &Path) -> io::Result<Option<File>> {
    // One that is renamed between its opening and its locking is no part any more.
    for _ in 0..8 {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.custom_flags(nix::libc::O_NOFOLLOW).open(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let (ours, there) = (file.metadata()?, fs::symlink_metadata(at));
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Removes what this file's other contents left, and what nobody has come back for.
fn sweep(dir: &Path, whose: &str, own: &str) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let now = SystemTime::now();
    let old = |path: &PathBuf| {
        let modified = fs::symlink_metadata(path).and_then(|meta| meta.modified());
        modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > KEPT))
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        let others = name.starts_with(whose) && name != own;
        let free = || OpenOptions::new().write(true).open(&path).is_ok_and(|f| f.try_lock().is_ok());
        if name != own && (others || old(&path)) && free() {
            // The next sweep comes.
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> Sum {
        let mut digest = Digest::new("sha256").unwrap();
        digest.update(bytes);
        Sum { form: "sha256".into(), text: digest.hex() }
    }

    #[test]
    fn a_broken_part_is_gone_on_with_and_other_contents_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let (env, path) = (SaltEnv::parse("base").unwrap(), RelPath::parse("a").unwrap());
        let open = |sum: &Sum| Part::open(dir.path(), &env, &path, sum).unwrap().unwrap();
        let all = vec![7; WORTH as usize + 5];
        let whole = sum(&all);
        let mut part = open(&whole);
        part.write(&all[..WORTH as usize]).unwrap();
        // Another process finds it taken.
        assert_eq!(open(&whole).len(), 0);
        part.leave();
        let mut part = open(&whole);
        assert_eq!(part.len(), WORTH);
        part.write(&all[WORTH as usize..]).unwrap();
        let done = part.finish(&whole).unwrap();
        assert_eq!(fs::read(&done).unwrap(), all);
        drop(done);
        let mut part = open(&whole);
        part.write(&all).unwrap();
        part.leave();
        let other = sum(b"other");
        assert_eq!(open(&other).len(), 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let mut part = open(&other);
        part.write(b"wrong").unwrap();
        assert!(part.finish(&other).is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
