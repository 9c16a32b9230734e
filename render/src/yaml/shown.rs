//! Python's texts of tags, keys and nodes in errors.

use super::node::{Content, Id, Node};
use brine_python::Obj;

/// What a node may take; aliases could make it endless.
const MOST: usize = 64 << 10;

/// `repr` of text.
pub(super) fn text(text: &str) -> String {
    brine_python::repr(&text.into()).unwrap_or_else(|_| text.to_owned())
}

/// `str` of a key.
pub(super) fn plain(key: &Obj) -> String {
    brine_python::str(key).unwrap_or_else(|e| e.to_string())
}

/// `str` of a node's `value`, for a key that is a list or a map.
pub(super) fn value(nodes: &[Node], id: Id) -> String {
    let mut out = String::new();
    if let Content::Scalar(text) = &nodes[id].content {
        return text.clone();
    }
    write(nodes, id, &mut Vec::new(), &mut out);
    out
}

fn write(nodes: &[Node], id: Id, above: &mut Vec<Id>, out: &mut String) {
    if out.len() > MOST || above.len() > 100 {
        out.push_str("...");
        return;
    }
    if above.contains(&id) {
        out.push_str("[...]");
        return;
    }
    above.push(id);
    match &nodes[id].content {
        Content::Scalar(value) => out.push_str(&text(value)),
        Content::Sequence(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_node(nodes, *item, above, out);
            }
            out.push(']');
        }
        Content::Mapping(pairs) => {
            out.push('[');
            for (i, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if i > 0 { ", (" } else { "(" });
                write_node(nodes, *key, above, out);
                out.push_str(", ");
                write_node(nodes, *value, above, out);
                out.push(')');
            }
            out.push(']');
        }
    }
    above.pop();
}

/// `repr` of a node.
pub(super) fn node(nodes: &[Node], id: Id) -> String {
    let mut out = String::new();
    write_node(nodes, id, &mut Vec::new(), &mut out);
    out
}

fn write_node(nodes: &[Node], id: Id, above: &mut Vec<Id>, out: &mut String) {
    if out.len() > MOST {
        return;
    }
    out.push_str(nodes[id].class());
    out.push_str("(tag=");
    out.push_str(&text(&nodes[id].tag.text()));
    out.push_str(", value=");
    write(nodes, id, above, out);
    out.push(')');
}
