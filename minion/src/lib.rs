//! The minion daemon and salt-call.
