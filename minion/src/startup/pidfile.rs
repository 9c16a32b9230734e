//! The pid file: written at start, removed at an orderly end, and a lock that keeps a second minion of the same
//! configuration away.

use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The pid file of this process. Removed when dropped.
pub struct PidFile {
    path: PathBuf,
    _lock: Option<Flock<File>>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// Another process holds it.
    #[error("An instance is already running. Exiting")]
    Running,
}

impl PidFile {
    /// Claims the pid file. The lock is on a file beside it, with stock's name for its own such file, since the pid
    /// file itself may be replaced. Where neither can be written (an unprivileged minion), there is no pid file, as in
    /// stock.
    pub fn claim(path: &Path) -> Result<Self, PidFileError> {
        if let Some(dir) = path.parent() {
            let _ = fs::create_dir_all(dir);
        }
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let lock = path.with_file_name(format!("process_responsibility_{name}"));
        let lock = match OpenOptions::new().create(true).truncate(false).write(true).open(&lock) {
            Ok(file) => match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => Some(lock),
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => return Err(PidFileError::Running),
                Err((_, e)) => {
                    tracing::debug!("cannot lock {}: {e}", lock.display());
                    None
                }
            },
            Err(e) => {
                tracing::debug!("cannot open {}: {e}", lock.display());
                None
            }
        };
        let this = Self { path: path.to_owned(), _lock: lock };
        this.write();
        Ok(this)
    }

    /// Writes our process id, again after the process became a daemon.
    pub fn write(&self) {
        if let Err(e) = fs::write(&self.path, std::process::id().to_string()) {
            tracing::debug!("cannot write {}: {e}", self.path.display());
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        match fs::read_to_string(&self.path) {
            Ok(pid) if pid.trim() == std::process::id().to_string() => {
                if let Err(e) = fs::remove_file(&self.path)
                    && e.kind() != io::ErrorKind::NotFound
                {
                    tracing::info!("PIDfile({}) could not be deleted: {e}", self.path.display());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/salt-minion.pid");
        let first = PidFile::claim(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        assert!(matches!(PidFile::claim(&path), Err(PidFileError::Running)));
        drop(first);
        assert!(!path.exists());
        drop(PidFile::claim(&path).unwrap());
    }
}
