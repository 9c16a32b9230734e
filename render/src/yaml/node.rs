//! A composed document: nodes with tags and marks, before they become values.

use super::error::Mark;

/// Index of a node in its document.
pub(super) type Id = usize;

/// A node's content.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(String),
    Sequence(Vec<Id>),
    Mapping(Vec<(Id, Id)>),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) tag: String,
    pub(super) content: Content,
    pub(super) start: Mark,
    /// Merge keys are already resolved.
    pub(super) flat: bool,
}

impl Node {
    /// PyYAML's name of the kind.
    pub(super) fn kind(&self) -> &'static str {
        match self.content {
            Content::Scalar(_) => "scalar",
            Content::Sequence(_) => "sequence",
            Content::Mapping(_) => "mapping",
        }
    }
}

/// A composed document. Aliases share nodes.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
    /// Bytes of input.
    pub(super) size: usize,
}

/// Where a key of a top-level map stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The key, as written.
    pub key: String,
    /// Its line, counted from one.
    pub line: u64,
}
