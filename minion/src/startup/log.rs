//! The log of both programs.

use brine_core::Opts;

/// Whose log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The daemon.
    Daemon,
    /// `salt-call`.
    Command,
}

/// Keeps the log going.
pub struct Guard;

/// Starts the log.
pub fn start(_opts: &Opts, _kind: Kind) -> std::io::Result<Guard> {
    Ok(Guard)
}

/// Opens the log file anew.
pub fn reopen() {}
