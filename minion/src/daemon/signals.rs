//! The signals a minion listens to.

use super::exit::Exit;
use brine_core::debug_dump::write_debug_dump;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGTERM, SIGINT: an orderly end.
    End,
    /// SIGHUP: the log file was moved away, which the log notices by itself. SIGUSR1 is answered here.
    Nothing,
}

/// The listeners.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    usr1: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.hup.recv() => {
                tracing::info!("SIGHUP");
                Asked::Nothing
            }
            _ = self.usr1.recv() => {
                write_debug_dump();
                Asked::Nothing
            }
        }
    }

    /// Returns when asked to end.
    pub(super) async fn end(&mut self) -> Exit {
        while self.next().await != Asked::End {}
        Exit::Asked
    }
}
