//! Finding programs, as `salt.utils.path.which` does.

use nix::unistd::{AccessFlags, access};
use std::path::{Path, PathBuf};

/// Searched after `PATH`, for services that start with a poor one.
const EXTENDED: [&str; 6] = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Whether this is a file that we may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

/// The full path of a program, or the name itself if it already is one.
pub(crate) fn which(name: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    if is_executable(Path::new(name)) {
        return Some(name.to_owned());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places: Vec<&str> = path.split(':').collect();
    places.extend(EXTENDED.iter().filter(|place| !path.split(':').any(|known| known == **place)));
    places
        .into_iter()
        .map(|place| PathBuf::from(place).join(name.trim_start_matches('/')))
        .find(|path| is_executable(path))
        .map(|path| path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found() {
        assert_eq!(which("/bin/sh").as_deref(), Some("/bin/sh"));
        assert!(which("sh").unwrap().ends_with("/sh"));
        assert_eq!(which("no-such-program"), None);
        assert_eq!(which("/etc/passwd"), None);
        assert_eq!(which(""), None);
    }
}
