//! The key directories of a master: a key's state is the directory that holds it.
//!
//! Names come from directory listings only, so nothing that a user or peer types becomes a path.

use crate::exit::{CliError, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The state of a minion's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Accepted.
    Accepted,
    /// Waiting to be accepted or rejected.
    Pending,
    /// Rejected.
    Rejected,
    /// Another key for a name that is taken.
    Denied,
    /// The master's own keys.
    Local,
}

impl Status {
    /// The states of minions' keys, in stock's order.
    pub(crate) const MINIONS: [Self; 4] = [Self::Accepted, Self::Pending, Self::Rejected, Self::Denied];

    /// The directory's name, which is also the name in output.
    pub(crate) fn dir(self) -> &'static str {
        match self {
            Self::Accepted => "minions",
            Self::Pending => "minions_pre",
            Self::Rejected => "minions_rejected",
            Self::Denied => "minions_denied",
            Self::Local => "local",
        }
    }
}

/// Keys by state, in listing order. States without keys may be present, as in stock's listings.
pub(crate) type Keys = Vec<(Status, Vec<String>)>;

/// The key directories of one master.
pub(crate) struct KeyStore {
    pki: PathBuf,
}

impl KeyStore {
    /// The store in a `pki_dir`.
    pub(crate) fn new(pki: PathBuf) -> Self {
        Self { pki }
    }

    /// The names in one state, sorted ignoring case; dot files are not keys. An absent directory is empty.
    pub(crate) fn list(&self, status: Status) -> Result<Vec<String>> {
        let dir = match status {
            Status::Local => self.pki.clone(),
            other => self.pki.join(other.dir()),
        };
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(CliError::io(dir, e)),
        };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let wanted = match status {
                Status::Local => name.ends_with(".pub") || name.ends_with(".pem"),
                _ => !name.starts_with('.'),
            };
            // Follows links, as stock's listing does.
            if wanted && entry.path().is_file() {
                names.push(name);
            }
        }
        names.sort_by_key(|n| n.to_lowercase());
        Ok(names)
    }

    /// Minions' keys of every state.
    pub(crate) fn minions(&self) -> Result<Keys> {
        Status::MINIONS.into_iter().map(|s| Ok((s, self.list(s)?))).collect()
    }

    /// Minions' keys and the master's own.
    pub(crate) fn all(&self) -> Result<Keys> {
        let mut keys = self.minions()?;
        keys.push((Status::Local, self.list(Status::Local)?));
        Ok(keys)
    }

    /// Where a listed key lies.
    pub(crate) fn path(&self, status: Status, name: &str) -> PathBuf {
        match status {
            Status::Local => self.pki.join(name),
            other => self.pki.join(other.dir()).join(name),
        }
    }

    /// The text of a listed key.
    pub(crate) fn read(&self, status: Status, name: &str) -> Result<String> {
        let path = self.path(status, name);
        let bytes = fs::read(&path).map_err(|e| CliError::io(&path, e))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Moves a listed key to another state. A key that has vanished meanwhile is no error, as in stock.
    pub(crate) fn transfer(&self, from: Status, to: Status, name: &str) -> Result<bool> {
        let target = self.path(to, name);
        if let Some(dir) = target.parent() {
            private_dir(dir)?;
        }
        match fs::rename(self.path(from, name), &target) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(CliError::io(target, e)),
        }
    }

    /// Deletes a listed key. One that has vanished meanwhile is no error.
    pub(crate) fn remove(&self, status: Status, name: &str) -> Result<bool> {
        let path = self.path(status, name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(CliError::io(path, e)),
        }
    }
}

/// A directory that only its owner may enter, made if absent.
fn private_dir(dir: &Path) -> Result {
    use std::os::unix::fs::DirBuilderExt;
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(CliError::io(dir, e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_moves_between_states() {
        let dir = tempfile::tempdir().unwrap();
        let store = KeyStore::new(dir.path().to_owned());
        assert_eq!(store.list(Status::Pending).unwrap(), Vec::<String>::new());
        fs::create_dir(dir.path().join("minions_pre")).unwrap();
        for name in ["web", "Db", ".key_cache"] {
            fs::write(dir.path().join("minions_pre").join(name), "pem").unwrap();
        }
        assert_eq!(store.list(Status::Pending).unwrap(), ["Db", "web"]);
        assert!(store.transfer(Status::Pending, Status::Accepted, "web").unwrap());
        assert!(!store.transfer(Status::Pending, Status::Accepted, "web").unwrap());
        assert_eq!(store.list(Status::Accepted).unwrap(), ["web"]);
        assert!(store.remove(Status::Accepted, "web").unwrap());
        assert!(!store.remove(Status::Accepted, "web").unwrap());
    }
}
