//! What is mounted now, as the kernel says, and what file system a path is on.

use crate::{settings, tools};
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::posixpath::{abspath, dirname, realpath};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::os::unix::fs::MetadataExt;

/// The device of each place, as `mount -l` names it.
fn named(cx: &Cx) -> Result<Map> {
    let said = tools::run_stdout(cx, &["mount", "-l"])?;
    Ok(said
        .split('\n')
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(2).map(|place| (*place, words[0]))
        })
        .collect())
}

/// Options, with numbers for the names of users and groups.
fn numbered(cx: &Cx, opts: &str) -> Result<Value> {
    let number = |opt: &str| -> Result<String> {
        let mut parts = opt.split('=');
        let (key, given) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let function = match key {
            "uid" => "user.info",
            "gid" => "group.info",
            _ => return Ok(opt.to_owned()),
        };
        if !given.is_empty() && given.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(format!("{key}={given}"));
        }
        let known = cx.call(function, Args::positional([given]))?;
        Ok(format!("{key}={}", known.get(key).map_or_else(|| given.to_owned(), python_str)))
    };
    opts.split(',').map(|opt| Ok(number(opt)?.replace("\\040", "\\ "))).collect::<Result<Vec<_>>>().map(Value::from)
}

fn unreadable(path: &str) -> CallError {
    CallError::execution(format!("File not readable {path}"))
}

fn short(cx: &Cx) -> Result<Map> {
    let path = "/proc/self/mounts";
    let list = named(cx)?;
    let text = settings::text(path).map_err(|_| unreadable(path))?;
    let mut all = Map::new();
    for line in settings::lines(&text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [device, place, fstype, opts, ..] = words[..] else { continue };
        let alt = list.get(place).cloned();
        all.insert(
            place,
            map! { "device" => device, "alt_device" => alt, "fstype" => fstype, "opts" => numbered(cx, opts)? },
        );
    }
    Ok(all)
}

/// One line of `mountinfo`, cut into words.
fn entry(cx: &Cx, words: &[&str], list: &Map, blkid: &Value) -> Result<Option<(String, Map)>> {
    let Some(separator) = words.iter().position(|word| *word == "-") else { return Ok(None) };
    let ([id, parent, device, root, place, opts, ..], [fstype, name, superopts, ..]) =
        (words, &words[separator + 1..])
    else {
        return Ok(None);
    };
    let (major, minor) = device.split_once(':').unwrap_or((device, ""));
    let known = blkid.get(name);
    let uuid = known.and_then(|known| known.get("UUID")).map(|uuid| python_str(uuid).to_lowercase());
    Ok(Some((
        (*place).to_owned(),
        map! {
            "mountid" => *id,
            "parentid" => *parent,
            "major" => major,
            "minor" => minor,
            "root" => *root,
            "opts" => numbered(cx, opts)?,
            "fstype" => *fstype,
            "device" => name.replace("\\040", "\\ "),
            "alt_device" => list.get(place).cloned(),
            "superopts" => numbered(cx, superopts)?,
            "device_uuid" => uuid,
            "device_label" => known.and_then(|known| known.get("LABEL")).cloned(),
        },
    )))
}

fn long(cx: &Cx) -> Result<Map> {
    let path = "/proc/self/mountinfo";
    let list = named(cx)?;
    let blkid = match cx.job.context("disk.blkid") {
        Some(known) => known,
        None => {
            let known = cx.call("disk.blkid", Args::none())?;
            cx.job.set_context("disk.blkid", known.clone());
            known
        }
    };
    let text = settings::text(path).map_err(|_| unreadable(path))?;
    let mut all = Map::new();
    for line in settings::lines(&text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some((place, what)) = entry(cx, &words, &list, &blkid)? {
            all.insert(place, what);
        }
    }
    Ok(all)
}

pub(super) fn mounts(cx: &Cx) -> Result<Map> {
    short(cx)
}

/// What is mounted now: a dict of places. With `extended=True`, with all that the kernel says of each.
///
/// CLI Example: salt '*' mount.active
#[exec]
pub(super) fn active(cx: &Cx, #[default(false)] extended: bool) -> Result<Map> {
    if !extended {
        return short(cx);
    }
    match long(cx) {
        Err(CallError::Execution(_)) => short(cx),
        other => other,
    }
}

/// Whether something is mounted at a place.
///
/// CLI Example: salt '*' mount.is_mounted /mnt/share
#[exec]
pub(super) fn is_mounted(cx: &Cx, name: String) -> Result<bool> {
    Ok(short(cx)?.contains(&name))
}

/// `os.path.ismount`
fn is_mount(path: &str) -> bool {
    let (Ok(here), Ok(above)) = (std::fs::symlink_metadata(path), std::fs::symlink_metadata(format!("{path}/..")))
    else {
        return false;
    };
    !here.is_symlink() && (here.dev() != above.dev() || here.ino() == above.ino())
}

fn above(path: &str) -> String {
    let mut path = realpath(&abspath(path));
    while path != "/" && !is_mount(&path) {
        path = dirname(&path).to_owned();
    }
    path
}

/// The place where the file system that holds a path is mounted.
///
/// CLI Example: salt '*' mount.get_mount_from_path /opt/some/nested/path
#[exec]
pub(super) fn get_mount_from_path(path: String) -> Result<String> {
    Ok(above(&path))
}

/// The device that holds a path.
///
/// CLI Example: salt '*' mount.get_device_from_path /
#[exec]
pub(super) fn get_device_from_path(cx: &Cx, path: String) -> Result {
    let all = short(cx)?;
    Ok(all.get(&above(&path)).and_then(|what| what.get("device")).cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_where_something_is_mounted() {
        assert_eq!(above("/proc/self/status"), "/proc");
        assert_eq!(above("/"), "/");
        assert!(is_mount("/proc") && !is_mount("/no/such/path"));
    }
}
