//! `mount.fstab_present` and `mount.fstab_absent`: lines of `fstab`.

use super::plain;
use brine_core::Value;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;

/// A device by another of its names: `device`, `label`, `uuid`, `partlabel`, `partuuid`. None: it has no such name.
fn named(cx: &Cx, device: &str, by: Option<&str>) -> Result<Option<String>> {
    let Some(by) = by.filter(|by| !by.is_empty()) else { return Ok(Some(device.to_owned())) };
    let key = by.to_uppercase();
    if (by == "device" && device.starts_with('/')) || device.starts_with(&format!("{key}=")) {
        return Ok(Some(device.to_owned()));
    }
    let args =
        if device.starts_with('/') { Args::positional([device]) } else { Args::none().with("token", device) };
    let found = cx.call("disk.blkid", args)?;
    let Some(found) = found.as_map().filter(|found| found.len() == 1) else { return Ok(None) };
    let Some((name, known)) = found.iter().next() else { return Ok(None) };
    if by == "device" {
        return Ok(Some(python_str(name)));
    }
    match known.get(&key) {
        Some(value) => Ok(Some(format!("{key}={}", python_str(value)))),
        None => Err(CallError::exception("KeyError", format!("'{key}'"))),
    }
}

fn say(lines: Vec<String>) -> Value {
    lines.into()
}

/// A line of `fstab` says this.
///
/// name: the device; fs_file, fs_vfstype, fs_mntops, fs_freq, fs_passno: as in `fstab(5)`; mount_by: by which of its names the
/// device is written; config: another file; mount: mount it when the line is new; match_on: what a line is found by;
/// not_change: let one that is found as it is; fs_mount: for other systems
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn fstab_present(
    cx: &Cx,
    name: Value,
    fs_file: String,
    fs_vfstype: Value,
    #[default("defaults")] fs_mntops: Value,
    #[default(0)] fs_freq: Value,
    #[default(0)] fs_passno: Value,
    mount_by: Option<String>,
    #[default("/etc/fstab")] config: Value,
    #[default(true)] mount: bool,
    #[default("auto")] match_on: Value,
    #[default(false)] not_change: Value,
    #[default(true)] fs_mount: Value,
) -> Result<Outcome> {
    let _other_systems = fs_mount;
    let (device, file, place) = (python_str(&name), python_str(&config), plain(&fs_file));
    let mut outcome = Outcome::failed(name, say(Vec::new()));
    let Some(spec) = named(cx, &device, mount_by.as_deref())? else {
        let by = mount_by.unwrap_or_default();
        outcome.comment = say(vec![format!("Device {device} cannot be converted to {by}")]);
        return Ok(outcome);
    };
    let args = Args::none()
        .with("name", place.as_str())
        .with("device", spec)
        .with("fstype", fs_vfstype)
        .with("opts", fs_mntops)
        .with("dump", fs_freq)
        .with("pass_num", fs_passno)
        .with("config", config)
        .with("match_on", match_on)
        .with("not_change", not_change);
    let args = if cx.test { args.with("test", true) } else { args };
    let out = cx.call("mount.set_fstab", args)?;
    outcome.result = if cx.test { None } else { Some(true) };
    let mut said = Vec::new();
    match (out.as_str(), cx.test) {
        (Some("present"), true) => said.push(format!("{place} entry is already in {file}.")),
        (Some("present"), false) => said.push(format!("{place} entry was already in {file}.")),
        (Some("new"), true) => {
            said.push(format!("{place} entry will be written in {file}."));
            if mount {
                said.push(format!("Will mount {device} on {place}"));
            }
        }
        (Some("change"), true) => said.push(format!("{place} entry will be updated in {file}.")),
        (Some("new"), false) => {
            outcome.changes.insert("persist", out);
            said.push(format!("{place} entry added in {file}."));
            if mount {
                said.push(match cx.call("mount.mount", Args::positional([place.as_str()]))? {
                    Value::Str(error) => {
                        outcome.result = Some(false);
                        let (_, why) = error
                            .split_once(':')
                            .ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?;
                        format!("Error while mounting {why}")
                    }
                    _ => format!("Mounted {device} on {place}"),
                });
            }
        }
        (Some("change"), false) => {
            outcome.changes.insert("persist", out);
            said.push(format!("{place} entry updated in {file}."));
        }
        (_, test) => {
            outcome.result = Some(false);
            let what = if test { "created" } else { "changed" };
            said.push(format!("{place} entry cannot be {what} in {file}: {}.", python_str(&out)));
        }
    }
    outcome.comment = say(said);
    Ok(outcome)
}

/// No line of `fstab` is of this place and device.
///
/// name: the device; fs_file: the place; mount_by: by which of its names the device is written; config: another file
#[exec]
pub(super) fn fstab_absent(
    cx: &Cx,
    name: Value,
    fs_file: String,
    mount_by: Option<String>,
    #[default("/etc/fstab")] config: Value,
) -> Result<Outcome> {
    let (device, file, place) = (python_str(&name), python_str(&config), plain(&fs_file));
    let spec = named(cx, &device, mount_by.as_deref())?;
    let lines = cx.call("mount.fstab", Args::positional([config.clone()]))?;
    let there = lines.get(&place).is_some();
    let mut outcome = Outcome::new(name);
    if cx.test {
        outcome.result = None;
    }
    let said = if !there {
        format!("{place} entry is already missing in {file}.")
    } else if cx.test {
        format!("{place} entry will be removed from {file}.")
    } else {
        let args = Args::none().with("name", place.as_str()).with("device", spec).with("config", config);
        if cx.call("mount.rm_fstab", args)? == Value::Bool(true) {
            outcome.changes.insert("persist", "removed");
            format!("{place} entry removed from {file}.")
        } else {
            outcome.result = Some(false);
            format!("{place} entry failed when removing from {file}.")
        }
    };
    outcome.comment = say(vec![said]);
    Ok(outcome)
}
