//! Small bounded reads of kernel and configuration files, and the search for a program. No parsing.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// More than any file of `/proc`, `/sys` or `/etc` that is read whole here may hold.
const LIMIT: u64 = 4 << 20;

/// How much of a large file is looked at at once.
const PIECE: usize = 64 << 10;

/// The bytes of a file, at most 4 MiB of them.
pub(crate) fn bytes(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut out).ok()?;
    Some(out)
}

/// The text of a file; what is not UTF-8 is replaced.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    bytes(path).map(|b| match String::from_utf8(b) {
        Ok(s) => s,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    })
}

/// The text of a file without surrounding white space.
pub(crate) fn trimmed(path: impl AsRef<Path>) -> Option<String> {
    text(path).map(|s| s.trim().to_owned())
}

/// Where `needle` first is in a file of any size, read piece by piece.
pub(crate) fn find_in(file: &File, needle: &[u8]) -> Option<u64> {
    let mut piece = vec![0; PIECE];
    let mut from = 0;
    loop {
        let n = file.read_at(&mut piece, from).ok()?;
        if let Some(at) = memchr::memmem::find(&piece[..n], needle) {
            return Some(from + at as u64);
        }
        // A needle may lie across two pieces.
        let step = n.checked_sub(needle.len()).filter(|step| *step > 0)?;
        from += step as u64 + 1;
    }
}

/// Up to `length` bytes of a file from a place in it.
pub(crate) fn bytes_at(file: &File, from: u64, length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length.min(LIMIT as usize)];
    let n = file.read_at(&mut out, from).ok()?;
    out.truncate(n);
    Some(out)
}

/// The names in a directory, sorted; none if it cannot be read.
pub(crate) fn names(path: impl AsRef<Path>) -> Vec<String> {
    let mut out: Vec<String> = std::fs::read_dir(path)
        .map(|d| d.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    out.sort();
    out
}

/// Whether this is a file that may be executed.
fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Where a program is: in `PATH`, then in the usual directories that a poor `PATH` lacks.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    path.as_bytes()
        .split(|b| *b == b':')
        .map(|b| Path::new(std::ffi::OsStr::from_bytes(b)))
        .chain(usual.iter().map(Path::new))
        .map(|dir| dir.join(program))
        .find(|p| p.is_absolute() && executable(p))
}

/// What a program of fixed arguments prints, if it ends well; for the few facts no file holds.
pub(crate) fn output(program: &Path, args: &[&str]) -> Option<String> {
    let out = std::process::Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_across_pieces() {
        let mut file = tempfile::tempfile().unwrap();
        let mut bytes = vec![b'x'; PIECE * 2 + 100];
        bytes[PIECE - 2..PIECE + 2].copy_from_slice(b"abcd");
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        assert_eq!(find_in(&file, b"abcd"), Some(PIECE as u64 - 2));
        assert_eq!(find_in(&file, b"abce"), None);
        assert_eq!(bytes_at(&file, PIECE as u64 * 2 + 98, 50).unwrap().len(), 2);
    }

    #[test]
    fn programs_are_found_and_directories_are_not() {
        assert!(which("sh").is_some());
        assert!(which("no-such-program-here").is_none());
        assert!(!executable(Path::new("/tmp")));
    }
}
