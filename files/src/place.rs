//! Places on the minion's disk: where the cache keeps a file, and how one gets there without leading out of the cache.

use crate::unseen::Unseen;
use brine_protocol::ids::{RelPath, SaltEnv};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Where a file of a tree is below a root.
pub(crate) fn below(root: &Path, saltenv: &SaltEnv, path: &RelPath) -> PathBuf {
    let mut place = root.join(saltenv.as_str());
    place.extend(path.components());
    place
}

/// Makes the folder of a place below a root, only for the minion itself. A file or a link that stands where a folder belongs is
/// removed: a link would lead out of the cache.
pub(crate) fn folder<'a>(root: &Path, place: &'a Path) -> io::Result<&'a Path> {
    let parent = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let rest = parent.strip_prefix(root).map_err(|_| io::ErrorKind::InvalidInput)?;
    private(root)?;
    let mut at = root.to_owned();
    for part in rest {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_dir() => continue,
            Ok(_) => fs::remove_file(&at)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        match DirBuilder::new().mode(0o700).create(&at) {
            // Somebody else needs the same one.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
    }
    Ok(parent)
}

/// Makes a folder with all above it, only for the minion itself.
pub(crate) fn private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Puts a new file of the same folder, or of another, at its place in the cache. A folder that is there goes.
pub(crate) fn persist(new: TempPath, place: &Path) -> io::Result<()> {
    no_folder(place)?;
    match fs::rename(&new, place) {
        Ok(()) => {
            // It has moved: there is nothing to remove.
            let _ = new.keep();
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
            let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
            let mut near = Unseen::new_in(folder, 0o600)?;
            io::copy(&mut fs::File::open(&new)?, near.file())?;
            near.persist(place).map_err(|(e, _)| e)
        }
        Err(e) => Err(e),
    }
}

/// Puts a new file of the same folder at its place in the cache. A folder that is there goes.
pub(crate) fn settle(new: Unseen, place: &Path) -> io::Result<()> {
    no_folder(place)?;
    new.persist(place).map_err(|(e, _)| e)
}

/// Removes a folder that stands where a file belongs.
fn no_folder(place: &Path) -> io::Result<()> {
    if fs::symlink_metadata(place).is_ok_and(|meta| meta.is_dir()) {
        fs::remove_dir_all(place)
    } else {
        Ok(())
    }
}

/// Puts the contents of a file where a user wants them. One that is there keeps mode, owner and attributes, and what a link leads
/// to is what changes; a new one has the mode that new files have. Nobody sees half of it, unless it is no regular file, or has
/// other names, which show the new contents, too.
///
/// # Errors
/// What keeps it from being read or written.
pub fn put(source: &Path, dest: &Path) -> io::Result<()> {
    put_from(&mut fs::File::open(source)?, dest)
}

/// The same for contents that are at hand.
///
/// # Errors
/// What keeps them from being written.
pub fn put_bytes(contents: &[u8], dest: &Path) -> io::Result<()> {
    put_from(&mut io::Cursor::new(contents), dest)
}

fn put_from(source: &mut (impl Read + Seek), dest: &Path) -> io::Result<()> {
    let real = fs::canonicalize(dest).unwrap_or_else(|_| dest.to_owned());
    let old = match fs::metadata(&real) {
        Ok(meta) if meta.is_file() && meta.nlink() == 1 => Some(meta),
        Ok(_) => return over(source, &real),
        // A link that leads nowhere: its end is made.
        Err(_) if fs::symlink_metadata(dest).is_ok() => return over(source, dest),
        Err(_) => None,
    };
    let folder = real.parent().unwrap_or(Path::new("."));
    // As private as the file will be, from the beginning; the system's mask decides about a new one.
    let mode = old.as_ref().map_or(0o666, |_| 0o600);
    let mut new = match Unseen::new_in(folder, mode) {
        Ok(new) => new,
        Err(e) if may_be_written_over(&e) => return over(source, &real),
        Err(e) => return Err(e),
    };
    io::copy(source, new.file())?;
    if let Some(old) = old {
        let now = new.file().metadata()?;
        if (now.uid(), now.gid()) != (old.uid(), old.gid())
            && fchown(&*new.file(), Some(old.uid()), Some(old.gid())).is_err()
        {
            return over(source, &real);
        }
        // Opened as for writing: what may not be written is not replaced either.
        let file = OpenOptions::new().read(true).write(true).open(&real);
        if file.and_then(|file| attributes(&file, new.file())).is_err() {
            return over(source, &real);
        }
        new.file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
    }
    match new.persist(&real) {
        // What is mounted there cannot be replaced.
        Err((e, _)) if may_be_written_over(&e) => over(source, &real),
        done => done.map_err(|(e, _)| e),
    }
}

/// Whether a folder that takes no new files may yet hold one that can be written to: not where there is no room for either.
fn may_be_written_over(e: &io::Error) -> bool {
    !matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Gives a file the extended attributes of another, access control lists among them.
fn attributes(from: &fs::File, to: &fs::File) -> io::Result<()> {
    let names = match whole(|buffer| flistxattr(from, buffer)) {
        Ok(names) => names,
        // The file system knows none.
        Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let value = whole(|buffer| fgetxattr(from, name, buffer))?;
        if whole(|buffer| fgetxattr(to, name, buffer)) != Ok(value.clone()) {
            fsetxattr(to, name, &value, XattrFlags::empty())?;
        }
    }
    Ok(())
}

/// The names or the value of attributes: as much as a file can have.
fn whole(ask: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    let length = ask(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

fn over(source: &mut (impl Read + Seek), dest: &Path) -> io::Result<()> {
    let len = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    write_over(dest, source, len)
}

/// Writes into what is there: a regular file stays the same one for those that have it open or by another name. The room for
/// `len` bytes is had before anything is written, so that a full disk leaves it as it was.
///
/// # Errors
/// What keeps it from being written.
pub fn write_over(dest: &Path, contents: &mut dyn Read, len: u64) -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).create(true).truncate(false).open(dest)?;
    let old = to.metadata()?;
    if !old.is_file() {
        return io::copy(contents, &mut to).map(drop);
    }
    if len > old.len() {
        let room = i64::try_from(len).unwrap_or(i64::MAX);
        // Not every file system can promise room.
        if let Err(e @ (Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG)) =
            fallocate(&to, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, room)
        {
            to.set_len(old.len())?;
            return Err(e.into());
        }
    }
    let written = io::copy(contents, &mut to)?;
    to.set_len(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{getxattr, setxattr};
    use std::os::unix::fs::symlink;

    #[test]
    fn other_names_of_a_file_show_its_new_contents() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("f"), "a long old text").unwrap();
        fs::hard_link(at("f"), at("g")).unwrap();
        put_bytes(b"new", &at("g")).unwrap();
        assert_eq!(fs::read_to_string(at("f")).unwrap(), "new");
        put_bytes(b"newer, longer", &at("f")).unwrap();
        assert_eq!(fs::read_to_string(at("g")).unwrap(), "newer, longer");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_there_keeps_mode_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("new"), "new").unwrap();
        fs::write(at("old"), "old").unwrap();
        fs::set_permissions(at("old"), Permissions::from_mode(0o751)).unwrap();
        let marked = setxattr(at("old"), "user.mark", b"m", XattrFlags::empty()).is_ok();
        symlink("old", at("link")).unwrap();
        put(&at("new"), &at("link")).unwrap();
        if marked {
            assert_eq!(whole(|buffer| getxattr(at("old"), "user.mark", buffer)).unwrap(), b"m");
        }
        assert_eq!(fs::read_to_string(at("old")).unwrap(), "new");
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::metadata(at("old")).unwrap().mode() & 0o7777, 0o751);
        symlink("end", at("nowhere")).unwrap();
        put(&at("new"), &at("nowhere")).unwrap();
        assert_eq!(fs::read_to_string(at("end")).unwrap(), "new");
        put(&at("new"), &at("fresh")).unwrap();
        assert_eq!(fs::metadata(at("fresh")).unwrap().mode(), fs::metadata(at("end")).unwrap().mode());
        put(&at("new"), Path::new("/dev/null")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 6);
        assert!(put(&at("new"), &at("no/folder")).is_err());
    }
}
