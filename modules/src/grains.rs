//! The `grains` execution module: reads the minion's grains, and writes the grains file beside its configuration.

mod file;
mod nested;
#[cfg(test)]
mod tests;

use crate::grains_core::filter::deep_update;
use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::target::{DEFAULT_TARGET_DELIM, fnmatch, traverse};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

module! {
    "grains":
    append, delkey, delval, equals, "fetch" => get, filter_by, get, has_value, item, items, ls, remove, set, setval,
    setvals
}

/// Where a job keeps the grains that it has changed itself, until the minion has loaded them anew.
const CHANGED: &str = "grains.changed";

/// The grains as this job sees them.
fn current(cx: &Cx) -> Map {
    match cx.job.context(CHANGED) {
        Some(Value::Map(changed)) => changed,
        _ => (*cx.grains).clone(),
    }
}

/// The value under a path of keys, as a value of its own.
fn look_up(cx: &Cx, key: &str, delimiter: &str) -> Option<Value> {
    traverse(&Value::Map(current(cx)), key, delimiter).cloned()
}

/// Attempt to retrieve the named value from grains; if it is not available return the passed default, an empty
/// string unless given. Nested values are named with a delimiter: `pkg:apache`.
///
/// CLI Example: salt '*' grains.get pkg:apache
#[exec]
fn get(
    cx: &Cx,
    key: String,
    #[default("")] default: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
    #[default(true)] ordered: Value,
) -> Result {
    // Ours are always ordered.
    let _ordered = ordered;
    Ok(look_up(cx, &key, &delimiter).unwrap_or(default))
}

/// Determine whether a key exists in the grains.
///
/// CLI Example: salt '*' grains.has_value pkg:apache
#[exec]
fn has_value(cx: &Cx, key: String) -> Result<bool> {
    Ok(look_up(cx, &key, DEFAULT_TARGET_DELIM).is_some())
}

/// What `sanitize=True` shows in place of a grain.
fn sanitized(key: &str, value: &Value) -> Option<Value> {
    Some(match key {
        "serialnumber" => {
            let text = python_str(value);
            let shown = text.chars().count() * 3 / 4;
            let hidden = text.chars().count() - shown;
            text.chars().take(shown).chain(std::iter::repeat_n('X', hidden)).collect::<String>().into()
        }
        "domain" => "DOMAINNAME".into(),
        "fqdn" | "id" => "MINION.DOMAINNAME".into(),
        "host" | "localhost" | "nodename" => "MINION".into(),
        _ => return None,
    })
}

fn sanitize(grains: &mut Map) {
    for (key, value) in grains.iter_mut() {
        if let Some(shown) = key.as_str().and_then(|k| sanitized(k, value)) {
            *value = shown;
        }
    }
}

/// Return all of the minion's grains.
///
/// CLI Example: salt '*' grains.items sanitize=True
#[exec]
fn items(cx: &Cx, #[default(false)] sanitize: Value) -> Result<Map> {
    let mut all = current(cx);
    if is_true(&sanitize) {
        self::sanitize(&mut all);
    }
    Ok(all)
}

/// Return one or more grains; a missing one is an empty string, or `default`.
///
/// CLI Example: salt '*' grains.item os osrelease oscodename
#[exec]
fn item(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    let default = kwargs.0.get("default").cloned().unwrap_or_else(|| "".into());
    let delimiter = kwargs.0.get_str("delimiter").unwrap_or(DEFAULT_TARGET_DELIM).to_owned();
    let mut out = Map::new();
    for arg in args.0 {
        let value = look_up(cx, &python_str(&arg), &delimiter).unwrap_or_else(|| default.clone());
        out.insert(arg, value);
    }
    if kwargs.0.get("sanitize").is_some_and(is_true) {
        sanitize(&mut out);
    }
    Ok(out)
}

/// Return a list of all available grains.
///
/// CLI Example: salt '*' grains.ls
#[exec]
fn ls(cx: &Cx) -> Result<Vec<Value>> {
    let mut names: Vec<Value> = current(cx).keys().cloned().collect();
    names.sort_by_key(python_str);
    Ok(names)
}

/// Used to make sure the minion's grain key/value matches. Returns `True` if it does, otherwise `False`.
///
/// CLI Example: salt '*' grains.equals systemd:version 219
#[exec]
fn equals(cx: &Cx, key: String, value: Value) -> Result<bool> {
    let own = look_up(cx, &key, DEFAULT_TARGET_DELIM).unwrap_or_else(|| "".into());
    Ok(python_str(&value) == python_str(&own))
}

/// Set new grains values in the grains config file. With `destructive`, a key set to nothing is deleted.
///
/// CLI Example: salt '*' grains.setvals "{'key1': 'val1', 'key2': 'val2'}"
#[exec]
fn setvals(
    cx: &Cx,
    grains: Value,
    #[default(false)] destructive: Value,
    #[default(true)] refresh_pillar: Value,
) -> Result {
    let Value::Map(new) = grains else {
        return Err(CallError::exception("SaltException", "setvals grains must be a dictionary."));
    };
    file::set(cx, new, destructive == Value::Bool(true), refresh_pillar)
}

/// Set a grains value in the grains config file.
///
/// CLI Example: salt '*' grains.setval key "{'sub-key': 'val', 'sub-key2': 'val2'}"
#[exec]
fn setval(
    cx: &Cx,
    key: Value,
    val: Value,
    #[default(false)] destructive: Value,
    #[default(true)] refresh_pillar: Value,
) -> Result {
    let mut new = Map::new();
    new.insert(key, val);
    file::set(cx, new, destructive == Value::Bool(true), refresh_pillar)
}

/// Append a value to a list in the grains config file. A missing grain is made; one that is no list is an error
/// unless `convert` is set.
///
/// CLI Example: salt '*' grains.append key val
#[exec]
fn append(
    cx: &Cx,
    key: String,
    val: Value,
    #[default(false)] convert: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
) -> Result {
    let mut own = look_up(cx, &key, &delimiter).unwrap_or_else(|| Value::List(Vec::new()));
    if convert.truthy() && !matches!(own, Value::List(_)) {
        own = Value::List(if own.is_nil() { Vec::new() } else { vec![own] });
    }
    let Value::List(mut list) = own else { return Ok(format!("The key {key} is not a valid list").into()) };
    if list.contains(&val) {
        return Ok(format!("The val {} was already in the list {key}", python_str(&val)).into());
    }
    match val {
        Value::List(more) => list.extend(more),
        one => list.push(one),
    }
    nested::store(cx, &key, &delimiter, list.into(), Map::new().into())
}

/// Remove a value from a list in the grains config file.
///
/// CLI Example: salt '*' grains.remove key val
#[exec]
fn remove(cx: &Cx, key: String, val: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result {
    let own = look_up(cx, &key, &delimiter).unwrap_or_else(|| Value::List(Vec::new()));
    let Value::List(mut list) = own else { return Ok(format!("The key {key} is not a valid list").into()) };
    let Some(at) = list.iter().position(|v| *v == val) else {
        return Ok(format!("The val {} was not in the list {key}", python_str(&val)).into());
    };
    list.remove(at);
    nested::store(cx, &key, &delimiter, list.into(), Value::Nil)
}

/// Remove a grain completely from the grain system: key and value.
///
/// CLI Example: salt '*' grains.delkey key
#[exec]
fn delkey(cx: &Cx, key: String, #[default(false)] force: Value) -> Result<Map> {
    nested::set(cx, &key, Value::Nil, force.truthy(), true, DEFAULT_TARGET_DELIM)
}

/// Delete a grain value from the grains config file: it becomes `None`, and with `destructive` the key goes too.
///
/// CLI Example: salt '*' grains.delval key
#[exec]
fn delval(
    cx: &Cx,
    key: String,
    #[default(false)] destructive: Value,
    #[default(false)] force: Value,
) -> Result<Map> {
    nested::set(cx, &key, Value::Nil, force.truthy(), destructive == Value::Bool(true), DEFAULT_TARGET_DELIM)
}

/// Set a key to an arbitrary value; works with nested keys. A list or a dict is overwritten only with `force`.
///
/// CLI Example: salt '*' grains.set 'apps:myApp:port' 2209
#[exec]
fn set(
    cx: &Cx,
    key: String,
    #[default("")] val: Value,
    #[default(false)] force: Value,
    #[default(false)] destructive: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
) -> Result<Map> {
    nested::set(cx, &key, val, force.truthy(), destructive == Value::Bool(true), &delimiter)
}

/// Look up the given grain in a given dictionary for the current OS and return the result. Keys may be globs.
///
/// CLI Example: salt '*' grains.filter_by '{Debian: Debheads rule, RedHat: I love my hat}'
#[exec]
fn filter_by(
    cx: &Cx,
    lookup_dict: Map,
    #[default("os_family")] grain: String,
    merge: Option<Value>,
    #[default("default")] default: Value,
    base: Option<Value>,
) -> Result {
    choose(&lookup_dict, look_up(cx, &grain, DEFAULT_TARGET_DELIM), merge, &default, base)
}

/// Salt's `filter_by`: what a dict holds for a value, or for the first of several; the keys are globs.
pub(crate) fn choose(
    lookup_dict: &Map,
    own: Option<Value>,
    merge: Option<Value>,
    default: &Value,
    base: Option<Value>,
) -> Result {
    let own = own.unwrap_or_else(|| Value::List(Vec::new()));
    let own = if let Value::List(list) = own { list } else { vec![own] };
    let found = own.iter().map(python_str).find_map(|each| {
        lookup_dict
            .iter()
            .find(|(key, _)| {
                let key = python_str(key);
                each == key || fnmatch(&each, &key)
            })
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_nil())
    });
    let mut out = found.or_else(|| lookup_dict.get_key(default).cloned()).unwrap_or_default();
    let error = |text: &str| CallError::exception("SaltException", text);
    if let Some(lowest) = base.filter(Value::truthy).and_then(|b| lookup_dict.get_key(&b).cloned()) {
        out = match (lowest, out) {
            (lowest, Value::Nil) => lowest,
            (Value::Map(mut lowest), Value::Map(over)) => {
                deep_update(&mut lowest, over);
                lowest.into()
            }
            (Value::Map(_), _) => {
                return Err(error("filter_by default and look-up values must both be dictionaries."));
            }
            (_, out) => out,
        };
    }
    match (merge.filter(Value::truthy), out) {
        (None, out) => Ok(out),
        (Some(Value::Map(merge)), Value::Nil) => Ok(merge.into()),
        (Some(Value::Map(merge)), Value::Map(mut out)) => {
            deep_update(&mut out, merge);
            Ok(out.into())
        }
        (Some(Value::Map(_)), _) => Err(CallError::exception(
            "TypeError",
            "Cannot update using non-dict types in dictupdate.update()",
        )),
        (Some(_), _) => Err(error("filter_by merge argument must be a dictionary.")),
    }
}

/// The answer of `grains.set`, begun.
fn answer(comment: &str, changes: Value, result: bool) -> Map {
    map! {"comment" => comment, "changes" => changes, "result" => result}
}
