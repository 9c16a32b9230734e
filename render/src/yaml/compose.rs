//! Events to nodes: anchors, aliases, tags.

use super::error::{Mark, YamlError};
use super::node::{Content, Document, Id, Node};
use brine_core::scalar::{self, Kind};
use libyaml_safer::{Event, EventData, Parser};
use std::collections::HashMap;

/// How deep a document may nest; PyYAML's own limit is Python's stack, about 300 levels.
pub(super) const MAX_DEPTH: usize = 200;

pub(super) const PREFIX: &str = "tag:yaml.org,2002:";

/// The document of a stream that holds at most one.
pub(super) fn compose(text: &str, name: &str) -> Result<Option<Document>, YamlError> {
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| !printable(*c)) {
        return Err(YamlError {
            name: name.to_owned(),
            context: None,
            context_mark: None,
            problem: format!(
                "unacceptable character #x{:04x}: control characters are not allowed\n  in \"{name}\", position {at}",
                c as u32
            ),
            problem_mark: None,
        });
    }
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_encoding(libyaml_safer::Encoding::Utf8);
    parser.set_input_string(&mut input);
    let mut composer =
        Composer { parser, name, nodes: Vec::new(), anchors: HashMap::new(), open: Vec::new() };
    composer.next()?; // stream start
    let event = composer.next()?;
    if matches!(event.data, EventData::StreamEnd) {
        return Ok(None);
    }
    let start = Mark::from(event.start_mark);
    let event = composer.next()?;
    let root = composer.node(event, 0)?;
    composer.next()?; // document end
    let event = composer.next()?;
    if !matches!(event.data, EventData::StreamEnd) {
        return Err(YamlError::at(name, "but found another document", event.start_mark.into())
            .within("expected a single document in the stream", Some(start)));
    }
    Ok(Some(Document { nodes: composer.nodes, root, size: text.len() }))
}

/// What libyaml lets through.
fn printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

struct Composer<'r, 'n> {
    parser: Parser<&'r mut &'r [u8]>,
    name: &'n str,
    nodes: Vec<Node>,
    anchors: HashMap<String, Id>,
    /// Collections not yet complete: an alias to one would be a cycle.
    open: Vec<Id>,
}

impl Composer<'_, '_> {
    fn next(&mut self) -> Result<Event, YamlError> {
        self.parser.parse().map_err(|e| YamlError::parser(self.name, &e))
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Id, YamlError> {
        let start = Mark::from(event.start_mark);
        if depth > MAX_DEPTH {
            return Err(YamlError::at(self.name, "nested too deeply", start));
        }
        match event.data {
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(id) if self.open.contains(id) => Err(YamlError::at(
                    self.name,
                    "found unconstructable recursive node",
                    self.nodes[*id].start,
                )),
                Some(id) => Ok(*id),
                None => Err(YamlError::at(self.name, "found undefined alias", start)),
            },
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                let tag = explicit(tag).unwrap_or_else(|| {
                    let kind = if plain_implicit { scalar::resolve(&value) } else { Kind::Str };
                    tag_of(kind)
                });
                Ok(self.add(anchor, Node { tag, content: Content::Scalar(value), start, flat: true }))
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                let tag = explicit(tag).unwrap_or_else(|| format!("{PREFIX}seq"));
                let id =
                    self.add(anchor, Node { tag, content: Content::Sequence(Vec::new()), start, flat: true });
                self.open.push(id);
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, depth + 1)?);
                }
                self.open.pop();
                self.nodes[id].content = Content::Sequence(items);
                Ok(id)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                let tag = explicit(tag).unwrap_or_else(|| format!("{PREFIX}map"));
                let id =
                    self.add(anchor, Node { tag, content: Content::Mapping(Vec::new()), start, flat: false });
                self.open.push(id);
                let mut pairs = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::MappingEnd) {
                        break;
                    }
                    let key = self.node(event, depth + 1)?;
                    let event = self.next()?;
                    pairs.push((key, self.node(event, depth + 1)?));
                }
                self.open.pop();
                self.nodes[id].content = Content::Mapping(pairs);
                Ok(id)
            }
            _ => Err(YamlError::at(self.name, "unexpected event", start)),
        }
    }

    fn add(&mut self, anchor: Option<String>, node: Node) -> Id {
        self.nodes.push(node);
        let id = self.nodes.len() - 1;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        id
    }
}

/// A tag other than the non-specific `!`.
fn explicit(tag: Option<String>) -> Option<String> {
    tag.filter(|t| t != "!")
}

fn tag_of(kind: Kind) -> String {
    let name = match kind {
        Kind::Null => "null",
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Timestamp => "timestamp",
        Kind::Merge => "merge",
        Kind::Default => "value",
        Kind::Indicator => "yaml",
        Kind::Str => "str",
    };
    format!("{PREFIX}{name}")
}
