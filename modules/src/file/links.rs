//! Links made, and files moved and copied.

use super::attributes::Selinux;
use super::perms::Perms;
use super::place::{copy_file, copy_over};
use super::stat::of;
use crate::python::path::{basename, dirname, expanduser, join, normpath};
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::python_repr;
use brine_core::{Value, map};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink as unix_symlink};
use std::path::Path;

/// Python's `str(OSError)` of a call with two paths.
fn two(e: &io::Error, from: &str, to: &str) -> String {
    let one = brine_core::text::python_os_error(e, from);
    format!("{one} -> {}", python_repr(&to.into()))
}

/// Give a file one more name.
///
/// CLI Example: salt '*' file.link /path/to/file /path/to/link
#[exec]
pub(super) fn link(src: String, path: String) -> Result<bool> {
    let src = expanduser(&src);
    if !src.starts_with('/') {
        return Err(CallError::invocation("File path must be absolute."));
    }
    fs::hard_link(&src, &path)
        .map_err(|e| CallError::execution(format!("Could not create '{path}': {}", two(&e, &src, &path))))?;
    Ok(true)
}

/// Make a symbolic link. What is in its place goes with `force`; with `atomic` in one step.
///
/// CLI Example: salt '*' file.symlink /path/to/file /path/to/link
#[exec]
pub(super) fn symlink(
    src: String,
    path: String,
    #[default(false)] force: bool,
    #[default(false)] atomic: bool,
) -> Result<bool> {
    let path = expanduser(&path);
    if !path.starts_with('/') {
        return Err(CallError::invocation(format!("Link path must be absolute: {path}")));
    }
    let at = Path::new(&path);
    if let Ok(target) = fs::read_link(at) {
        if normpath(&target.to_string_lossy()) == normpath(&src) {
            return Ok(true);
        }
        if !force && !atomic {
            return Err(CallError::execution(format!("Found existing symlink: {path}")));
        }
    }
    if at.exists() && !force && !atomic {
        return Err(CallError::execution(format!("Existing path is not a symlink: {path}")));
    }
    let failed = || CallError::execution(format!("Could not create '{path}'"));
    if atomic {
        let make = |temporary: &Path| unix_symlink(&src, temporary);
        let new = tempfile::Builder::new().prefix("tmp").make_in(dirname(&path), make).map_err(|_| failed())?;
        return fs::rename(new.path(), at).map(|()| true).map_err(|_| failed());
    }
    if force && (at.is_symlink() || at.exists()) {
        fs::remove_file(at).map_err(|e| crate::hashutil::file_error(&e, &path))?;
    }
    unix_symlink(&src, at).map_err(|_| failed())?;
    Ok(true)
}

/// Give a file or directory another name.
///
/// CLI Example: salt '*' file.rename /path/to/src /path/to/dst
#[exec]
pub(super) fn rename(src: String, dst: String) -> Result<bool> {
    let (src, dst) = (expanduser(&src), expanduser(&dst));
    if !src.starts_with('/') {
        return Err(CallError::invocation("File path must be absolute."));
    }
    fs::rename(&src, &dst).map_err(|_| CallError::execution(format!("Could not rename '{src}' to '{dst}'")))?;
    Ok(true)
}

/// Move a file or directory, also to another file system unless `disallow_copy_and_unlink` is set.
///
/// CLI Example: salt '*' file.move /path/to/src /path/to/dst
#[exec(name = "move")]
pub(super) fn move_(
    cx: &Cx,
    src: String,
    dst: String,
    #[default(false)] disallow_copy_and_unlink: bool,
) -> Result {
    if disallow_copy_and_unlink {
        return rename(src, dst).map(Value::from);
    }
    let (src, dst) = (expanduser(&src), expanduser(&dst));
    if !src.starts_with('/') {
        return Err(CallError::invocation("Source path must be absolute."));
    }
    if !dst.starts_with('/') {
        return Err(CallError::invocation("Destination path must be absolute."));
    }
    moved(cx, &src, &dst)
        .map_err(|text| CallError::execution(format!("Unable to move '{src}' to '{dst}': {text}")))?;
    Ok(map! {"result" => true, "comment" => format!("'{src}' moved to '{dst}'")}.into())
}

/// `shutil.move`: into a directory if the destination is one; copied and removed where it cannot be renamed.
fn moved(cx: &Cx, src: &str, dst: &str) -> std::result::Result<(), String> {
    let mut to = dst.to_owned();
    if Path::new(dst).is_dir() {
        to = join(dst, &[basename(src.trim_end_matches('/'))]);
        if Path::new(&to).exists() {
            return Err(format!("Destination path '{to}' already exists"));
        }
    }
    let e = match fs::rename(src, &to) {
        Ok(()) => return Ok(()),
        Err(e) if e.raw_os_error() == Some(libc::EXDEV) => e,
        Err(e) if !Path::new(src).exists() && !Path::new(src).is_symlink() => {
            return Err(brine_core::text::python_os_error(&e, src));
        }
        Err(e) => return Err(two(&e, src, &to)),
    };
    // `cp` keeps what a copy can keep: owners, modes, times, links, attributes.
    let out = crate::tools::run_quietly(cx, &["cp", "-a", "-T", "--", src, &to]).map_err(|e| e.text())?;
    if out.get("retcode").and_then(Value::as_int) != Some(0) {
        return Err(out.get_str("stderr").map_or_else(|| e.to_string(), str::to_owned));
    }
    let gone = if fs::symlink_metadata(src).is_ok_and(|meta| meta.is_dir()) {
        fs::remove_dir_all(src)
    } else {
        fs::remove_file(src)
    };
    gone.map_err(|e| brine_core::text::python_os_error(&e, src))
}

/// Copy a file, or with `recurse` a directory: over what is there, or with `remove_existing` in its place. The copy has the
/// user, group and mode of the source.
///
/// CLI Example: salt '*' file.copy /path/to/src /path/to/dst
#[exec]
pub(super) fn copy(
    cx: &Cx,
    src: String,
    dst: String,
    #[default(false)] recurse: bool,
    #[default(false)] remove_existing: bool,
) -> Result<bool> {
    let (src, dst) = (expanduser(&src), expanduser(&dst));
    if !src.starts_with('/') {
        return Err(CallError::invocation("File path must be absolute."));
    }
    if !Path::new(&src).exists() {
        return Err(CallError::execution(format!("No such file or directory '{src}'")));
    }
    let stat = of(&src, true)?;
    let failed = |_| CallError::execution(format!("Could not copy '{src}' to '{dst}'"));
    let (from, to) = (Path::new(&src), Path::new(&dst));
    if to.is_dir() || from.is_dir() {
        if !recurse {
            return Err(CallError::invocation(
                "Cannot copy overwriting a directory without recurse flag set to true!",
            ));
        }
        if remove_existing {
            if to.exists() {
                fs::remove_dir_all(to).map_err(failed)?;
            }
            copy_tree(from, to).map_err(failed)?;
        } else {
            copy_over(from, to).map_err(failed)?;
        }
    } else {
        copy_file(from, to).map_err(failed)?;
    }
    let perms = Perms {
        user: &stat.user(),
        group: &stat.group(),
        mode: Some(stat.mode()),
        attrs: None,
        follow_symlinks: false,
        selinux: Selinux::default(),
    };
    perms.see_to(cx, &dst, None)?;
    Ok(true)
}

/// `shutil.copytree`: modes and times stay, links are followed.
fn copy_tree(source: &Path, dest: &Path) -> io::Result<()> {
    fs::create_dir_all(dest)?;
    for entry in fs::read_dir(source)? {
        let (from, to) = { let entry = entry?; (entry.path(), dest.join(entry.file_name())) };
        let meta = fs::metadata(&from)?;
        if meta.is_dir() {
            copy_tree(&from, &to)?;
        } else {
            copy_file(&from, &to)?;
            fs::set_permissions(&to, meta.permissions())?;
            let times = fs::FileTimes::new().set_accessed(meta.accessed()?).set_modified(meta.modified()?);
            fs::File::open(&to)?.set_times(times)?;
        }
    }
    let meta = fs::metadata(source)?;
    fs::set_permissions(dest, fs::Permissions::from_mode(meta.permissions().mode() & 0o7777))
}
