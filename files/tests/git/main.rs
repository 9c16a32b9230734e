//! Git repositories as trees: against stock's `gitfs`, with real git servers, and as each option says.
//!
//! Stock Salt 3006.28 with pygit2 answers the same questions; git's own daemon, its CGI program and an ssh server stand on
//! loopback for as long as a test runs.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod changes;
mod common;
mod options;
mod remotes;
mod servers;
mod stock;
