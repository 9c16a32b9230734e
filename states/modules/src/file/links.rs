//! `file.symlink` and `file.hardlink`.

use super::common::{error, own_user, owner};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::posixpath::{basename, dirname, expanduser, join, normpath};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// What is wrong with user, group and paths before anything is done.
fn preflight(cx: &Cx, user: &Value, group: &Value, more: &[Option<String>]) -> Result<Option<String>> {
    let mut errors = Vec::new();
    if cx.call("file.user_to_uid", Args::positional([user.clone()]))? == Value::from("") {
        errors.push(format!("User {} does not exist", python_str(user)));
    }
    if cx.call("file.group_to_gid", Args::positional([group.clone()]))? == Value::from("") {
        errors.push(format!("Group {} does not exist", python_str(group)));
    }
    errors.extend(more.iter().flatten().cloned());
    let end = if errors.len() > 1 { "." } else { "" };
    Ok((!errors.is_empty()).then(|| errors.join(". ") + end))
}

fn not_absolute(word: &str, path: &str) -> Option<String> {
    (!path.starts_with('/')).then(|| format!("Specified {word} {path} is not an absolute path"))
}

fn is_link(cx: &Cx, path: &str) -> Result<bool> {
    Ok(cx.call("file.is_link", Args::positional([path]))?.truthy())
}

/// User and group of a link itself.
fn link_owner(cx: &Cx, path: &str) -> Result<(Value, Value)> {
    let of = |function| cx.call(function, Args::positional([path]).with("follow_symlinks", false));
    Ok((of("file.get_user")?, of("file.get_group")?))
}

/// A symbolic link that there is to be.
struct Link<'a> {
    name: &'a str,
    target: &'a str,
    force: bool,
    user: Value,
    group: Value,
}

impl Link<'_> {
    fn owned(&self, cx: &Cx) -> Result<bool> {
        Ok(link_owner(cx, self.name)? == (self.user.clone(), self.group.clone()))
    }

    fn set_owner(&self, cx: &Cx) -> Result<bool> {
        let args = Args::positional([self.name.into(), self.user.clone(), self.group.clone()]);
        match cx.call("file.lchown", args) {
            Err(e) if !e.is_os_error() => return Err(e),
            _ => {}
        }
        self.owned(cx)
    }

    fn who(&self) -> String {
        format!("{}:{}", python_str(&self.user), python_str(&self.group))
    }

    /// What would be done.
    fn check(&self, cx: &Cx) -> Result<Outcome> {
        let (name, target) = (self.name, self.target);
        let link = is_link(cx, name)?;
        if !link && !Path::new(name).exists() {
            let text = format!("Symlink {name} to {target} is set for creation");
            return Ok(Outcome::would(name, text).with_changes(map! {"new" => name}));
        }
        if link {
            if cx.call("file.readlink", Args::positional([name]))?.as_str() != Some(target) {
                let text = format!("Link {name} target is set to be changed to {target}");
                return Ok(Outcome::would(name, text).with_changes(map! {"change" => name}));
            }
            if self.owned(cx)? {
                return Ok(Outcome::ok(name, format!("The symlink {name} is present")));
            }
            let (user, group) = link_owner(cx, name)?;
            let now = format!("{}:{}", python_str(&user), python_str(&group));
            let text = format!(
                "The symlink {name} is present, but the ownership of the symlink would be changed from {now} to {}",
                self.who()
            );
            return Ok(Outcome::would(name, text).with_changes(map! {"ownership" => now}));
        }
        if self.force {
            return Ok(Outcome::would(
                name,
                format!(
                    "The file or directory {name} is set for removal to make way for a new symlink targeting {target}"
                ),
            ));
        }
        Ok(error(
            name,
            format!(
                "File or directory exists where the symlink {name} should be. Did you mean to use force?"
            ),
        ))
    }

    /// The link is there and leads where it shall.
    fn present(&self, cx: &Cx) -> Result<Outcome> {
        let name = self.name;
        if self.owned(cx)? {
            return Ok(Outcome::ok(name, format!("Symlink {name} is present and owned by {}", self.who())));
        }
        if self.set_owner(cx)? {
            let text = format!("Set ownership of symlink {name} to {}", self.who());
            return Ok(Outcome::ok(name, text).with_changes(map! {"ownership" => self.who()}));
        }
        Ok(error(name, format!("Failed to set ownership of symlink {name} to {}", self.who())))
    }

    /// Renames what is in the way; why not, if it cannot be.
    fn back_up(&self, cx: &Cx, backupname: &str, only_rename: bool) -> Result<Option<String>> {
        let name = self.name;
        let mut backup = backupname.to_owned();
        if !backup.starts_with('/') {
            if backup != basename(&backup) {
                return Ok(Some(format!("Backupname must be an absolute path or a file name: {backup}")));
            }
            backup = join(dirname(&normpath(name)), &[backup]);
        }
        if std::fs::symlink_metadata(&backup).is_ok() {
            if !self.force {
                return Ok(Some(format!(
                    "Symlink & backup dest exists and Force not set. {name} -> {} - backup: {backup}",
                    self.target
                )));
            }
            cx.call("file.remove", Args::positional([backup.as_str()]))?;
        }
        let args = Args::positional([name, &backup]).with("disallow_copy_and_unlink", only_rename);
        match cx.call("file.move", args) {
            Ok(_) => Ok(None),
            Err(CallError::Cancelled) => Err(CallError::Cancelled),
            Err(e) => Ok(Some(format!("Unable to rename {name} to backup {backup} -> : {}", e.text()))),
        }
    }
}

/// See to it that there is a symbolic link that leads to `target`. What is in its place is removed with `force`, or renamed to
/// `backupname`.
///
/// name: the link
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn symlink(
    cx: &Cx,
    name: String,
    target: String,
    #[default(false)] force: bool,
    backupname: Option<String>,
    #[default(false)] makedirs: bool,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] mode: Value,
    #[default(Value::Nil)] win_owner: Value,
    #[default(Value::Nil)] win_perms: Value,
    #[default(Value::Nil)] win_deny_perms: Value,
    #[default(Value::Nil)] win_inheritance: Value,
    #[default(false)] atomic: bool,
    #[default(false)] disallow_copy_and_unlink: bool,
    #[default(false)] inherit_user_and_group: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    // These count on another system.
    let _unread = (win_owner, win_perms, win_deny_perms, win_inheritance);
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.symlink"));
    }
    let mode = normalize_mode(&mode);
    let (mut user, mut group) = (owner(user, &kwargs), group);
    if inherit_user_and_group && (user.is_nil() || group.is_nil()) && is_link(cx, &name)? {
        let (its_user, its_group) = link_owner(cx, &name)?;
        user = if user.is_nil() { its_user } else { user };
        group = if group.is_nil() { its_group } else { group };
    }
    let (user, group) = own_user(cx, user, group)?;
    if let Some(text) = preflight(cx, &user, &group, &[not_absolute("file", &name)])? {
        return Ok(error(&name, text));
    }
    let link = Link { name: &name, target: &target, force, user, group };
    let mut would = link.check(cx)?;
    let folder = dirname(&name);
    if !Path::new(folder).is_dir() {
        if cx.test {
            let more = match makedirs {
                true => format!("\n{folder} will be created"),
                false => format!("\nDirectory {folder} for symlink is not present"),
            };
            would.comment = (python_str(&would.comment) + &more).into();
        } else if makedirs {
            make_folder(cx, &name, &link.user, &link.group, mode.map_or(Value::Nil, Value::from))?;
        } else {
            return Ok(error(&name, format!("Directory {folder} for symlink is not present")));
        }
    }
    if cx.test {
        return Ok(would);
    }
    if is_link(cx, &name)? {
        let now = python_str(&cx.call("file.readlink", Args::positional([name.as_str()]))?);
        if normpath(&now) == normpath(&target) {
            return link.present(cx);
        }
        // With `atomic`, the new link takes the place of the old one.
        if !atomic {
            cx.call("file.remove", Args::positional([name.as_str()]))?;
        }
    } else if Path::new(&name).exists() {
        if let Some(backupname) = &backupname {
            if let Some(text) = link.back_up(cx, backupname, disallow_copy_and_unlink)? {
                return Ok(error(&name, text));
            }
        } else if !force && !atomic {
            let path = Path::new(&name);
            let kind = match () {
                () if path.is_file() => "File",
                () if path.is_dir() => "Directory",
                () => "File system entry",
            };
            return Ok(error(&name, format!("{kind} exists where the symlink {name} should be")));
        }
    }
    let args = Args::positional([target.as_str(), &name]).with("force", force).with("atomic", atomic);
    match cx.call("file.symlink", args) {
        Ok(_) => {}
        Err(e) if e.is_execution() || e.is_os_error() => {
            return Ok(error(&name, format!("Unable to create new symlink {name} -> {target}: {}", e.text())));
        }
        Err(e) => return Err(e),
    }
    let mut text = format!("Created new symlink {name} -> {target}");
    let mut result = Some(true);
    if !link.owned(cx)? && !link.set_owner(cx)? {
        result = Some(false);
        text.push_str(&format!(", but was unable to set ownership to {}", link.who()));
    }
    let outcome = Outcome::ok(name.as_str(), text).with_changes(map! {"new" => name.as_str()});
    Ok(Outcome { result, ..outcome })
}

/// The directories above a path.
pub(super) fn make_folder(cx: &Cx, name: &str, user: &Value, group: &Value, mode: Value) -> Result<Value> {
    let args = Args::none().with("path", name).with("user", user.clone()).with("group", group.clone());
    cx.call("file.makedirs", args.with("mode", mode))
}

/// Whether two names are of one file.
fn same(cx: &Cx, name: &str, target: &str) -> Result<bool> {
    let inode = |path: &str| {
        let args = Args::positional([path.into(), Value::Nil]).with("follow_symlinks", false);
        cx.call("file.stats", args).map(|stats| stats.get("inode").cloned())
    };
    Ok(inode(name)?.is_some() && inode(name)? == inode(target)?)
}

fn is_hardlink(cx: &Cx, name: &str) -> Result<bool> {
    Ok(cx.call("file.is_hardlink", Args::positional([name]))?.truthy())
}

/// What would be done for a hard link.
fn check_hardlink(cx: &Cx, name: &str, target: &str, force: bool) -> Result<Outcome> {
    let (at, to) = (Path::new(name), Path::new(target));
    if !to.exists() {
        return Ok(error(name, format!("Target {target} for hard link does not exist")));
    }
    if to.is_dir() {
        return Ok(error(name, format!("Unable to hard link from directory {target}")));
    }
    if at.is_dir() {
        return Ok(error(name, format!("Unable to hard link to directory {name}")));
    }
    if !at.exists() {
        let text = format!("Hard link {name} to {target} is set for creation");
        return Ok(Outcome::would(name, text).with_changes(map! {"new" => name}));
    }
    if is_hardlink(cx, name)? {
        if same(cx, name, target)? {
            return Ok(Outcome::ok(name, format!("The hard link {name} is presently targetting {target}")));
        }
        let text = format!("Link {name} target is set to be changed to {target}");
        return Ok(Outcome::would(name, text).with_changes(map! {"change" => name}));
    }
    if force {
        return Ok(Outcome::would(
            name,
            format!(
                "The file or directory {name} is set for removal to make way for a new hard link targeting {target}"
            ),
        ));
    }
    Ok(error(
        name,
        format!("File or directory exists where the hard link {name} should be. Did you mean to use force?"),
    ))
}

/// See to it that a file has one more name. Another file in its place is removed with `force`.
///
/// name: the new name
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn hardlink(
    cx: &Cx,
    name: String,
    target: String,
    #[default(false)] force: bool,
    #[default(false)] makedirs: bool,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] dir_mode: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let name = expanduser(&name);
    let dir_mode = normalize_mode(&dir_mode);
    let user = owner(user, &kwargs);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.hardlink"));
    }
    let (user, group) = own_user(cx, user, group)?;
    let wrong = [not_absolute("file", &name), not_absolute("target", &target)];
    if let Some(text) = preflight(cx, &user, &group, &wrong)? {
        return Ok(error(&name, text));
    }
    if cx.test {
        return check_hardlink(cx, &name, &target, force);
    }
    for (direction, item) in [("to", &name), ("from", &target)] {
        if Path::new(item).is_dir() {
            return Ok(error(&name, format!("Unable to hard link {direction} directory {item}")));
        }
    }
    if !Path::new(&target).exists() {
        return Ok(error(&name, format!("Target {target} for hard link does not exist")));
    }
    let folder = dirname(&name);
    if !Path::new(folder).is_dir() {
        if !makedirs {
            return Ok(error(&name, format!("Directory {folder} for hard link is not present")));
        }
        make_folder(cx, &name, &user, &group, dir_mode.map_or(Value::Nil, Value::from))?;
    }
    let mut changes = Map::new();
    let remove = || cx.call("file.remove", Args::positional([name.as_str()]));
    if Path::new(&name).is_file() && !is_hardlink(cx, &name)? {
        if !force {
            return Ok(error(&name, format!("File exists where the hard link {name} should be")));
        }
        remove()?;
        changes.insert("forced", "File for hard link was forcibly replaced");
    }
    let link = || cx.call("file.link", Args::positional([target.as_str(), &name]));
    let (words, done) = if is_hardlink(cx, &name)? {
        if same(cx, &name, &target)? {
            let text = format!("Target of hard link {name} is already pointing to {target}");
            return Ok(Outcome::ok(name.as_str(), text).with_changes(changes));
        }
        remove()?;
        (("Unable to set target of hard link", "Set target of hard link"), link())
    } else if !Path::new(&name).exists() {
        (("Unable to create new hard link", "Created new hard link"), link())
    } else {
        return Ok(Outcome::new(name.as_str()).with_changes(changes));
    };
    match done {
        Ok(_) => {
            changes.insert("new", name.as_str());
            Ok(Outcome::ok(name.as_str(), format!("{} {name} -> {target}", words.1)).with_changes(changes))
        }
        Err(e) if e.is_execution() => {
            let text = format!("{} {name} -> {target}: {}", words.0, e.text());
            Ok(error(&name, text).with_changes(changes))
        }
        Err(e) => Err(e),
    }
}
