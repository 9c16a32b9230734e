//! What alerts ask of the master around them.

use std::fmt::Debug;
use std::time::SystemTime;

use brine_protocol::Map;

use crate::Labels;
use crate::event::Event;

/// The master. None of this may wait for anybody.
pub trait Around: Send + Sync + Debug {
    /// The inventory's labels of a minion, from what is kept of it.
    fn labels(&self, minion: &str) -> Labels;

    /// All minions whose keys are accepted.
    fn minions(&self) -> Vec<String>;

    /// Whether a minion's key is accepted.
    fn is_accepted(&self, minion: &str) -> bool;

    /// Whether no connection can be this minion's.
    fn is_absent(&self, minion: &str) -> bool;

    /// Percent of the disk that the master's cache is on that are taken.
    fn disk(&self) -> Option<usize>;

    /// Percent of its bound that the job store takes.
    fn job_store(&self) -> Option<usize>;

    /// The events of returns that are kept since a moment, in the order in which they came: what a master that was killed had
    /// acknowledged and perhaps not looked at.
    fn kept_since(&self, since: SystemTime) -> Vec<Event>;

    /// Fires an event on the master's bus.
    fn fire(&self, tag: &str, data: Map);
}
