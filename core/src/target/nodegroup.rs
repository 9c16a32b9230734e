//! Nodegroups: names for compound expressions, which may name each other.

use crate::text::python_str;
use brine_protocol::{Map, Value};

/// How many words an expansion may yield: nested groups can double at every level.
pub(super) const MAX_WORDS: usize = 10_000;
const OPERATORS: [&str; 5] = ["and", "or", "not", "(", ")"];

/// The key of `nodegroups` that stands for the pallets of an inventory, and what it holds: reading the configuration puts both in where
/// the source `palletjack` of `ext_pillar` tells minions their groups.
pub const INVENTORY: (&str, &str) = ("*/*", "I@palletjack:nodegroups:*/*");

/// What a nodegroup is; none if there is none of this name. `kind/name`, where it is not defined itself, stands for a pallet of an
/// inventory if those are known: minions below it have it in their pillar.
pub fn nodegroup(name: &str, nodegroups: &Map) -> Option<Value> {
    if let Some(defined) = nodegroups.get(name) {
        return Some(defined.clone());
    }
    let template = nodegroups.get_str(INVENTORY.0).filter(|_| name.contains('/'))?;
    Some(Value::List(vec![template.replace(INVENTORY.0, name).into()]))
}

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
        let words: Vec<String> = match self::nodegroup(nodegroup, self.nodegroups) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn pallets_of_an_inventory_are_groups() {
        let (key, word) = INVENTORY;
        let groups = map! {key => word, "room/a" => "m1", "both" => "N@rack/r1 or N@room/a"};
        assert_eq!(nodegroup_comp("rack/r1", &groups), ["I@palletjack:nodegroups:rack/r1"]);
        assert_eq!(nodegroup_comp("rack/my r", &groups), ["I@palletjack:nodegroups:rack/my r"]);
        assert_eq!(nodegroup_comp("room/a", &groups), ["L@m1"], "what is defined counts");
        assert_eq!(
            nodegroup_comp("both", &groups).join(" "),
            "( ( I@palletjack:nodegroups:rack/r1 ) or L@m1 )"
        );
        assert_eq!(nodegroup("rack", &groups), None);
        assert_eq!(nodegroup("rack/r1", &map! {"x" => "y"}), None);
    }
}
