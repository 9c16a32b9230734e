//! What is known of each minion's key beyond its file: for which key its session was made, and the highest protocol
//! version that key has proved itself with. Kept over restarts, written only when it changes.
//!
//! Programs and operators put, replace and remove key files without a word to us, so what was known of one key must never
//! count for another.

use std::collections::HashMap;

use brine_protocol::ids::MinionId;
use parking_lot::RwLock;

use crate::jobs::{Jobs, MinionRow};
use crate::keys::KeyMark;

/// What is known of one minion's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    key: KeyMark,
    version: u8,
}

/// What is known of all of them. Only accepted keys are noted, so their number bounds it.
#[derive(Debug)]
pub struct Records {
    known: RwLock<HashMap<MinionId, Record>>,
    jobs: Jobs,
}

impl Records {
    /// What `rows` say, to be kept in the database of `jobs`.
    pub fn new(rows: Vec<MinionRow>, jobs: Jobs) -> Self {
        let known = rows.into_iter().filter_map(|row| {
            let key = KeyMark::from_bytes(&row.key)?;
            Some((MinionId::parse(&row.id).ok()?, Record { key, version: row.version }))
        });
        Self { known: RwLock::new(known.collect()), jobs }
    }

    /// Whether nothing is known of the minion, or what is known is of this key.
    pub fn fits(&self, id: &MinionId, key: KeyMark) -> bool {
        self.known.read().get(id).is_none_or(|known| known.key == key)
    }

    /// The highest version that this key has proved itself with; 0 when none is known.
    pub fn version(&self, id: &MinionId, key: KeyMark) -> u8 {
        self.known.read().get(id).filter(|known| known.key == key).map_or(0, |known| known.version)
    }

    /// Notes a key, and a version it has proved itself with (0: none). What was known of another key is gone; a version
    /// never goes down.
    pub fn note(&self, id: &MinionId, key: KeyMark, version: u8) {
        let before = self.known.read().get(id).copied();
        let known = before.filter(|known| known.key == key).map_or(0, |known| known.version);
        let record = Record { key, version: version.max(known) };
        if before == Some(record) {
            return;
        }
        self.known.write().insert(id.clone(), record);
        let row =
            MinionRow { id: id.as_str().to_owned(), key: key.as_bytes().to_vec(), version: record.version };
        self.jobs.put_minion(row);
    }

    /// Forgets a minion whose key was deleted.
    pub fn forget(&self, id: &MinionId) {
        if self.known.write().remove(id).is_some() {
            self.jobs.forget_minion(id);
        }
    }
}
