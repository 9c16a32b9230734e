//! What is to be told, on disk until it is told: one SQLite file, with a bounded queue for each sink.
//!
//! A notice that was put is delivered, waits, or is dead, and every one is counted as exactly one of these: each step is one
//! transaction, with its counts. A killed process loses no step that was taken; what was being sent then is sent again, under
//! the same id. After a power cut the last moments may be missing (`synchronous=NORMAL`): whoever puts notices knows what fires.
//!
//! In order for each alert: a notice does not go before an older one of the same alert.

mod backoff;
mod db;
mod item;
mod ledger;
mod rate;
mod schema;
mod take;

pub use backoff::Backoff;
pub(crate) use backoff::chance;
pub use db::Queue;
pub use item::{Item, body_of, notice_of};
pub use ledger::{Dead, Ledger, SinkReport};
pub use rate::Rate;
pub use take::Taken;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The tag of the event by which another program says that it has put something into the queues.
pub const RETRY_TAG: &str = "brine/alert/retry";

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The file cannot be made or opened.
    #[error("{0}: {1}")]
    Open(PathBuf, String),
    /// The database refuses.
    #[error("the queue of alerts: {0}")]
    Db(#[from] rusqlite::Error),
}

/// How notices of one sink wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// How many may wait; the oldest die for more.
    pub most: usize,
    /// Notices with equal values of these labels are told together; `None` where grouping means nothing.
    pub group_by: Option<Vec<String>>,
    /// How long the first of a group waits for others.
    pub group_wait: Duration,
    /// How many are told at once.
    pub batch: usize,
}

/// Milliseconds since 1970, as SQLite has numbers.
pub(crate) fn millis(t: SystemTime) -> i64 {
    i64::try_from(crate::clock::millis(t)).unwrap_or(i64::MAX)
}

/// The time of so many milliseconds since 1970.
pub(crate) fn at_millis(millis: i64) -> SystemTime {
    crate::clock::time(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests;
