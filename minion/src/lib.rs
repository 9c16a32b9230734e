//! The minion daemon and `salt-call`.

pub mod call;
mod chance;
pub mod connect;
pub mod daemon;
pub mod identity;
pub mod jobs;
mod local_bus;
mod local_master;
mod local_tree;
mod modules_in_force;
pub mod spool;
pub mod startup;

pub use brine_core::cmdline;
