//! `file.directory`: a directory, and owners and modes of all that is in it.

use super::common::{check_user, error, owner, pair};
use super::links::make_folder;
use super::managed::outcome;
use super::walk::{Folder, clean, required, walk, would_go};
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::posixpath::{dirname, expanduser, join};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

const TYPES: [&str; 6] = ["user", "group", "mode", "ignore_files", "ignore_dirs", "silent"];

/// What `recurse` asks for; or what is wrong with it.
fn recurse_set(recurse: &Value) -> std::result::Result<Vec<&str>, String> {
    if !recurse.truthy() {
        return Ok(Vec::new());
    }
    let Value::List(list) = recurse else {
        return Err("\"recurse\" must be formed as a list of strings".into());
    };
    let known = |value: &Value| TYPES.iter().find(|known| value.as_str() == Some(known)).copied();
    let set: Option<Vec<&str>> = list.iter().map(known).collect();
    let Some(set) = set else {
        let known: Vec<String> = TYPES.iter().map(|known| format!("\"{known}\"")).collect();
        return Err(format!("Types for \"recurse\" limited to {}.", known.join(", ")));
    };
    if set.contains(&"ignore_files") && set.contains(&"ignore_dirs") {
        return Err(
            "Must not specify \"recurse\" options \"ignore_files\" and \"ignore_dirs\" at the same time.".into(),
        );
    }
    Ok(set)
}

/// A directory that there is to be.
struct Directory<'a> {
    name: &'a str,
    user: Value,
    group: Value,
    recurse: &'a Value,
    dir_mode: Option<String>,
    file_mode: Option<String>,
    clean: bool,
    require: &'a Value,
    exclude_pat: &'a Value,
    max_depth: Option<i64>,
    follow_symlinks: bool,
    children_only: bool,
}

/// Owner and mode of one thing.
struct Looks<'a> {
    user: &'a Value,
    group: &'a Value,
    mode: Option<&'a str>,
}

impl Directory<'_> {
    /// What would be changed of one thing.
    fn meta(&self, cx: &Cx, path: &str, looks: &Looks<'_>, is_dir: bool) -> Result<Map> {
        let args = Args::positional([path.into(), Value::Nil, self.follow_symlinks.into()]);
        let stats = match cx.call("file.stats", args) {
            Ok(stats) => stats,
            Err(e) if e.is_execution() && is_dir => return Ok(map! {"directory" => "new"}),
            Err(e) => return Err(e),
        };
        let other = |wanted: &Value, name: &str, id: &str| {
            !wanted.is_nil() && Some(wanted) != stats.get(name) && Some(wanted) != stats.get(id)
        };
        let mut changes = Map::new();
        if other(looks.user, "user", "uid") {
            changes.insert("user", looks.user.clone());
        }
        if other(looks.group, "group", "gid") {
            changes.insert("group", looks.group.clone());
        }
        let counts = self.follow_symlinks || stats.get("type").and_then(Value::as_str) != Some("link");
        if let Some(mode) = looks.mode
            && counts
            && stats.get("mode").and_then(normalize_mode).as_deref() != Some(mode)
        {
            changes.insert("mode", mode);
        }
        Ok(changes)
    }

    /// What would be changed.
    fn check(&self, cx: &Cx) -> Result<Outcome> {
        let mut changes = Map::new();
        let folders = if self.recurse.truthy() || self.clean { walk(self.name, self.max_depth) } else { Vec::new() };
        let mut looks =
            Looks { user: &self.user, group: &self.group, mode: self.dir_mode.as_deref() };
        let mut file_mode = self.file_mode.as_deref();
        if self.recurse.truthy() {
            let set = match recurse_set(self.recurse) {
                Ok(set) => set,
                Err(text) => return Ok(error(self.name, text)),
            };
            if !set.contains(&"user") {
                looks.user = &Value::Nil;
            }
            if !set.contains(&"group") {
                looks.group = &Value::Nil;
            }
            if !set.contains(&"mode") {
                (looks.mode, file_mode) = (None, None);
            }
            for folder in &folders {
                let files: &[String] = if set.contains(&"ignore_files") { &[] } else { &folder.files };
                let dirs: &[String] = if set.contains(&"ignore_dirs") { &[] } else { &folder.dirs };
                for (names, is_dir) in [(files, false), (dirs, true)] {
                    for name in names {
                        let path = join(&folder.root, &[name]);
                        let mode = if is_dir { looks.mode } else { file_mode };
                        let found = self.meta(cx, &path, &Looks { mode, ..looks }, is_dir)?;
                        if !found.is_empty() {
                            changes.insert(path, found);
                        }
                    }
                }
            }
        }
        if !self.children_only {
            let found = self.meta(cx, self.name, &looks, true)?;
            if !found.is_empty() {
                changes.insert(self.name, found);
            }
        }
        if self.clean {
            let keep = required(cx, self.name, self.require)?;
            for path in would_go(&folders, self.name, &keep, self.exclude_pat)? {
                changes.insert(path, map! {"removed" => "Removed due to clean"});
            }
        }
        if !Path::new(self.name).is_dir() {
            changes.insert(self.name, map! {"directory" => "new"});
        }
        if changes.is_empty() {
            return Ok(Outcome::ok(self.name, format!("The directory {} is in the correct state", self.name)));
        }
        let mut comment = "The following files will be changed:\n".to_owned();
        for (path, change) in &changes {
            for (key, value) in change.as_map().into_iter().flatten() {
                comment.push_str(&format!("{}: {} - {}\n", python_str(path), python_str(key), python_str(value)));
            }
        }
        Ok(Outcome::would(self.name, comment).with_changes(changes))
    }

    /// Owner and mode of one thing, seen to.
    fn perms(&self, cx: &Cx, path: &str, ret: Outcome, looks: &Looks<'_>) -> Result<Outcome> {
        let args = Args::positional([
            path.into(),
            ret.into(),
            looks.user.clone(),
            looks.group.clone(),
            looks.mode.map_or(Value::Nil, Value::from),
            Value::Nil,
            self.follow_symlinks.into(),
        ]);
        let (ret, _) = pair(cx.call("file.check_perms", args)?);
        Ok(outcome(ret, self.name))
    }

    /// Whether a user or group that is to be set everywhere is there; what there is to say if not.
    fn who(&self, cx: &Cx, who: &Value, function: &str, missing: &str, word: &str) -> Result<Option<String>> {
        if !who.truthy() && who.as_int().is_none() {
            return Ok(Some(format!(
                "{word} not specified, but configured as a target for recursive ownership management"
            )));
        }
        let id = cx.call(function, Args::positional([who.clone()]))?;
        Ok(id.as_str().map(|_| missing.to_owned()))
    }

    /// Everything below the directory.
    fn apply_below(
        &self,
        cx: &Cx,
        mut ret: Outcome,
        folders: &[Folder],
        errors: &mut Vec<String>,
    ) -> Result<Outcome> {
        let set = match recurse_set(self.recurse) {
            Ok(set) => set,
            Err(text) => {
                (ret.result, ret.comment) = (Some(false), text.into());
                return Ok(ret);
            }
        };
        let mut looks = Looks { user: &Value::Nil, group: &Value::Nil, mode: None };
        if set.contains(&"user") {
            looks.user = &self.user;
            let missing = format!(
                "Failed to enforce ownership for user {} (user does not exist)",
                python_str(&self.user)
            );
            if let Some(text) = self.who(cx, &self.user, "file.user_to_uid", &missing, "user")? {
                (ret.result, ret.comment) = (Some(false), text.into());
            }
        }
        if set.contains(&"group") {
            looks.group = &self.group;
            let missing = format!("Failed to enforce group ownership for group {}", python_str(&self.group));
            if let Some(text) = self.who(cx, &self.group, "file.group_to_gid", &missing, "group")? {
                (ret.result, ret.comment) = (Some(false), text.into());
            }
        }
        let (mut file_mode, mut dir_mode) = (None, None);
        if set.contains(&"mode") {
            (file_mode, dir_mode) = (self.file_mode.as_deref(), self.dir_mode.as_deref());
        }
        if set.contains(&"silent") {
            ret.changes = map! {"recursion" => "Changes silenced"};
        }
        for folder in folders {
            let files: &[String] = if set.contains(&"ignore_files") { &[] } else { &folder.files };
            let dirs: &[String] = if set.contains(&"ignore_dirs") { &[] } else { &folder.dirs };
            for (names, mode) in [(files, file_mode), (dirs, dir_mode)] {
                for name in names {
                    cx.cancel.check()?;
                    let path = join(&folder.root, &[name]);
                    looks.mode = mode;
                    match self.perms(cx, &path, ret.clone(), &looks) {
                        Ok(next) => ret = next,
                        Err(e) if e.is_execution() => {
                            if !e.text().starts_with("Path not found") {
                                errors.push(e.text());
                            }
                        }
                        Err(e) => return Err(e),
                    }
                }
            }
        }
        Ok(ret)
    }

    /// The directory is there: what is in it and what it is like.
    fn apply(&self, cx: &Cx, mut ret: Outcome) -> Result<Outcome> {
        let name = self.name;
        if !self.children_only {
            let looks = Looks { user: &self.user, group: &self.group, mode: self.dir_mode.as_deref() };
            ret = self.perms(cx, name, ret, &looks)?;
        }
        let mut errors = Vec::new();
        if self.recurse.truthy() {
            let folders = walk(name, self.max_depth);
            ret = self.apply_below(cx, ret, &folders, &mut errors)?;
        }
        if self.clean {
            let keep = required(cx, name, self.require)?;
            let removed = clean(cx, name, &keep, self.exclude_pat)?;
            if !removed.is_empty() {
                ret.changes.insert("removed", removed);
                ret.comment = format!("Files cleaned from directory {name}").into();
            }
        }
        if !ret.comment.truthy() {
            if self.children_only {
                ret.comment = format!("Directory {name}/* updated").into();
            } else if !ret.changes.is_empty() {
                ret.comment = format!("Directory {name} updated").into();
            }
        }
        if ret.changes.is_empty() && ret.result == Some(true) {
            let mut text = format!("Directory {name} is in the correct state");
            if ret.comment.truthy() {
                text = format!("{text}\n{}", python_str(&ret.comment));
            }
            ret.comment = text.into();
        }
        if !errors.is_empty() {
            let list: String = errors.iter().map(|error| format!("\n- {error}")).collect();
            let text = format!("{}\n\nThe following errors were encountered:\n{list}", python_str(&ret.comment));
            (ret.result, ret.comment) = (Some(false), text.into());
        }
        Ok(ret)
    }
}

/// What is in the way of a directory, out of it: renamed or removed.
struct Obstacle<'a> {
    name: &'a str,
    force: bool,
    backupname: Option<&'a str>,
    allow_symlink: bool,
}

impl Obstacle<'_> {
    /// `Err` is the state's result.
    fn clear(&self, cx: &Cx) -> Result<std::result::Result<Map, Outcome>> {
        let (name, path) = (self.name, Path::new(self.name));
        let (is_file, is_link) = (path.is_file(), path.is_symlink());
        let mut changes = Map::new();
        if !is_file && (self.allow_symlink && !self.force || !is_link) {
            return Ok(Ok(changes));
        }
        if let Some(backup) = self.backupname {
            if std::fs::symlink_metadata(backup).is_ok() {
                if !self.force {
                    let text = format!("File exists where the backup target {backup} should go");
                    return Ok(Err(error(name, text)));
                }
                if cx.test {
                    let text = format!("Existing file at backup path {backup} would be removed");
                    changes.insert("forced", text);
                } else {
                    cx.call("file.remove", Args::positional([backup]))?;
                }
            }
            if cx.test {
                changes.insert("backup", format!("{name} would be renamed to {backup}"));
                changes.insert(name, map! {"directory" => "new"});
                let text = format!("{name} would be backed up and replaced with a new directory");
                return Ok(Err(Outcome::would(name, text).with_changes(changes)));
            }
            std::fs::rename(name, backup).map_err(|e| {
                let text = brine_core::text::python_os_error(&e, name);
                let to = brine_core::text::python_repr(&backup.into());
                brine_core::CallError::exception("OSError", format!("{text} -> {to}"))
            })?;
            return Ok(Ok(changes));
        }
        if !self.force {
            let kind = if is_file { "file" } else { "symlink" };
            return Ok(Err(error(name, format!("Specified location {name} exists and is a {kind}"))));
        }
        let word = if is_file { "File" } else { "Symlink" };
        if cx.test {
            changes.insert("forced", format!("{word} would be forcibly replaced"));
        } else {
            cx.call("file.remove", Args::positional([name]))?;
            changes.insert("forced", format!("{word} was forcibly replaced"));
        }
        Ok(Ok(changes))
    }
}

/// See to it that there is a directory with this owner and mode; with `recurse` also of what is in it, with `clean` nothing in
/// it that no required state has made.
///
/// name: the directory
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn directory(
    cx: &Cx,
    name: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] recurse: Value,
    #[default(Value::Nil)] max_depth: Value,
    #[default(Value::Nil)] dir_mode: Value,
    #[default(Value::Nil)] file_mode: Value,
    #[default(false)] makedirs: bool,
    #[default(false)] clean: bool,
    #[default(Value::Nil)] require: Value,
    #[default(Value::Nil)] exclude_pat: Value,
    #[default(false)] follow_symlinks: bool,
    #[default(false)] force: bool,
    backupname: Option<String>,
    #[default(true)] allow_symlink: bool,
    #[default(false)] children_only: bool,
    #[default(Value::Nil)] win_owner: Value,
    #[default(Value::Nil)] win_perms: Value,
    #[default(Value::Nil)] win_deny_perms: Value,
    #[default(true)] win_inheritance: Value,
    #[default(false)] win_perms_reset: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    // These count on another system.
    let _unread = (win_owner, win_perms, win_deny_perms, win_inheritance, win_perms_reset);
    let shown = expanduser(&name);
    if shown.is_empty() {
        return Ok(error(&shown, "Must provide name to file.directory"));
    }
    let mut name = shown.clone();
    if name.ends_with('/') && name != "/" {
        name.pop();
    }
    let ret = (|| -> Result<Outcome> {
        if !max_depth.is_nil() && clean {
            return Ok(error(&name, "Cannot specify both max_depth and clean"));
        }
        let user = owner(user, &kwargs);
        let mut dir_mode = dir_mode;
        if let (Some(mode), false) = (kwargs.0.get("mode"), dir_mode.truthy()) {
            dir_mode = mode.clone();
        }
        let file_mode = if file_mode.truthy() { file_mode } else { dir_mode.clone() };
        let missing = check_user(cx, &user, &group)?;
        if !missing.is_empty() {
            return Ok(error(&name, missing));
        }
        if !name.starts_with('/') {
            return Ok(error(&name, format!("Specified file {name} is not an absolute path")));
        }
        let obstacle = Obstacle { name: &name, force, backupname: backupname.as_deref(), allow_symlink };
        let mut changes = match obstacle.clear(cx)? {
            Ok(changes) => changes,
            Err(outcome) => return Ok(outcome),
        };
        let directory = Directory {
            name: &name,
            user,
            group,
            recurse: &recurse,
            dir_mode: normalize_mode(&dir_mode),
            file_mode: normalize_mode(&file_mode),
            clean,
            require: &require,
            exclude_pat: &exclude_pat,
            max_depth: max_depth.as_int(),
            follow_symlinks,
            children_only,
        };
        let would = directory.check(cx)?;
        changes.update(would.changes.clone());
        if cx.test || changes.is_empty() {
            return Ok(would.with_changes(changes));
        }
        let ret = Outcome::new(name.as_str()).with_changes(changes);
        if Path::new(&name).is_dir() {
            return directory.apply(cx, ret);
        }
        let mode = directory.dir_mode.clone().map_or(Value::Nil, Value::from);
        if !Path::new(dirname(&name)).is_dir() {
            if !makedirs {
                return Ok(error(&name, format!("No directory to create {name} in")).with_changes(ret.changes));
            }
            make_folder(cx, &name, &directory.user, &directory.group, mode.clone())?;
        }
        let args = Args::positional([name.as_str()])
            .with("user", directory.user.clone())
            .with("group", directory.group.clone())
            .with("mode", mode);
        cx.call("file.mkdir", args)?;
        if !Path::new(&name).is_dir() {
            return Ok(error(&name, format!("Failed to create directory {name}")).with_changes(ret.changes));
        }
        let mut ret = ret;
        ret.changes.insert(name.as_str(), map! {"directory" => "new"});
        Ok(ret)
    })()?;
    // As it was given, with the slash.
    Ok(Outcome { name: shown.into(), ..ret })
}
