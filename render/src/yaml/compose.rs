//! Events to nodes: anchors, aliases, tags.

use super::error::{Mark, YamlError};
use super::node::{Content, Document, Id, Node};
use brine_core::scalar::{self, Kind};
use libyaml_safer::{ErrorKind, Event, EventData, Parser, ScalarStyle};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How deep a document may nest; PyYAML's own limit is Python's stack, about 300 levels.
pub(super) const MAX_DEPTH: usize = 200;

pub(super) const PREFIX: &str = "tag:yaml.org,2002:";

/// The document of a stream that holds at most one.
pub(super) fn compose(text: &str, name: &str) -> Result<Option<Document>, YamlError> {
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| !printable(*c)) {
        let problem = format!(
            "unacceptable character #x{:04x}: control characters are not allowed\n  in \"{name}\", position {at}",
            c as u32
        );
        return Err(YamlError::nowhere(name, problem));
    }
    if text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
        // Within double quotes, the parser panics over a backslash at the very end. Followed by a letter that is no
        // escape it says what libyaml says; elsewhere a backslash means nothing.
        const UNKNOWN: &str = "found unknown escape character";
        if let Err(e) = compose(&format!("{text}q"), name)
            && e.problem == UNKNOWN
        {
            return Err(e);
        }
    }
    let padded;
    // The parser cannot read a block scalar that ends without a line end: it gets one, and what is read of it is
    // taken away again.
    let padding =
        !text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) && text.contains(['|', '>']);
    let end = padding.then(|| End::of(text));
    let mut input = if padding {
        padded = format!("{text}\n");
        padded.as_bytes()
    } else {
        text.as_bytes()
    };
    let mut parser = Parser::new();
    parser.set_encoding(libyaml_safer::Encoding::Utf8);
    parser.set_input_string(&mut input);
    let (nodes, anchors, open) = (Vec::new(), HashMap::new(), Vec::new());
    let mut composer = Composer { parser, name, nodes, anchors, open, end };
    composer.next()?; // stream start
    let event = composer.next()?;
    if matches!(event.data, EventData::StreamEnd) {
        return Ok(None);
    }
    let event = composer.next()?;
    let root = composer.node(event, 0)?;
    composer.next()?; // document end
    let event = composer.next()?;
    if !matches!(event.data, EventData::StreamEnd) {
        return Err(YamlError::at(name, "but found another document", composer.mark(event.start_mark, true))
            .within("expected a single document in the stream", Some(composer.nodes[root].start)));
    }
    Ok(Some(Document { nodes: composer.nodes, root, size: text.len() }))
}

/// Where the text ends.
struct End {
    index: u64,
    mark: Mark,
}

impl End {
    fn of(text: &str) -> Self {
        let is_break = |c: char| matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let line = lines.chars().filter(|c| is_break(*c)).count() as u64;
        let column = lines.chars().rev().take_while(|c| !is_break(*c)).count() as u64;
        Self { index: text.len() as u64, mark: Mark { line, column } }
    }
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
    /// Where the text ended before a line end was added to it; none was if absent.
    end: Option<End>,
}

impl Composer<'_, '_> {
    fn next(&mut self) -> Result<Event, YamlError> {
        // The parser panics on a few malformed documents (a tag followed by a comma, a backslash at the end of a
        // quoted text). Its state is not used again after an error.
        let parsed = catch_unwind(AssertUnwindSafe(|| self.parser.parse()));
        let e = match parsed {
            Ok(Ok(event)) => return Ok(event),
            Ok(Err(e)) => e,
            Err(_) => return Err(YamlError::nowhere(self.name, "the document cannot be scanned")),
        };
        // A token that is missing is missed on the line after the last; only the scanner stops within the text.
        let within = e.kind() != ErrorKind::Parser && e.problem() != "could not find expected ':'";
        Err(YamlError {
            name: self.name.to_owned(),
            context: e.context().map(str::to_owned),
            context_mark: e.context_mark().map(|m| self.mark(m, within)),
            problem: e.problem().to_owned(),
            problem_mark: e.problem_mark().map(|m| self.mark(m, within)),
        })
    }

    /// A mark in the text as it was given.
    fn mark(&self, mark: libyaml_safer::Mark, within: bool) -> Mark {
        match &self.end {
            Some(end) if within && mark.index > end.index => end.mark,
            _ => Mark { line: mark.line, column: mark.column },
        }
    }

    /// Takes the line end away that was added to a block scalar.
    fn unpad(&self, value: &mut String, style: ScalarStyle, end: u64) {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let at_end = self.end.as_ref().is_some_and(|own| end > own.index);
        if block && at_end && value.ends_with('\n') {
            value.pop();
        }
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Id, YamlError> {
        let start = self.mark(event.start_mark, true);
        let end = event.end_mark.index;
        self.check_anchor(&event, start)?;
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
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                self.unpad(&mut value, style, end);
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

    fn check_anchor(&self, event: &Event, start: Mark) -> Result<(), YamlError> {
        let (EventData::Scalar { anchor, .. }
        | EventData::SequenceStart { anchor, .. }
        | EventData::MappingStart { anchor, .. }) = &event.data
        else {
            return Ok(());
        };
        match anchor.as_ref().and_then(|anchor| self.anchors.get(anchor)) {
            Some(first) => Err(YamlError::at(self.name, "second occurrence", start)
                .within("found duplicate anchor; first occurrence", Some(self.nodes[*first].start))),
            None => Ok(()),
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
