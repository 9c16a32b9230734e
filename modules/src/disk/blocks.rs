//! Functions of `disk` about block devices and the file systems on them.

use crate::grains_core::read;
use crate::tools;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value};

fn succeeded(ret: &Map) -> bool {
    ret.get("retcode") == Some(&0.into())
}

/// Return block device attributes: UUID, LABEL, etc. This function only works on systems where blkid is available.
///
/// CLI Example: salt '*' disk.blkid token='TYPE=ext4'
#[exec]
fn blkid(cx: &Cx, device: Option<String>, token: Option<String>) -> Result<Map> {
    tools::require("blkid")?;
    let mut words = vec!["blkid"];
    match (device.as_deref().filter(|d| !d.is_empty()), token.as_deref().filter(|t| !t.is_empty())) {
        (Some(device), _) => words.push(device),
        (None, Some(token)) => words.extend(["-t", token]),
        (None, None) => {}
    }
    let ret = tools::run_all(cx, &words)?;
    if !succeeded(&ret) {
        return Ok(Map::new());
    }
    Ok(ret.get_str("stdout").unwrap_or("").lines().filter_map(attributes).collect())
}

/// A line `/dev/sda1: UUID=".." TYPE=".."`.
fn attributes(line: &str) -> Option<(String, Map)> {
    let (device, rest) = line.split_once(' ')?;
    let mut parts = rest.split('"');
    let mut out = Map::new();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        out.insert(key.trim().trim_end_matches('='), value);
    }
    Some((device.strip_suffix(':').unwrap_or(device).to_owned(), out))
}

const PROPERTIES: [&str; 12] = [
    "getro",
    "getsz",
    "getss",
    "getpbsz",
    "getiomin",
    "getioopt",
    "getalignoff",
    "getmaxsect",
    "getsize",
    "getsize64",
    "getra",
    "getfra",
];

fn properties(cx: &Cx, device: &str, only: &[&str]) -> Result {
    let options: Vec<String> = PROPERTIES.iter().map(|p| format!("--{p}")).collect();
    let mut words = vec!["blockdev"];
    words.extend(options.iter().map(String::as_str));
    words.push(device);
    let ret = tools::run_all(cx, &words)?;
    if !succeeded(&ret) {
        return Ok(false.into());
    }
    let lines = ret.get_str("stdout").unwrap_or("").lines().filter(|l| !l.is_empty());
    let all: Map = PROPERTIES.iter().copied().zip(lines).collect();
    if only.is_empty() {
        return Ok(all.into());
    }
    only.iter()
        .map(|name| match all.get(name) {
            Some(value) => Ok((*name, value.clone())),
            None => Err(CallError::exception("KeyError", format!("'{name}'"))),
        })
        .collect::<Result<Map>>()
        .map(Value::from)
}

/// Return all contents of dumpe2fs for a specified device: what `blockdev` tells, or the properties named in `args`.
///
/// CLI Example: salt '*' disk.dump /dev/sda1
#[exec]
fn dump(cx: &Cx, device: String, args: Option<Vec<String>>) -> Result {
    let names = args.unwrap_or_default();
    properties(cx, &device, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Set attributes for the specified device: `read-ahead`, `filesystem-read-ahead`, `read-only`, `read-write`.
///
/// CLI Example: salt '*' disk.tune /dev/sda1 read-ahead=1024 read-write=True
#[exec]
fn tune(cx: &Cx, device: String, kwargs: KwArgs) -> Result {
    let (mut words, mut show, mut invalid) = (vec!["blockdev".to_owned()], Vec::new(), Vec::new());
    for (key, value) in &kwargs.clean() {
        let set = *value == Value::Bool(true) || value.as_str() == Some("True");
        match key.as_str() {
            Some("read-ahead") => {
                words.extend(["--setra".into(), python_str(value)]);
                show.push("getra");
            }
            Some("filesystem-read-ahead") => {
                words.extend(["--setfra".into(), python_str(value)]);
                show.push("getfra");
            }
            Some("read-only") if set => {
                words.push("--setro".into());
                show.push("getro");
            }
            Some("read-write") if set => {
                words.push("--setrw".into());
                show.push("getro");
            }
            _ => invalid.push(format!("{}={}", python_str(key), python_str(value))),
        }
    }
    if !invalid.is_empty() {
        return Err(CallError::invocation(format!("Invalid keyword arguments: {}", invalid.join(", "))));
    }
    words.push(device.clone());
    let ret = tools::run_all(cx, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
    if !succeeded(&ret) {
        return Err(CallError::execution(ret.get_str("stderr").unwrap_or("")));
    }
    properties(cx, &device, &show)
}

/// Remove the filesystem information: erases every signature on the device.
///
/// CLI Example: salt '*' disk.wipe /dev/sda1
#[exec]
fn wipe(cx: &Cx, device: String) -> Result<bool> {
    let ret = tools::run_all(cx, &["wipefs", "-a", &device])?;
    if !succeeded(&ret) {
        tracing::error!("Error wiping device {device}: {}", ret.get_str("stderr").unwrap_or(""));
    }
    Ok(succeeded(&ret))
}

/// Resizes the filesystem. Returns `True`, or nothing if it could not.
///
/// CLI Example: salt '*' disk.resize2fs /dev/sda1
#[exec]
fn resize2fs(cx: &Cx, device: String) -> Result {
    let ret = tools::run_all(cx, &["resize2fs", &device])?;
    Ok(if succeeded(&ret) { true.into() } else { Value::Nil })
}

/// Format a filesystem onto a device. Returns whether it succeeded.
///
/// CLI Example: salt '*' disk.format /dev/sdX1 fs_type=xfs force=True
#[exec]
fn format_(
    cx: &Cx,
    device: String,
    #[default("ext4")] fs_type: String,
    inode_size: Option<Value>,
    lazy_itable_init: Option<Value>,
    fat: Option<Value>,
    #[default(false)] force: Value,
) -> Result<bool> {
    tools::require("sync")?;
    tools::require("mkfs")?;
    let words = mkfs(&device, &fs_type, inode_size, lazy_itable_init, fat, force.truthy());
    let made = tools::retcode(cx, &words.iter().map(String::as_str).collect::<Vec<_>>())? == 0;
    let synced = tools::retcode(cx, &["sync"])? == 0;
    Ok(made && synced)
}

fn mkfs(
    device: &str,
    fs_type: &str,
    inode_size: Option<Value>,
    lazy: Option<Value>,
    fat: Option<Value>,
    force: bool,
) -> Vec<String> {
    let ext = fs_type.starts_with("ext");
    let mut words: Vec<String> = vec!["mkfs".into(), "-t".into(), fs_type.into()];
    if let Some(size) = inode_size.as_ref().map(python_str) {
        if ext {
            words.extend(["-i".into(), size]);
        } else if fs_type == "xfs" {
            words.extend(["-i".into(), format!("size={size}")]);
        }
    }
    if let (Some(lazy), true) = (lazy.as_ref().map(python_str), ext) {
        words.extend(["-E".into(), format!("lazy_itable_init={lazy}")]);
    }
    if let Some(Value::Int(bits @ (12 | 16 | 32))) = fat
        && fs_type.ends_with("fat")
    {
        words.extend(["-F".into(), bits.to_string()]);
    }
    if force && ext {
        words.push("-F".into());
    } else if force && fs_type == "xfs" {
        words.push("-f".into());
    }
    words.push(device.into());
    words
}

/// Return the filesystem name of the specified device.
///
/// CLI Example: salt '*' disk.fstype /dev/sdX1
#[exec]
fn fstype(cx: &Cx, device: String) -> Result<String> {
    kind_of(cx, &device)
}

fn kind_of(cx: &Cx, device: &str) -> Result<String> {
    let (lsblk, df) = (read::which("lsblk").is_some(), read::which("df").is_some());
    if !lsblk && !df {
        return Err(CallError::CommandNotFound(
            "None of provided binaries([\"'lsblk'\", \"'df'\"]) were found in $PATH.".into(),
        ));
    }
    let second_line =
        |text: String| text.lines().nth(1).map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
    if lsblk && let Some(kind) = second_line(tools::run(cx, &["lsblk", "-o", "fstype", device])?) {
        return Ok(kind);
    }
    if df && let Some(line) = second_line(tools::run(cx, &["df", "-T", device])?) {
        return Ok(line);
    }
    Ok(String::new())
}

/// Return the filesystem type of the underlying device for a specified path.
///
/// CLI Example: salt '*' disk.get_fstype_from_path /root
#[exec]
fn get_fstype_from_path(cx: &Cx, path: String) -> Result<String> {
    let device = cx.call("mount.get_device_from_path", Args::positional([path]))?;
    kind_of(cx, &python_str(&device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn attributes_of_blkid_are_read() {
        let (device, got) = attributes("/dev/sda1: LABEL=\"a b\" UUID=\"1-2\" TYPE=\"ext4\"").unwrap();
        assert_eq!(device, "/dev/sda1");
        assert_eq!(got, map! {"LABEL" => "a b", "UUID" => "1-2", "TYPE" => "ext4"});
    }

    #[test]
    fn options_of_mkfs_depend_on_the_kind() {
        let words = |kind: &str| {
            mkfs("/dev/x", kind, Some(256.into()), Some(1.into()), Some(32.into()), true).join(" ")
        };
        assert_eq!(words("ext4"), "mkfs -t ext4 -i 256 -E lazy_itable_init=1 -F /dev/x");
        assert_eq!(words("xfs"), "mkfs -t xfs -i size=256 -f /dev/x");
        assert_eq!(words("vfat"), "mkfs -t vfat -F 32 /dev/x");
    }
}
