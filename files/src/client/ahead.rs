//! What a file server was asked ahead of time, because it is going to be asked for it: a run of states knows which files come next,
//! and need not wait for one answer before the next question is on its way.
//!
//! An answer is good for [`GOOD`] and until whoever asked ahead says that it is not: a state may change the very tree that the
//! next one reads.

use crate::path::Asked;
use brine_core::Value;
use brine_core::call::Result;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good. Without it, a run would have asked this much later.
const GOOD: Duration = Duration::from_secs(1);

/// From how many answers on those that are not good any more are dropped.
const MANY: usize = 64;

/// An answer that is on its way: the call waits for it.
pub type Coming = Box<dyn FnOnce() -> Result<Value> + Send>;

enum Answer {
    Coming(Coming),
    Here(Value),
}

/// Answers by environment and path.
#[derive(Default)]
pub(super) struct Ahead {
    known: Mutex<HashMap<(String, String), (Instant, Answer)>>,
}

fn key(asked: &Asked) -> (String, String) {
    (asked.saltenv.as_str().to_owned(), asked.path.as_str().to_owned())
}

impl Ahead {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), (Instant, Answer)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for checksum and size of a file, unless there is a good answer, or one is coming.
    pub(super) fn ask(&self, asked: &Asked, begin: impl FnOnce() -> Option<Coming>) {
        let key = key(asked);
        let mut known = self.lock();
        if known.get(&key).is_some_and(|(since, _)| since.elapsed() < GOOD) {
            return;
        }
        if known.len() >= MANY {
            known.retain(|_, (since, _)| since.elapsed() < GOOD);
        }
        if let Some(coming) = begin() {
            known.insert(key, (Instant::now(), Answer::Coming(coming)));
        }
    }

    /// The answer of a server that has the file: a pair of its checksum and of what else it is. Whoever gets none asks for itself,
    /// and hears what is wrong.
    pub(super) fn answer(&self, asked: &Asked) -> Option<Value> {
        let key = key(asked);
        // Others need not wait, too.
        let (since, answer) = self.lock().remove(&key)?;
        let value = match answer {
            Answer::Coming(coming) => coming().ok()?,
            Answer::Here(value) => value,
        };
        let has_sum = value.as_list().and_then(|pair| pair.first()).and_then(Value::as_map);
        if since.elapsed() >= GOOD || has_sum.is_none_or(brine_core::Map::is_empty) {
            return None;
        }
        self.lock().insert(key, (since, Answer::Here(value.clone())));
        Some(value)
    }

    /// No answer is good any more.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }
}
