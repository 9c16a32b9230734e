//! Minions' public keys and their states. Decides nothing: the handshake does.

use std::io;
use std::path::Path;

use brine_protocol::ids::MinionId;

use crate::fs::Dir;

/// No public key is longer; checked before a file is read.
const LONGEST: u64 = 16 << 10;

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// `minions/`
    Accepted,
    /// `minions_pre/`
    Pending,
    /// `minions_rejected/`
    Rejected,
    /// `minions_denied/`
    Denied,
}

impl KeyState {
    /// All states, in the order in which stock lists them.
    pub const ALL: [KeyState; 4] =
        [KeyState::Accepted, KeyState::Denied, KeyState::Pending, KeyState::Rejected];

    /// The directory's name below `pki_dir`.
    pub fn dir_name(self) -> &'static str {
        match self {
            KeyState::Accepted => "minions",
            KeyState::Pending => "minions_pre",
            KeyState::Rejected => "minions_rejected",
            KeyState::Denied => "minions_denied",
        }
    }
}

/// The key directories below `pki_dir`.
#[derive(Clone, Debug)]
pub struct KeyStore {
    root: Dir,
    accepted: Dir,
    pending: Dir,
    rejected: Dir,
    denied: Dir,
}

impl KeyStore {
    /// `pki_dir` itself.
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// The store below `pki_dir`.
    pub fn at(pki_dir: &Path) -> Self {
        let dir = |state: KeyState| Dir::at(pki_dir.join(state.dir_name()));
        Self {
            root: Dir::at(pki_dir),
            accepted: dir(KeyState::Accepted),
            pending: dir(KeyState::Pending),
            rejected: dir(KeyState::Rejected),
            denied: dir(KeyState::Denied),
        }
    }

    fn dir(&self, state: KeyState) -> &Dir {
        match state {
            KeyState::Accepted => &self.accepted,
            KeyState::Pending => &self.pending,
            KeyState::Rejected => &self.rejected,
            KeyState::Denied => &self.denied,
        }
    }

    /// The key of `id` in a state, as text; None when there is none.
    ///
    /// # Errors
    /// When something of that name is there but is not a readable text file.
    pub fn read(&self, state: KeyState, id: &MinionId) -> io::Result<Option<String>> {
        let Some(bytes) = self.dir(state).read(id.as_str(), LONGEST)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| io::Error::other("not text"))
    }

    /// Whether something that is no key file (a directory, say) stands where the key would.
    pub fn obstructed(&self, state: KeyState, id: &MinionId) -> bool {
        self.dir(state).has_other(id.as_str())
    }

    /// Whether the key of `id` is accepted now.
    pub fn is_accepted(&self, id: &MinionId) -> bool {
        self.accepted.has(id.as_str())
    }

    /// Whether there is a key of `id` in a state.
    pub fn has(&self, state: KeyState, id: &MinionId) -> bool {
        self.dir(state).has(id.as_str())
    }

    /// How many keys a state holds.
    ///
    /// # Errors
    /// As the system has it.
    pub fn count(&self, state: KeyState) -> io::Result<usize> {
        Ok(self.dir(state).names()?.len())
    }

    /// Stores a key in a state.
    ///
    /// # Errors
    /// As the system has it.
    pub fn write(&self, state: KeyState, id: &MinionId, key: &str) -> io::Result<()> {
        self.dir(state).write(id.as_str(), key.as_bytes(), 0o600)
    }

    /// Removes the key of `id` from a state; whether there was one.
    ///
    /// # Errors
    /// As the system has it.
    pub fn remove(&self, state: KeyState, id: &MinionId) -> io::Result<bool> {
        self.dir(state).remove(id.as_str())
    }

    /// Moves the key of `id` from one state to another, whose directory is made where it is missing.
    ///
    /// # Errors
    /// As the system has it; not being there is an error.
    pub fn shift(&self, id: &MinionId, from: KeyState, to: KeyState) -> io::Result<()> {
        self.dir(to).ensure(0o700)?;
        self.dir(from).move_to(id.as_str(), self.dir(to))
    }

    /// The ids in a state, sorted without regard to case, as stock lists them.
    ///
    /// # Errors
    /// As the system has it.
    pub fn list(&self, state: KeyState) -> io::Result<Vec<MinionId>> {
        let mut names = self.dir(state).names()?;
        names.sort_by_cached_key(|n| n.to_lowercase());
        Ok(names.iter().filter_map(|n| MinionId::parse(n).ok()).collect())
    }

    /// Changes whenever a key is added to or removed from a state.
    pub fn stamp(&self, state: KeyState) -> Option<(i64, i64)> {
        self.dir(state).stamp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, KeyStore) {
        let tmp = tempfile::tempdir().unwrap();
        for state in KeyState::ALL {
            std::fs::create_dir(tmp.path().join(state.dir_name())).unwrap();
        }
        let store = KeyStore::at(tmp.path());
        (tmp, store)
    }

    #[test]
    fn the_directory_is_the_state_and_others_may_move_files() {
        let (tmp, store) = store();
        let id = MinionId::parse("m1").unwrap();
        store.write(KeyState::Pending, &id, "PEM").unwrap();
        assert!(!store.is_accepted(&id));
        std::fs::rename(tmp.path().join("minions_pre/m1"), tmp.path().join("minions/m1")).unwrap();
        assert!(store.is_accepted(&id));
        assert_eq!(store.read(KeyState::Accepted, &id).unwrap().unwrap(), "PEM");
        std::fs::remove_file(tmp.path().join("minions/m1")).unwrap();
        assert!(!store.is_accepted(&id));
    }

    #[test]
    fn lists_ignore_case_dots_and_links() {
        let (tmp, store) = store();
        for name in ["b", "A", "c", ".key_cache"] {
            std::fs::write(tmp.path().join("minions").join(name), "k").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", tmp.path().join("minions/evil")).unwrap();
        let names: Vec<_> = store.list(KeyState::Accepted).unwrap().iter().map(|i| i.to_string()).collect();
        assert_eq!(names, ["A", "b", "c"]);
        assert!(store.obstructed(KeyState::Accepted, &MinionId::parse("evil").unwrap()));
        assert!(store.read(KeyState::Accepted, &MinionId::parse("evil").unwrap()).is_err());
    }
}
