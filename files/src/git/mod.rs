//! Trees in git repositories: `gitfs`, a backend of the file server, and the trees that `git_pillar` compiles.
//!
//! The git program does the work on repositories (docs/decisions/0009-git.md says why): with fixed words, without a shell of
//! ours, in an environment made here. Requests never wait for it: a fetch goes on beside them, and what they see is the state
//! of the references after the last good one ([`refs`]). Trees and files are read once and kept by their ids, which never
//! change their meaning. Nothing that a peer sends becomes a word for git: environments are looked up among the references, and
//! only what is a commit's hexadecimal id is asked for.

mod blobs;
mod conf;
mod gitfs;
mod lock;
mod objects;
mod pillar;
mod program;
mod refs;
mod repo;
mod shared;
mod tree;
mod worktree;

pub use conf::{ConfigError, Role};
pub use gitfs::{GitFs, is_asked_for};
pub use pillar::{Checkout, GitPillar};
pub use repo::{Fetch, Repo};
