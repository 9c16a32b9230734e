//! The `data` execution module: a small store of the minion's own, kept in its cache directory.

use crate::datastore::{self, whole};
use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value};

module! { "data": cas, clear, dump, get, has_key, items, keys, load, pop, update, values }

/// Throw the whole store away.
///
/// CLI Example: salt '*' data.clear
#[exec]
fn clear(cx: &Cx) -> Result<bool> {
    datastore::clear(cx);
    Ok(true)
}

/// All that is in the store.
///
/// CLI Example: salt '*' data.load
#[exec]
fn load(cx: &Cx) -> Result<Map> {
    Ok(datastore::load(cx))
}

/// All that is in the store.
///
/// CLI Example: salt '*' data.items
#[exec]
fn items(cx: &Cx) -> Result<Map> {
    Ok(datastore::load(cx))
}

/// Replace the whole store by a dict.
///
/// CLI Example: salt '*' data.dump '{'eggs': 'spam'}'
#[exec]
fn dump(cx: &Cx, new_data: Value) -> Result<bool> {
    let Value::Map(new) = new_data else { return Ok(false) };
    Ok(whole(cx, |all| {
        *all = new;
        Ok(())
    })
    .is_ok())
}

/// Set a key.
///
/// CLI Example: salt '*' data.update <key> <value>
#[exec]
fn update(cx: &Cx, key: Value, value: Value) -> Result<bool> {
    whole(cx, |all| {
        all.insert(key, value);
        Ok(true)
    })
}

/// Set a key that has a certain value now.
///
/// CLI Example: salt '*' data.cas <key> <value> <old_value>
#[exec]
fn cas(cx: &Cx, key: Value, value: Value, old_value: Value) -> Result<bool> {
    whole(cx, |all| {
        let same = all.get_key(&key) == Some(&old_value);
        if same {
            all.insert(key, value);
        }
        Ok(same)
    })
}

/// Remove a key and return its value.
///
/// CLI Example: salt '*' data.pop <key> "there was no val"
#[exec]
fn pop(cx: &Cx, key: Value, default: Option<Value>) -> Result {
    whole(cx, |all| Ok(all.remove_key(&key).or(default).unwrap_or_default()))
}

/// The value of a key, or of each of a list of keys.
///
/// CLI Example: salt '*' data.get '["key1", "key2"]'
#[exec]
fn get(cx: &Cx, key: Value, default: Option<Value>) -> Result {
    let all = datastore::load(cx);
    let Value::List(keys) = &key else {
        return Ok(all.get_key(&key).cloned().or(default).unwrap_or_default());
    };
    let found = keys.iter().filter_map(|key| all.get_key(key).cloned().or_else(|| default.clone()));
    Ok(found.collect::<Vec<_>>().into())
}

/// The keys.
///
/// CLI Example: salt '*' data.keys
#[exec]
fn keys(cx: &Cx) -> Result<Vec<Value>> {
    Ok(datastore::load(cx).keys().cloned().collect())
}

/// The values.
///
/// CLI Example: salt '*' data.values
#[exec]
fn values(cx: &Cx) -> Result<Vec<Value>> {
    Ok(datastore::load(cx).values().cloned().collect())
}

/// Whether there is such a key.
///
/// CLI Example: salt '*' data.has_key <mykey>
#[exec]
fn has_key(cx: &Cx, key: Value) -> Result<bool> {
    Ok(datastore::load(cx).get_key(&key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Args, Registry};
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};
    use std::sync::Arc;

    fn numbers(all: &[i64]) -> Value {
        Value::List(all.iter().map(|n| Value::from(*n)).collect())
    }

    #[test]
    fn the_store_keeps_what_it_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let opts = Opts::new(map! {"cachedir" => dir.path().to_string_lossy().into_owned()});
        let registry = Arc::new(Registry::new(crate::ALL.iter().copied()));
        let cx = Cx::new(Arc::new(opts), registry, Arc::new(NoHost));
        let run = |name: &str, args: Vec<Value>| cx.call(&format!("data.{name}"), Args::positional(args)).unwrap();
        assert_eq!(run("load", vec![]), Map::new().into());
        assert_eq!(run("update", vec!["a".into(), 1.into()]), true.into());
        assert_eq!(run("cas", vec!["a".into(), 2.into(), 9.into()]), false.into());
        assert_eq!(run("cas", vec!["a".into(), 2.into(), 1.into()]), true.into());
        assert_eq!(run("get", vec!["a".into()]), 2.into());
        assert_eq!(run("get", vec![vec!["a", "b"].into()]), numbers(&[2]));
        assert_eq!(run("get", vec![vec!["a", "b"].into(), 0.into()]), numbers(&[2, 0]));
        assert_eq!(run("pop", vec!["a".into(), "none".into()]), 2.into());
        assert_eq!(run("pop", vec!["a".into(), "none".into()]), "none".into());
        assert_eq!(run("dump", vec![map! {"x" => 1}.into()]), true.into());
        assert_eq!(run("has_key", vec!["x".into()]), true.into());
        assert_eq!(run("clear", vec![]), true.into());
        assert_eq!(run("items", vec![]), Map::new().into());
    }
}
