//! The `_auth` handshake, as a state machine on the minion's side and a pure decision on the master's.
//!
//! Key files, timers and retries belong to the callers: they hand in what is stored and carry out what is decided.

pub mod autosign;
pub mod master;
pub mod minion;
mod reply;
