//! The master daemon.

pub mod access;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod events;
pub mod fs;
pub mod gate;
pub mod jobs;
pub mod keys;
pub mod master;
pub mod minion_data;
pub mod presence;
pub mod program;
pub mod publish;
pub mod requests;
pub mod sessions;
pub mod start;
pub mod upkeep;
