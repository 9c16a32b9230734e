//! Sources of pillar besides files, compared with stock Salt's on the same configuration.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod crypt;
mod databases;
mod files;
mod git;
mod http;
mod plain;
mod server;
mod sql;
mod stock;
mod web;
