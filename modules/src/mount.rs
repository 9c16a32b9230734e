//! The `mount` execution module: what is mounted where, what the machine mounts when it starts, and swap.

mod active;
mod automaster;
mod cache;
mod fstab;
mod run;
mod swap;
mod vfstab;

use active::*;
use automaster::*;
use brine_core::Value;
use brine_core::call::{CallError, KwArgs, Result, module};
use brine_core::text::{python_os_error, python_str};
use cache::*;
use fstab::*;
use run::*;
use swap::*;
use vfstab::*;

module! {
    "mount":
    active, automaster, delete_mount_cache, filesystems, fstab, get_device_from_path, get_mount_from_path, is_fuse_exec,
    is_mounted, mount, read_mount_cache, remount, rm_automaster, rm_filesystems, rm_fstab, rm_vfstab, set_automaster,
    set_filesystems, set_fstab, set_vfstab, swapoff, swapon, swaps, umount, vfstab, write_mount_cache
}

/// Options as one text.
fn joined(opts: &Value) -> String {
    match opts {
        Value::List(all) => all.iter().map(python_str).collect::<Vec<_>>().join(","),
        one => python_str(one),
    }
}

/// Whether a call is only to say what it would do.
fn only_asks(test: &Value, kwargs: &KwArgs) -> bool {
    let named = kwargs.0.iter().any(|(key, value)| python_str(key).to_lowercase() == "test" && value.truthy());
    test.truthy() || named
}

fn unread(path: &str, e: &std::io::Error) -> CallError {
    CallError::execution(format!("Couldn't read from {path}: {}", python_os_error(e, path)))
}

fn unwritten(path: &str, e: &std::io::Error) -> CallError {
    CallError::execution(format!("Couldn't write to {path}: {}", python_os_error(e, path)))
}

fn write(path: &str, contents: &str) -> Result<()> {
    crate::settings::write(path, contents.as_bytes())
        .map_err(|_| CallError::execution(format!("File not writable {path}")))
}
