//! The functions for the files of other systems, `vfstab` of Solaris and `filesystems` of AIX: on Linux they read and write a
//! file that they are given, or do nothing, as in stock.

use super::fstab::{Form, Wish, read, remove, set};
use super::{joined, only_asks};
use brine_core::call::{KwArgs, Result, exec};
use brine_core::{Map, Value};

const VFSTAB: Form = Form {
    keys: &["device", "device_fsck", "name", "fstype", "pass_fsck", "mount_at_boot", "opts"],
    least: 7,
    write: |words| match words {
        [device, fsck, name, fstype, pass, at_boot, opts] => {
            format!("{device:<11} {fsck:<3} {name:<19} {fstype:<8} {pass:<3} {at_boot:<6} {opts}\n")
        }
        _ => String::new(),
    },
    special: &["devfs", "proc", "ctfs", "objfs", "sharefs", "fs", "tmpfs"],
};

/// What a file says, by place.
///
/// CLI Example: salt '*' mount.vfstab
#[exec]
pub(super) fn vfstab(#[default("/etc/vfstab")] config: String) -> Result<Map> {
    read(&config)
}

/// Remove the line of a place and a device.
///
/// CLI Example: salt '*' mount.rm_vfstab /mnt/foo /device/c0t0d0p0
#[exec]
pub(super) fn rm_vfstab(name: String, device: Value, #[default("/etc/vfstab")] config: String) -> Result<bool> {
    remove(&name, &device, &config)
}

/// Set a line of a file as Solaris has it.
///
/// CLI Example: salt '*' mount.set_vfstab /mnt/foo /device/c0t0d0p0 ufs
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_vfstab(
    name: String,
    device: String,
    fstype: String,
    #[default("-")] opts: Value,
    #[default("-")] device_fsck: String,
    #[default("-")] pass_fsck: String,
    #[default("yes")] mount_at_boot: Value,
    #[default("/etc/vfstab")] config: String,
    #[default(false)] test: Value,
    #[default("auto")] match_on: Value,
    #[default(false)] not_change: bool,
    kwargs: KwArgs,
) -> Result<&'static str> {
    let at_boot = if mount_at_boot.as_str() == Some("yes") { "yes" } else { "no" };
    let words = vec![device, device_fsck, name, fstype, pass_fsck, at_boot.to_owned(), joined(&opts)];
    set(&VFSTAB, &config, &Wish { words, match_on, not_change, only_asks: only_asks(&test, &kwargs) })
}

/// What the file of AIX says; nothing on other systems.
///
/// CLI Example: salt '*' mount.filesystems
#[exec]
pub(super) fn filesystems(#[default("/etc/filesystems")] config: String) -> Result<Map> {
    let _config = config;
    Ok(Map::new())
}

/// Set an entry of the file of AIX; nothing is done on other systems.
///
/// CLI Example: salt '*' mount.set_filesystems /mnt/foo /dev/sdz1 jfs2
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_filesystems(
    name: Value,
    device: Value,
    vfstype: Value,
    #[default("-")] opts: Value,
    #[default("true")] mount: Value,
    #[default("/etc/filesystems")] config: Value,
    #[default(false)] test: Value,
    #[default("auto")] match_on: Value,
    #[default(false)] not_change: Value,
    kwargs: KwArgs,
) -> Result {
    let _other_systems = (name, device, vfstype, opts, mount, config, test, match_on, not_change, kwargs);
    Ok(Value::Nil)
}

/// Remove an entry of the file of AIX; nothing is done on other systems.
///
/// CLI Example: salt '*' mount.rm_filesystems /mnt/foo /dev/sdg
#[exec]
pub(super) fn rm_filesystems(name: Value, device: Value, #[default("/etc/filesystems")] config: Value) -> Result<bool> {
    let _other_systems = (name, device, config);
    Ok(false)
}
