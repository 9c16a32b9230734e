//! States of access control lists: what single users and groups may do with a file.

mod list;

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};
use list::*;
use std::path::Path;

state_module! {
    "acl": absent, list_absent, list_present, present; unavailable = unavailable
}

fn unavailable(cx: &Cx) -> Option<String> {
    let here = |program: &str| {
        cx.call("cmd.which", Args::positional([program])).is_ok_and(|path| path.truthy())
    };
    let text = "The linux_acl state cannot be loaded: the getfacl or setfacl binary is not in the path.";
    (!(here("getfacl") && here("setfacl"))).then(|| text.to_owned())
}

/// The lists of a file, and of all below it perhaps; and which part of them a state is about.
struct Lists {
    all: Map,
    /// `user`, `group`, `other` or `mask`.
    kind: String,
    /// Whether it is about what new files below get.
    default: bool,
    /// The name that the owner of the file has.
    owner: String,
}

fn key_error(key: &str) -> CallError {
    CallError::exception("KeyError", python_repr(&key.into()))
}

impl Lists {
    fn read(cx: &Cx, name: &str, acl_type: &str, recurse: Option<&Value>) -> Result<Self> {
        let args = Args::positional([name]);
        let args = recurse.map_or(args.clone(), |recurse| args.with("recursive", recurse.clone()));
        let all = match cx.call("acl.getfacl", args)? {
            Value::Map(all) => all,
            _ => Map::new(),
        };
        let default = acl_type.starts_with("d:") || acl_type.starts_with("default:");
        let kind = match acl_type.split_once(':').filter(|_| default) {
            Some((_, kind)) => kind.to_owned(),
            None => acl_type.to_owned(),
        };
        let about = all.get(name).ok_or_else(|| key_error(name))?;
        let owner = about.get("comment").and_then(|comment| comment.get(&kind)).map(python_str).unwrap_or_default();
        Ok(Self { all, kind, default, owner })
    }

    /// The lines of a file that a state is about; `None`: it has none of that kind.
    fn lines(&self, path: &str) -> Option<&[Value]> {
        let about = self.all.get(path)?;
        let about = if self.default { about.get("defaults")? } else { about };
        about.get(&self.kind).and_then(Value::as_list)
    }

    /// Whether a state can be about that at all.
    fn known(&self, path: &str) -> bool {
        self.default || self.lines(path).is_some_and(|lines| !lines.is_empty())
    }

    /// What the last line about somebody allows.
    fn allowed(&self, path: &str, name: &str) -> Option<i64> {
        self.lines(path)?.iter().rev().find_map(|line| octal(line, name))
    }
}

/// What a line allows, if it is about somebody.
fn octal(line: &Value, name: &str) -> Option<i64> {
    line.get(name).and_then(|allowed| allowed.get("octal")).and_then(Value::as_int)
}

/// `rwx` as a number.
fn number(perms: &str) -> Result<i64> {
    let one = |letter| match letter {
        'r' => Ok(4),
        'w' => Ok(2),
        'x' => Ok(1),
        '-' => Ok(0),
        _ => Err(CallError::Arguments("unsupported operand type(s) for +: 'int' and 'str'".to_owned())),
    };
    perms.chars().map(one).sum()
}

/// A number as stock shows it, letters in an order of their own.
fn letters(number: i64) -> String {
    [(1, 'r'), (2, 'w'), (4, 'x')].iter().map(|(bit, letter)| if number & bit != 0 { *letter } else { '-' }).collect()
}

fn missing(name: &str) -> Option<String> {
    (!Path::new(name).exists()).then(|| format!("{name} does not exist"))
}

/// What is wanted, and how it is done.
struct Change<'c> {
    cx: &'c Cx,
    name: &'c str,
    acl_type: &'c str,
    perms: &'c str,
    recurse: &'c Value,
    force: bool,
}

impl Change<'_> {
    /// Sets the lines of these users or groups; the text of the error where that fails.
    fn set(&self, names: &[String]) -> Result<std::result::Result<(), String>> {
        let set = || -> Result<()> {
            let with = |args: Args| args.with("recursive", self.recurse.clone()).with("raise_err", true);
            if self.force {
                self.cx.call("acl.wipefacls", with(Args::positional([self.name])))?;
            }
            for name in names {
                let words = [self.acl_type, name, self.perms, self.name];
                self.cx.call("acl.modfacl", with(Args::positional(words)))?;
            }
            Ok(())
        };
        match set() {
            Ok(()) => Ok(Ok(())),
            Err(e @ (CallError::Execution(_) | CallError::Detailed(_))) => Ok(Err(e.text())),
            Err(other) => Err(other),
        }
    }
}

/// A user or a group may do this with a file.
///
/// name: the file; acl_type: `user`, `group`, `mask` or `other`, with `d:` before it what new files below get; acl_name: the user
/// or group, else the owner's; perms: `rwx`; recurse: all below, too; force: remove all other lines
#[exec]
fn present(
    cx: &Cx,
    name: String,
    acl_type: String,
    #[default("")] acl_name: String,
    #[default("")] perms: String,
    #[default(false)] recurse: Value,
    #[default(false)] force: bool,
) -> Result<Outcome> {
    if let Some(comment) = missing(&name) {
        return Ok(Outcome::failed(name, comment));
    }
    let lists = Lists::read(cx, &name, &acl_type, Some(&recurse))?;
    let who = if acl_name.is_empty() { lists.owner.as_str() } else { acl_name.as_str() };
    if !lists.known(&name) {
        return Ok(Outcome::failed(name, "ACL Type does not exist"));
    }
    let wanted = map! { "acl_name" => acl_name.as_str(), "acl_type" => acl_type.as_str(), "perms" => perms.as_str() };
    let change = Change { cx, name: &name, acl_type: &acl_type, perms: &perms, recurse: &recurse, force };
    let (changes, would, done) = match lists.allowed(&name, who) {
        Some(now) => {
            let number = number(&perms)?;
            let fits = if recurse.truthy() {
                let below = lists.all.keys().map(python_str);
                let mut below = below.filter(|path| !lists.default || Path::new(path).is_dir());
                below.all(|path| {
                    lists.lines(&path).unwrap_or_default().iter().any(|line| octal(line, who) == Some(number))
                })
            } else {
                now == number
            };
            if fits {
                return Ok(Outcome::ok(name, "Permissions are in the desired state"));
            }
            let old = letters(now);
            let mut before = wanted.clone();
            before.insert("perms", old.as_str());
            (
                map! { "new" => wanted, "old" => before },
                format!("Updated permissions will be applied for {acl_name}: {old} -> {perms}"),
                format!("Updated permissions for {acl_name}"),
            )
        }
        None => (
            map! { "new" => wanted },
            format!("New permissions will be applied for {acl_name}: {perms}"),
            format!("Applied new permissions for {acl_name}"),
        ),
    };
    if cx.test {
        return Ok(Outcome::would(name, would).with_changes(changes));
    }
    Ok(match change.set(std::slice::from_ref(&acl_name))? {
        Ok(()) => Outcome::ok(name, done).with_changes(changes),
        Err(why) => Outcome::failed(name, format!("Error updating permissions for {acl_name}: {why}")),
    })
}

/// No line of a file is about a user or a group.
///
/// name: the file; acl_type, acl_name: as of `present`; perms: what it may do; recurse: all below, too
#[exec]
fn absent(
    cx: &Cx,
    name: String,
    acl_type: String,
    #[default("")] acl_name: String,
    #[default("")] perms: String,
    #[default(false)] recurse: Value,
) -> Result<Outcome> {
    if let Some(comment) = missing(&name) {
        return Ok(Outcome::failed(name, comment));
    }
    let lists = Lists::read(cx, &name, &acl_type, Some(&recurse))?;
    let who = if acl_name.is_empty() { lists.owner.as_str() } else { acl_name.as_str() };
    if !lists.known(&name) {
        return Ok(Outcome::failed(name, "ACL Type does not exist"));
    }
    let found = lists.all.values().any(|about| {
        about.get(&lists.kind).and_then(Value::as_list).unwrap_or_default().iter().any(|line| line.get(who).is_some())
    });
    if !found && lists.allowed(&name, who).is_none() {
        return Ok(Outcome::ok(name, "Permissions are in the desired state"));
    }
    if cx.test {
        return Ok(Outcome::would(name, "Removing permissions"));
    }
    let words = [acl_type.as_str(), &acl_name, &perms, &name];
    cx.call("acl.delfacl", Args::positional(words).with("recursive", recurse))?;
    Ok(Outcome::ok(name, "Removing permissions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_numbers() {
        assert_eq!((number("rwx").unwrap(), number("r-x").unwrap(), number("").unwrap()), (7, 5, 0));
        assert!(number("X").is_err());
        assert_eq!((letters(7), letters(4), letters(0)), ("rwx".into(), "--x".into(), "---".into()));
    }
}
