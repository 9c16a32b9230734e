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

/// How long an answer is good after it came. Without it, a run would have asked this much later.
const GOOD: Duration = Duration::from_secs(1);
/// From how many questions on those that nobody came back for are dropped, and after how long.
const MANY: usize = 64;
const FORGOTTEN: Duration = Duration::from_secs(60);

/// An answer that is on its way: the call waits for it, and says when it came.
pub type Coming = Box<dyn FnOnce() -> (Instant, Result<Value>) + Send>;

enum Answer {
    Coming(Coming),
    Here(Instant, Value),
}

/// Answers by environment and path, with the time of the question.
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
        let is_good = |answer: &Answer| match answer {
            Answer::Coming(_) => true,
            Answer::Here(came, _) => came.elapsed() < GOOD,
        };
        if known.get(&key).is_some_and(|(_, answer)| is_good(answer)) {
            return;
        }
        if known.len() >= MANY {
            known.retain(|_, (began, answer)| is_good(answer) && began.elapsed() < FORGOTTEN);
        }
        if let Some(coming) = begin() {
            known.insert(key, (Instant::now(), Answer::Coming(coming)));
        }
    }

    /// The answer of a server that has the file: a pair of its checksum and of what else it is. Whoever gets none asks for itself,
    /// and hears what is wrong.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) fn answer(&self, asked: &Asked) -> Result<Option<Value>> {
        let key = key(asked);
        // Others need not wait, too.
        let Some((began, answer)) = self.lock().remove(&key) else { return Ok(None) };
        let (came, value) = match answer {
            Answer::Coming(coming) => {
                let (came, answer) = coming();
                (came, answer?)
            }
            Answer::Here(came, value) => (came, value),
        };
        let sum = value.as_list().and_then(|pair| pair.first()).and_then(Value::as_map);
        if came.elapsed() >= GOOD || sum.is_none_or(brine_core::Map::is_empty) {
            return Ok(None);
        }
        self.lock().insert(key, (began, Answer::Here(came, value.clone())));
        Ok(Some(value))
    }

    /// No answer is good any more.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }
}
