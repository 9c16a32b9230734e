//! Runs a template's tree.

/// A block of a template, ready to run.
pub struct BlockCode {}
