//! Functions of `ps` about mounted file systems.

use super::machine::percent;
use crate::grains_core::read;
use brine_core::call::{CallError, Result, exec};
use brine_core::kernel::mount_word;
use brine_core::{Map, Value, map};
use nix::sys::statvfs::statvfs;
use std::path::Path;

/// A mounted file system.
pub(crate) struct Mount {
    pub(crate) device: String,
    pub(crate) point: String,
    pub(crate) kind: String,
    pub(crate) options: String,
}

/// The mounts in their order, names decoded.
pub(crate) fn mounts() -> Vec<Mount> {
    let table = if Path::new("/etc/mtab").is_file() { "/etc/mtab" } else { "/proc/self/mounts" };
    read::text(table)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').map(mount_word);
            Some(Mount {
                device: words.next()?,
                point: words.next()?,
                kind: words.next()?,
                options: words.next()?,
            })
        })
        .collect()
}

/// The device behind `/`, where the table only says that it is the root's.
fn root_device() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata("/").ok()?.dev();
    let (major, minor) = (nix::sys::stat::major(id), nix::sys::stat::minor(id));
    let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let path = format!("/dev/{}", link.file_name()?.to_string_lossy());
    Path::new(&path).exists().then_some(path)
}

fn partitions(all: bool) -> Vec<Map> {
    let known: Vec<String> = read::text("/proc/filesystems")
        .unwrap_or_default()
        .lines()
        .filter_map(|l| match l.trim().strip_prefix("nodev") {
            None => Some(l.trim().to_owned()),
            Some(kind) => (kind.trim() == "zfs").then(|| "zfs".to_owned()),
        })
        .collect();
    mounts()
        .into_iter()
        .map(|mut m| {
            if m.device == "none" {
                m.device.clear();
            }
            if matches!(m.device.as_str(), "/dev/root" | "rootfs") {
                m.device = root_device().unwrap_or(m.device);
            }
            m
        })
        .filter(|m| all || (!m.device.is_empty() && known.contains(&m.kind)))
        .map(
            |m| map! {"device" => m.device, "mountpoint" => m.point, "fstype" => m.kind, "opts" => m.options},
        )
        .collect()
}

/// Return a list of disk partitions and their device, mount point, and filesystem type; with `all`, also what is not
/// on a disk.
///
/// CLI Example: salt '*' ps.disk_partitions
#[exec]
fn disk_partitions(#[default(false)] all: bool) -> Result<Vec<Value>> {
    Ok(partitions(all).into_iter().map(Value::from).collect())
}

fn usage(path: &str) -> Result<Map> {
    let stat = statvfs(path).map_err(|e| {
        let kind = if e == nix::errno::Errno::ENOENT { "FileNotFoundError" } else { "OSError" };
        CallError::exception(kind, format!("[Errno {}] {}: '{path}'", e as i32, e.desc()))
    })?;
    let bytes = |blocks: u64| (u128::from(blocks) * u128::from(stat.fragment_size())) as i64;
    let (total, free_for_root, free) =
        (bytes(stat.blocks()), bytes(stat.blocks_free()), bytes(stat.blocks_available()));
    let used = total - free_for_root;
    Ok(map! {"total" => total, "used" => used, "free" => free, "percent" => percent(used, used + free)})
}

/// Given a path, return a dict listing the total available space as well as the free space, and used space.
///
/// CLI Example: salt '*' ps.disk_usage /home
#[exec]
fn disk_usage(path: String) -> Result<Map> {
    usage(&path)
}

/// Return a list of disk partitions plus the mount point, filesystem and usage statistics.
///
/// CLI Example: salt '*' ps.disk_partition_usage
#[exec]
fn disk_partition_usage(#[default(false)] all: bool) -> Result<Vec<Value>> {
    partitions(all)
        .into_iter()
        .map(|mut p| {
            p.update(usage(p.get_str("mountpoint").unwrap_or_default())?);
            Ok(p.into())
        })
        .collect()
}
