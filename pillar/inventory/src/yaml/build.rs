//! Events to nodes: anchors and aliases, merge keys, and the bounds on what they make.

use super::{Fault, Keys, position, tags, typing};
use crate::finding::Place;
use crate::node::{List, Map, MapBuilder, Node, Scalar};
use libyaml_safer::{Event, EventData, Mark, ScalarStyle};
use std::collections::HashMap;
use std::sync::Arc;

/// How deep collections may be nested in each other, aliases followed.
const DEEPEST: usize = 100;

/// How many values a document may have, those that aliases repeat counted again.
const MOST_NODES: usize = 200_000;

/// How many warnings of one file are told.
const MOST_FAULTS: usize = 50;

/// Makes nodes of events.
pub(super) struct Builder<'a> {
    file: &'a Arc<str>,
    keys: &'a mut Keys,
    /// Where the text ended before a line end was added for the parser's sake.
    pub(super) end: u64,
    root: Option<Node>,
    documents: usize,
    open: Vec<Open>,
    anchors: HashMap<String, Anchored>,
    nodes: usize,
    faults: Vec<Fault>,
}

/// What an alias stands for.
#[derive(Clone)]
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// A collection that is not complete.
struct Open {
    anchor: Option<String>,
    /// Values before it.
    nodes: usize,
    /// How deep what is in it goes.
    depth: usize,
    place: Place,
    what: Collection,
}

enum Collection {
    Map(MapBuilder, Option<Key>),
    List(Vec<Node>),
}

struct Key {
    name: Arc<str>,
    merges: bool,
    mark: Mark,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &'a Arc<str>, keys: &'a mut Keys) -> Self {
        Self {
            file,
            keys,
            end: u64::MAX,
            root: None,
            documents: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            faults: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Option<Node>, Vec<Fault>) {
        (self.root, self.faults)
    }

    pub(super) fn event(&mut self, event: Event) -> Result<(), Fault> {
        let mark = event.start_mark;
        if let EventData::DocumentStart { .. } = event.data {
            self.documents += 1;
            if self.documents == 2 {
                self.warn("more-documents", mark, "only the first document of a file counts");
            }
        }
        if self.documents > 1 {
            return Ok(());
        }
        match event.data {
            EventData::Scalar { anchor, tag, value, quoted_implicit, style, .. } => {
                let tag = tag.as_deref();
                let value = self.restored(value, style, event.end_mark);
                tags::scalar(tag, mark)?;
                let merges = value == "<<" && tag != Some(tags::STR);
                let typed = typing::scalar(&value, tag, quoted_implicit);
                let scalar = Scalar::new(&typed.text, &value, typed.native, false, self.place(mark));
                let aliased = || {
                    // An alias gives Ruby's own value: a text is a plain one of Ruby's then.
                    let text = matches!(typed.native, crate::node::Native::Str);
                    Scalar::new(&typed.text, &value, typed.native, text, scalar.place().clone())
                };
                if let Some(anchor) = anchor {
                    let node = Node::Scalar(aliased());
                    self.anchors.insert(anchor, Anchored { node, nodes: 1, depth: 0 });
                }
                self.add(Node::Scalar(scalar), 1, 0, merges, false, mark)
            }
            EventData::Alias { anchor } => {
                if self.open.iter().any(|open| open.anchor.as_ref() == Some(&anchor)) {
                    return Err(Fault::error("recursive-alias", mark, format!("*{anchor} is within itself")));
                }
                let Some(known) = self.anchors.get(&anchor).cloned() else {
                    return Err(Fault::error("unknown-alias", mark, format!("there is no &{anchor} before")));
                };
                self.add(known.node, known.nodes, known.depth, false, true, mark)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                tags::mapping(tag.as_deref(), mark)?;
                let map = MapBuilder::new(self.place(mark));
                self.start(anchor, Collection::Map(map, None), mark)
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                tags::sequence(tag.as_deref(), mark)?;
                self.start(anchor, Collection::List(Vec::new()), mark)
            }
            EventData::MappingEnd | EventData::SequenceEnd => self.complete(mark),
            _ => Ok(()),
        }
    }

    fn start(&mut self, anchor: Option<String>, what: Collection, mark: Mark) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(mark));
        }
        // An alias within means this one, not an earlier one of the name.
        let place = self.place(mark);
        self.open.push(Open { anchor, nodes: self.nodes, depth: 0, place, what });
        Ok(())
    }

    fn complete(&mut self, mark: Mark) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let node = match open.what {
            Collection::Map(map, _) => Node::Map(map.build()),
            Collection::List(items) => Node::List(List::new(items, open.place)),
        };
        let depth = open.depth + 1;
        if let Some(anchor) = open.anchor {
            let nodes = self.nodes - open.nodes + 1;
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, depth });
        }
        self.add(node, 1, depth, false, false, mark)
    }

    /// Puts a value where it belongs. `nodes` are those that it adds to the count, `depth` how deep it is nested in itself.
    fn add(
        &mut self,
        node: Node,
        nodes: usize,
        depth: usize,
        merges: bool,
        alias: bool,
        mark: Mark,
    ) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message = format!("more than {MOST_NODES} values, with those that aliases repeat");
            return Err(Fault::error("too-many-values", mark, message));
        }
        if self.open.len() + depth > DEEPEST {
            return Err(too_deep(mark));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.depth = open.depth.max(depth);
        let (map, key) = match &mut open.what {
            Collection::List(items) => {
                items.push(node);
                return Ok(());
            }
            Collection::Map(map, key) => (map, key),
        };
        let Some(key) = key.take() else {
            let Node::Scalar(name) = &node else {
                let fault = Fault::error("complex-key", mark, format!("{} is no key", node.kind()));
                let Place { line, column, .. } = *node.place();
                return Err(Fault { line, column, ..fault });
            };
            *key = Some(Key { name: self.keys.get(name.text()), merges, mark });
            return Ok(());
        };
        let merged = if key.merges { merged(&node, alias) } else { None };
        if let Some(maps) = merged {
            for map_in in maps {
                for (name, value) in &map_in {
                    map.set(name.clone(), value.clone());
                }
            }
        } else if map.set(key.name.clone(), node) {
            let message = format!("{:?} comes again: the last one counts", key.name);
            self.warn("duplicate-key", key.mark, message);
        }
        Ok(())
    }

    fn warn(&mut self, code: &'static str, mark: Mark, message: impl Into<String>) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::warning(code, mark, message));
        }
    }

    fn place(&self, mark: Mark) -> Place {
        let (line, column) = position(mark);
        Place { file: self.file.clone(), line, column }
    }

    /// A block scalar's text without the line end that was added to the file.
    fn restored(&self, mut value: String, style: ScalarStyle, end: Mark) -> String {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if block && end.index > self.end && value.ends_with('\n') {
            value.pop();
        }
        value
    }
}

fn too_deep(mark: Mark) -> Fault {
    Fault::error("too-deep", mark, format!("nested more than {DEEPEST} deep"))
}

/// What `<<` merges, first to last: a mapping, an alias of one, or a list of them, of which the first counts most. Anything else is an
/// ordinary value of a key of that name.
fn merged(node: &Node, alias: bool) -> Option<Vec<Map>> {
    match node {
        Node::Map(map) => Some(vec![map.clone()]),
        Node::List(list) if !alias => list.items().iter().rev().map(|item| item.map().cloned()).collect(),
        _ => None,
    }
}
