//! Lists and mappings as Ruby prints them: what Pallet Jack puts in where a rule names one.

use crate::node::Node;
use std::fmt::Write;

/// A value as a text: of a scalar its own, of anything else Ruby's `inspect`. Nothing if it is longer than `most` bytes.
pub(super) fn text(node: &Node, most: usize) -> Option<String> {
    let mut out = String::new();
    match node {
        Node::Scalar(scalar) => out.push_str(scalar.text()),
        other => inspect(other, &mut out, most)?,
    }
    (out.len() <= most).then_some(out)
}

fn inspect(node: &Node, out: &mut String, most: usize) -> Option<()> {
    if out.len() > most {
        return None;
    }
    match node {
        Node::Scalar(scalar) => quoted(scalar.text(), out),
        Node::List(list) => {
            out.push('[');
            for (n, item) in list.items().iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                inspect(item, out, most)?;
            }
            out.push(']');
        }
        Node::Map(map) => {
            out.push('{');
            for (n, (key, value)) in map.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                quoted(key, out);
                out.push_str("=>");
                inspect(value, out, most)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '#' if matches!(chars.peek(), Some('{' | '$' | '@')) => out.push_str("\\#"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                // Nothing can go wrong in writing to a text.
                let _ = write!(out, "\\x{:02X}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A list as Ruby joins it; lists within are joined too. The second is whether a mapping was among them.
pub(super) fn join(items: &[Node], separator: &str, most: usize) -> Option<(String, bool)> {
    let mut out = String::new();
    let mut odd = false;
    join_into(items, separator, &mut out, &mut odd, most)?;
    (out.len() <= most).then_some((out, odd))
}

fn join_into(items: &[Node], separator: &str, out: &mut String, odd: &mut bool, most: usize) -> Option<()> {
    for (n, item) in items.iter().enumerate() {
        out.push_str(if n > 0 { separator } else { "" });
        if out.len() > most {
            return None;
        }
        match item {
            Node::Scalar(scalar) => out.push_str(scalar.text()),
            Node::List(list) => join_into(list.items(), separator, out, odd, most)?,
            Node::Map(_) => {
                *odd = true;
                inspect(item, out, most)?;
            }
        }
    }
    Some(())
}
