//! Events to nodes: anchors, aliases, tags. It does not recurse, so that nesting costs no stack.

use super::error::{Class, Mark, YamlError};
use super::input::{COLON, Input};
use super::node::{Content, Document, Id, Node, Tag};
use brine_core::scalar::{self, Kind};
use libyaml_safer::{self as y, ErrorKind, Event, EventData};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// libyaml's own bound, for brackets and for indentation each.
pub(super) const MAX_NESTING: usize = 1000;

/// The document of a stream that holds at most one.
pub(super) fn compose(text: &str, name: &str) -> Result<Option<Document>, YamlError> {
    if text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
        // Within double quotes, the parser panics over a backslash at the very end. Followed by a letter that is no
        // escape it says what libyaml says; elsewhere a backslash means nothing.
        const UNKNOWN: &str = "found unknown escape character";
        if let Err(e) = compose(&format!("{text}q"), name)
            && &*e.problem == UNKNOWN
        {
            return Err(e);
        }
    }
    let mut lone = Vec::new();
    loop {
        let input = Input::new(text, name, &lone)?;
        match parse(&input, text.len(), name) {
            Ok(document) => return Ok(document),
            Err(Stop::Error(e)) => return Err(e),
            Err(Stop::Lone(at)) if lone.len() < MOST_LONE => {
                // Where it is without those that were inserted before, and without the mark of Unicode.
                lone.push(at - lone.len() * COLON.len() - input.tag_blanks(at));
                lone.sort_unstable();
            }
            Err(Stop::Lone(_)) => {
                return Err(YamlError::nowhere(Class::Scanner, name, "the document cannot be scanned"));
            }
        }
    }
}

/// How many `[? ]` a document may have: each has it parsed again.
const MOST_LONE: usize = 100;

/// Why a document is not read to its end.
enum Stop {
    Error(YamlError),
    /// The parser has lost a bracket, at this byte of its input.
    Lone(usize),
}

impl From<YamlError> for Stop {
    fn from(e: YamlError) -> Self {
        Stop::Error(e)
    }
}

fn parse(input: &Input<'_>, size: usize, name: &str) -> Result<Option<Document>, Stop> {
    let mut bytes = input.text.as_bytes();
    let mut parser = y::Parser::new();
    parser.set_encoding(y::Encoding::Utf8);
    parser.set_input_string(&mut bytes);
    let mut composer = Composer {
        parser,
        input,
        name,
        nodes: Vec::with_capacity(size / 12),
        anchors: HashMap::new(),
        open: Vec::new(),
        cycle: None,
        flow: 0,
        block: 0,
    };
    composer.next()?; // stream start
    let event = composer.next()?;
    if matches!(event.data, EventData::StreamEnd) {
        return Ok(None);
    }
    let root = composer.root()?;
    composer.next()?; // document end
    let event = composer.next()?;
    if !matches!(event.data, EventData::StreamEnd) {
        let mark = input.mark(event.start_mark, true);
        return Err(YamlError::at(Class::Composer, name, "but found another document", mark)
            .within("expected a single document in the stream", Some(composer.nodes[root].start))
            .into());
    }
    let shares = !composer.anchors.is_empty();
    Ok(Some(Document { nodes: composer.nodes, root, shares, cycle: composer.cycle, size }))
}

/// A collection not yet complete.
struct Open {
    id: Id,
    flow: bool,
    /// Whether it counts as a level.
    level: bool,
    members: Members,
}

enum Members {
    Items(Vec<Id>),
    Pairs(Vec<(Id, Id)>, Option<Id>),
}

struct Composer<'r, 'i> {
    parser: y::Parser<&'r mut &'r [u8]>,
    input: &'i Input<'i>,
    name: &'i str,
    nodes: Vec<Node>,
    anchors: HashMap<String, Id>,
    /// An alias to one of these is a cycle.
    open: Vec<Open>,
    /// The first node that holds itself.
    cycle: Option<Id>,
    flow: usize,
    block: usize,
}

impl Composer<'_, '_> {
    fn next(&mut self) -> Result<Event, YamlError> {
        // The parser panics on a few malformed documents. Its state is not used again after an error.
        let e = match catch_unwind(AssertUnwindSafe(|| self.parser.parse())) {
            Ok(Ok(event)) => return Ok(event),
            Ok(Err(e)) => e,
            Err(_) => {
                return Err(YamlError::nowhere(Class::Scanner, self.name, "the document cannot be scanned"));
            }
        };
        if self.flow == 0
            && let Some((context, context_mark, problem, mark)) = self.input.after_tag(&e)
        {
            return Err(
                YamlError::at(Class::Scanner, self.name, problem, mark).within(context, Some(context_mark))
            );
        }
        let within = self.input.is_within(&e);
        let class = if e.kind() == ErrorKind::Parser { Class::Parser } else { Class::Scanner };
        Err(YamlError {
            class,
            name: self.name.into(),
            context: e.context().map(Box::from),
            context_mark: e.context_mark().map(|m| self.input.mark(m, within)),
            problem: e.problem().into(),
            problem_mark: e.problem_mark().map(|m| self.input.mark(m, within)),
        })
    }

    fn fail(&self, problem: &str, mark: Mark) -> YamlError {
        YamlError::at(Class::Composer, self.name, problem, mark)
    }

    /// The node of a whole document.
    fn root(&mut self) -> Result<Id, Stop> {
        loop {
            let event = self.next()?;
            if let Some(at) = self.lost_bracket(&event) {
                return Err(Stop::Lone(at));
            }
            let done = match event.data {
                EventData::SequenceEnd | EventData::MappingEnd => self.close(),
                _ => self.node(event)?,
            };
            let Some(id) = done else { continue };
            match self.open.last_mut().map(|open| &mut open.members) {
                None => return Ok(id),
                Some(Members::Items(items)) => items.push(id),
                Some(Members::Pairs(pairs, key)) => match key.take() {
                    Some(key) => pairs.push((key, id)),
                    None => {
                        *key = Some(id);
                        self.note_merge(id);
                    }
                },
            }
        }
    }

    /// Where the bracket is that the parser has taken for a part of `[? ]`'s key.
    fn lost_bracket(&self, event: &Event) -> Option<usize> {
        let EventData::Scalar { value, style: y::ScalarStyle::Plain, .. } = &event.data else { return None };
        let Members::Pairs(pairs, None) = &self.open.last()?.members else { return None };
        let at = usize::try_from(event.start_mark.index).ok()?.checked_sub(1)?;
        let bracket = self.input.text.as_bytes().get(at) == Some(&b']');
        (value.is_empty() && pairs.is_empty() && bracket && event.start_mark == event.end_mark).then_some(at)
    }

    /// Remembers that the innermost map has a key to resolve.
    fn note_merge(&mut self, key: Id) {
        if matches!(self.nodes[key].tag, Tag::Plain(Kind::Merge | Kind::Default))
            && let Some(open) = self.open.last()
        {
            self.nodes[open.id].merges = true;
        }
    }

    /// Completes the innermost collection.
    fn close(&mut self) -> Option<Id> {
        let open = self.open.pop()?;
        if open.level {
            let count = if open.flow { &mut self.flow } else { &mut self.block };
            *count -= 1;
        }
        self.nodes[open.id].content = match open.members {
            Members::Items(items) => Content::Sequence(items),
            Members::Pairs(pairs, _) => Content::Mapping(pairs),
        };
        Some(open.id)
    }

    /// A node that is complete; none of a collection that begins.
    fn node(&mut self, event: Event) -> Result<Option<Id>, YamlError> {
        let (at, end) = (event.start_mark, event.end_mark);
        let start = self.input.mark(at, true);
        match event.data {
            EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                Some(id) => {
                    if self.open.iter().any(|open| open.id == *id) {
                        self.cycle.get_or_insert(*id);
                    }
                    Ok(Some(*id))
                }
                None => Err(self.fail("found undefined alias", start)),
            },
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                self.input.restore(&mut value, style, end.index);
                let tag = explicit(tag)
                    .unwrap_or_else(|| Tag::Plain(if plain_implicit { resolve(&value) } else { Kind::Str }));
                self.add(anchor, tag, Content::Scalar(value), start).map(Some)
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let flow = style == y::SequenceStyle::Flow;
                // A sequence at its key's own indentation is no level of the scanner's.
                let level = flow || at.index == end.index || anchor.is_some() || tag.is_some();
                let tag = explicit(tag).unwrap_or(Tag::Seq);
                let id = self.add(anchor, tag, Content::Sequence(Vec::new()), start)?;
                self.begin(Open { id, flow, level, members: Members::Items(Vec::new()) }, start)?;
                Ok(None)
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let flow = style == y::MappingStyle::Flow;
                let tag = explicit(tag).unwrap_or(Tag::Map);
                let id = self.add(anchor, tag, Content::Mapping(Vec::new()), start)?;
                // `[a: b]` has a map without brackets.
                let level = !flow || at.index != end.index;
                self.begin(Open { id, flow, level, members: Members::Pairs(Vec::new(), None) }, start)?;
                Ok(None)
            }
            _ => Err(self.fail("unexpected event", start)),
        }
    }

    fn begin(&mut self, open: Open, mut start: Mark) -> Result<(), YamlError> {
        if open.level {
            let count = if open.flow { &mut self.flow } else { &mut self.block };
            *count += 1;
            if *count > MAX_NESTING - usize::from(!open.flow) {
                let what = if open.flow { "flow" } else { "block" };
                if matches!(open.members, Members::Pairs(..)) && !open.flow {
                    // The scanner notices a map when it comes to the colon.
                    let key = self.next()?;
                    start = self.input.mark(key.end_mark, true);
                }
                let error = YamlError::at(Class::Scanner, self.name, "exceeded maximum nesting depth", start);
                return Err(error.within(&format!("while increasing {what} level"), Some(start)));
            }
        }
        self.open.push(open);
        Ok(())
    }

    fn add(
        &mut self,
        anchor: Option<String>,
        tag: Tag,
        content: Content,
        start: Mark,
    ) -> Result<Id, YamlError> {
        let id = self.nodes.len();
        if let Some(anchor) = anchor {
            if let Some(first) = self.anchors.get(&anchor) {
                let first = self.nodes[*first].start;
                return Err(self
                    .fail("second occurrence", start)
                    .within("found duplicate anchor; first occurrence", Some(first)));
            }
            self.anchors.insert(anchor, id);
        }
        self.nodes.push(Node { tag, content, start, merges: false });
        Ok(id)
    }
}

/// What a scalar resolves to. With the tag `!` a block scalar may be a number, too, whose line end Python's expressions overlook.
fn resolve(value: &str) -> Kind {
    match value.strip_suffix('\n') {
        Some("") => Kind::Str,
        Some(line) => scalar::resolve(line),
        None => scalar::resolve(value),
    }
}

/// A tag other than the non-specific `!`.
fn explicit(tag: Option<String>) -> Option<Tag> {
    tag.filter(|t| t != "!").map(|tag| {
        // The parser makes a character of each octet that is written as `%XX`.
        if tag.is_ascii() {
            return Tag::named(tag);
        }
        let octets: Option<Vec<u8>> = tag.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        Tag::named(octets.and_then(|octets| String::from_utf8(octets).ok()).unwrap_or(tag))
    })
}
