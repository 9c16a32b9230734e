//! Salt's wire, without IO: values, msgpack, cryptography, handshakes as state machines, messages.
//!
//! Bytes go in, bytes and decisions come out; sockets, files and clocks belong to the callers. Nothing here
//! names another crate of ours.

pub mod auth;
pub mod channel;
pub mod command;
pub mod crypt;
pub mod envelope;
pub mod holes;
pub mod ids;
pub mod map;
pub mod message;
pub mod msgpack;
pub mod pillar;
pub mod replay;
pub mod request;
pub mod value;
#[cfg(test)]
mod vectors;
pub mod zmtp;

pub use map::Map;
pub use value::{DateTime, Value};
