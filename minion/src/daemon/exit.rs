//! How the daemon ends, and with what exit code.

/// Salt's `EX_NOPERM`.
pub const EX_NOPERM: u8 = 77;

/// The end of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Asked to, by SIGTERM or SIGINT.
    Asked,
    /// A master known before refuses our key, and `rejected_retry` is off.
    Rejected,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Asked => 0,
            Exit::Rejected => EX_NOPERM,
        }
    }
}
