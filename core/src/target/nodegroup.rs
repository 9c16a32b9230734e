//! Nodegroups: names for compound expressions, which may name each other.

use crate::text::python_str;
use brine_protocol::{Map, Value};

/// How many words an expansion may yield: nested groups can double at every level.
pub(super) const MAX_WORDS: usize = 10_000;
const OPERATORS: [&str; 5] = ["and", "or", "not", "(", ")"];

/// The words of a compound expression that a nodegroup stands for. An unknown group, or a group that contains
/// itself, yields nothing where it stands.
pub fn nodegroup_comp(nodegroup: &str, nodegroups: &Map) -> Vec<String> {
    let mut expansion = Expansion { nodegroups, open: Vec::new(), left: MAX_WORDS };
    let words = expansion.expand(nodegroup, true);
    if expansion.left == 0 { Vec::new() } else { words }
}

struct Expansion<'a> {
    nodegroups: &'a Map,
    /// The groups being expanded, outermost first.
    open: Vec<String>,
    left: usize,
}

impl Expansion<'_> {
    fn expand(&mut self, nodegroup: &str, outermost: bool) -> Vec<String> {
        if self.open.iter().any(|open| open == nodegroup) {
            return Vec::new();
        }
        let words: Vec<String> = match self.nodegroups.get(nodegroup) {
            Some(Value::Str(text)) => text.split_whitespace().map(str::to_owned).collect(),
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            _ => return Vec::new(),
        };
        self.left = self.left.saturating_sub(words.len());
        if self.left == 0 {
            return Vec::new();
        }
        self.open.push(nodegroup.to_owned());
        let mut expanded = false;
        let mut out = Vec::new();
        for word in &words {
            match word.strip_prefix("N@") {
                Some(inner) if !inner.is_empty() => {
                    expanded = true;
                    out.extend(self.expand(inner, false));
                }
                _ => out.push(word.clone()),
            }
        }
        self.open.pop();
        if !out.is_empty() {
            out.insert(0, "(".into());
            out.push(")".into());
        }
        if expanded && outermost {
            return out;
        }
        match names_only(&words) {
            Some(joined) => vec![joined],
            None if outermost => words,
            None => out,
        }
    }
}

/// Words without operator, wildcard or `X@` are names (`L@a,b`), or a regular expression if one looks like it.
fn names_only(words: &[String]) -> Option<String> {
    let compound = |w: &String| {
        OPERATORS.contains(&w.as_str())
            || w.contains('*')
            || matches!(w.as_bytes(), [letter, b'@', ..] if letter.is_ascii_uppercase())
    };
    if words.iter().any(compound) {
        return None;
    }
    let engine =
        if words.iter().any(|w| w.contains(['(', '[', '{', '\\', '?', '}', ']', ')'])) { 'E' } else { 'L' };
    Some(format!("{engine}@{}", words.join(",")))
}
