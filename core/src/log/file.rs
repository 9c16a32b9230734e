//! A log file that survives its rotation: when another file stands at its path, or none, it is opened anew.

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
}

impl LogFile {
    /// Opens a log file to append to it; makes it (mode 0640) and its directory (mode 0750) where they are missing.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, identity) = open(path)?;
        Ok(Self { path: path.to_owned(), file, identity })
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
        // One write, so that lines of several processes do not mix.
        self.file.write_all(format!("{line}\n").as_bytes())
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
