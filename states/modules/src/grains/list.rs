//! Grains that are lists.

use super::{look_up, with_colons};
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::Outcome;
use brine_core::target::DEFAULT_TARGET_DELIM;
use brine_core::text::{python_eq, python_repr, python_str, python_type};
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

/// Where a run keeps what its states have added to lists.
const PENDING: &str = "pending_grains";

/// Members of lists, each as the set of what it consists of: the characters of text, the keys of a dict.
type Members = BTreeSet<BTreeSet<String>>;

fn members(list: &[Value], mut found: Members) -> Result<Members> {
    for item in list {
        let parts: BTreeSet<String> = match item {
            Value::List(inner) => {
                // What comes of an inner list is kept only where something was found before it, as in stock.
                let inner = members(inner, found.clone())?;
                if !found.is_empty() {
                    found = inner;
                }
                continue;
            }
            Value::Str(text) => text.chars().map(|c| python_repr(&c.to_string().into())).collect(),
            Value::Map(map) => map.keys().map(python_repr).collect(),
            other => {
                let text = format!("'{}' object is not iterable", python_type(other));
                return Err(CallError::exception("TypeError", text));
            }
        };
        found.insert(parts);
    }
    Ok(found)
}

/// The members of a list in a form that can be compared: a helper that stock shows as a state.
#[exec]
pub(super) fn make_hashable(list_grain: Vec<Value>, result: Option<Value>) -> Result<Vec<Value>> {
    let _unread = result;
    let found = members(&list_grain, Members::new())?;
    Ok(found.into_iter().map(|parts| parts.into_iter().map(Value::from).collect()).collect())
}

/// What Python says where a set is made of something that cannot be in one.
fn hashable(list: &[Value]) -> Result<()> {
    match list.iter().find(|item| matches!(item, Value::List(_) | Value::Map(_))) {
        Some(item) => {
            let text = format!("unhashable type: '{}'", python_type(item));
            Err(CallError::exception("TypeError", text))
        }
        None => Ok(()),
    }
}

fn has(list: &[Value], value: &Value) -> bool {
    list.iter().any(|item| python_eq(item, value))
}

/// Whether `value in grain` is true.
fn contains(grain: &Value, value: &Value) -> bool {
    match (grain, value) {
        (Value::List(list), value) => has(list, value),
        (Value::Str(text), Value::Str(value)) => text.contains(value.as_str()),
        (Value::Map(map), value) => map.get_key(value).is_some(),
        _ => false,
    }
}

/// What was added to a grain before, in this run; the list is added to it.
fn pending(cx: &Cx, name: &str, value: &[Value]) -> Result<Vec<Value>> {
    let mut all = match cx.job.context(PENDING) {
        Some(Value::Map(all)) => all,
        _ => Map::new(),
    };
    let before = all.get(name).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    hashable(value)?;
    let new: Vec<Value> = value.iter().filter(|item| !has(&before, item)).cloned().collect();
    let value = if before.is_empty() { value.to_vec() } else { new };
    let mut after = before;
    after.extend(value.iter().cloned());
    all.insert(name, after);
    cx.job.set_context(PENDING, all);
    Ok(value)
}

/// A value, or each of a list, is in a grain that is a list. A grain that is not there is made.
///
/// name: the grain, nested ones with `delimiter` between the keys. value: the value, or a list.
#[exec]
pub(super) fn list_present(
    cx: &Cx,
    name: String,
    mut value: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
) -> Result<Outcome> {
    let name = with_colons(&name, &delimiter)?;
    let grain = cx.call("grains.get", Args::positional([name.as_str()]))?;
    if grain.truthy() {
        let Value::List(list) = &grain else {
            let comment = format!("Grain {name} is not a valid list");
            return Ok(Outcome::failed(name, comment));
        };
        let there = |name: String, value: &Value| {
            let comment = format!("Value {} is already in grain {name}", python_str(value));
            Ok(Outcome::ok(name, comment))
        };
        if let Value::List(wanted) = &value {
            if members(wanted, Members::new())?.is_subset(&members(list, Members::new())?) {
                return there(name, &value);
            }
            value = pending(cx, &name, wanted)?.into();
        } else if has(list, &value) {
            return there(name, &value);
        }
        if cx.test {
            let comment = format!("Value {} is set to be appended to grain {name}", python_str(&value));
            return Ok(Outcome::would(name, comment).with_changes(map! { "new" => grain }));
        }
    }
    if cx.test {
        let comment = format!("Grain {name} is set to be added");
        return Ok(Outcome::would(name, comment).with_changes(map! { "new" => grain }));
    }
    let new = cx.call("grains.append", Args::positional([name.as_str().into(), value.clone()]))?;
    let now = cx.call("grains.get", Args::positional([name.as_str()]))?;
    let done = match (&value, &now) {
        (Value::List(wanted), Value::List(now)) => {
            hashable(wanted)?;
            hashable(now)?;
            wanted.iter().all(|item| has(now, item))
        }
        (value, now) => contains(now, value),
    };
    let shown = python_str(&value);
    if !done {
        let comment = format!("Failed append value {shown} to grain {name}");
        return Ok(Outcome::failed(name, comment));
    }
    let comment = format!("Append value {shown} to grain {name}");
    Ok(Outcome::ok(name, comment).with_changes(map! { "new" => new }))
}

/// A value, or each of a list, is not in a grain that is a list.
///
/// name: the grain, nested ones with `delimiter` between the keys. value: the value, or a list.
#[exec]
pub(super) fn list_absent(
    cx: &Cx,
    name: String,
    value: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
) -> Result<Outcome> {
    let name = with_colons(&name, &delimiter)?;
    let grain = look_up(cx, &name)?.filter(Value::truthy);
    let list = match grain {
        Some(Value::List(list)) => list,
        Some(_) => {
            let comment = format!("Grain {name} is not a valid list");
            return Ok(Outcome::failed(name, comment));
        }
        None => {
            let comment = format!("Grain {name} does not exist");
            return Ok(Outcome::ok(name, comment));
        }
    };
    let values = if let Value::List(values) = value { values } else { vec![value] };
    let (mut comments, mut deleted) = (Vec::new(), Vec::new());
    for value in values {
        let shown = python_str(&value);
        if !has(&list, &value) {
            comments.push(format!("Value {shown} is absent from grain {name}"));
            continue;
        }
        if cx.test {
            comments.push(format!("Value {shown} in grain {name} is set to be deleted"));
        } else {
            cx.call("grains.remove", Args::positional([name.as_str().into(), value.clone()]))?;
            comments.push(format!("Value {shown} was deleted from grain {name}"));
        }
        deleted.push(value);
    }
    let mut outcome = Outcome::ok(name, comments.join("\n"));
    if !deleted.is_empty() {
        outcome.result = if cx.test { None } else { Some(true) };
        outcome.changes.insert("deleted", deleted);
    }
    Ok(outcome)
}

/// A value is in a grain that is a list and is there already.
///
/// name: the grain, nested ones with `delimiter` between the keys. value: the value. convert: make a list of a grain that is
/// none.
#[exec]
pub(super) fn append(
    cx: &Cx,
    name: String,
    value: Value,
    #[default(false)] convert: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
) -> Result<Outcome> {
    let name = with_colons(&name, &delimiter)?;
    let grain = look_up(cx, &name)?.unwrap_or_default();
    let shown = python_str(&value);
    if !grain.truthy() && !cx.grains.contains(&name) {
        let comment = format!("Grain {name} does not exist");
        return Ok(Outcome::failed(name, comment));
    }
    let added = map! { "added" => value.clone() };
    match grain {
        Value::List(list) if has(&list, &value) => {
            let comment = format!("Value {shown} is already in the list for grain {name}");
            Ok(Outcome::ok(name, comment))
        }
        Value::List(_) if cx.test => {
            let comment = format!("Value {shown} in grain {name} is set to be added");
            Ok(Outcome::would(name, comment).with_changes(added))
        }
        Value::List(_) => {
            cx.call("grains.append", Args::positional([name.as_str().into(), value]))?;
            let comment = format!("Value {shown} was added to grain {name}");
            Ok(Outcome::ok(name, comment).with_changes(added))
        }
        _ if convert != Value::Bool(true) => {
            let comment = format!("Grain {name} is not a valid list");
            Ok(Outcome::failed(name, comment))
        }
        _ if cx.test => {
            let comment = format!("Grain {name} is set to be converted to list and value {shown} will be added");
            Ok(Outcome::would(name, comment).with_changes(added))
        }
        grain => {
            let mut list = if grain.is_nil() { Vec::new() } else { vec![grain] };
            list.push(value);
            cx.call("grains.setval", Args::positional([Value::from(name.as_str()), list.into()]))?;
            let comment = format!("Value {shown} was added to grain {name}");
            Ok(Outcome::ok(name, comment).with_changes(added))
        }
    }
}
