//! The `user` execution module: users of this machine. What it looks at is here; what it changes is in `user/change.rs`.

mod change;
mod groups;

use crate::file::passwd;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use change::*;

pub(crate) use groups::groups;

module! {
    "user": add, chfullname, chgid, chgroups, chhome, chhomephone, chloginclass, chother, chroomnumber, chshell, chuid,
    chworkphone, delete, get_loginclass, getent, info, list_groups, list_users, primary_group, rename
}

/// Where a job keeps all users once it has asked for them.
const KEPT: &str = "user.getent";

/// What is shown of a line of `passwd`; `local`: the machine's own file of groups.
fn shown(entry: &[String], local: &[groups::Line]) -> Result<Option<Map>> {
    let [name, passwd, uid, gid, gecos, home, shell, ..] = entry else { return Ok(None) };
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let gecos: Vec<&str> = gecos.splitn(5, ',').collect();
    let part = |at: usize| gecos.get(at).copied().unwrap_or_default();
    Ok(Some(map! {
        "gid" => number(gid),
        "groups" => groups::among(local, name)?,
        "home" => &**home,
        "name" => &**name,
        "passwd" => &**passwd,
        "shell" => &**shell,
        "uid" => number(uid),
        "fullname" => part(0),
        "roomnumber" => part(1),
        "workphone" => part(2),
        "homephone" => part(3),
        "other" => part(4),
    }))
}

/// What is known of a user; empty if there is none of the name.
fn about(cx: &Cx, name: &str, root: Option<&str>) -> Result<Map> {
    let lines = match root {
        Some(root) => passwd::file(root, "passwd")?,
        None => passwd::entry(cx, "passwd", name)?,
    };
    match lines.iter().find(|fields| fields.len() >= 7 && fields[0] == name) {
        Some(entry) => Ok(shown(entry, &groups::lines()?)?.unwrap_or_default()),
        None => Ok(Map::new()),
    }
}

fn everybody(cx: &Cx, root: Option<&str>) -> Result<Vec<Vec<String>>> {
    match root {
        Some(root) => passwd::file(root, "passwd"),
        None => passwd::all(cx, "passwd"),
    }
}

/// What is known of a user; nothing if there is none of the name. `root` is the directory of another system.
///
/// CLI Example: salt '*' user.info root
#[exec]
fn info(cx: &Cx, name: Value, root: Option<String>) -> Result<Map> {
    about(cx, &python_str(&name), root.as_deref())
}

/// What is known of all users. Asked for once in a job, unless `refresh` is set.
///
/// CLI Example: salt '*' user.getent
#[exec]
fn getent(cx: &Cx, #[default(false)] refresh: bool, root: Option<String>) -> Result {
    if let (Some(kept), false) = (cx.job.context(KEPT), refresh) {
        return Ok(kept);
    }
    let mut users = Vec::new();
    let everybody = everybody(cx, root.as_deref())?;
    let local = groups::lines()?;
    for entry in everybody {
        users.extend(shown(&entry, &local)?.map(Value::Map));
    }
    cx.job.set_context(KEPT, users.clone());
    Ok(users.into())
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
    let lines = everybody(cx, root.as_deref())?;
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
