//! Salt's `dictupdate.update`: one dict into another, level by level.

use brine_core::{Map, Value};

/// Puts `with` into `map`: maps are merged, lists replaced or (with `merge_lists`) extended by what is new.
pub(crate) fn update(map: &mut Map, with: &Map, merge_lists: bool) {
    for (key, value) in with {
        match (map.get_key_mut(key), value) {
            (Some(Value::Map(below)), Value::Map(with)) => update(below, with, merge_lists),
            (Some(Value::List(list)), Value::List(with)) if merge_lists => {
                for value in with {
                    if !list.contains(value) {
                        list.push(value.clone());
                    }
                }
            }
            _ => {
                map.insert(key.clone(), value.clone());
            }
        }
    }
}
