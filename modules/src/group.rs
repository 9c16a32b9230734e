//! The `group` execution module: groups of this machine.

use crate::accounts::{code, in_root, program, retcode, run, run_all};
use crate::file::passwd;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

module! { "group": add, adduser, chgid, delete, deluser, getent, info, members }

/// Where a job keeps all groups once it has asked for them.
const KEPT: &str = "group.getent";

fn shown(fields: &[String]) -> Option<Map> {
    let [name, passwd, gid, members, ..] = fields else { return None };
    let members: Vec<&str> = members.split(',').filter(|member| !member.is_empty()).collect();
    let gid = gid.parse::<i64>().map_or_else(|_| Value::from(gid.as_str()), Value::from);
    Some(map! {"name" => &**name, "passwd" => &**passwd, "gid" => gid, "members" => members})
}

/// What is known of a group; empty if there is none of the name.
fn about(cx: &Cx, name: &str, root: Option<&str>) -> Result<Map> {
    let lines = match root {
        Some(root) => passwd::file(root, "group")?,
        None => passwd::entry(cx, "group", name)?,
    };
    let found = lines.iter().find(|fields| fields.first().is_some_and(|first| first == name));
    Ok(found.and_then(|fields| shown(fields)).unwrap_or_default())
}

/// Add a group; `gid`: its number, `system`: a system group, `non_unique`: even if the number is taken.
///
/// CLI Example: salt '*' group.add foo 3456
#[exec]
fn add(
    cx: &Cx,
    name: String,
    gid: Option<Value>,
    #[default(false)] system: bool,
    root: Option<String>,
    #[default(false)] non_unique: bool,
) -> Result<bool> {
    let mut words = vec![program("groupadd")?];
    if let Some(gid) = gid.filter(Value::truthy) {
        words.push(format!("-g {}", python_str(&gid)).into());
        if non_unique {
            words.push("-o".into());
        }
    }
    if system {
        words.push("-r".into());
    }
    in_root(&mut words, "-R", root.as_deref());
    words.push(name.into());
    Ok(code(&run_all(cx, words)?) == 0)
}

/// Remove a group.
///
/// CLI Example: salt '*' group.delete foo
#[exec]
fn delete(cx: &Cx, name: String, root: Option<String>) -> Result<bool> {
    let mut words = vec![program("groupdel")?];
    in_root(&mut words, "-R", root.as_deref());
    words.push(name.into());
    Ok(code(&run_all(cx, words)?) == 0)
}

/// What is known of a group; nothing if there is none of the name. `root` is the directory of another system.
///
/// CLI Example: salt '*' group.info foo
#[exec]
fn info(cx: &Cx, name: Value, root: Option<String>) -> Result<Map> {
    about(cx, &python_str(&name), root.as_deref())
}

/// What is known of all groups. Asked for once in a job, unless `refresh` is set.
///
/// CLI Example: salt '*' group.getent
#[exec]
fn getent(cx: &Cx, #[default(false)] refresh: bool, root: Option<String>) -> Result {
    if let (Some(kept), false) = (cx.job.context(KEPT), refresh) {
        return Ok(kept);
    }
    let lines = match &root {
        Some(root) => passwd::file(root, "group")?,
        None => passwd::all(cx, "group")?,
    };
    let groups: Vec<Value> = lines.iter().filter_map(|fields| shown(fields)).map(Value::Map).collect();
    cx.job.set_context(KEPT, groups.clone());
    Ok(groups.into())
}

/// Change the number of a group; `non_unique`: even if it is taken.
///
/// CLI Example: salt '*' group.chgid foo 4376
#[exec]
fn chgid(
    cx: &Cx,
    name: String,
    gid: Value,
    root: Option<String>,
    #[default(false)] non_unique: bool,
) -> Result<bool> {
    let before = about(cx, &name, root.as_deref())?;
    if before.is_empty() {
        return Ok(false);
    }
    if before.get("gid") == Some(&gid) {
        return Ok(true);
    }
    let mut words = vec![program("groupmod")?];
    in_root(&mut words, "-R", root.as_deref());
    words.extend([if non_unique { "-og" } else { "-g" }.into(), gid.clone(), name.as_str().into()]);
    run(cx, words)?;
    Ok(about(cx, &name, root.as_deref())?.get("gid") == Some(&gid))
}

fn gpasswd(cx: &Cx, option: &str, value: Value, name: &str, root: Option<&str>) -> Result<bool> {
    let mut words = vec![program("gpasswd")?, option.into(), value, name.into()];
    in_root(&mut words, "--root", root);
    Ok(retcode(cx, words)? == 0)
}

/// Put a user into a group.
///
/// CLI Example: salt '*' group.adduser foo bar
#[exec]
fn adduser(cx: &Cx, name: String, username: Value, root: Option<String>) -> Result<bool> {
    gpasswd(cx, "--add", username, &name, root.as_deref())
}

/// Take a user out of a group.
///
/// CLI Example: salt '*' group.deluser foo bar
#[exec]
fn deluser(cx: &Cx, name: String, username: Value, root: Option<String>) -> Result<bool> {
    let group = about(cx, &name, None)?;
    let members = group.get("members").and_then(Value::as_list).unwrap_or_default();
    if !members.contains(&username) {
        // Of a group that is not there, stock says the same.
        return Ok(true);
    }
    gpasswd(cx, "--del", username, &name, root.as_deref())
}

/// Say who is in a group: text with commas.
///
/// CLI Example: salt '*' group.members foo 'user1,user2,user3,...'
#[exec]
fn members(cx: &Cx, name: String, members_list: Value, root: Option<String>) -> Result<bool> {
    gpasswd(cx, "--members", members_list, &name, root.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_group() {
        let line = ["adm", "x", "4", "syslog,ubuntu"].map(str::to_owned);
        let want = map! {"name" => "adm", "passwd" => "x", "gid" => 4, "members" => vec!["syslog", "ubuntu"]};
        assert_eq!(shown(&line), Some(want));
        assert_eq!(shown(&line[..3]), None);
        let none = ["adm", "x", "4", ""].map(str::to_owned);
        assert_eq!(shown(&none).unwrap().get("members"), Some(&Value::List(Vec::new())));
    }
}
