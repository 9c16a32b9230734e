//! A log file that survives its rotation: when another file stands at its path, or none, it is opened anew. It rotates
//! itself where it is told to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An append-only log file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    /// Device and inode of the open file.
    identity: (u64, u64),
    rotation: Rotation,
}

/// When a log file is moved aside, and how many such files are kept; with either 0 it never is, as in stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// `log_rotate_max_bytes`
    pub max_bytes: u64,
    /// `log_rotate_backup_count`
    pub backups: u32,
}

impl LogFile {
    /// Opens a log file to append to it; makes it (mode 0640) and its directory (mode 0750) where they are missing.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, identity) = open(path)?;
        Ok(Self { path: path.to_owned(), file, identity, rotation: Rotation::default() })
    }

    /// The same file, rotated so.
    #[must_use]
    pub fn rotated(self, rotation: Rotation) -> Self {
        Self { rotation, ..self }
    }

    /// Writes a line and its end. If the file was moved or removed, a new one is begun first; where that fails, the
    /// old one is still written.
    pub fn write_line(&mut self, line: &str) -> io::Result<()> {
        let current = std::fs::metadata(&self.path).map(|m| (m.dev(), m.ino())).ok();
        if current != Some(self.identity)
            && let Ok((file, identity)) = open(&self.path)
        {
            self.file = file;
            self.identity = identity;
        }
        self.rotate(line.len() as u64 + 1)?;
        // One write, so that lines of several processes do not mix.
        self.file.write_all(format!("{line}\n").as_bytes())
    }

    /// Moves the file to `PATH.1`, and those before it up by one, when `more` bytes would fill it.
    fn rotate(&mut self, more: u64) -> io::Result<()> {
        let Rotation { max_bytes, backups } = self.rotation;
        if max_bytes == 0 || backups == 0 {
            return Ok(());
        }
        let meta = self.file.metadata()?;
        if !meta.is_file() || meta.len() == 0 || meta.len() + more < max_bytes {
            return Ok(());
        }
        let name = |n: u32| PathBuf::from(format!("{}.{n}", self.path.display()));
        for n in (1..backups).rev() {
            match std::fs::rename(name(n), name(n + 1)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        std::fs::rename(&self.path, name(1))?;
        (self.file, self.identity) = open(&self.path)?;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let attempt = || OpenOptions::new().append(true).create(true).mode(0o640).open(path);
    let file = match (attempt(), path.parent()) {
        (Err(e), Some(parent)) if e.kind() == io::ErrorKind::NotFound => {
            std::fs::DirBuilder::new().recursive(true).mode(0o750).create(parent)?;
            attempt()?
        }
        (file, _) => file?,
    };
    let meta = file.metadata()?;
    Ok((file, (meta.dev(), meta.ino())))
}
