//! The journal: a line of JSON for each change, appended; written anew when it has become long.
//!
//! What was appended outlives the master's process at once, and a loss of power from the next [`Journal::sync`] on.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use brine_store::fs::Dir;
use serde_json::Value;

use super::read::NAME;

/// Below this size it is never written anew.
const SMALL: u64 = 1 << 20;

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    dir: Dir,
    file: File,
    /// Bytes now, and after it was last written anew.
    bytes: u64,
    fresh: u64,
    dirty: bool,
}

impl Journal {
    /// Opens the journal of a directory, which is made where it is missing.
    ///
    /// # Errors
    /// As the system has it.
    pub fn open(dir: Dir) -> io::Result<Self> {
        dir.ensure(0o700)?;
        if !dir.has(NAME) {
            dir.write(NAME, b"", 0o600)?;
        }
        let file = dir.append(NAME)?;
        let bytes = file.metadata()?.len();
        Ok(Self { dir, file, bytes, fresh: 0, dirty: false })
    }

    /// When the journal of a directory was last written, if there is one.
    pub fn written(dir: &Dir) -> Option<SystemTime> {
        dir.modified(NAME)
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(NAME)
    }

    /// Appends lines, in one piece.
    ///
    /// # Errors
    /// As the system has it.
    pub fn append(&mut self, lines: &[Value]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Has what was appended outlive a loss of power.
    ///
    /// # Errors
    /// As the system has it.
    pub fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.dirty) {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Whether it is several times as long as what it stands for.
    pub fn is_long(&self) -> bool {
        self.bytes > SMALL.max(4 * self.fresh)
    }

    /// Writes it anew: these lines are all that is so.
    ///
    /// # Errors
    /// As the system has it; what was there stays then.
    pub fn rewrite(&mut self, lines: impl Iterator<Item = Value>) -> io::Result<()> {
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        self.dir.write(NAME, text.as_bytes(), 0o600)?;
        self.file = self.dir.append(NAME)?;
        self.file.sync_all()?;
        File::open(self.dir.path())?.sync_all()?;
        self.bytes = text.len() as u64;
        self.fresh = self.bytes;
        self.dirty = false;
        Ok(())
    }
}
