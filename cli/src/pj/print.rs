//! What `pj` prints: text and JSON on standard output.

use crate::exit::{CliError, GENERIC, Result};
use brine_inventory::{Finding, Node, Place};
use serde_json::{Map, Value, json};
use std::io::Write;

/// Prints text as it is. A reader that has gone away (`pj dump | head`) ends the command quietly.
pub(super) fn text(text: &str) -> Result {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| match e.kind() {
        std::io::ErrorKind::BrokenPipe => CliError::Code(GENERIC),
        _ => CliError::io("standard output", e),
    })
}

/// Prints JSON, indented.
pub(super) fn json_text(value: &Value) -> Result {
    text(&format!("{value:#}\n"))
}

/// A tree as JSON. Every scalar is a text, as it is for Pallet Jack's tools.
pub(super) fn node(node: &Node) -> Value {
    match node {
        Node::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.to_string(), self::node(v))).collect()),
        Node::List(list) => list.items().iter().map(self::node).collect(),
        Node::Scalar(scalar) => scalar.text().into(),
    }
}

/// A place as JSON.
pub(super) fn place(place: &Place) -> Value {
    json!({"file": &*place.file, "line": place.line, "column": place.column})
}

/// Findings as JSON.
pub(super) fn findings<'a>(all: impl IntoIterator<Item = &'a Finding>) -> Value {
    all.into_iter().map(finding).collect()
}

fn finding(finding: &Finding) -> Value {
    let mut out = Map::new();
    out.insert("code".into(), finding.code.into());
    out.insert("severity".into(), finding.severity.word().into());
    out.insert("message".into(), finding.message.as_str().into());
    if let Some(at) = &finding.place {
        out.insert("place".into(), place(at));
    }
    if let Some((kind, name)) = &finding.pallet {
        out.insert("pallet".into(), json!({"kind": &**kind, "full_name": &**name}));
    }
    Value::Object(out)
}

/// A finding on one line: `file:line:column: error: message [code] (kind/name)`.
pub(super) fn finding_line(finding: &Finding) -> String {
    let at = finding.place.as_ref().map_or_else(String::new, |p| format!("{p}: "));
    let of = match &finding.pallet {
        Some((kind, name)) => format!(" ({kind}/{name})"),
        None => String::new(),
    };
    let line = format!("{at}{}: {} [{}]{of}", finding.severity.word(), finding.message, finding.code);
    // Names of files and pallets are others': they move no cursor.
    line.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Says findings on standard error, errors first.
pub(super) fn tell(all: &[Finding]) {
    let (errors, warnings): (Vec<_>, Vec<_>) = all.iter().partition(|f| f.is_error());
    for finding in errors.into_iter().chain(warnings) {
        eprintln!("{}", finding_line(finding));
    }
}
