//! Grains of storage: disks, LVM, software RAID, initiator names, ZFS. The last three kinds only where asked for.

use super::read;
use brine_core::{Map, Opts, Value, map};
use std::path::Path;

/// Stock runs its grain modules in the order of their names; `extra` (the static grains file) is one of them.
pub(super) struct Storage {
    pub(super) before_extra: Map,
    pub(super) after_extra: Map,
}

pub(super) fn collect(opts: &Opts) -> Storage {
    let mut after = Map::new();
    let asked = |name: &str| opts.get(name).is_some_and(|v| *v != Value::Bool(false));
    if asked("fibre_channel_grains") {
        after.insert("fc_wwn", fibre_channel());
    }
    if asked("iscsi_grains") {
        after.insert("iscsi_iqn", prefixed("/etc/iscsi/initiatorname.iscsi", "InitiatorName=", true));
    }
    if let Some(lvm) = lvm() {
        after.insert("lvm", lvm);
    }
    if let Some(text) = read::text("/proc/mdstat") {
        after.insert("mdadm", raids(&text));
    }
    if asked("nvme_grains") {
        after.insert("nvme_nqn", prefixed("/etc/nvme/hostnqn", "nqn.", false));
    }
    Storage { before_extra: disks(), after_extra: after }
}

/// `disks` (rotating) and `ssds`, in the order the kernel's directory has them, as stock.
fn disks() -> Map {
    let mut disks = Vec::new();
    let mut ssds = Vec::new();
    if let Ok(dir) = std::fs::read_dir("/sys/block") {
        for entry in dir.flatten() {
            let is_virtual = std::fs::read_link(entry.path())
                .is_ok_and(|target| target.starts_with("../devices/virtual/"));
            let (false, Ok(name)) = (is_virtual, entry.file_name().into_string()) else { continue };
            match read::text(entry.path().join("queue/rotational")).as_deref().map(str::trim) {
                Some("0") => ssds.push(name),
                Some("1") => disks.push(name),
                _ => {}
            }
        }
    }
    map! {"disks" => disks, "ssds" => ssds}
}

fn raids(mdstat: &str) -> Vec<String> {
    let mut out: Vec<String> = mdstat
        .lines()
        .filter(|l| !l.starts_with("Personalities : ") && !l.starts_with("unused devices:"))
        .filter_map(|l| l.split_once(" : ").map(|(name, _)| name.to_owned()))
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Volume groups and their volumes, where LVM's tool is installed. Only the tool can tell, but where the kernel has
/// no device mapper node there is nothing to ask it about.
fn lvm() -> Option<Map> {
    let tool = read::which("lvm")?;
    let mut out = Map::new();
    let list = |args: &[&str]| -> Vec<String> {
        read::output(&tool, args).unwrap_or_default().lines().map(|l| l.trim().to_owned()).collect()
    };
    for group in list(&["vgs", "-o", "vg_name", "--noheadings"]) {
        let volumes = list(&["lvs", "-o", "lv_name", "--noheadings", &group]);
        out.insert(group, volumes);
    }
    Some(out)
}

fn fibre_channel() -> Vec<String> {
    read::names("/sys/class/fc_host")
        .into_iter()
        .filter_map(|host| read::text(format!("/sys/class/fc_host/{host}/port_name")))
        .flat_map(|t| t.lines().map(|l| l.trim_end().chars().skip(2).collect()).collect::<Vec<String>>())
        .collect()
}

fn prefixed(path: &str, prefix: &str, strip: bool) -> Vec<String> {
    read::text(path)
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter_map(|l| l.strip_prefix(prefix).map(|rest| if strip { rest } else { l }.to_owned()))
        .collect()
}

/// `zfs_support`, `zfs_feature_flags`, and `zpool` where there is support.
pub(super) fn zfs() -> Map {
    let pool_tool = read::which("zpool");
    let platform = Path::new("/sys/module/zfs").exists() || read::which("zfs-fuse").is_some();
    let supported = pool_tool.is_some() && platform;
    let manual = read::which("man").is_some()
        && ["man5/zpool-features.5", "man7/zpool-features.7"]
            .iter()
            .any(|p| ["", ".gz"].iter().any(|z| Path::new(&format!("/usr/share/man/{p}{z}")).exists()));
    let mut out = map! {"zfs_support" => supported, "zfs_feature_flags" => manual};
    if let (true, Some(tool)) = (supported, pool_tool) {
        let mut pools = Map::new();
        for line in read::output(&tool, &["list", "-H", "-o", "name,size"]).unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(size)) = (words.next(), words.next()) {
                pools.insert(name, bytes_of(size));
            }
        }
        if !pools.is_empty() {
            out.insert("zpool", pools);
        }
    }
    out
}

/// `3.62T` as a number of bytes; what is no size stays text.
fn bytes_of(size: &str) -> Value {
    let (number, unit) = match size.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => size.split_at(at),
        None => (size, ""),
    };
    let power =
        unit.chars().next().map_or(Some(0), |u| "KMGTPEZ".find(u.to_ascii_uppercase()).map(|i| i as i32 + 1));
    match (number.parse::<f64>(), power) {
        (Ok(n), Some(p)) => Value::Int((n * 1024f64.powi(p)) as i128),
        _ => size.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_bytes() {
        assert_eq!(bytes_of("1.5K"), 1536.into());
        assert_eq!(bytes_of("512"), 512.into());
        assert_eq!(bytes_of("-"), "-".into());
    }

    #[test]
    fn raids_are_found_in_mdstat() {
        let text = "Personalities : [raid1]\nmd1 : active raid1 sdb1[1] sda1[0]\n      1 blocks\nmd0 : active raid1\nunused devices: <none>\n";
        assert_eq!(raids(text), ["md0", "md1"]);
    }
}
