//! The mine: what minions publish about themselves for each other, and who may read it.

use std::collections::HashMap;

use brine_core::target::{Anchor, Regex, check_minions};
use brine_protocol::ids::MinionId;
use brine_protocol::{Map, Value};

use crate::master::Master;

/// Marks a stored item that says itself who may read it.
const ITEM_ACL: &str = "__saltmine_acl__";
/// Where such an item keeps its value.
const ITEM_DATA: &str = "__data__";

pub(super) fn store(master: &Master, id: &MinionId, mut load: Map) -> Value {
    let clear = load.get("clear").is_some_and(Value::truthy);
    match load.remove("data") {
        Some(Value::Map(data)) => done(master.data.put_mine(id, data, clear), id),
        Some(_) => false.into(),
        None => Map::new().into(),
    }
}

pub(super) fn delete(master: &Master, id: &MinionId, load: &Map) -> Value {
    let Some(fun) = load.get_str("fun") else { return Map::new().into() };
    master.data.drop_mine(id, fun).unwrap_or(false).into()
}

pub(super) fn flush(master: &Master, id: &MinionId) -> Value {
    done(master.data.flush_mine(id), id)
}

fn done(result: std::io::Result<()>, id: &MinionId) -> Value {
    if let Err(e) = &result {
        tracing::error!("cannot store the mine of {id}: {e}");
    }
    result.is_ok().into()
}

pub(super) fn get(master: &Master, id: &MinionId, load: &Map) -> Map {
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
    let allowed: Vec<&str> = functions.into_iter().filter(|fun| may_read(master, id, fun)).collect();
    let kind = load.get_str("tgt_type").or_else(|| load.get_str("expr_form")).unwrap_or("glob");
    // Pillar is secret: here it is compared exactly, so that nobody learns of others' pillar by trying patterns.
    let kind = match kind.to_lowercase().as_str() {
        "pillar" | "pillar_pcre" => "pillar_exact".to_owned(),
        "compound" => "compound_pillar_exact".to_owned(),
        other => other.to_owned(),
    };
    let targets = check_minions(&master.data, tgt, &kind, ":", false);
    let mut out = Map::new();
    let mut readers = HashMap::new();
    for minion in &targets.minions {
        let Some(mine) = master.data.mine(minion) else { continue };
        for fun in &allowed {
            let Some(item) = mine.get(fun) else { continue };
            let Some(value) = readable(master, id, item, &mut readers) else { continue };
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
fn may_read(master: &Master, id: &MinionId, fun: &str) -> bool {
    match &master.config.access.mine_get {
        None => true,
        Some(Value::Map(rules)) => rules.iter().any(|(who, funs)| {
            who.as_str().is_some_and(|who| starts(who, id.as_str()))
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
fn readable(
    master: &Master,
    id: &MinionId,
    item: &Value,
    readers: &mut HashMap<(Value, String), Vec<String>>,
) -> Option<Value> {
    let Some(acl) = item.as_map().filter(|m| m.contains(ITEM_ACL)) else { return Some(item.clone()) };
    let value = acl.get(ITEM_DATA)?.clone();
    let Some(allow) = acl.get("allow_tgt") else { return Some(value) };
    let kind = acl.get_str("allow_tgt_type").unwrap_or("glob").to_owned();
    let readers = readers
        .entry((allow.clone(), kind.clone()))
        .or_insert_with(|| check_minions(&master.data, allow, &kind, ":", true).minions);
    readers.iter().any(|r| r == id.as_str()).then_some(value)
}
