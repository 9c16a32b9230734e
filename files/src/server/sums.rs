//! Checksums of files, remembered by what the file is: asked for by a thousand minions, a file is read once.

use crate::stamp::Stamp;
use crate::sum::Digest;
use brine_core::call::{CallError, Result};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How many files are remembered.
const MOST: usize = 200_000;
/// A file that was changed this short a time ago may be changed again without its times telling: their steps are that of the
/// kernel's clock.
const FRESH: Duration = Duration::from_millis(50);

/// Whether a change within the same step of the clock could still go unseen.
fn is_fresh(stamp: &Stamp) -> bool {
    let since = u64::try_from(stamp.changed.0).unwrap_or(0);
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
    let changed = changed + Duration::from_nanos(u64::try_from(stamp.changed.1).unwrap_or(0));
    SystemTime::now().duration_since(changed).is_ok_and(|age| age < FRESH)
}

/// The checksum of one state of a file; whoever holds the lock makes it.
type Slot = Arc<Mutex<Option<String>>>;

/// The memory.
#[derive(Default)]
pub(super) struct Sums {
    known: Mutex<HashMap<Stamp, Slot>>,
}

impl Sums {
    /// The checksum of an open file.
    pub(super) fn of(&self, file: File, meta: &Metadata, form: &str) -> Result<String> {
        let stamp = Stamp::of(meta);
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST && !known.contains_key(&stamp) {
                known.clear();
            }
            known.entry(stamp).or_default().clone()
        };
        let mut sum = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sum) = &*sum {
            return Ok(sum.clone());
        }
        let mut digest = Digest::new(form)
            .ok_or_else(|| CallError::exception("ValueError", format!("Invalid hash type: {form}")))?;
        let fresh = is_fresh(&stamp);
        digest.read(&file)?;
        let made = digest.hex();
        if !fresh && Stamp::of(&file.metadata()?) == stamp {
            *sum = Some(made.clone());
        } else {
            // What others wait for is theirs to make; the memory keeps nothing that may be wrong.
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&stamp);
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_read_once_and_again_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let sums = Sums::default();
        let sum = || {
            let file = File::open(&path).unwrap();
            let meta = file.metadata().unwrap();
            sums.of(file, &meta, "md5").unwrap()
        };
        let known = || sums.known.lock().unwrap().len();
        fs::write(&path, "abc").unwrap();
        let first = sum();
        assert_eq!((first.as_str(), known()), ("900150983cd24fb0d6963f7d28e17f72", 0));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while is_fresh(&Stamp::of(&fs::metadata(&path).unwrap())) && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!((sum(), known()), (first.clone(), 1));
        // The memory is asked: a wrong entry would be believed.
        for slot in sums.known.lock().unwrap().values() {
            *slot.lock().unwrap() = Some("remembered".into());
        }
        assert_eq!(sum(), "remembered");
        fs::write(&path, "abd").unwrap();
        assert_ne!(sum(), "remembered");
        let file = File::open(&path).unwrap();
        let meta = file.metadata().unwrap();
        let error = sums.of(file, &meta, "none").unwrap_err();
        assert_eq!(error.to_string(), "ValueError: Invalid hash type: none");
    }
}
