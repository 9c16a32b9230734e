//! `state_compress_ids`: the states of one id with the same result become one.

use super::summary::rounded;
use crate::out::python::compare;
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};
use std::cmp::Ordering;
use std::collections::HashMap;

/// Minions with their states joined.
pub(super) struct Compressed {
    pub(super) hosts: Map,
    /// For each minion the names of its states now, and those in the data of what they were made of.
    names: Vec<Map>,
}

/// Joins the states of all minions; none if something that this needs is missing, and then the data are shown as they
/// are. As in stock, the first state of each id is changed in the data themselves.
pub(super) fn compress(hosts: &mut Map) -> Option<Compressed> {
    let mut out =
        Compressed { hosts: Map::with_capacity(hosts.len()), names: Vec::with_capacity(hosts.len()) };
    for (host, states) in hosts.iter_mut() {
        let done = states.as_map_mut().and_then(compress_host);
        if done.is_none() {
            tracing::warn!("Unable to compress state output by ID! Returning output normally.");
        }
        let (states, names) = done?;
        out.hosts.insert(host.clone(), states);
        out.names.push(names);
    }
    Some(out)
}

impl Compressed {
    /// Puts states, as they have been changed since, back into the data they come from.
    pub(super) fn restore(self, hosts: &mut Map) {
        for ((host, mut states), names) in self.hosts.into_iter().zip(self.names) {
            let data = hosts.get_key_mut(&host).and_then(Value::as_map_mut);
            let (Some(data), Some(states)) = (data, states.as_map_mut()) else { continue };
            for (new, old) in names {
                if let (Some(place), Some(state)) = (data.get_key_mut(&old), states.get_key_mut(&new)) {
                    *place = std::mem::take(state);
                }
            }
        }
    }
}

/// The states, and of each its name in the data.
fn compress_host(states: &mut Map) -> Option<(Map, Map)> {
    let mut count: HashMap<String, usize> = HashMap::new();
    for (name, info) in states.iter() {
        *count.entry(group(name, info)?).or_default() += 1;
    }
    // The new name of each state that is kept, and its name in the data.
    let mut kept = Map::with_capacity(states.len());
    let names: Vec<Value> = states.keys().cloned().collect();
    for name in names {
        let info = states.get_key(&name)?;
        let n = count.get(&group(&name, info)?).copied()?;
        if n == 1 {
            kept.insert(name.clone(), name);
            continue;
        }
        let shown = |key: &str| info.get(key).map(python_str);
        let (id, sls, result) = (shown("__id__")?, shown("__sls__")?, shown("result")?);
        let mut comps: Vec<&str> = name.as_str()?.split("_|-").collect();
        let joined = format!("state_compressed_{sls}_{id}_{result}");
        let counted = format!("{id} ({n})");
        *comps.get_mut(2)? = &joined;
        comps[1] = &counted;
        let new = comps.join("_|-");
        match kept.get(&new).cloned() {
            None => {
                kept.insert(new, name);
            }
            Some(first) => {
                let info = info.as_map()?.clone();
                merge(states.get_key_mut(&first)?.as_map_mut()?, &info)?;
            }
        }
    }
    let mut out = Map::with_capacity(kept.len());
    for (new, name) in &kept {
        out.insert(new.clone(), states.get_key(name)?.clone());
    }
    Some((out, kept))
}

/// What states must share to be joined.
fn group(name: &Value, info: &Value) -> Option<String> {
    let module = name.as_str()?.split("_|-").next().unwrap_or_default();
    let shown = |key: &str| info.get(key).map(python_str);
    Some(format!("{module}_{}_{}_{}", shown("__id__")?, shown("__sls__")?, shown("result")?))
}

fn merge(first: &mut Map, info: &Map) -> Option<()> {
    let number = info.get("__run_num__")?;
    if compare(first.get("__run_num__")?, number)? == Ordering::Greater {
        first.insert("__run_num__", number.clone());
    }
    let duration = sum(info.get("duration")?, first.get("duration")?)?;
    first.insert("duration", duration);
    let start = info.get("start_time")?;
    if compare(first.get("start_time")?, start)? != Ordering::Less {
        first.insert("start_time", start.clone());
    }
    let changed = |map: &Map| map.get("changes").is_some_and(Value::truthy);
    if !changed(info) {
        return Some(());
    }
    let (name, changes) = (info.get("name"), info.get("changes")?.clone());
    if !changed(first) {
        first.insert("changes", map! {"compressed changes" => map! {hashable(name?)? => changes}});
        return Some(());
    }
    let own = first.get("changes")?.as_map()?;
    if !own.get("compressed changes").is_some_and(Value::truthy) {
        let own = map! {hashable(first.get("name")?)? => own.clone()};
        first.insert("changes", map! {"compressed changes" => own});
    }
    let all = first.get_mut("changes")?.as_map_mut()?.get_mut("compressed changes")?.as_map_mut()?;
    all.insert(hashable(name?)?, changes);
    Some(())
}

fn hashable(key: &Value) -> Option<Value> {
    (!matches!(key, Value::List(_) | Value::Map(_))).then(|| key.clone())
}

/// `round(a + b, 3)`.
fn sum(a: &Value, b: &Value) -> Option<Value> {
    let whole = |v: &Value| match v {
        Value::Bool(b) => Some(i128::from(*b)),
        Value::Int(i) => Some(*i),
        _ => None,
    };
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Some(a.checked_add(b)?.into());
    }
    let number = |v: &Value| whole(v).map(|i| i as f64).or(v.as_float());
    Some(rounded(number(a)? + number(b)?, 3).into())
}
