//! The operators' commands: `salt` and `salt-key`. Each program is one folder here and a thin main in `bin`.

pub mod args;
mod bus;
mod config;
pub mod exit;
pub mod key;
mod link;
mod output;
pub mod salt;
mod usage;
