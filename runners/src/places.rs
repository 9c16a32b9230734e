//! Files below a root of the master's, named by people who may be far away: a name never leaves its root, and no
//! symbolic link is followed on the way (CVE-2020-11652, CVE-2021-25282).

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use brine_core::call::{CallError, Cx, Result};
use brine_protocol::ids::RelPath;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, mkdirat};

use crate::host::master;

/// No larger file is read whole.
const LARGEST: u64 = 64 << 20;

/// A relative path, or None for a text that is none.
pub(crate) fn relative(text: &str) -> Option<RelPath> {
    let text = text.trim_end_matches('/');
    let text = text.strip_prefix("./").unwrap_or(text);
    RelPath::parse(text).ok()
}

/// Opens the directory above a path's last component; `make` makes what is missing on the way.
fn parent<'p>(root: &Path, path: &'p RelPath, make: bool) -> io::Result<(OwnedFd, &'p str)> {
    let directory = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_RDONLY;
    let below_root = directory | OFlag::O_NOFOLLOW;
    if make {
        std::fs::create_dir_all(root)?;
    }
    let mut at = open(root, directory, Mode::empty())?;
    let mut components: Vec<&str> = path.components().collect();
    let last = components.pop().unwrap_or_default();
    for component in components {
        let below = openat(&at, component, below_root, Mode::empty());
        at = match below {
            Err(Errno::ENOENT) if make => {
                mkdirat(&at, component, Mode::from_bits_truncate(0o777))?;
                openat(&at, component, below_root, Mode::empty())?
            }
            other => other?,
        };
    }
    Ok((at, last))
}

/// Reads a regular file.
///
/// # Errors
/// Where there is none, where a link stands on the way, or as the system has it.
pub(crate) fn read(root: &Path, path: &RelPath) -> io::Result<Vec<u8>> {
    let (dir, name) = parent(root, path, false)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = File::from(openat(&dir, name, flags, Mode::empty())?);
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(io::Error::other("not a regular file of reasonable size"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file, and makes the directories above it where they are missing. A file that is there keeps its mode.
///
/// # Errors
/// Where a link or something that is no file stands on the way, or as the system has it.
pub(crate) fn write(root: &Path, path: &RelPath, bytes: &[u8]) -> io::Result<()> {
    let (dir, name) = parent(root, path, true)?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut file = File::from(openat(&dir, name, flags, Mode::from_bits_truncate(0o666))?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    file.set_len(0)?;
    file.write_all(bytes)
}

/// A path that somebody names freely: only for a person whose own process this is.
///
/// # Errors
/// For everybody else.
pub(crate) fn own_path(cx: &Cx, argument: &str) -> Result<()> {
    if master(cx)?.side.is_callers_process() {
        return Ok(());
    }
    Err(CallError::invocation(format!("'{argument}' cannot be given from afar")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2020_11652_and_2021_25282_a_path_is_relative() {
        for text in ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "..", "a/./b", "a\0b"] {
            assert!(relative(text).is_none(), "{text:?}");
        }
        assert_eq!(relative("./a/b/").unwrap().as_str(), "a/b");
    }

    #[test]
    fn cve_2021_25282_links_are_not_followed() {
        let tmp = tempfile::tempdir().unwrap();
        let (root, outside) = (tmp.path().join("root"), tmp.path().join("outside"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), "s").unwrap();
        let path = |text| relative(text).unwrap();
        write(&root, &path("a/b/c"), b"one").unwrap();
        write(&root, &path("a/b/c"), b"2").unwrap();
        assert_eq!(read(&root, &path("a/b/c")).unwrap(), b"2");
        std::os::unix::fs::symlink(&outside, root.join("dir")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), root.join("file")).unwrap();
        for text in ["dir/secret", "file", "a", "none"] {
            assert!(read(&root, &path(text)).is_err(), "{text}");
        }
        for text in ["dir/new", "file", "dir/x/y"] {
            assert!(write(&root, &path(text), b"bad").is_err(), "{text}");
        }
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"s");
    }
}
