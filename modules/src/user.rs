//! The `user` execution module, as far as it only looks: users of this machine and their groups.

use crate::file::passwd;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::unistd::{Gid, Group, User, getgrouplist};
use std::collections::BTreeSet;
use std::ffi::CString;

module! { "user": get_loginclass, info, list_groups, list_users, primary_group }

fn failed(errno: nix::Error) -> CallError {
    std::io::Error::from(errno).into()
}

/// The groups of a user, the primary one among them, by name.
fn groups(name: &str) -> Result<Vec<String>> {
    let Some(user) = User::from_name(name).map_err(failed)? else { return Ok(Vec::new()) };
    let name = CString::new(name).map_err(|_| CallError::exception("ValueError", "embedded null byte"))?;
    let gids = getgrouplist(&name, user.gid).map_err(failed)?;
    let known = |gid: Gid| Group::from_gid(gid).ok().flatten().map(|group| group.name);
    Ok(gids.into_iter().filter_map(known).collect::<BTreeSet<_>>().into_iter().collect())
}

/// What is known of a user; nothing if there is none of the name. `root` is the directory of another system.
///
/// CLI Example: salt '*' user.info root
#[exec]
fn info(cx: &Cx, name: Value, root: Option<String>) -> Result<Map> {
    let name = python_str(&name);
    let lines = match &root {
        Some(root) => passwd::file(root, "passwd")?,
        None => passwd::entry(cx, "passwd", &name)?,
    };
    let Some(entry) = lines.into_iter().find(|fields| fields.len() >= 7 && fields[0] == name) else {
        return Ok(Map::new());
    };
    let number = |at: usize| entry[at].parse::<i64>().map_or_else(|_| Value::from(entry[at].as_str()), Value::from);
    let gecos: Vec<&str> = entry[4].splitn(5, ',').collect();
    let part = |at: usize| gecos.get(at).copied().unwrap_or_default();
    Ok(map! {
        "gid" => number(3),
        "groups" => groups(&name)?,
        "home" => &*entry[5],
        "name" => &*entry[0],
        "passwd" => &*entry[1],
        "shell" => &*entry[6],
        "uid" => number(2),
        "fullname" => part(0),
        "roomnumber" => part(1),
        "workphone" => part(2),
        "homephone" => part(3),
        "other" => part(4),
    })
}

/// The groups that a user belongs to.
///
/// CLI Example: salt '*' user.list_groups foo
#[exec]
fn list_groups(name: Value) -> Result<Vec<String>> {
    groups(&python_str(&name))
}

/// The names of all users.
///
/// CLI Example: salt '*' user.list_users
#[exec]
fn list_users(cx: &Cx, root: Option<String>) -> Result<Vec<String>> {
    let lines = match &root {
        Some(root) => passwd::file(root, "passwd")?,
        None => passwd::all(cx, "passwd")?,
    };
    let mut names: Vec<String> = lines.into_iter().filter_map(|fields| fields.into_iter().next()).collect();
    names.sort();
    Ok(names)
}

/// The primary group of a user.
///
/// CLI Example: salt '*' user.primary_group saltadmin
#[exec]
fn primary_group(cx: &Cx, name: String) -> Result<String> {
    crate::tools::run(cx, &["id", "-g", "-n", &name])
}

/// The login class of a user, which only BSD has.
///
/// CLI Example: salt '*' user.get_loginclass foo
#[exec]
fn get_loginclass(name: String) -> Result<bool> {
    let _name = name;
    Ok(false)
}
