//! Values under nested keys: `a:b:c` becomes a change of the grain `a`.

use super::{answer, file, look_up};
use brine_core::call::{Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Writes `value` under a nested key: each level up is the map that is there (`missing` where none is), with the
/// level below put in. A level that is no map replaces what was to be put into it, as in stock.
pub(super) fn store(cx: &Cx, key: &str, delimiter: &str, value: Value, missing: Value) -> Result {
    let (mut key, mut value) = (key.to_owned(), value);
    while let Some((upper, rest)) = split_last(&key, delimiter) {
        let mut level = look_up(cx, &upper, delimiter).unwrap_or_else(|| missing.clone());
        if let Value::Map(map) = &mut level {
            map.insert(rest, value);
        }
        (key, value) = (upper, level);
    }
    let mut new = Map::new();
    new.insert(key, value);
    file::set(cx, new, false, true.into())
}

fn split_last(key: &str, delimiter: &str) -> Option<(String, String)> {
    if delimiter.is_empty() {
        return None;
    }
    key.rsplit_once(delimiter).map(|(a, b)| (a.to_owned(), b.to_owned()))
}

fn is_complex(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

/// `grains.set`: see there.
pub(super) fn set(
    cx: &Cx,
    key: &str,
    val: Value,
    force: bool,
    destructive: bool,
    delimiter: &str,
) -> Result<Map> {
    let refuse = |comment: String| Ok(answer(&comment, Map::new().into(), false));
    let existing = look_up(cx, key, delimiter);
    if existing.as_ref() == Some(&val) && !(val.is_nil() && destructive) {
        return Ok(answer("Grain is already set", Map::new().into(), true));
    }
    if !force {
        match &existing {
            Some(old) if is_complex(old) => {
                return refuse(format!(
                    "The key '{key}' exists but is a dict or a list. Use 'force=True' to overwrite."
                ));
            }
            Some(old) if !old.is_nil() && is_complex(&val) => {
                return refuse(format!(
                    "The key '{key}' exists and the given value is a dict or a list. Use 'force=True' to overwrite."
                ));
            }
            _ => {}
        }
    }
    let (mut key, mut value) = (key.to_owned(), val);
    while let Some((upper, rest)) = split_last(&key, delimiter) {
        let level = look_up(cx, &upper, delimiter).unwrap_or_else(|| Map::new().into());
        value = match level {
            Value::Map(mut map) => {
                if value.is_nil() && destructive {
                    map.remove(&rest);
                } else {
                    map.insert(rest, value);
                }
                map.into()
            }
            Value::List(list) => in_list(list, &rest, &value),
            other if force || other.as_str() == Some(&rest) => map! {rest => value}.into(),
            other => {
                return refuse(format!(
                    "The key '{upper}' value is '{}', which is different from the provided key '{rest}'. Use \
                     'force=True' to overwrite.",
                    python_str(&other)
                ));
            }
        };
        key = upper;
    }
    let mut new = Map::new();
    new.insert(key, value);
    match file::set(cx, new, destructive, true.into())? {
        Value::Map(changes) => Ok(answer("", changes.into(), true)),
        text => refuse(python_str(&text)),
    }
}

/// A list in which the member `rest`, or a map's member of that name, now holds `value`; added if there is none.
fn in_list(mut list: Vec<Value>, rest: &str, value: &Value) -> Value {
    let mut updated = false;
    for item in &mut list {
        if item.as_str() == Some(rest) {
            *item = map! {rest => value.clone()}.into();
            updated = true;
        } else if let Value::Map(map) = item
            && map.contains(rest)
        {
            map.insert(rest, value.clone());
            updated = true;
        }
    }
    if !updated {
        list.push(map! {rest => value.clone()}.into());
    }
    list.into()
}
