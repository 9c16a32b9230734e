//! What tests of the inventory share: the checked-in warehouses, and YAML read without any typing.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod model;
pub(crate) mod site;

use brine_inventory::{Node, Origin, Snapshot};
use libyaml_safer::{EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A file or folder of the test data.
pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// A warehouse that is a folder.
pub(crate) fn load(path: &Path) -> Snapshot {
    Snapshot::load(&Origin::Directory(path.into()), &mut |_| {}).unwrap()
}

/// The texts of a value, as JSON.
pub(crate) fn texts(node: &Node) -> Value {
    match node {
        Node::Scalar(scalar) => Value::String(scalar.text().to_owned()),
        Node::List(list) => list.items().iter().map(texts).collect(),
        Node::Map(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.to_string(), texts(value))).collect())
        }
    }
}

/// A scalar as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Its path, parts of which are keys and positions.
    pub(crate) path: Vec<String>,
    /// The text.
    pub(crate) text: String,
    /// Whether it is in quotes without the tag `!`, by which Pallet Jack marks texts of its own.
    pub(crate) quoted: bool,
}

/// The documents of a text, every scalar of them a text; and all their scalars.
pub(crate) fn documents(text: &str) -> Vec<(Value, Vec<Written>)> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut out = Vec::new();
    loop {
        match parser.parse().unwrap().data {
            EventData::StreamEnd => return out,
            EventData::DocumentStart { .. } => {
                let mut scalars = Vec::new();
                let mut path = Vec::new();
                let root = parser.parse().unwrap().data;
                let root = node(&mut parser, root, &mut path, &mut scalars);
                out.push((root, scalars));
            }
            _ => {}
        }
    }
}

type Events<'r, 'b> = Parser<&'b mut &'r [u8]>;

fn node(
    parser: &mut Events<'_, '_>,
    event: EventData,
    path: &mut Vec<String>,
    out: &mut Vec<Written>,
) -> Value {
    match event {
        EventData::Scalar { value, style, quoted_implicit, .. } => {
            let quoted = style != ScalarStyle::Plain && quoted_implicit;
            out.push(Written { path: path.clone(), text: value.clone(), quoted });
            Value::String(value)
        }
        EventData::SequenceStart { .. } => {
            let mut items = Vec::new();
            loop {
                let event = parser.parse().unwrap().data;
                if matches!(event, EventData::SequenceEnd) {
                    return Value::Array(items);
                }
                path.push(items.len().to_string());
                items.push(node(parser, event, path, out));
                path.pop();
            }
        }
        EventData::MappingStart { .. } => {
            let mut map = Map::new();
            loop {
                let key = match parser.parse().unwrap().data {
                    EventData::MappingEnd => return Value::Object(map),
                    EventData::Scalar { value, .. } => value,
                    other => panic!("a key {other:?}"),
                };
                let event = parser.parse().unwrap().data;
                path.push(key.clone());
                let value = node(parser, event, path, out);
                path.pop();
                map.insert(key, value);
            }
        }
        other => panic!("unexpected {other:?}"),
    }
}
