//! `file.touch`, `file.mknod`, and `file.shortcut`, which there is on another system only.

use super::common::{error, pair};
use super::links::make_folder;
use super::managed::outcome;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::posixpath::{dirname, expanduser};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// What `touch` would do.
fn check_touch(cx: &Cx, name: &str, atime: &Value, mtime: &Value) -> Result<Outcome> {
    if !Path::new(name).exists() {
        let text = format!("File {name} is set to be created");
        return Ok(Outcome::would(name, text).with_changes(map! {"new" => name}));
    }
    let stats = cx.call("file.stats", Args::positional([name]).with("follow_symlinks", false))?;
    let other = |wanted: &Value, key: &str| {
        !wanted.is_nil() && python_str(wanted) != stats.get(key).map(python_str).unwrap_or_default()
    };
    if other(atime, "atime") || other(mtime, "mtime") {
        let text = format!("Times set to be updated on file {name}");
        return Ok(Outcome::would(name, text).with_changes(map! {"touched" => name}));
    }
    let text = format!("File {name} exists and has the correct times");
    Ok(Outcome::ok(name, text).with_changes(map! {"new" => name}))
}

/// See to it that there is a file, and set its times: to now, or those that are given.
///
/// name: the file
#[exec]
pub(super) fn touch(
    cx: &Cx,
    name: String,
    #[default(Value::Nil)] atime: Value,
    #[default(Value::Nil)] mtime: Value,
    #[default(false)] makedirs: bool,
) -> Result<Outcome> {
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.touch"));
    }
    if !name.starts_with('/') {
        return Ok(error(&name, format!("Specified file {name} is not an absolute path")));
    }
    if cx.test {
        return check_touch(cx, &name, &atime, &mtime);
    }
    if makedirs {
        make_folder(cx, &name, &Value::Nil, &Value::Nil, Value::Nil)?;
    }
    let path = Path::new(&name);
    if !Path::new(dirname(&name)).is_dir() {
        return Ok(error(&name, format!("Directory not present to touch file {name}")));
    }
    let was_there = path.exists();
    let done = cx.call("file.touch", Args::positional([name.as_str().into(), atime, mtime]))?;
    if !done.truthy() {
        return Ok(Outcome { result: Some(false), ..Outcome::new(name.as_str()) });
    }
    if !was_there {
        let text = format!("Created empty file {name}");
        return Ok(Outcome::ok(name.as_str(), text).with_changes(map! {"new" => name.as_str()}));
    }
    let kind = if path.is_dir() { "directory" } else { "file" };
    let text = format!("Updated times on {kind} {name}");
    Ok(Outcome::ok(name.as_str(), text).with_changes(map! {"touched" => name.as_str()}))
}

/// See to it that there is a special file: a character device (`c`), a block device (`b`), a named pipe (`p`). What is there
/// and is another stays.
///
/// name: the file
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn mknod(
    cx: &Cx,
    name: String,
    ntype: Value,
    #[default(0)] major: Value,
    #[default(0)] minor: Value,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0600")] mode: Value,
) -> Result<Outcome> {
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.mknod"));
    }
    let (upper, lower, is_one) = match ntype.as_str() {
        Some("c") => ("Character device", "character device", "file.is_chrdev"),
        Some("b") => ("Block device", "block device", "file.is_blkdev"),
        Some("p") => ("Fifo pipe", "fifo pipe", "file.is_fifo"),
        _ => {
            return Ok(error(
                &name,
                format!(
                    "Node type unavailable: '{}'. Available node types are character ('c'), block ('b'), and pipe ('p')",
                    python_str(&ntype)
                ),
            ));
        }
    };
    let ask = |function: &str| cx.call(function, Args::positional([name.as_str()]));
    if ask("file.file_exists")?.truthy() {
        return Ok(error(&name, format!("File {name} exists and is not a {lower}. Refusing to continue")));
    }
    if !ask(is_one)?.truthy() {
        if cx.test {
            return Ok(Outcome::would(name.as_str(), format!("{upper} {name} is set to be created")));
        }
        let args = Args::positional([name.as_str().into(), ntype, major, minor, user, group, mode]);
        return Ok(outcome(cx.call("file.mknod", args)?, &name));
    }
    if lower != "fifo pipe" {
        let (its_major, its_minor) = pair(ask("file.get_devmm")?);
        if (&major, &minor) != (&its_major, &its_minor) {
            let text = format!(
                "{upper} {name} exists and has a different major/minor {}/{}. Refusing to continue",
                python_str(&its_major),
                python_str(&its_minor)
            );
            return Ok(error(&name, text));
        }
    }
    let args = Args::positional([name.as_str().into(), Value::Nil, user, group, mode]);
    let mut ret = outcome(pair(cx.call("file.check_perms", args)?).0, &name);
    if ret.changes.is_empty() {
        ret.comment = format!("{upper} {name} is in the correct state").into();
    }
    Ok(ret)
}

/// Shortcuts are another system's: this fails here.
///
/// name: the shortcut
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn shortcut(
    name: String,
    target: Value,
    #[default(Value::Nil)] arguments: Value,
    #[default(Value::Nil)] working_dir: Value,
    #[default(Value::Nil)] description: Value,
    #[default(Value::Nil)] icon_location: Value,
    #[default(false)] force: Value,
    #[default(Value::Nil)] backupname: Value,
    #[default(false)] makedirs: Value,
    #[default(Value::Nil)] user: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread =
        (target, arguments, working_dir, description, icon_location, force, backupname, makedirs, user, kwargs);
    let changes = Map::new();
    let text = "Shortcuts are only supported on Windows";
    Ok(error(&name, text).with_changes(changes))
}
