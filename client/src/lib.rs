//! Finding a master on this host and asking it, as every local user does: with the key of a user's file ([`who`]), over
//! the request port ([`Link`]), and by reading its event bus ([`bus`]). What operators' commands stand on, and a minion
//! beside its master. Printing, prompting and what a call may do are the callers' business.

pub mod batch;
pub mod bus;
mod job;
mod link;
pub mod order;
pub mod who;

use std::path::PathBuf;

pub use brine_protocol::message::events::Event;
pub use bus::Listener;
pub use job::{Job, Patience, wait};
pub use link::{Link, Published};
pub use who::Who;

/// Why the master gave no answer, or none that helps. The texts are for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is there.
    #[error("The salt master could not be contacted. Is master running?")]
    Unreachable,
    /// It says no, or something else than was asked for; in its own words, where it has any.
    #[error("{0}")]
    Refused(String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The bus has ended: the master went away.
    #[error("the master's event bus has ended: {0}")]
    BusEnded(std::io::Error),
    /// A file or socket of the master.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// What asking comes to.
pub type Result<T, E = Error> = std::result::Result<T, E>;
