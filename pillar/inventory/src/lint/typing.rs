//! Texts that are not what they look like: Pallet Jack makes texts of what Ruby's YAML reader makes of them.

use super::about;
use crate::{Finding, Native, Node, PalletId, Scalar, Severity, Snapshot};

pub(super) fn check(snap: &Snapshot, out: &mut Vec<Finding>) {
    for id in snap.pallets() {
        for (_, content) in snap.pallet(id).boxes() {
            for (_, value) in content.into_iter().flat_map(|map| map.iter()) {
                walk(snap, id, value, out);
            }
        }
    }
}

fn walk(snap: &Snapshot, id: PalletId, node: &Node, out: &mut Vec<Finding>) {
    match node {
        Node::Map(map) => map.iter().for_each(|(_, value)| walk(snap, id, value, out)),
        Node::List(list) => list.items().iter().for_each(|value| walk(snap, id, value, out)),
        Node::Scalar(scalar) => {
            if let Some((code, what)) = surprise(scalar) {
                let message = format!(
                    "{} is {what}, and becomes {:?}; quotes keep it as it is",
                    scalar.written(),
                    scalar.text()
                );
                out.push(about(snap, id, code, Severity::Warning, Some(scalar.place().clone()), message));
            }
        }
    }
}

/// Why a text that was written is another one.
fn surprise(scalar: &Scalar) -> Option<(&'static str, &'static str)> {
    let written = scalar.written();
    let changed = written != scalar.text();
    match scalar.native() {
        _ if !changed => None,
        Native::Int(_) | Native::Big | Native::Float(_) if written.contains(':') => {
            Some(("sexagesimal", "a number of base 60"))
        }
        Native::Int(_) | Native::Big => {
            let digits = written.trim_start_matches(['+', '-']);
            Some(match digits.strip_prefix('0').and_then(|rest| rest.chars().next()) {
                Some('x' | 'X') => ("hexadecimal", "a number of base 16"),
                Some('b' | 'B') => ("binary", "a number of base 2"),
                Some('0'..='9' | '_') => ("octal", "a number of base 8"),
                _ => ("number-rewritten", "a number"),
            })
        }
        Native::Float(_) => Some(("number-rewritten", "a number")),
        Native::Bool(_) if ["true", "false"].contains(&written.to_ascii_lowercase().as_str()) => None,
        Native::Bool(_) => Some(("boolean-word", "a truth value")),
        Native::Null if ["null", "NULL", "Null"].contains(&written) => Some(("null-word", "nothing")),
        Native::Symbol => Some(("symbol", "a symbol of Ruby's")),
        Native::Date | Native::Time => Some(("time-rewritten", "a time")),
        Native::Null | Native::Str => None,
    }
}
