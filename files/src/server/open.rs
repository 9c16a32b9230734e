//! Files opened so that nothing but the contents of a regular file can be read, and nothing waits.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file, links followed; none where there is no such file or it is something else. With `inside`, links may not lead
/// out of that folder: what was opened is looked at before it is read, so that nobody can exchange it in between.
///
/// # Errors
/// It is there, but may not be read.
pub(crate) fn open_regular(path: &Path, inside: Option<&Path>) -> io::Result<Option<(File, Metadata)>> {
    let Some((handle, meta)) = look(path, inside)? else { return Ok(None) };
    // The same file again, to be read now: by its handle, not its name.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    Ok(Some((file, meta)))
}

/// Whether there is such a file, as [`open_regular`] says it, and what it is. It need not be readable.
pub(crate) fn look(path: &Path, inside: Option<&Path>) -> io::Result<Option<(File, Metadata)>> {
    // A handle on the name alone: opening it does nothing to pipes and devices.
    let handle = match OpenOptions::new().read(true).custom_flags(nix::libc::O_PATH).open(path) {
        Ok(handle) => handle,
        Err(e) if absent(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    let meta = handle.metadata()?;
    if !meta.is_file() {
        return Ok(None);
    }
    if let Some(root) = inside {
        let real = std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
        if !root.canonicalize().is_ok_and(|root| real.starts_with(root)) {
            return Ok(None);
        }
    }
    Ok(Some((handle, meta)))
}

/// What Python's `os.path.isfile` takes for no file.
fn absent(e: &io::Error) -> bool {
    use nix::libc::{EACCES, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR};
    matches!(e.raw_os_error(), Some(ENOENT | ENOTDIR | ELOOP | EACCES | ENAMETOOLONG | EINVAL))
        || e.kind() == io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("root")).unwrap();
        fs::write(at("root/a"), "a").unwrap();
        fs::write(at("out"), "o").unwrap();
        symlink("../out", at("root/out")).unwrap();
        symlink("a", at("root/in")).unwrap();
        symlink(at("root/a"), at("root/abs")).unwrap();
        symlink("none", at("root/none")).unwrap();
        symlink("/dev/zero", at("root/zero")).unwrap();
        nix::unistd::mkfifo(&at("root/pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let root = at("root");
        let opens = |name: &str, inside| open_regular(&root.join(name), inside).unwrap().is_some();
        for name in ["a", "in", "abs"] {
            assert!(opens(name, None) && opens(name, Some(&root)), "{name}");
        }
        assert!(opens("out", None) && !opens("out", Some(&root)));
        for name in ["none", "zero", "pipe", "", "b", "a/b"] {
            assert!(!opens(name, None) && !opens(name, Some(&root)), "{name}");
        }
    }
}
