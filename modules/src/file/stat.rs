//! What the file system knows of a file beside its contents.

use super::hash;
use super::owner::{group_name, user_name};
use crate::hashutil::file_error;
use crate::python::path::{expanduser, realpath};
use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::unistd::{AccessFlags, access as unix_access};
use std::collections::BTreeSet;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// A file as `stats` sees it.
pub(super) struct Stat {
    path: String,
    meta: Metadata,
}

/// Looks at a file.
pub(super) fn of(path: &str, follow_symlinks: bool) -> Result<Stat> {
    let path = expanduser(path);
    let meta = match fs::metadata(&path) {
        Ok(meta) if follow_symlinks => Ok(meta),
        _ => fs::symlink_metadata(&path),
    };
    match meta {
        Ok(meta) => Ok(Stat { path, meta }),
        Err(_) => Err(CallError::execution(format!("Path not found: {path}"))),
    }
}

/// Seconds with a fraction, as Python has them.
#[expect(clippy::cast_precision_loss, reason = "Python's times are as coarse")]
fn seconds(whole: i64, nano: i64) -> f64 {
    whole as f64 + 1e-9 * nano as f64
}

/// The word for a type of files.
fn kind(of: FileType) -> &'static str {
    match () {
        () if of.is_dir() => "dir",
        () if of.is_char_device() => "char",
        () if of.is_block_device() => "block",
        () if of.is_symlink() => "link",
        () if of.is_fifo() => "pipe",
        () if of.is_socket() => "socket",
        () => "file",
    }
}

impl Stat {
    /// The number of its user.
    pub(super) fn uid(&self) -> u32 {
        self.meta.uid()
    }

    /// The number of its group.
    pub(super) fn gid(&self) -> u32 {
        self.meta.gid()
    }

    /// Its user, by name if it has one.
    pub(super) fn user(&self) -> Value {
        user_name(self.meta.uid())
    }

    /// Its group, by name if it has one.
    pub(super) fn group(&self) -> Value {
        group_name(self.meta.gid())
    }

    /// Its mode as four octal digits.
    pub(super) fn mode(&self) -> String {
        format!("{:04o}", self.meta.mode() & 0o7777)
    }

    /// Whether it is a directory.
    pub(super) fn is_dir(&self) -> bool {
        self.meta.is_dir()
    }

    /// As the function `stats` returns it, without a checksum.
    pub(super) fn map(&self) -> Map {
        let meta = &self.meta;
        map! {
            "inode" => meta.ino(),
            "uid" => meta.uid(),
            "gid" => meta.gid(),
            "group" => self.group(),
            "user" => self.user(),
            "atime" => seconds(meta.atime(), meta.atime_nsec()),
            "mtime" => seconds(meta.mtime(), meta.mtime_nsec()),
            "ctime" => seconds(meta.ctime(), meta.ctime_nsec()),
            "size" => meta.size(),
            "mode" => self.mode(),
            "type" => kind(meta.file_type()),
            "target" => realpath(&self.path),
        }
    }
}

/// What is known of a file: owner, times, size, mode, type, the path behind links, and a checksum if one is asked for.
///
/// CLI Example: salt '*' file.stats /etc/passwd
#[exec]
pub(super) fn stats(
    path: String,
    hash_type: Option<String>,
    #[default(true)] follow_symlinks: bool,
) -> Result<Map> {
    let stat = of(&path, follow_symlinks)?;
    let mut all = stat.map();
    if let Some(form) = hash_type.filter(|form| !form.is_empty()) {
        let (kind, target) = (all.remove("type"), all.remove("target"));
        all.insert("sum", hash::of_file(&stat.path, &form)?);
        all.insert("type", kind);
        all.insert("target", target);
    }
    Ok(all)
}

/// What `lstat` says of a path, or nothing.
///
/// CLI Example: salt '*' file.lstat /path/to/file
#[exec]
pub(super) fn lstat(path: String) -> Result<Map> {
    let path = absolute(&path, "Path to file must be absolute.")?;
    let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(Map::new()) };
    Ok(map! {
        "st_atime" => seconds(meta.atime(), meta.atime_nsec()),
        "st_ctime" => seconds(meta.ctime(), meta.ctime_nsec()),
        "st_gid" => meta.gid(),
        "st_mode" => meta.mode(),
        "st_mtime" => seconds(meta.mtime(), meta.mtime_nsec()),
        "st_nlink" => meta.nlink(),
        "st_size" => meta.size(),
        "st_uid" => meta.uid(),
    })
}

/// A path with `~` in front put out, which must be absolute.
pub(super) fn absolute(path: &str, otherwise: &str) -> Result<String> {
    let path = expanduser(path);
    if path.starts_with('/') { Ok(path) } else { Err(CallError::invocation(otherwise)) }
}

/// Whether the minion may do something with a path: `f` (there is one), `r`, `w` or `x`.
///
/// CLI Example: salt '*' file.access /path/to/file f
#[exec]
pub(super) fn access(path: String, mode: Value) -> Result<bool> {
    let path = absolute(&path, "Path to link must be absolute.")?;
    let flags = match (mode.as_str(), mode.as_int()) {
        (Some("f"), _) | (_, Some(0)) => AccessFlags::F_OK,
        (Some("r"), _) | (_, Some(4)) => AccessFlags::R_OK,
        (Some("w"), _) | (_, Some(2)) => AccessFlags::W_OK,
        (Some("x"), _) | (_, Some(1)) => AccessFlags::X_OK,
        _ => return Err(CallError::invocation("Invalid mode specified.")),
    };
    Ok(unix_access(path.as_str(), flags).is_ok())
}

/// Whether a path is a symbolic link.
///
/// CLI Example: salt '*' file.is_link /path/to/link
#[exec]
pub(super) fn is_link(path: String) -> Result<bool> {
    Ok(Path::new(&expanduser(&path)).is_symlink())
}

/// Whether a file has more names than one.
///
/// CLI Example: salt '*' file.is_hardlink /path/to/link
#[exec]
pub(super) fn is_hardlink(path: String) -> Result {
    let stat = lstat(path)?;
    Ok(match stat.get("st_nlink").and_then(Value::as_int) {
        Some(links) => (links > 1).into(),
        None => stat.into(),
    })
}

fn is_device(path: &str, test: fn(&FileType) -> bool) -> Result<bool> {
    let path = expanduser(path);
    match fs::metadata(&path) {
        Ok(meta) => Ok(test(&meta.file_type())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(file_error(&e, &path)),
    }
}

/// Whether a path is a character device.
///
/// CLI Example: salt '*' file.is_chrdev /dev/chr
#[exec]
pub(super) fn is_chrdev(name: String) -> Result<bool> {
    is_device(&name, FileTypeExt::is_char_device)
}

/// Whether a path is a block device.
///
/// CLI Example: salt '*' file.is_blkdev /dev/blk
#[exec]
pub(super) fn is_blkdev(name: String) -> Result<bool> {
    is_device(&name, FileTypeExt::is_block_device)
}

/// Whether a path is a named pipe.
///
/// CLI Example: salt '*' file.is_fifo /dev/fifo
#[exec]
pub(super) fn is_fifo(name: String) -> Result<bool> {
    is_device(&name, FileTypeExt::is_fifo)
}

/// Major and minor number of a device.
///
/// CLI Example: salt '*' file.get_devmm /dev/chr
#[exec]
pub(super) fn get_devmm(name: String) -> Result<Vec<Value>> {
    let path = expanduser(&name);
    let device = is_device(&name, |kind| kind.is_char_device() || kind.is_block_device())?;
    let rdev = if device { fs::metadata(&path).map_err(|e| file_error(&e, &path))?.rdev() } else { 0 };
    Ok(vec![nix::sys::stat::major(rdev).into(), nix::sys::stat::minor(rdev).into()])
}

/// The SELinux context of a path.
///
/// CLI Example: salt '*' file.get_selinux_context /etc/hosts
#[exec]
pub(super) fn get_selinux_context(cx: &Cx, path: String) -> Result {
    let out = tools::run_all(cx, &["stat", "-c", "%C", &path])?;
    Ok(match out.get("retcode").and_then(Value::as_int) {
        Some(0) => out.get("stdout").cloned().unwrap_or_default(),
        _ => format!("No selinux context information is available for {path}").into(),
    })
}

/// The attributes that `lsattr` shows of files; `None` where there is no such program.
///
/// CLI Example: salt '*' file.lsattr foo1.txt
#[exec]
pub(super) fn lsattr(cx: &Cx, path: String) -> Result {
    if tools::require("lsattr").is_err() {
        return Ok(Value::Nil);
    }
    if !Path::new(&path).exists() {
        return Err(CallError::invocation(format!("File or directory does not exist: {path}")));
    }
    let mut found = Map::new();
    for line in tools::run(cx, &["lsattr", &path])?.lines().filter(|line| !line.starts_with("lsattr: ")) {
        let Some((attributes, file)) = line.trim_start().split_once(char::is_whitespace) else { continue };
        let letters = attributes.chars().filter(|c| "aAcCdDeijPsStTu".contains(*c));
        found.insert(file.trim_start(), letters.map(|c| Value::from(c.to_string())).collect::<Vec<_>>());
    }
    Ok(found.into())
}

/// What `statvfs` says of the file system that a path is on.
///
/// CLI Example: salt '*' file.statvfs /path/to/file
#[exec]
pub(super) fn statvfs(path: String) -> Result<Map> {
    let path = absolute(&path, "File path must be absolute.")?;
    let stat = nix::sys::statvfs::statvfs(path.as_str())
        .map_err(|_| CallError::execution(format!("Could not statvfs '{path}'")))?;
    Ok(map! {
        "f_bavail" => stat.blocks_available(),
        "f_bfree" => stat.blocks_free(),
        "f_blocks" => stat.blocks(),
        "f_bsize" => stat.block_size(),
        "f_favail" => stat.files_available(),
        "f_ffree" => stat.files_free(),
        "f_files" => stat.files(),
        "f_flag" => stat.flags().bits(),
        "f_frsize" => stat.fragment_size(),
        "f_namemax" => stat.name_max(),
    })
}

/// How many bytes the files below a path have, each counted once.
///
/// CLI Example: salt '*' file.diskusage /path/to/check
#[exec]
pub(super) fn diskusage(path: String) -> Result<u64> {
    match fs::metadata(&path) {
        Ok(meta) if meta.is_file() => Ok(meta.len()),
        _ => Ok(below(Path::new(&path), &mut BTreeSet::new(), 0)),
    }
}

fn below(dir: &Path, seen: &mut BTreeSet<u64>, depth: usize) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let mut sum = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < 200 {
                sum += below(&path, seen, depth + 1);
            }
        } else if let Ok(meta) = fs::metadata(&path)
            && !meta.is_dir()
            && seen.insert(meta.ino())
        {
            sum += meta.len();
        }
    }
    sum
}

/// Where a symbolic link leads, or with `canonicalize` the path behind all links.
///
/// CLI Example: salt '*' file.readlink /path/to/link
#[exec]
pub(super) fn readlink(cx: &Cx, path: String, #[default(false)] canonicalize: bool) -> Result<String> {
    let path = expandvars(&expanduser(&path), &crate::environ::as_map(cx));
    if !path.starts_with('/') {
        return Err(CallError::invocation(format!("Path to link must be absolute: {path}")));
    }
    if !Path::new(&path).is_symlink() {
        return Err(CallError::invocation(format!("A valid link was not specified: {path}")));
    }
    if canonicalize {
        return Ok(realpath(&path));
    }
    let target = fs::read_link(&path).map_err(|e| CallError::execution(brine_core::text::python_os_error(&e, &path)))?;
    Ok(target.to_string_lossy().into_owned())
}

/// `os.path.expandvars`: `$name` and `${name}`; what is not set stays.
fn expandvars(text: &str, environ: &Map) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, whole) = match rest[1..].strip_prefix('{') {
            Some(inner) => match inner.find('}') {
                Some(end) => (&inner[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let end = rest[1..].find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
                let end = end.unwrap_or(rest.len() - 1);
                (&rest[1..=end], end + 1)
            }
        };
        match environ.get(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&python_str(value)),
            None => out.push_str(&rest[..whole]),
        }
        rest = &rest[whole..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_as_in_python() {
        let environ = map! {"A" => "x", "B_1" => "y"};
        for (text, want) in [
            ("$A/${B_1}", "x/y"), ("$", "$"), ("${A", "${A"), ("$NONE/${NONE}", "$NONE/${NONE}"), ("a$A$", "ax$"), ("$$A", "$x"),
        ] {
            assert_eq!(expandvars(text, &environ), want, "{text}");
        }
    }

    #[test]
    fn a_file_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "abc").unwrap();
        std::os::unix::fs::symlink("f", dir.path().join("l")).unwrap();
        let link = dir.path().join("l").to_string_lossy().into_owned();
        assert_eq!(of(&link, true).unwrap().map().get("type"), Some(&"file".into()));
        assert_eq!(of(&link, false).unwrap().map().get("type"), Some(&"link".into()));
        assert_eq!(of(&link, true).unwrap().map().get("size"), Some(&3.into()));
        assert_eq!(of("/nonexistent", true).err().unwrap().to_string(), "Path not found: /nonexistent");
        assert_eq!(diskusage(dir.path().to_string_lossy().into_owned()).unwrap(), 3);
    }
}
