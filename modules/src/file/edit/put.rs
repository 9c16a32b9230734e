//! How a file that is edited is written: whole, or not at all, with the owner and the mode that it had; and what is kept of what
//! it was.

use crate::file::place::like;
use crate::hashutil::file_error;
use brine_core::call::{CallError, Result};
use brine_files::{Unseen, write_over};
use std::fs::{self, FileTimes, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Which file of the file system holds the new text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inode {
    /// A new one, which takes the place of the old name.
    New,
    /// The one that was there, for all that can be seen: what a link leads to is what changes, other names of the file show the
    /// new text, too, and its attributes stay.
    Same,
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside a path, as private as the one that was there from its first moment.
fn beside(path: &Path, old: Option<&Metadata>) -> io::Result<Unseen> {
    Unseen::new_in(folder(path), old.map_or(0o666, |_| 0o600))
}

fn over(path: &Path, mut bytes: &[u8]) -> io::Result<()> {
    let len = bytes.len() as u64;
    write_over(path, &mut bytes, len)
}

/// Puts a new text in the place of a file. For [`Inode::New`] a name that is a link is replaced, not what it leads to.
pub(crate) fn write(path: &str, bytes: &[u8], inode: Inode) -> Result<()> {
    let target = Path::new(path);
    let attempt = || -> io::Result<()> {
        if inode == Inode::Same {
            return brine_files::put_bytes(bytes, target);
        }
        let old = fs::metadata(target).ok();
        let mut new = beside(target, old.as_ref())?;
        new.file().write_all(bytes)?;
        if let Some(old) = &old {
            like(new.file(), old)?;
        }
        match new.persist(target) {
            // What is mounted there cannot be replaced.
            Err((e, _)) if e.raw_os_error() == Some(libc::EBUSY) => over(target, bytes),
            done => done.map_err(|(e, _)| e),
        }
    };
    attempt().map_err(|e| file_error(&e, path))
}

/// Keeps what is at a path under another name: the file itself, which another is to take the place of, or a copy with mode
/// and times.
pub(crate) fn keep(path: &str, backup: &str, inode: Inode, owner: bool) -> Result<()> {
    let (from, to) = (Path::new(path), Path::new(backup));
    let attempt = || -> io::Result<()> {
        if inode == Inode::New {
            let link = |name: &Path| fs::hard_link(from, name);
            if let Ok(name) = tempfile::Builder::new().prefix(".salt.").make_in(folder(to), link) {
                return name.persist(to).map(drop).map_err(|e| e.error);
            }
        }
        let old = fs::metadata(from)?;
        let mut new = beside(to, Some(&old))?;
        io::copy(&mut fs::File::open(from)?, new.file())?;
        if owner {
            like(new.file(), &old)?;
        } else {
            new.file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        }
        new.file().set_times(FileTimes::new().set_accessed(old.accessed()?).set_modified(old.modified()?))?;
        new.persist(to).map_err(|(e, _)| e)
    };
    attempt().map_err(|e| CallError::execution(format!("Exception: {}", file_error(&e, path).text())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stays_whose_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let path = at("f");
        fs::write(&path, "long old text").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let inode = |path: &str| fs::metadata(path).unwrap().ino();
        keep(&path, &at("copy"), Inode::Same, false).unwrap();
        write(&path, b"new", Inode::Same).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let was = inode(&path);
        keep(&path, &at("moved"), Inode::New, false).unwrap();
        write(&path, b"newer", Inode::New).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!((inode(&at("moved")), fs::read_to_string(at("moved")).unwrap().as_str()), (was, "new"));
        assert_eq!(fs::read_to_string(at("copy")).unwrap(), "long old text");
        assert_eq!(fs::metadata(at("copy")).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }
}
