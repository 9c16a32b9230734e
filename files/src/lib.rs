//! Files of state and pillar trees: the [`FileServer`] with its backends, and the [`Client`] that keeps copies of what a server
//! has, a master's or one of its own process; what [`get_url`] brings from elsewhere; archives; custom modules. Not how a request travels.
//!
//! A path that is asked for becomes a `RelPath` and an environment a `SaltEnv` before either touches the file system.

pub mod archive;
mod backend;
mod cache;
mod client;
pub mod extmods;
mod fault;
pub mod git;
mod ignore;
mod path;
mod pillar_roots;
mod place;
mod server;
mod stamp;
pub mod sum;
mod tree;
mod unseen;
pub mod url;
mod walk;

pub use backend::{Backend, Found, Listed};
pub use cache::Cache;
pub use client::{Channel, Client, Coming, Dest, Got, Order, get_url};
pub use fault::file_error;
pub use pillar_roots::PillarRoots;
pub use place::{put, put_bytes, write_over};
pub use server::{FileServer, Named, Told, is_left_out};
pub use stamp::Stamp;
pub use unseen::Unseen;
