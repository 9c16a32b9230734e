//! Files of a repository as files of this machine: one for each content, named by its id, made when it is first asked for.

use super::objects::Objects;
use super::refs::Oid;
use crate::place::private;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The largest file.
const MOST: u64 = 64 << 30;

/// How long one is kept that nobody asks for.
const KEPT: Duration = Duration::from_secs(7 * 86400);

/// How old the note may be that says when one was asked for.
const NOTED: Duration = Duration::from_secs(86400);

/// The files.
#[derive(Debug)]
pub(crate) struct Blobs(PathBuf);

impl Blobs {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// The file of a blob, and what it is; `None` if there is no such blob.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub(crate) fn file(
        &self,
        objects: &Objects,
        blob: &Oid,
        executable: bool,
    ) -> io::Result<Option<(PathBuf, Metadata)>> {
        let (head, tail) = blob.as_str().split_at(2);
        let folder = self.0.join(head);
        let at = folder.join(if executable { format!("{tail}x") } else { tail.to_owned() });
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_file() => {
                if meta.modified()?.elapsed().unwrap_or_default() > NOTED {
                    // Only so that it is not thrown away.
                    let _ = fs::File::open(&at).and_then(|file| file.set_modified(SystemTime::now()));
                }
                return Ok(Some((at, meta)));
            }
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        private(&folder)?;
        let mut new = tempfile::NamedTempFile::new_in(&folder)?;
        if objects.copy(blob, MOST, new.as_file_mut())?.is_none() {
            return Ok(None);
        }
        // Git's modes, which are what minions are told; the folders are closed to others.
        new.as_file().set_permissions(Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
        let file = new.persist(&at).map_err(|e| e.error)?;
        Ok(Some((at, file.metadata()?)))
    }

    /// Throws away what nobody has asked for in a long time.
    pub(crate) fn reap(&self) {
        let Ok(folders) = fs::read_dir(&self.0) else { return };
        for file in
            folders.flatten().filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten()
        {
            let old = file.metadata().and_then(|meta| meta.modified());
            if old.is_ok_and(|at| at.elapsed().unwrap_or_default() > KEPT) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}
