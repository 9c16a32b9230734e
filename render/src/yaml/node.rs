//! A composed document: nodes with tags and marks, before they become values.

use super::error::Mark;
use brine_core::scalar::Kind;
use std::borrow::Cow;

/// Index of a node in its document.
pub(super) type Id = usize;

const PREFIX: &str = "tag:yaml.org,2002:";

/// A node's content.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(String),
    Sequence(Vec<Id>),
    Mapping(Vec<(Id, Id)>),
}

/// What a node is to be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// What a plain scalar can resolve to.
    Plain(Kind),
    Binary,
    Seq,
    Map,
    Set,
    Omap,
    Pairs,
    /// `!!python/unicode`, which Salt's loader knows.
    Unicode,
    Other(Box<str>),
}

impl Tag {
    /// A tag as a document names it.
    pub(super) fn named(text: String) -> Self {
        match text.strip_prefix(PREFIX) {
            Some("null") => Tag::Plain(Kind::Null),
            Some("bool") => Tag::Plain(Kind::Bool),
            Some("int") => Tag::Plain(Kind::Int),
            Some("float") => Tag::Plain(Kind::Float),
            Some("timestamp") => Tag::Plain(Kind::Timestamp),
            Some("merge") => Tag::Plain(Kind::Merge),
            Some("value") => Tag::Plain(Kind::Default),
            Some("yaml") => Tag::Plain(Kind::Indicator),
            Some("str") => Tag::Plain(Kind::Str),
            Some("binary") => Tag::Binary,
            Some("seq") => Tag::Seq,
            Some("map") => Tag::Map,
            Some("set") => Tag::Set,
            Some("omap") => Tag::Omap,
            Some("pairs") => Tag::Pairs,
            Some("python/unicode") => Tag::Unicode,
            _ => Tag::Other(text.into()),
        }
    }

    /// The tag in full.
    pub(super) fn text(&self) -> Cow<'_, str> {
        let name = match self {
            Tag::Plain(Kind::Null) => "null",
            Tag::Plain(Kind::Bool) => "bool",
            Tag::Plain(Kind::Int) => "int",
            Tag::Plain(Kind::Float) => "float",
            Tag::Plain(Kind::Timestamp) => "timestamp",
            Tag::Plain(Kind::Merge) => "merge",
            Tag::Plain(Kind::Default) => "value",
            Tag::Plain(Kind::Indicator) => "yaml",
            Tag::Plain(Kind::Str) => "str",
            Tag::Binary => "binary",
            Tag::Seq => "seq",
            Tag::Map => "map",
            Tag::Set => "set",
            Tag::Omap => "omap",
            Tag::Pairs => "pairs",
            Tag::Unicode => "python/unicode",
            Tag::Other(text) => return Cow::Borrowed(text),
        };
        Cow::Owned(format!("{PREFIX}{name}"))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) tag: Tag,
    pub(super) content: Content,
    pub(super) start: Mark,
    /// It has keys `<<` or `=`, which are not resolved yet.
    pub(super) merges: bool,
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

    /// PyYAML's class of the kind.
    pub(super) fn class(&self) -> &'static str {
        match self.content {
            Content::Scalar(_) => "ScalarNode",
            Content::Sequence(_) => "SequenceNode",
            Content::Mapping(_) => "MappingNode",
        }
    }
}

/// A composed document. Aliases share nodes.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
    /// Whether a node can be reached twice.
    pub(super) shares: bool,
    /// A node that holds itself.
    pub(super) cycle: Option<Id>,
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
