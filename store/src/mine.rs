//! Who may read what of the mine: the master's rule `mine_get`, and the rule that a minion stores with an item.

use std::collections::HashMap;

use brine_core::target::{Anchor, Regex, check_minions};
use brine_protocol::{Map, Value};

use crate::MinionData;

/// Marks a stored item that says itself who may read it.
const ITEM_ACL: &str = "__saltmine_acl__";
/// Where such an item keeps its value.
const ITEM_DATA: &str = "__data__";

/// What `id` gets for a request of `tgt`, `fun` and `tgt_type`: minion to value, or function to that where several
/// functions are asked for. `rules` is the option `mine_get`: absent, all is readable; malformed, nothing.
pub fn readable(data: &MinionData, rules: Option<&Value>, id: &str, load: &Map) -> Map {
    let (Some(tgt), Some(fun)) = (load.get("tgt"), load.get("fun")) else { return Map::new() };
    let (functions, several): (Vec<&str>, bool) = match fun {
        Value::Str(text) => {
            let mut names: Vec<&str> = text.split(',').collect();
            names.sort_unstable();
            names.dedup();
            let several = names.len() > 1;
            (names, several)
        }
        Value::List(list) => (list.iter().filter_map(Value::as_str).collect(), true),
        _ => return Map::new(),
    };
    let allowed: Vec<&str> = functions.into_iter().filter(|fun| may_read(rules, id, fun)).collect();
    let kind = load.get_str("tgt_type").or_else(|| load.get_str("expr_form")).unwrap_or("glob");
    // Pillar is secret: here it is compared exactly, so that nobody learns of others' pillar by trying patterns.
    let kind = match kind.to_lowercase().as_str() {
        "pillar" | "pillar_pcre" => "pillar_exact".to_owned(),
        "compound" => "compound_pillar_exact".to_owned(),
        other => other.to_owned(),
    };
    let targets = check_minions(data, tgt, &kind, ":", false);
    let mut out = Map::new();
    let mut readers = HashMap::new();
    for minion in &targets.minions {
        let Some(mine) = data.mine(minion) else { continue };
        for fun in &allowed {
            let Some(item) = mine.get(fun) else { continue };
            let Some(value) = value_for(data, id, item, &mut readers) else { continue };
            if several {
                let part = out.entry_or(*fun, || Map::new().into());
                if let Some(part) = part.as_map_mut() {
                    part.insert(minion.as_str(), value);
                }
            } else {
                out.insert(minion.as_str(), value);
            }
        }
    }
    out
}

/// The master's own rule, `mine_get`: which minions may read which functions. Absent: all; malformed: none.
fn may_read(rules: Option<&Value>, id: &str, fun: &str) -> bool {
    match rules {
        None => true,
        Some(Value::Map(rules)) => rules.iter().any(|(who, funs)| {
            who.as_str().is_some_and(|who| starts(who, id))
                && funs
                    .as_list()
                    .unwrap_or_default()
                    .iter()
                    .any(|f| f.as_str().is_some_and(|f| starts(f, fun)))
        }),
        Some(_) => false,
    }
}

/// Python's `re.match`; what is no regular expression matches nothing.
fn starts(pattern: &str, text: &str) -> bool {
    Regex::new(pattern, Anchor::Match).is_ok_and(|re| re.is_match(text).unwrap_or(false))
}

/// The value of an item, unless the minion that stored it lets others read it and not this one.
fn value_for(
    data: &MinionData,
    id: &str,
    item: &Value,
    readers: &mut HashMap<(Value, String), Vec<String>>,
) -> Option<Value> {
    let Some(acl) = item.as_map().filter(|m| m.contains(ITEM_ACL)) else { return Some(item.clone()) };
    let value = acl.get(ITEM_DATA)?.clone();
    let Some(allow) = acl.get("allow_tgt") else { return Some(value) };
    let kind = acl.get_str("allow_tgt_type").unwrap_or("glob").to_owned();
    let readers = readers
        .entry((allow.clone(), kind.clone()))
        .or_insert_with(|| check_minions(data, allow, &kind, ":", true).minions);
    readers.iter().any(|r| r == id).then_some(value)
}
