//! A file that has no name until it is whole: a process that is killed while it writes one leaves nothing behind. Where the file
//! system has no such files it has a name that no program takes for a file of its folder.

use nix::fcntl::{AT_FDCWD, AtFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// cron, sudo, logrotate, run-parts and the like pass over hidden files, or over those that dpkg leaves.
const PREFIX: &str = ".salt.";
const SUFFIX: &str = ".dpkg-tmp";

/// A new file of a folder, as yet unseen.
#[derive(Debug)]
pub struct Unseen {
    file: File,
    folder: PathBuf,
    named: Option<TempPath>,
}

impl Unseen {
    /// Begins a file in a folder, with a mode (less what the system masks).
    ///
    /// # Errors
    /// What keeps files from being made there.
    pub fn new_in(folder: &Path, mode: u32) -> io::Result<Self> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(mode);
        let unnamed = options.custom_flags(nix::libc::O_TMPFILE).open(folder);
        match unnamed {
            // It gets its name by way of /proc.
            Ok(file) if Path::new("/proc/self/fd").is_dir() => {
                Ok(Self { file, folder: folder.to_owned(), named: None })
            }
            _ => Self::named_in(folder, mode),
        }
    }

    fn named_in(folder: &Path, mode: u32) -> io::Result<Self> {
        let open =
            |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path);
        let (file, path) =
            tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, open)?.into_parts();
        Ok(Self { file, folder: folder.to_owned(), named: Some(path) })
    }

    /// The file, open for reading and writing.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it a place in its folder, at once. What is there goes.
    ///
    /// # Errors
    /// What keeps it from being there; then it is given back.
    pub fn persist(mut self, place: &Path) -> Result<(), (io::Error, Self)> {
        match self.move_to(place) {
            Ok(()) => Ok(()),
            Err(e) => Err((e, self)),
        }
    }

    fn move_to(&mut self, place: &Path) -> io::Result<()> {
        if self.named.is_none() {
            match self.link(place) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.name()?,
                done => return done,
            }
        }
        let Some(path) = &self.named else { return Ok(()) };
        fs::rename(path, place)?;
        if let Some(path) = self.named.take() {
            // It has moved: there is nothing to remove.
            let _ = path.keep();
        }
        Ok(())
    }

    fn link(&self, to: &Path) -> io::Result<()> {
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        nix::unistd::linkat(AT_FDCWD, own.as_str(), AT_FDCWD, to, AtFlags::AT_SYMLINK_FOLLOW)?;
        Ok(())
    }

    /// Names it, for a moment: only what has a name can take the place of another.
    fn name(&mut self) -> io::Result<()> {
        let link = |path: &Path| self.link(path);
        let named = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(&self.folder, link)?;
        self.named = Some(named.into_temp_path());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn it_is_there_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("f");
        for (text, named) in [("new", false), ("newer", false), ("newest", true)] {
            let begin = if named { Unseen::named_in } else { Unseen::new_in };
            let mut new = begin(dir.path(), 0o640).unwrap();
            new.file().write_all(text.as_bytes()).unwrap();
            if named {
                let seen = names(dir.path());
                assert!(seen[0].starts_with(".salt.") && seen[0].ends_with(".dpkg-tmp"), "{seen:?}");
            }
            new.persist(&place).unwrap();
            assert_eq!(fs::read_to_string(&place).unwrap(), text);
            assert_eq!(names(dir.path()), ["f"]);
        }
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn one_that_is_given_up_or_has_no_place_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("d/full")).unwrap();
        for begin in [Unseen::new_in, Unseen::named_in] {
            drop(begin(dir.path(), 0o600).unwrap());
            let (_, mut back) = begin(dir.path(), 0o600).unwrap().persist(&dir.path().join("d")).unwrap_err();
            back.file().write_all(b"still there").unwrap();
            drop(back);
            assert_eq!(names(dir.path()), ["d"]);
        }
        assert!(Unseen::new_in(&dir.path().join("none"), 0o600).is_err());
    }
}
