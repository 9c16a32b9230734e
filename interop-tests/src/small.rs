//! A small file system of a test's own. It is mounted where only the thread of the test and the programs that it starts see it, and is
//! gone with them.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use crate::failure::{Failure, Result};

/// The name of the file that fills one.
const BALLAST: &str = ".ballast";

/// One, mounted until it is dropped.
#[derive(Debug)]
pub struct Small {
    at: PathBuf,
}

impl Small {
    /// Makes a folder a file system of so many bytes.
    ///
    /// # Errors
    /// When this process is not root.
    pub fn mount(at: &Path, bytes: u64) -> Result<Small> {
        let failed = |what: &str, e: nix::Error| Failure(format!("{what}: {e}; this test needs root"));
        // Threads share what is mounted unless they ask for their own.
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS)
            .map_err(|e| failed("a mount namespace", e))?;
        let nothing: Option<&str> = None;
        mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)
            .map_err(|e| failed("/", e))?;
        fs::create_dir_all(at)?;
        let size = format!("size={bytes},mode=755");
        mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some(size.as_str()))
            .map_err(|e| failed("a tmpfs", e))?;
        Ok(Small { at: at.to_owned() })
    }

    /// Fills it, but for so many bytes.
    ///
    /// # Errors
    /// When it cannot be written to for another reason than that it is full.
    pub fn fill(&self, but: u64) -> Result {
        let mut file = File::create(self.at.join(BALLAST))?;
        let mut written = 0;
        loop {
            match file.write(&[0; 4096]) {
                Ok(n) => written += n as u64,
                Err(e) if e.kind() == ErrorKind::StorageFull => break,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(file.set_len(written.saturating_sub(but))?)
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When it was not full.
    pub fn free(&self) -> Result {
        Ok(fs::remove_file(self.at.join(BALLAST))?)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = umount2(&self.at, MntFlags::MNT_DETACH);
    }
}
