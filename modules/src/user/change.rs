//! Changing users: `useradd`, `usermod` and `userdel`, and what the machine says of the user afterwards.

use super::{about, groups};
use crate::accounts::{code, in_root, program, retcode, run, run_all};
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::BTreeSet;

/// Text that a function was given, as Python's truth sees it.
fn given(text: Option<&Value>) -> Option<String> {
    text.filter(|text| text.truthy()).map(python_str)
}

/// The groups asked for, from a list or a text with commas.
fn names(groups: &Value) -> Vec<String> {
    match groups {
        Value::List(list) => list.iter().map(python_str).collect(),
        other => python_str(other).split(',').map(str::to_owned).collect(),
    }
}

/// The group that `useradd` would make, if the machine makes one for each user and the user is to be in it.
fn group_of_the_same_name(cx: &Cx, name: &str) -> Result<Option<Value>> {
    let Ok(text) = std::fs::read_to_string("/etc/login.defs") else {
        tracing::debug!("Error reading /etc/login.defs");
        return Ok(None);
    };
    let start = |line: &str| line.chars().take(15).collect::<String>();
    match text.lines().find(|line| start(line).contains("USERGROUPS_ENAB")) {
        Some(line) if line.contains("yes") => Ok(Some(cx.call("file.group_to_gid", Args::positional([name]))?)),
        _ => Ok(None),
    }
}

/// Add a user.
///
/// name: the name. uid, gid: numbers (or a group's name). groups: further groups, a list or text with commas.
/// home, shell: as in `passwd`. unique: whether the number must be free. system: a system user.
/// fullname, roomnumber, workphone, homephone, other: the parts of the comment. createhome: make the home.
/// loginclass: BSD only. nologinit: no entries in `lastlog` and `faillog`. root: the directory of another system.
/// usergroup: make a group of the same name (`False`: none; unset: as the machine is set up).
///
/// CLI Example: salt '*' user.add name <uid> <gid> <groups> <home> <shell>
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn add(
    cx: &Cx,
    name: String,
    uid: Option<Value>,
    gid: Option<Value>,
    groups: Option<Value>,
    home: Option<Value>,
    shell: Option<Value>,
    #[default(true)] unique: bool,
    #[default(false)] system: bool,
    #[default("")] fullname: Value,
    #[default("")] roomnumber: Value,
    #[default("")] workphone: Value,
    #[default("")] homephone: Value,
    #[default("")] other: Value,
    #[default(true)] createhome: bool,
    loginclass: Option<Value>,
    #[default(false)] nologinit: bool,
    root: Option<String>,
    usergroup: Option<Value>,
) -> Result<bool> {
    // Only OpenBSD has login classes.
    let _ = loginclass;
    let mut words = vec![program("useradd")?];
    if let Some(shell) = given(shell.as_ref()) {
        words.extend(["-s".into(), shell.into()]);
    }
    let set = |value: &Option<Value>| value.clone().filter(|value| value.as_str() != Some(""));
    if let Some(uid) = set(&uid) {
        words.extend(["-u".into(), uid]);
    }
    let contains = |groups: &Value| match groups {
        Value::List(list) => list.iter().any(|group| group.as_str() == Some(&name)),
        other => python_str(other).contains(&name),
    };
    if let Some(gid) = set(&gid) {
        words.extend(["-g".into(), gid]);
    } else if usergroup.as_ref().is_some_and(Value::truthy) {
        words.push("-U".into());
    } else if groups.as_ref().is_some_and(contains)
        && let Some(gid) = group_of_the_same_name(cx, &name)?
    {
        words.extend(["-g".into(), gid]);
    }
    if usergroup == Some(Value::Bool(false)) {
        words.push("-N".into());
    }
    words.push(if createhome { "-m" } else { "-M" }.into());
    if nologinit {
        words.push("-l".into());
    }
    if let Some(home) = home {
        words.extend(["-d".into(), home]);
    }
    if !unique {
        words.push("-o".into());
    }
    if system {
        words.push("-r".into());
    }
    words.push(name.as_str().into());
    in_root(&mut words, "-R", root.as_deref());
    if code(&run_all(cx, words)?) != 0 {
        return Ok(false);
    }
    // The user is there now; what else goes wrong shows when the state is applied again.
    let root = root.as_deref();
    if let Some(groups) = groups.filter(Value::truthy) {
        set_groups(cx, &name, &groups, false, root)?;
    }
    let parts = [
        ("fullname", fullname),
        ("roomnumber", roomnumber),
        ("workphone", workphone),
        ("homephone", homephone),
        ("other", other),
    ];
    for (part, value) in parts {
        if value.truthy() {
            set_gecos(cx, &name, part, &value, root)?;
        }
    }
    Ok(true)
}

/// Remove a user; `remove`: with the home, `force`: even where they are logged in.
///
/// CLI Example: salt '*' user.delete name remove=True force=True
#[exec]
pub(super) fn delete(
    cx: &Cx,
    name: String,
    #[default(false)] remove: bool,
    #[default(false)] force: bool,
    root: Option<String>,
) -> Result<bool> {
    let mut words = vec![program("userdel")?];
    if remove {
        words.push("-r".into());
    }
    if force {
        words.push("-f".into());
    }
    words.push(name.into());
    in_root(&mut words, "-R", root.as_deref());
    let out = run_all(cx, words)?;
    let errors = out.get_str("stderr").unwrap_or_default();
    Ok(match code(&out) {
        0 => true,
        // Debian's userdel ends so where there was no mail to remove.
        12 if cx.grains.get_str("os_family") == Some("Debian") => {
            errors.contains("var/mail") || errors.contains("var/spool/mail")
        }
        _ => false,
    })
}

/// Sets one thing of a user and says whether it is so now.
fn set(
    cx: &Cx,
    name: &str,
    key: &str,
    value: &Value,
    (option, with_home): (&str, bool),
    root: Option<&str>,
) -> Result<bool> {
    let before = about(cx, name, root)?;
    if before.is_empty() {
        return Err(CallError::execution(format!("User '{name}' does not exist")));
    }
    if before.get(key) == Some(value) {
        return Ok(true);
    }
    let mut words = vec![program("usermod")?];
    in_root(&mut words, "-R", root);
    if with_home {
        words.push("-m".into());
    }
    words.extend([option.into(), value.clone(), name.into()]);
    run(cx, words)?;
    Ok(about(cx, name, root)?.get(key) == Some(value))
}

/// Change the number of a user.
///
/// CLI Example: salt '*' user.chuid foo 4376
#[exec]
pub(super) fn chuid(cx: &Cx, name: String, uid: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "uid", &uid, ("-u", false), root.as_deref())
}

/// Change the primary group of a user.
///
/// CLI Example: salt '*' user.chgid foo 4376
#[exec]
pub(super) fn chgid(cx: &Cx, name: String, gid: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "gid", &gid, ("-g", false), root.as_deref())
}

/// Change the shell of a user.
///
/// CLI Example: salt '*' user.chshell foo /bin/zsh
#[exec]
pub(super) fn chshell(cx: &Cx, name: String, shell: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "shell", &shell, ("-s", false), root.as_deref())
}

/// Change the home of a user; `persist`: what is in the old one goes there.
///
/// CLI Example: salt '*' user.chhome foo /home/users/foo True
#[exec]
pub(super) fn chhome(
    cx: &Cx,
    name: String,
    home: Value,
    #[default(false)] persist: bool,
    root: Option<String>,
) -> Result<bool> {
    set(cx, &name, "home", &home, ("-d", persist), root.as_deref())
}

/// Rename a user.
///
/// CLI Example: salt '*' user.rename name new_name
#[exec]
pub(super) fn rename(cx: &Cx, name: String, new_name: Value, root: Option<String>) -> Result<bool> {
    let taken = python_str(&new_name);
    if !about(cx, &taken, root.as_deref())?.is_empty() {
        return Err(CallError::execution(format!("User '{taken}' already exists")));
    }
    // Stock looks under the old name afterwards, where nobody is any more.
    set(cx, &name, "name", &new_name, ("-l", false), root.as_deref())
}

fn set_groups(cx: &Cx, name: &str, wanted: &Value, append: bool, root: Option<&str>) -> Result<bool> {
    let wanted = names(wanted);
    let now: BTreeSet<String> = groups(name)?.into_iter().collect();
    if now == wanted.iter().cloned().collect() {
        return Ok(true);
    }
    let mut words = vec![program("usermod")?];
    if append {
        words.push("-a".into());
    }
    words.extend(["-G".into(), wanted.join(",").into(), name.into()]);
    in_root(&mut words, "-R", root);
    let out = run_all(cx, words)?;
    if code(&out) != 0 && out.get_str("stderr").is_some_and(|errors| errors.contains("not found in")) {
        // Users of a directory are in no file that usermod changes.
        let mut all = true;
        for group in wanted {
            let words = vec!["gpasswd".into(), "-a".into(), name.into(), group.into()];
            all &= retcode(cx, words)? == 0;
        }
        return Ok(all);
    }
    Ok(code(&out) == 0)
}

/// Change the groups of a user: a list or text with commas. `append`: the ones they are in stay.
///
/// CLI Example: salt '*' user.chgroups foo wheel,root
#[exec]
pub(super) fn chgroups(
    cx: &Cx,
    name: String,
    groups: Value,
    #[default(false)] append: bool,
    root: Option<String>,
) -> Result<bool> {
    set_groups(cx, &name, &groups, append, root.as_deref())
}

/// The parts of a user's comment, in order.
const GECOS: [&str; 5] = ["fullname", "roomnumber", "workphone", "homephone", "other"];

fn set_gecos(cx: &Cx, name: &str, key: &str, value: &Value, root: Option<&str>) -> Result<bool> {
    let value = if value.is_nil() { String::new() } else { python_str(value) };
    let now = |all: &Map, key: &str| all.get_str(key).unwrap_or_default().to_owned();
    let before = about(cx, name, root)?;
    if before.is_empty() {
        return Err(match root {
            Some(_) => CallError::exception("KeyError", ""),
            None => CallError::exception("KeyError", format!("\"getpwnam(): name not found: '{name}'\"")),
        });
    }
    if now(&before, key) == value {
        return Ok(true);
    }
    let parts = GECOS.map(|part| if part == key { value.clone() } else { now(&before, part) });
    let mut words = vec![program("usermod")?];
    in_root(&mut words, "-R", root);
    words.extend(["-c".into(), parts.join(",").trim_end_matches(',').into(), name.into()]);
    run(cx, words)?;
    Ok(now(&about(cx, name, root)?, key) == value)
}

/// Change the full name of a user.
///
/// CLI Example: salt '*' user.chfullname foo "Foo Bar"
#[exec]
pub(super) fn chfullname(cx: &Cx, name: String, fullname: Value, root: Option<String>) -> Result<bool> {
    set_gecos(cx, &name, "fullname", &fullname, root.as_deref())
}

/// Change the room number of a user.
///
/// CLI Example: salt '*' user.chroomnumber foo 123
#[exec]
pub(super) fn chroomnumber(cx: &Cx, name: String, roomnumber: Value, root: Option<String>) -> Result<bool> {
    set_gecos(cx, &name, "roomnumber", &roomnumber, root.as_deref())
}

/// Change the work phone of a user.
///
/// CLI Example: salt '*' user.chworkphone foo 7735550123
#[exec]
pub(super) fn chworkphone(cx: &Cx, name: String, workphone: Value, root: Option<String>) -> Result<bool> {
    set_gecos(cx, &name, "workphone", &workphone, root.as_deref())
}

/// Change the home phone of a user.
///
/// CLI Example: salt '*' user.chhomephone foo 7735551234
#[exec]
pub(super) fn chhomephone(cx: &Cx, name: String, homephone: Value, root: Option<String>) -> Result<bool> {
    set_gecos(cx, &name, "homephone", &homephone, root.as_deref())
}

/// Change the rest of the comment of a user.
///
/// CLI Example: salt '*' user.chother foobar
#[exec]
pub(super) fn chother(cx: &Cx, name: String, other: Value, root: Option<String>) -> Result<bool> {
    set_gecos(cx, &name, "other", &other, root.as_deref())
}

/// Change the login class of a user, which only OpenBSD has.
///
/// CLI Example: salt '*' user.chloginclass foo staff
#[exec]
pub(super) fn chloginclass(name: String, loginclass: Value, root: Option<String>) -> Result<bool> {
    let _bsd_only = (name, loginclass, root);
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_list_or_a_text() {
        assert_eq!(names(&"a,b".into()), ["a", "b"]);
        assert_eq!(names(&vec!["a", "b,c"].into()), ["a", "b,c"]);
    }
}
