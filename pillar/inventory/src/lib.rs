//! An inventory: a warehouse of Pallet Jack's as a graph in memory.
//!
//! A *warehouse* is a folder of *kinds* (`system`, `rack`, `domain`), a kind a folder of *pallets*, a pallet a folder of *boxes*
//! (`*.yaml`), of *links* (symbolic links to pallets it inherits from) and of child pallets. `transforms.yaml` makes values of
//! others. [`Snapshot::load`] reads all of it, from a folder or from a revision in git; what is read never changes.
//!
//! Faults in the data are [`Finding`]s with their place, never errors and never panics: a warehouse with faults is still read as
//! far as it can be, and [`Snapshot::is_sound`] says whether to trust it.
//!
//! This knows the format, and in [`salt`] what of it is meant for minions; no pillar and no targets.

pub mod export;
mod finding;
pub mod lint;
mod node;
pub mod salt;
mod snapshot;
mod transform;
mod tree;
mod yaml;

/// Reads a text as boxes are read: its first document, if it has one and can be read, and what is wrong with it. `file` is what
/// places name.
#[must_use]
pub fn parse(text: &[u8], file: &str) -> (Option<Node>, Vec<Finding>) {
    let read = yaml::read(text, &file.into(), &mut yaml::Keys::default());
    (read.root, read.findings)
}

pub use finding::{Finding, Place, Severity};
pub use node::{List, Map, MapIter, Native, Node, Scalar};
pub use snapshot::{
    Candidate, Link, LoadError, Origin, Pallet, PalletId, Progress, Snapshot, Source, Step, Story,
    TransformUse,
};
