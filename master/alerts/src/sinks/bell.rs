//! What wakes the thread of a sink.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Default)]
struct State {
    rung: bool,
    closed: bool,
}

/// A bell: rung by many, heard by one.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    heard: Condvar,
}

/// Why a listener goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was rung for.
    Ring,
    /// The time has come.
    Time,
    /// It is over.
    End,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.state.lock().rung = true;
        self.heard.notify_one();
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.heard.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Waits until it is rung or a time has come. A ring from before counts.
    pub(super) fn wait(&self, until: Option<Instant>) -> Heard {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return Heard::End;
            }
            if std::mem::take(&mut state.rung) {
                return Heard::Ring;
            }
            match until {
                None => self.heard.wait(&mut state),
                Some(until) if Instant::now() >= until => return Heard::Time,
                Some(until) => drop(self.heard.wait_until(&mut state, until)),
            }
        }
    }
}
