//! The shared words above the wire: calls and their registry, options, targeting, jobs, errors.

// The macros name this crate by its full path, also from within.
extern crate self as brine_core;

pub mod apt;
pub mod auth_rules;
pub mod basic_auth;
pub mod call;
pub mod clock;
pub mod cmdline;
pub mod config_option;
pub mod cron;
pub mod debug_dump;
pub mod dictlist;
pub mod difflib;
pub mod files;
pub mod gather;
pub mod host;
pub mod jid;
pub mod kernel;
pub mod log;
pub mod mode;
pub mod netlink;
pub mod options;
pub mod opts;
pub mod posixpath;
pub mod progress;
pub mod pyversion;
pub mod scalar;
pub mod schedule;
mod secret;
pub mod shlex;
pub mod ssh;
pub mod state;
pub mod target;
pub mod text;
pub mod url;
pub mod user;

pub use brine_protocol::{Map, Value, map};
pub use call::{CallError, Cx, Registry};
pub use opts::Opts;
pub use secret::Secret;

/// The stock release we stand in for: what `saltversion`, `test.version` and `--version` say.
pub const COMPAT_VERSION: &str = "3006.28";

/// What `--version` says after the program's name.
pub const COMPAT_VERSION_LINE: &str = "3006.28 (Sulfur)";
