//! Special files made, times set, files cut and written into.

use super::dirs::{made, makedirs};
use crate::hashutil::file_error;
use crate::python::path::expanduser;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::clock::unix_now;
use brine_core::text::{python_str, python_strerror};
use brine_core::{Map, Value, map};
use nix::sys::stat::{Mode, SFlag, makedev, mknod as unix_mknod};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Makes a node, or says that there is something already.
fn node(cx: &Cx, name: &str, kind: SFlag, device: u64, who: (&Value, &Value, &Value), word: &str) -> Result<Map> {
    let name = expanduser(name);
    let mut ret =
        map! {"name" => name.clone(), "changes" => Map::new(), "comment" => "", "result" => false};
    let created = map! {"new" => format!("{word} {name} created.")};
    if cx.test {
        ret.insert("changes", created);
        ret.insert("result", Value::Nil);
    } else {
        let digits = python_str(who.2);
        let digits = digits.trim_start_matches(['0', 'O', 'o']);
        let bits = u32::from_str_radix(digits, 8).map_err(|_| {
            CallError::exception("ValueError", format!("invalid literal for int() with base 8: '{digits}'"))
        })?;
        match unix_mknod(name.as_str(), kind, Mode::from_bits_truncate(bits), device) {
            Ok(()) => {
                ret.insert("changes", created);
                ret.insert("result", true);
            }
            Err(nix::errno::Errno::EEXIST) => {
                ret.insert("comment", format!("File {name} exists and cannot be overwritten"));
            }
            Err(e) => return Err(file_error(&io::Error::from(e), &name)),
        }
    }
    made(cx, &name, who.0, who.1, who.2)?;
    Ok(ret)
}

/// Make a character device.
///
/// CLI Example: salt '*' file.mknod_chrdev /dev/chr 180 31
#[exec]
pub(super) fn mknod_chrdev(
    cx: &Cx,
    name: String,
    major: u64,
    minor: u64,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0660")] mode: Value,
) -> Result<Map> {
    node(cx, &name, SFlag::S_IFCHR, makedev(major, minor), (&user, &group, &mode), "Character device")
}

/// Make a block device.
///
/// CLI Example: salt '*' file.mknod_blkdev /dev/blk 8 999
#[exec]
pub(super) fn mknod_blkdev(
    cx: &Cx,
    name: String,
    major: u64,
    minor: u64,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0660")] mode: Value,
) -> Result<Map> {
    node(cx, &name, SFlag::S_IFBLK, makedev(major, minor), (&user, &group, &mode), "Block device")
}

/// Make a named pipe.
///
/// CLI Example: salt '*' file.mknod_fifo /dev/fifo
#[exec]
pub(super) fn mknod_fifo(
    cx: &Cx,
    name: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0660")] mode: Value,
) -> Result<Map> {
    node(cx, &name, SFlag::S_IFIFO, 0, (&user, &group, &mode), "Fifo pipe")
}

/// Make a character device (`c`), block device (`b`) or named pipe (`p`), with the directories above it.
///
/// CLI Example: salt '*' file.mknod /dev/chr c 180 31
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn mknod(
    cx: &Cx,
    name: String,
    ntype: Value,
    #[default(0)] major: u64,
    #[default(0)] minor: u64,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default("0600")] mode: Value,
) -> Result<Map> {
    makedirs(cx, name.clone(), user.clone(), group.clone(), Value::Nil)?;
    match ntype.as_str() {
        Some("c") => mknod_chrdev(cx, name, major, minor, user, group, mode),
        Some("b") => mknod_blkdev(cx, name, major, minor, user, group, mode),
        Some("p") => mknod_fifo(cx, name, user, group, mode),
        _ => Err(CallError::invocation(format!(
            "Node type unavailable: '{}'. Available node types are character ('c'), block ('b'), and pipe ('p').",
            python_str(&ntype)
        ))),
    }
}

/// A moment in seconds, as text of digits or a number.
fn moment(time: &Value) -> Result<SystemTime> {
    let refused = || CallError::invocation("atime and mtime must be integers");
    let seconds = match time {
        Value::Str(text) => text.parse::<u64>().map_err(|_| refused())? as f64,
        other => other.as_float().ok_or_else(refused)?,
    };
    let length = Duration::try_from_secs_f64(seconds.abs()).map_err(|_| refused())?;
    let at = if seconds < 0.0 { UNIX_EPOCH.checked_sub(length) } else { UNIX_EPOCH.checked_add(length) };
    at.ok_or_else(refused)
}

/// Make an empty file if there is none, and set its times: to now, or those that are given.
///
/// CLI Example: salt '*' file.touch /var/log/emptyfile
#[exec]
pub(super) fn touch(
    name: String,
    #[default(Value::Nil)] atime: Value,
    #[default(Value::Nil)] mtime: Value,
) -> Result<bool> {
    touched(&expanduser(&name), &atime, &mtime, 0o666)
}

/// The same, with a mode for a new file.
pub(super) fn touched(name: &str, atime: &Value, mtime: &Value, mode: u32) -> Result<bool> {
    use std::os::unix::fs::OpenOptionsExt;
    let strerror = |e: io::Error| CallError::execution(python_strerror(&e));
    if !Path::new(name).exists() {
        OpenOptions::new().append(true).create(true).mode(mode).open(name).map_err(strerror)?;
    }
    let now = UNIX_EPOCH + Duration::from_secs_f64(unix_now());
    let at = |time: &Value| if time.is_nil() { Ok(now) } else { moment(time) };
    let (atime, mtime) = (at(atime)?, at(mtime)?);
    set_times(name, atime, mtime).map_err(strerror)?;
    Ok(Path::new(name).exists())
}

/// Sets both times. By name: a pipe or a device is not opened for that.
fn set_times(name: &str, atime: SystemTime, mtime: SystemTime) -> io::Result<()> {
    use nix::sys::stat::{UtimensatFlags, utimensat};
    use nix::sys::time::TimeSpec;
    let spec = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(length) => TimeSpec::from_duration(length),
        Err(before) => {
            let length = before.duration();
            let whole = i64::try_from(length.as_secs()).unwrap_or(i64::MAX) + i64::from(length.subsec_nanos() > 0);
            let nanos = (1_000_000_000 - i64::from(length.subsec_nanos())) % 1_000_000_000;
            TimeSpec::new(-whole, nanos)
        }
    };
    let flags = UtimensatFlags::FollowSymlink;
    utimensat(nix::fcntl::AT_FDCWD, name, &spec(atime), &spec(mtime), flags).map_err(io::Error::from)
}

/// Cut a file off after so many bytes.
///
/// CLI Example: salt '*' file.truncate /path/to/file 512
#[exec]
pub(super) fn truncate(path: String, length: u64) -> Result {
    let path = expanduser(&path);
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|e| file_error(&e, &path))?;
    file.set_len(length).map_err(|e| file_error(&e, &path))?;
    Ok(Value::Nil)
}

/// Write into a file, from a place in it. Returns how many bytes were written.
///
/// CLI Example: salt '*' file.seek_write /path/to/file 'some data' 4096
#[exec]
pub(super) fn seek_write(path: String, data: Value, offset: u64) -> Result<u64> {
    let path = expanduser(&path);
    // Python writes bytes only.
    let Value::Bytes(data) = data else {
        return Err(CallError::Arguments("a bytes-like object is required, not 'str'".into()));
    };
    let file = OpenOptions::new().write(true).open(&path).map_err(|e| file_error(&e, &path))?;
    file.write_all_at(&data, offset)?;
    file.sync_all()?;
    Ok(data.len() as u64)
}
