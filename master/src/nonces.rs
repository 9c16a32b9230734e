//! The nonces of requests that were let in, on disk, so that a request counts once also after a restart: sessions outlive
//! it, and with them what somebody may have captured.
//!
//! A short line is appended for each request and handed to the system at once, so that a killed master forgets nothing;
//! a power cut may lose the last seconds.

use std::fs::File;
use std::io::{self, Write};

use parking_lot::Mutex;

use crate::fs::Dir;

/// In `cachedir`.
const FILE: &str = "request_nonces";
/// More is not read back; it is written anew long before.
const LONGEST: u64 = 64 << 20;
/// The part of the memory, the time in seconds, the hash of id and nonce.
const RECORD: usize = 1 + 8 + 16;

/// One nonce that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The part of the memory that it belongs to.
    pub shard: u8,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// What the replay window remembers.
    pub key: [u8; 16],
}

impl Seen {
    fn to_bytes(self) -> [u8; RECORD] {
        let mut out = [0; RECORD];
        out[0] = self.shard;
        out[1..9].copy_from_slice(&self.at.to_le_bytes());
        out[9..].copy_from_slice(&self.key);
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (shard, rest) = bytes.split_first()?;
        let (at, key) = rest.split_at_checked(8)?;
        Some(Self { shard: *shard, at: u64::from_le_bytes(at.try_into().ok()?), key: key.try_into().ok()? })
    }
}

/// The file.
#[derive(Debug)]
pub struct Nonces {
    dir: Dir,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    records: usize,
}

impl Nonces {
    /// The file below `cachedir`, and what it holds.
    ///
    /// # Errors
    /// When it cannot be read or written: a master that would forget must not start.
    pub fn open(cachedir: Dir) -> io::Result<(Self, Vec<Seen>)> {
        let bytes = cachedir.read(FILE, LONGEST)?.unwrap_or_default();
        let seen: Vec<Seen> = bytes.chunks_exact(RECORD).filter_map(Seen::from_bytes).collect();
        let nonces = Self { dir: cachedir, open: Mutex::new(None) };
        // Whole again, also where the last line was torn.
        nonces.rewrite(|| seen.clone())?;
        Ok((nonces, seen))
    }

    /// Notes one.
    pub fn note(&self, seen: Seen) {
        let mut open = self.open.lock();
        let Some(open) = open.as_mut() else { return };
        open.records += 1;
        if let Err(e) = open.file.write_all(&seen.to_bytes()) {
            tracing::error!("{FILE}: {e}; this request could be sent once more after a restart");
        }
    }

    /// Writes the file anew with what still counts, when it holds more than `most`.
    pub fn tidy(&self, most: usize, still: impl FnOnce() -> Vec<Seen>) {
        if self.open.lock().as_ref().is_some_and(|open| open.records > most)
            && let Err(e) = self.rewrite(still)
        {
            tracing::error!("{FILE}: {e}");
        }
    }

    fn rewrite(&self, still: impl FnOnce() -> Vec<Seen>) -> io::Result<()> {
        // Whoever notes one meanwhile waits, and is written behind.
        let mut open = self.open.lock();
        let seen = still();
        let bytes: Vec<u8> = seen.iter().flat_map(|seen| seen.to_bytes()).collect();
        self.dir.write(FILE, &bytes, 0o600)?;
        *open = Some(Open { file: self.dir.append(FILE)?, records: seen.len() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_outlive_a_restart_and_a_torn_line() {
        let tmp = tempfile::tempdir().unwrap();
        let open = || Nonces::open(Dir::at(tmp.path())).unwrap();
        let seen = |n: u8| Seen { shard: n, at: u64::from(n) << 40, key: [n; 16] };
        let (nonces, before) = open();
        assert!(before.is_empty());
        (0..10).for_each(|n| nonces.note(seen(n)));
        assert_eq!(open().1, (0..10).map(seen).collect::<Vec<_>>());
        let path = tmp.path().join(FILE);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(9 * RECORD as u64 + 7).unwrap();
        let (nonces, before) = open();
        assert_eq!(before, (0..9).map(seen).collect::<Vec<_>>());
        nonces.note(seen(11));
        nonces.tidy(10, Vec::new);
        assert_eq!(open().1.len(), 10);
        nonces.tidy(9, || vec![seen(1)]);
        nonces.note(seen(2));
        assert_eq!(open().1, [seen(1), seen(2)]);
    }
}
