//! `file.copy` and `file.rename`: one file or directory of this machine at another place.

use super::common::{check_user, error, own_user, owner, pair};
use super::links::make_folder;
use super::managed::outcome;
use super::walk::walk;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::mode::passable;
use brine_core::posixpath::{basename, dirname, expanduser, join};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn lexists(path: &str) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// `shutil.copy`: contents and mode. Nobody sees half of it.
fn copy_file(source: &Path, dest: &Path) -> io::Result<()> {
    let meta = fs::metadata(source)?;
    if !meta.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let folder = dest.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new().prefix("__salt.tmp.").tempfile_in(folder)?;
    io::copy(&mut fs::File::open(source)?, new.as_file_mut())?;
    new.as_file().set_permissions(fs::Permissions::from_mode(meta.permissions().mode() & 0o7777))?;
    new.persist(dest).map(drop).map_err(|e| e.error)
}

/// `shutil.copytree`, links as links; modes and times stay.
fn copy_tree(source: &Path, dest: &Path) -> io::Result<()> {
    fs::create_dir_all(dest.parent().unwrap_or(Path::new("/")))?;
    fs::create_dir(dest)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), dest.join(entry.file_name()));
        let meta = fs::symlink_metadata(&from)?;
        if meta.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if meta.is_dir() {
            copy_tree(&from, &to)?;
        } else {
            copy_file(&from, &to)?;
            keep_times(&to, &meta)?;
        }
    }
    let meta = fs::metadata(source)?;
    fs::set_permissions(dest, fs::Permissions::from_mode(meta.permissions().mode() & 0o7777))?;
    keep_times(dest, &meta)
}

fn keep_times(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    let times = fs::FileTimes::new().set_accessed(meta.accessed()?).set_modified(meta.modified()?);
    fs::File::open(path)?.set_times(times)
}

/// See to it that there is a copy of a file or directory of this machine. What is there stays, unless `force` is set.
///
/// name: the copy
#[exec(name = "copy")]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn copy(
    cx: &Cx,
    name: String,
    source: String,
    #[default(false)] force: bool,
    #[default(false)] makedirs: bool,
    #[default(false)] preserve: bool,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] mode: Value,
    #[default(Value::Nil)] dir_mode: Value,
    #[default(false)] subdir: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let (mut name, source) = (expanduser(&name), expanduser(&source));
    let given = name.clone();
    let fail = |text: String| Ok(error(&given, text));
    if name.is_empty() {
        return fail("Must provide name to file.copy".into());
    }
    if !name.starts_with('/') {
        return fail(format!("Specified file {name} is not an absolute path"));
    }
    if !Path::new(&source).exists() {
        return fail(format!("Source file \"{source}\" is not present"));
    }
    let of = |function: &str| cx.call(function, Args::positional([source.as_str()]));
    let (mut user, mut group, mut mode) = (user, group, mode);
    if preserve {
        (user, group, mode) = (of("file.get_user")?, of("file.get_group")?, of("file.get_mode")?);
    } else {
        (user, group) = own_user(cx, owner(user, &kwargs), group)?;
        let missing = check_user(cx, &user, &group)?;
        if !missing.is_empty() {
            return fail(missing);
        }
        if mode.is_nil() {
            mode = of("file.get_mode")?;
        }
    }
    if Path::new(&name).is_dir() && subdir {
        name = join(&name, &[basename(&source)]);
    }
    let mut comment = format!("Copied \"{source}\" to \"{given}\"");
    let mut changed = true;
    if lexists(&source) && lexists(&name) {
        if force && Path::new(&name).is_file() && Path::new(&source).is_file() {
            let sum = |path: &str| cx.call("file.get_hash", Args::positional([path]));
            if sum(&name)? == sum(&source)? {
                comment.push_str(" - files are identical but force flag is set");
            }
        }
        // A file that takes the place of another does so when it is whole.
        let takes_place = || Path::new(&name).is_file() && Path::new(&source).is_file();
        if !force {
            changed = false;
        } else if !cx.test && !takes_place() {
            let args = Args::positional([name.as_str()]).with("force", true);
            match cx.call("file.remove", args) {
                Err(e) if e.is_os_error() => {
                    return fail(format!("Failed to delete \"{name}\" in preparation for forced move"));
                }
                other => other?,
            };
        }
    }
    if !changed {
        let text = format!("The target file \"{name}\" exists and will not be overwritten");
        return Ok(Outcome::ok(given.as_str(), text));
    }
    if cx.test {
        let text = format!("File \"{source}\" is set to be copied to \"{name}\"");
        return Ok(Outcome::would(given.as_str(), text));
    }
    let folder = dirname(&name);
    if !Path::new(folder).is_dir() {
        if !makedirs {
            return fail(format!("The target directory {folder} is not present"));
        }
        let dir_mode = if dir_mode.is_nil() && !mode.is_nil() { passable(&python_str(&mode)).into() } else { dir_mode };
        make_folder(cx, &name, &user, &group, dir_mode)?;
    }
    let (from, to) = (Path::new(&source), Path::new(&name));
    let done = if from.is_dir() {
        copy_tree(from, to).is_ok() && own_below(cx, &name, &user, &group)?
    } else if to.is_dir() {
        copy_file(from, &to.join(basename(&source))).is_ok()
    } else {
        copy_file(from, to).is_ok()
    };
    if !done {
        return fail(format!("Failed to copy \"{source}\" to \"{name}\""));
    }
    let ret = Outcome::ok(given.as_str(), comment).with_changes(map! {name.as_str() => source.as_str()});
    if preserve {
        return Ok(ret);
    }
    let args = Args::positional([name.into(), ret.into(), user, group, mode]);
    Ok(outcome(pair(cx.call("file.check_perms", args)?).0, &given))
}

/// User and group of all that is below a directory.
fn own_below(cx: &Cx, name: &str, user: &Value, group: &Value) -> Result<bool> {
    for folder in walk(name, None) {
        for entry in folder.dirs.iter().chain(&folder.files) {
            let path = join(&folder.root, &[entry]);
            match cx.call("file.lchown", Args::positional([path.into(), user.clone(), group.clone()])) {
                Err(e) if e.is_os_error() => return Ok(false),
                other => other?,
            };
        }
    }
    Ok(true)
}

/// See to it that a file has another name. What is there stays, unless `force` is set.
///
/// name: the new name
#[exec]
pub(super) fn rename(
    cx: &Cx,
    name: String,
    source: String,
    #[default(false)] force: bool,
    #[default(false)] makedirs: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread = kwargs;
    let (name, source) = (expanduser(&name), expanduser(&source));
    let fail = |text: String| Ok(error(&name, text));
    if name.is_empty() {
        return fail("Must provide name to file.rename".into());
    }
    if !name.starts_with('/') {
        return fail(format!("Specified file {name} is not an absolute path"));
    }
    if !lexists(&source) {
        let text = format!("Source file \"{source}\" has already been moved out of place");
        return Ok(Outcome::ok(name.as_str(), text));
    }
    if lexists(&name) {
        if !force {
            let text = format!("The target file \"{name}\" exists and will not be overwritten");
            return Ok(Outcome::ok(name.as_str(), text));
        }
        if !cx.test {
            cx.call("file.remove", Args::positional([name.as_str()]))?;
        }
    }
    if cx.test {
        return Ok(Outcome::would(name.as_str(), format!("File \"{source}\" is set to be moved to \"{name}\"")));
    }
    let folder = dirname(&name);
    if !Path::new(folder).is_dir() {
        if !makedirs {
            return fail(format!("The target directory {folder} is not present"));
        }
        make_folder(cx, &name, &Value::Nil, &Value::Nil, Value::Nil)?;
    }
    let done = match fs::read_link(&source) {
        Ok(target) => symlink(target, &name).and_then(|()| fs::remove_file(&source)).is_ok(),
        Err(_) => match cx.call("file.move", Args::positional([source.as_str(), &name])) {
            Ok(_) => true,
            Err(e) if e.is_execution() => false,
            Err(e) => return Err(e),
        },
    };
    if !done {
        return fail(format!("Failed to move \"{source}\" to \"{name}\""));
    }
    let text = format!("Moved \"{source}\" to \"{name}\"");
    let changes: Map = map! {name.as_str() => source.as_str()};
    Ok(Outcome::ok(name.as_str(), text).with_changes(changes))
}
