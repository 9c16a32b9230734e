//! A small HTTP/1.1 server for the few things that others ask of us: numbers, events, hooks.
//!
//! A [`Handler`] is a plain function from a [`Request`], whose body is there already, to a [`Response`]; one that goes on is fed
//! through a [`Feed`]. Everything a peer costs is bounded by [`Config`]: connections, bytes of a head and of a body, and how long it
//! may be silent or not read. What is served, and to whom, is the caller's business.

mod body;
mod config;
mod request;
mod response;
mod server;
mod stall;

pub use body::{Fed, Feed};
pub use bytes::Bytes;
pub use config::{Config, ServeError, TlsFiles};
pub use request::Request;
pub use response::Response;
pub use server::{Handler, Server};
