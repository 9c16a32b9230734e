//! The signals a minion listens to.

use super::exit::Exit;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGTERM, SIGINT: an orderly end.
    End,
    /// SIGHUP: the log file was moved away, which the log notices by itself.
    Nothing,
}

/// The listeners.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.hup.recv() => Asked::Nothing,
        }
    }

    /// Returns when asked to end.
    pub(super) async fn end(&mut self) -> Exit {
        while self.next().await != Asked::End {}
        Exit::Asked
    }
}
