//! States of the lines of several users or groups.

use super::{Change, Lists, key_error, missing, number};
use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// The names of a state: a list; or text, which stock takes for a list of letters.
#[derive(Clone)]
struct Names {
    shown: String,
    text: Option<String>,
    list: Vec<String>,
}

impl Names {
    fn of(value: Option<Value>) -> Self {
        match value {
            Some(Value::Str(text)) => {
                Self { shown: text.clone(), list: text.chars().map(String::from).collect(), text: Some(text) }
            }
            Some(list @ Value::List(_)) => Self {
                shown: python_str(&list),
                list: list.as_list().unwrap_or_default().iter().map(python_str).collect(),
                text: None,
            },
            _ => Self { shown: "[]".to_owned(), list: Vec::new(), text: None },
        }
    }

    fn has(&self, name: &str) -> bool {
        match &self.text {
            Some(text) => text.contains(name),
            None => self.list.iter().any(|known| known == name),
        }
    }
}

/// What those of the names may do that have a line.
fn users(lists: &Lists, file: &str, wanted: &Names) -> Vec<(String, i64)> {
    let mut found: Vec<(String, i64)> = Vec::new();
    for line in lists.lines(file).unwrap_or_default() {
        let first = line.as_map().and_then(|line| line.iter().next());
        let Some((name, octal)) =
            first.map(|(name, allowed)| (python_str(name), allowed.get("octal").and_then(Value::as_int)))
        else {
            continue;
        };
        if wanted.has(&name) {
            found.retain(|(known, _)| *known != name);
            found.push((name, octal.unwrap_or_default()));
        }
    }
    found
}

/// These users or groups may do this with a file.
///
/// name: the file; acl_type: `user` or `group`, with `d:` before it what new files below get; acl_names: the users or groups;
/// perms: `rwx`; recurse: all below, too; force: remove all other lines
#[exec]
pub(super) fn list_present(
    cx: &Cx,
    name: String,
    acl_type: String,
    acl_names: Option<Value>,
    #[default("")] perms: String,
    #[default(false)] recurse: Value,
    #[default(false)] force: bool,
) -> Result<Outcome> {
    let number = number(&perms)?;
    if let Some(comment) = missing(&name) {
        return Ok(Outcome::failed(name, comment));
    }
    let lists = Lists::read(cx, &name, &acl_type, None)?;
    if !lists.default && lists.lines(&name).is_none() {
        return Err(key_error(&acl_type));
    }
    if !lists.known(&name) {
        return Ok(Outcome::failed(name, "ACL Type does not exist"));
    }
    let names = Names::of(acl_names);
    let search = if names.text.as_deref() == Some("") { Names::of(Some(lists.owner.as_str().into())) } else { names.clone() };
    let users = users(&lists, &name, &search);
    let change = Change { cx, name: &name, acl_type: &acl_type, perms: &perms, recurse: &recurse, force };
    let joined = names.list.join(", ");
    let wanted = |perms: Value| map! { "acl_name" => joined.as_str(), "acl_type" => acl_type.as_str(), "perms" => perms };
    let mut outcome = Outcome::new(name.clone());
    // What differs for one of them is set for all; without any line, once.
    let each: Vec<Option<&String>> =
        if users.is_empty() { vec![None] } else { search.list.iter().map(Some).collect() };
    let mut updates = Map::new();
    for one in each {
        let now = one.and_then(|one| users.iter().find(|(known, _)| known == one)).map(|(_, now)| *now);
        let (would, done) = match now {
            Some(now) if now == number => {
                outcome.comment = "Permissions are in the desired state".into();
                continue;
            }
            Some(now) => {
                updates.insert("new", wanted(number.into()));
                updates.insert("old", wanted(now.to_string().into()));
                let shown = &names.shown;
                (
                    format!("Updated permissions will be applied for {shown}: {now} -> {perms}"),
                    format!("Updated permissions for {shown}"),
                )
            }
            None => {
                updates = map! { "new" => wanted(perms.as_str().into()) };
                (
                    format!("New permissions will be applied for {}: {perms}", names.shown),
                    format!("Applied new permissions for {joined}"),
                )
            }
        };
        if cx.test {
            return Ok(Outcome::would(name.clone(), would).with_changes(updates));
        }
        match change.set(&names.list)? {
            Ok(()) => outcome = Outcome::ok(name.clone(), done).with_changes(updates.clone()),
            Err(why) => {
                outcome.result = Some(false);
                outcome.comment = format!("Error updating permissions for {}: {why}", names.shown).into();
            }
        }
    }
    Ok(outcome)
}

/// No line of a file is about these users or groups.
///
/// name: the file; acl_type, acl_names: as of `list_present`; recurse: all below, too
#[exec]
pub(super) fn list_absent(
    cx: &Cx,
    name: String,
    acl_type: String,
    acl_names: Option<Value>,
    #[default(false)] recurse: Value,
) -> Result<Outcome> {
    if let Some(comment) = missing(&name) {
        return Ok(Outcome::failed(name, comment));
    }
    let lists = Lists::read(cx, &name, &acl_type, None)?;
    if !lists.known(&name) {
        return Ok(Outcome::failed(name, "ACL Type does not exist"));
    }
    let names = Names::of(acl_names);
    // Names are compared whole here, letters of a text too.
    let all = if names.list.is_empty() { lists.owner.chars().map(String::from).collect() } else { names.list.clone() };
    let search = Names { shown: String::new(), text: None, list: all };
    if users(&lists, &name, &search).is_empty() {
        return Ok(Outcome::ok(name, "Permissions are in the desired state"));
    }
    if cx.test {
        return Ok(Outcome::would(name, "Removing permissions"));
    }
    for one in &names.list {
        let words = [acl_type.as_str(), one, &name];
        cx.call("acl.delfacl", Args::positional(words).with("recursive", recurse.clone()))?;
    }
    Ok(Outcome::ok(name, "Removing permissions"))
}
