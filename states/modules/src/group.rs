//! States of groups: `group.present` and `group.absent`.

use crate::accounts::{about, each, joined};
use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};

state_module! { "group": absent, present }

/// The group as the state wants it.
struct Wish {
    name: Value,
    gid: Option<Value>,
    addusers: Option<Vec<Value>>,
    delusers: Option<Vec<Value>>,
    members: Option<Vec<Value>>,
}

/// The number of a group, if the value is one.
fn number(gid: &Value) -> Option<Value> {
    match gid {
        Value::Int(_) => Some(gid.clone()),
        Value::Bool(b) => Some(i32::from(*b).into()),
        Value::Float(x) if x.is_finite() => Some(Value::Int(*x as i128)),
        Value::Str(text) => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}

/// What differs; `None`: there is no such group. Users that are to go because no members are wished are a set in Python.
fn differences(cx: &Cx, wish: &Wish) -> Result<Option<Map>> {
    let group = about(cx, "group.info", &wish.name)?;
    if group.is_empty() {
        return Ok(None);
    }
    let now = group.get("members").and_then(Value::as_list).unwrap_or_default();
    let mut change = Map::new();
    if let Some(gid) = wish.gid.as_ref().filter(|gid| gid.truthy()) {
        let Some(gid) = number(gid) else {
            return Ok(Some(map! { "result" => false, "comment" => "Invalid gid" }));
        };
        if group.get("gid") != Some(&gid) {
            change.insert("gid", gid);
        }
    }
    if let Some(members) = &wish.members {
        let same = now.iter().all(|user| members.contains(user)) && members.iter().all(|user| now.contains(user));
        match (same, members.is_empty()) {
            (true, _) => {}
            (false, true) => drop(change.insert("delusers", now.to_vec())),
            (false, false) => drop(change.insert("members", members.clone())),
        }
    }
    let some = |users: &Option<Vec<Value>>, there: bool| -> Vec<Value> {
        users.iter().flatten().filter(|user| now.contains(user) == there).cloned().collect()
    };
    for (key, users) in [("addusers", some(&wish.addusers, false)), ("delusers", some(&wish.delusers, true))] {
        if !users.is_empty() {
            change.insert(key, users);
        }
    }
    Ok(Some(change))
}

/// A change as stock shows it.
fn shown(wish: &Wish, key: &Value, value: &Value) -> String {
    match (value, &wish.members) {
        (Value::List(users), Some(_)) if key.as_str() == Some("delusers") => {
            format!("{{{}}}", users.iter().map(python_repr).collect::<Vec<_>>().join(", "))
        }
        _ => python_str(value),
    }
}

/// See that there is a group, and that it is as wished.
///
/// name: the name. gid: its number. system: a system group. addusers, delusers: who must be in it, and who may not.
/// members: who is in it, and nobody else. non_unique: the number may be that of another group.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn present(
    cx: &Cx,
    name: Value,
    gid: Option<Value>,
    #[default(false)] system: Value,
    addusers: Option<Value>,
    delusers: Option<Value>,
    members: Option<Value>,
    #[default(false)] non_unique: Value,
) -> Result<Outcome> {
    let wish =
        Wish { name: name.clone(), gid, addusers: each(addusers), delusers: each(delusers), members: each(members) };
    if wish.members.is_some() && (wish.addusers.is_some() || wish.delusers.is_some()) {
        let text = "Error: Conflicting options \"members\" with \"addusers\" and/or \"delusers\" can not be used together. ";
        return Ok(Outcome::would(name, text));
    }
    if let (Some(add), Some(del)) = (&wish.addusers, &wish.delusers)
        && add.iter().any(|user| del.contains(user))
    {
        return Ok(Outcome::would(name, "Error. Same user(s) can not be added and deleted simultaneously"));
    }
    match differences(cx, &wish)? {
        None => make(cx, &wish, system, non_unique),
        Some(changes) if changes.is_empty() => {
            let text = format!("Group {} is present and up to date", python_str(&name));
            Ok(Outcome::ok(name, text))
        }
        Some(changes) => change(cx, &wish, &changes, non_unique),
    }
}

fn change(cx: &Cx, wish: &Wish, changes: &Map, non_unique: Value) -> Result<Outcome> {
    let name = &wish.name;
    let mut comment = "The following group attributes are set to be changed:\n".to_owned();
    for (key, value) in changes {
        comment += &format!("{}: {}\n", python_str(key), shown(wish, key, value));
    }
    if cx.test {
        return Ok(Outcome::would(name.clone(), comment));
    }
    for (key, value) in changes {
        let users = value.as_list().unwrap_or_default();
        match key.as_str().unwrap_or_default() {
            "gid" => {
                let args = Args::positional([name.clone(), wish.gid.clone().into()]);
                cx.call("group.chgid", args.with("non_unique", non_unique.clone()))?;
            }
            "addusers" => {
                for user in users {
                    cx.call("group.adduser", Args::positional([name.clone(), user.clone()]))?;
                }
            }
            "delusers" => {
                for user in users {
                    cx.call("group.deluser", Args::positional([name.clone(), user.clone()]))?;
                }
            }
            "members" => {
                let all = joined(wish.members.as_deref().unwrap_or_default());
                cx.call("group.members", Args::positional([name.clone(), all.into()]))?;
            }
            _ => {}
        }
    }
    cx.job.remove_context("group.getent");
    match differences(cx, wish)? {
        Some(left) if !left.is_empty() => {
            let outcome = Outcome::failed(name.clone(), comment + "Some changes could not be applied");
            Ok(outcome.with_changes(map! { "Failed" => left }))
        }
        None => make(cx, wish, false.into(), non_unique),
        Some(_) => {
            let changes = map! { "Final" => "All changes applied successfully" };
            Ok(Outcome::ok(name.clone(), comment).with_changes(changes))
        }
    }
}

fn make(cx: &Cx, wish: &Wish, system: Value, non_unique: Value) -> Result<Outcome> {
    let name = wish.name.clone();
    let shown = python_str(&name);
    if cx.test {
        return Ok(Outcome::would(name, format!("Group {shown} set to be added")));
    }
    let all = cx.call("group.getent", Args::none())?;
    if let (Some(gid), false) = (&wish.gid, non_unique.truthy()) {
        let taken = all.as_list().unwrap_or_default().iter().find(|group| group.get("gid") == Some(gid));
        if let Some(other) = taken.and_then(|group| group.get("name")) {
            let text = format!(
                "Group {shown} is not present but gid {} is already taken by group {}",
                python_str(gid),
                python_str(other)
            );
            return Ok(Outcome::failed(name, text));
        }
    }
    let args = Args::positional([name.clone()]).with("gid", wish.gid.clone()).with("system", system);
    if !cx.call("group.add", args.with("non_unique", non_unique))?.truthy() {
        return Ok(Outcome::failed(name, format!("Failed to create new group {shown}")));
    }
    let some = |users: &Option<Vec<Value>>| users.as_deref().filter(|users| !users.is_empty()).map(joined);
    if let Some(users) = some(&wish.addusers).or_else(|| some(&wish.members)) {
        cx.call("group.members", Args::positional([name.clone(), users.into()]))?;
    }
    cx.job.remove_context("group.getent");
    let changes = about(cx, "group.info", &name)?;
    Ok(match differences(cx, wish)? {
        Some(left) if !left.is_empty() => {
            let text = format!("Group {shown} has been created but, some changes could not be applied");
            Outcome::failed(name, text).with_changes(map! { "Failed" => left })
        }
        _ => Outcome::ok(name, format!("New group {shown} created")).with_changes(changes),
    })
}

/// See that there is no group of the name.
#[exec]
fn absent(cx: &Cx, name: Value) -> Result<Outcome> {
    let shown = python_str(&name);
    if about(cx, "group.info", &name)?.is_empty() {
        return Ok(Outcome::ok(name, "Group not present"));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Group {shown} is set for removal")));
    }
    if cx.call("group.delete", Args::positional([name.clone()]))?.truthy() {
        return Ok(Outcome::ok(name, format!("Removed group {shown}")).with_changes(map! { shown.as_str() => "" }));
    }
    Ok(Outcome::failed(name, format!("Failed to remove group {shown}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_groups_may_be_text() {
        assert_eq!(number(&"12".into()), Some(12.into()));
        assert_eq!(number(&"x".into()), None);
        assert_eq!(number(&vec!["1"].into()), None);
    }
}
