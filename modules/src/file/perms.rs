//! Owner, group and mode of files, changed and seen to.

use super::attributes::{Selinux, see_to_attributes, see_to_selinux};
use super::owner::{gid_of, uid_of};
use super::stat::{Stat, of};
use crate::hashutil::file_error;
use crate::python::path::expanduser;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown as unix_chown, lchown as unix_lchown};
use std::path::Path;

/// Set the mode of a file. Returns the mode that it has then.
///
/// CLI Example: salt '*' file.set_mode /etc/passwd 0644
#[exec]
pub(super) fn set_mode(path: String, mode: Value) -> Result {
    let path = expanduser(&path);
    let digits = python_str(&mode);
    let digits = match digits.trim_start_matches(['0', 'O', 'o']) {
        "" => "0",
        digits => digits,
    };
    if !Path::new(&path).exists() {
        return Err(CallError::execution(format!("{path}: File not found")));
    }
    let done = match u32::from_str_radix(digits, 8) {
        Ok(bits) => fs::set_permissions(&path, Permissions::from_mode(bits & 0o7777)).is_ok(),
        Err(_) => false,
    };
    if !done {
        return Ok(format!("Invalid Mode {digits}").into());
    }
    Ok(of(&path, true)?.mode().into())
}

/// A user or group for the system: `-1` leaves it as it is. Text is what Python refuses.
fn id(id: &Value, word: &str) -> Result<Option<u32>> {
    match id.as_int() {
        Some(-1) => Ok(None),
        Some(id) => u32::try_from(id)
            .map(Some)
            .map_err(|_| CallError::exception("OverflowError", format!("{word} is less than minimum"))),
        None => Err(CallError::Arguments(format!("{word} should be integer, not str"))),
    }
}

/// The numbers of a user and a group, and what there is to say of those that are not there.
fn ids(user: &Value, group: &Value) -> (Value, Value, String) {
    let mut text = String::new();
    let mut one = |number: Value, given: &Value, word: &str| {
        if number != Value::from("") {
            return number;
        }
        if given.truthy() {
            text.push_str(&format!("{word} does not exist\n"));
            return number;
        }
        Value::from(-1)
    };
    let uid = one(uid_of(user), user, "User");
    let gid = one(gid_of(group), group, "Group");
    (uid, gid, text)
}

/// Set user and group of a path itself, also where it is a symbolic link.
///
/// CLI Example: salt '*' file.lchown /etc/passwd root root
#[exec]
pub(super) fn lchown(path: String, user: Value, group: Value) -> Result {
    let path = expanduser(&path);
    let (uid, gid, _) = ids(&user, &group);
    unix_lchown(&path, id(&uid, "uid")?, id(&gid, "gid")?).map_err(|e| file_error(&e, &path))?;
    Ok(Value::Nil)
}

/// Set user and group of what a path leads to. Text says what went wrong.
///
/// CLI Example: salt '*' file.chown /etc/passwd root root
#[exec]
pub(super) fn chown(path: String, user: Value, group: Value) -> Result {
    let path = expanduser(&path);
    let (uid, gid, mut text) = ids(&user, &group);
    if !Path::new(&path).exists() {
        if unix_lchown(&path, id(&uid, "uid")?, id(&gid, "gid")?).is_ok() {
            return Ok(Value::Nil);
        }
        text.push_str("File not found");
    }
    if !text.is_empty() {
        return Ok(text.into());
    }
    unix_chown(&path, id(&uid, "uid")?, id(&gid, "gid")?).map_err(|e| file_error(&e, &path))?;
    Ok(Value::Nil)
}

/// Set the group of a file.
///
/// CLI Example: salt '*' file.chgrp /etc/passwd root
#[exec]
pub(super) fn chgrp(path: String, group: Value) -> Result {
    let user = of(&path, true)?.user();
    chown(path, user, group)
}

/// What a file shall be beside its contents.
pub(super) struct Perms<'a> {
    pub user: &'a Value,
    pub group: &'a Value,
    pub mode: Option<String>,
    pub attrs: Option<&'a str>,
    pub follow_symlinks: bool,
    pub selinux: Selinux<'a>,
}

/// Notes what was changed in the result of a state.
pub(super) fn change(ret: &mut Map, key: &str, value: impl Into<Value>) {
    if let Some(changes) = ret.entry_or("changes", || Map::new().into()).as_map_mut() {
        changes.insert(key, value);
    }
}

/// The result that a function of states goes on with: the one that was given, or a new one whose comment is a list.
struct Report {
    ret: Map,
    comments: Vec<String>,
    before: Value,
}

impl Report {
    fn of(ret: Option<Map>, name: &str) -> Self {
        let new = || map! {"name" => name, "changes" => Map::new(), "comment" => "", "result" => true};
        let ret = ret.filter(|ret| !ret.is_empty()).unwrap_or_else(new);
        let before = ret.get("comment").cloned().unwrap_or_default();
        Self { ret, comments: Vec::new(), before }
    }

    fn fail(&mut self, comment: impl Into<String>) {
        self.ret.insert("result", false);
        self.comments.push(comment.into());
    }

    fn end(mut self, test: bool) -> Map {
        match &self.before {
            Value::Str(before) => {
                if !before.is_empty() {
                    self.comments.insert(0, before.clone());
                }
                self.ret.insert("comment", self.comments.join("; "));
            }
            _ => {
                self.ret.insert("comment", self.comments.into_iter().map(Value::from).collect::<Vec<_>>());
            }
        }
        if test && self.ret.get("changes").is_some_and(Value::truthy) {
            self.ret.insert("result", Value::Nil);
        }
        self.ret
    }
}

/// Whether this is not the user (or group) of a file, by name or number.
pub(super) fn another(wanted: &Value, name: &Value, id: u32) -> bool {
    wanted != name && *wanted != Value::from(id)
}

impl Perms<'_> {
    /// Whether the mode says anything about a file: that of a link does not, unless what it leads to is meant.
    fn mode_counts(&self, is_link: bool) -> bool {
        !is_link || self.follow_symlinks
    }

    /// Sees to it. Returns the result of the state so far, and what the file was like.
    pub(super) fn see_to(&self, cx: &Cx, name: &str, ret: Option<Map>) -> Result<(Map, Map)> {
        let mut report = Report::of(ret, name);
        let cur = of(name, self.follow_symlinks)?;
        let (cur_user, cur_group, cur_mode) = (cur.user(), cur.group(), cur.mode());
        let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Bool(_));
        let mut perms = map! {
            "luser" => if is_number(self.user) { cur.uid().into() } else { cur_user.clone() },
            "lgroup" => if is_number(self.group) { cur.gid().into() } else { cur_group.clone() },
            "lmode" => cur_mode.clone(),
        };
        let is_link = Path::new(name).is_symlink();
        let other_user = self.user.truthy() && another(self.user, &cur_user, cur.uid());
        let other_group = self.group.truthy() && another(self.group, &cur_group, cur.gid());
        if other_user {
            perms.insert("cuser", self.user.clone());
        }
        if other_group {
            perms.insert("cgroup", self.group.clone());
        }
        if (other_user || other_group) && !cx.test {
            let user = if self.user.is_nil() { cur_user } else { self.user.clone() };
            let group = if self.group.is_nil() { cur_group } else { self.group.clone() };
            let change = if is_link && !self.follow_symlinks { lchown } else { chown };
            match change(name.to_owned(), user, group) {
                Ok(text) if text.truthy() => report.fail(python_str(&text)),
                // The system takes `suid` and `sgid` away.
                Ok(_) if !is_link => {
                    set_mode(name.to_owned(), cur_mode.clone().into())?;
                }
                Ok(_) => {}
                Err(e) if e.is_os_error() => {
                    report.ret.insert("result", false);
                }
                Err(e) => return Err(e),
            }
        }
        let mode = self.mode.as_ref().filter(|_| self.mode_counts(is_link));
        let other_mode = mode.is_some_and(|mode| *mode != cur_mode);
        if let Some(mode) = mode.filter(|_| other_mode && !cx.test) {
            perms.insert("cmode", mode.clone());
            set_mode(name.to_owned(), mode.clone().into())?;
        }
        let changed = (other_user || other_group || other_mode) && !cx.test;
        let post = if changed { of(name, self.follow_symlinks)? } else { cur };
        self.verify(cx, &post, &mut report, (other_user, other_group, other_mode), mode);
        if let Some(attrs) = self.attrs.filter(|_| !post.is_dir() && self.mode_counts(is_link)) {
            let seen = see_to_attributes(cx, name, attrs)?;
            if let Some(text) = seen.failed {
                report.fail(text);
            }
            if let Some(changes) = seen.changes {
                change(&mut report.ret, "attrs", changes);
            }
        }
        if self.selinux.any() {
            let seen = see_to_selinux(cx, name, &self.selinux)?;
            if let Some(result) = seen.result {
                report.ret.insert("result", result);
            }
            report.comments.extend(seen.comments);
            if let Some(changes) = seen.changes {
                change(&mut report.ret, "selinux", changes);
            }
        }
        Ok((report.end(cx.test), perms))
    }

    /// Compares what the file is like now with what it shall be like.
    fn verify(&self, cx: &Cx, post: &Stat, report: &mut Report, other: (bool, bool, bool), mode: Option<&String>) {
        let mut one = |key: &str, wanted: &Value, wrong: bool, changed: bool| {
            if wrong && cx.test || !wrong && changed {
                change(&mut report.ret, key, wanted.clone());
            } else if wrong {
                report.fail(format!("Failed to change {key} to {}", python_str(wanted)));
            }
        };
        if self.user.truthy() {
            let wrong = other.0 && another(self.user, &post.user(), post.uid());
            one("user", self.user, wrong, other.0);
        }
        if self.group.truthy() {
            let wrong = other.1 && another(self.group, &post.group(), post.gid());
            one("group", self.group, wrong, other.1);
        }
        if let Some(mode) = mode {
            one("mode", &mode.as_str().into(), *mode != post.mode(), other.2);
        }
    }
}

/// See to it that a file has this user, group, mode and these attributes. Returns the result of a state so far (a new one
/// where none is given), and what the file was like.
///
/// CLI Example: salt '*' file.check_perms /etc/sudoers '{}' root root 400 ai
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_perms(
    cx: &Cx,
    name: String,
    ret: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Option<String>,
    #[default(false)] follow_symlinks: bool,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    serange: Option<String>,
) -> Result<Vec<Value>> {
    let name = expanduser(&name);
    let ret = match ret {
        Value::Map(ret) => Some(ret),
        _ => None,
    };
    let perms = Perms {
        user: &user,
        group: &group,
        mode: normalize_mode(&mode),
        attrs: attrs.as_deref(),
        follow_symlinks,
        selinux: Selinux::of([&seuser, &serole, &setype, &serange]),
    };
    let (ret, perms) = perms.see_to(cx, &name, ret)?;
    Ok(vec![ret.into(), perms.into()])
}
