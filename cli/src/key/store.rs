//! The keys of a master as `salt-key` lists them: those of minions by state, as `brine_store` keeps them, and the master's own.

use crate::exit::{CliError, Result};
use brine_protocol::ids::MinionId;
use brine_store::KeyState;
use std::fs;
use std::io;
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
        self.state().map_or("local", KeyState::dir_name)
    }

    /// The state of a minion's key; None for the master's own.
    fn state(self) -> Option<KeyState> {
        Some(match self {
            Self::Accepted => KeyState::Accepted,
            Self::Pending => KeyState::Pending,
            Self::Rejected => KeyState::Rejected,
            Self::Denied => KeyState::Denied,
            Self::Local => return None,
        })
    }
}

/// Keys by state, in listing order. States without keys may be present, as in stock's listings.
pub(crate) type Keys = Vec<(Status, Vec<String>)>;

/// The keys of one master.
pub(crate) struct KeyStore {
    keys: brine_store::KeyStore,
    pki: PathBuf,
}

impl KeyStore {
    /// The store in a `pki_dir`.
    pub(crate) fn new(pki: &Path) -> Self {
        Self { keys: brine_store::KeyStore::at(pki), pki: pki.to_owned() }
    }

    /// The names in one state, sorted ignoring case; dot files are not keys. An absent directory is empty.
    pub(crate) fn list(&self, status: Status) -> Result<Vec<String>> {
        let listed = match status.state() {
            Some(state) => {
                self.keys.list(state).map(|ids| ids.iter().map(|id| id.as_str().to_owned()).collect())
            }
            None => own_keys(&self.pki),
        };
        listed.map_err(|e| self.failed(status, "", e))
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

    /// The text of a listed key.
    pub(crate) fn read(&self, status: Status, name: &str) -> Result<String> {
        let read = match status.state() {
            Some(state) => id(name).and_then(|id| self.keys.read(state, &id)),
            None => {
                fs::read(self.pki.join(name)).map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
        };
        let text = read.and_then(|text| text.ok_or_else(|| io::ErrorKind::NotFound.into()));
        text.map_err(|e| self.failed(status, name, e))
    }

    /// Moves a listed key to another state. A key that has vanished meanwhile is no error, as in stock.
    pub(crate) fn transfer(&self, from: Status, to: Status, name: &str) -> Result<bool> {
        let (Some(from), Some(state)) = (from.state(), to.state()) else { return Ok(false) };
        match id(name).and_then(|id| self.keys.shift(&id, from, state)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(self.failed(to, name, e)),
        }
    }

    /// Deletes a listed key. One that has vanished meanwhile is no error.
    pub(crate) fn remove(&self, status: Status, name: &str) -> Result<bool> {
        let Some(state) = status.state() else { return Ok(false) };
        id(name).and_then(|id| self.keys.remove(state, &id)).map_err(|e| self.failed(status, name, e))
    }

    fn failed(&self, status: Status, name: &str, e: io::Error) -> CliError {
        let dir = status.state().map_or_else(|| self.pki.clone(), |state| self.pki.join(state.dir_name()));
        CliError::io(dir.join(name), e)
    }
}

/// The master's own keys; links are followed, as in stock's listing.
fn own_keys(pki: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(pki) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".pub") || name.ends_with(".pem"));
    names.sort_by_key(|name| name.to_lowercase());
    Ok(names)
}

fn id(name: &str) -> io::Result<MinionId> {
    MinionId::parse(name).map_err(|e| io::Error::other(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_moves_between_states() {
        let dir = tempfile::tempdir().unwrap();
        let store = KeyStore::new(dir.path());
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
        for name in ["master.pub", "master.pem", "other"] {
            fs::write(dir.path().join(name), "pem").unwrap();
        }
        assert_eq!(store.list(Status::Local).unwrap(), ["master.pem", "master.pub"]);
        assert_eq!(store.read(Status::Local, "master.pub").unwrap(), "pem");
        let gone = store.read(Status::Pending, "web").unwrap_err().to_string();
        assert!(gone.starts_with(&format!("{}: ", dir.path().join("minions_pre/web").display())), "{gone}");
    }
}
