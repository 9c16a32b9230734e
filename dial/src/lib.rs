//! Clients of other people's servers, for blocking code: [`http`], [`ftp`], [`pg`], [`mysql`], [`redis`], [`smtp`], and the sockets beneath them.
//!
//! Each connection has deadlines and a bound on what it reads; certificates are checked unless an option says otherwise; no
//! text of an error holds a secret. Which server, and with which password, is the caller's business.

mod cell;
pub mod ftp;
pub mod http;
mod kept;
pub mod mysql;
pub mod pg;
pub mod redis;
pub mod smtp;
mod tls;
mod way;
mod wire;

pub use cell::{Cell, Selected};
pub use kept::{Keep, Kept, Lent, keep_connections};
pub use tls::{Check, Tls};
pub use wire::{CONNECT, Fault, MAX_REPLY, REPLY, Wire, tcp};

/// A row of a database's result as texts; `None` is SQL's NULL.
pub type Row = Vec<Option<String>>;
