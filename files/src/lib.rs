//! Files of a state or pillar tree, from folders on this machine: [`Roots`] for states, [`PillarRoots`] for pillar. Not the files
//! of a master.
//!
//! A path that is asked for becomes a `RelPath` and an environment a `SaltEnv` before either touches the file system.

mod backend;
mod cache;
mod client;
mod fault;
pub mod git;
mod ignore;
mod path;
mod pillar_roots;
mod place;
mod roots;
mod server;
pub mod sum;
mod tree;
pub mod url;
mod walk;

pub use backend::{Backend, Found, Listed};
pub use cache::Cache;
pub use client::{Channel, Client, Dest, Got, Order, get_url};
pub use pillar_roots::PillarRoots;
pub use place::put;
pub use roots::Roots;
pub use server::{FileServer, Named, Told};
