//! Jobs on this minion: what they are called with, how they run, what they return, and who runs now.
//!
//! Blocking code: a job is a thread. Where jobs come from and where returns go is the connection's business.

pub mod arguments;
pub mod job_cache;
pub mod outcome;
pub mod proc_files;
pub mod recent;
pub mod reply;
pub mod returners;
pub mod rules;
pub mod runner;
pub mod table;
