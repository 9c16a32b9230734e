//! Lock files that a killed gpg left in its directory: `.#lk<address>.<host>.<pid>` of processes that are gone.

use std::path::Path;
use tracing::debug;

/// Removes them. Whatever fails is left as it is.
pub(super) fn clean(keys: &Path) {
    let Ok(entries) = std::fs::read_dir(keys) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(pid) else { continue };
        if nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH)
            && let Err(e) = std::fs::remove_file(entry.path())
        {
            debug!("Could not remove stale GPG lock file {}: {e}", name.display());
        }
    }
}

/// The process that a lock file is of.
fn pid(name: &str) -> Option<i32> {
    let rest = name.strip_prefix(".#lk")?;
    let (address, rest) = rest.split_once('.')?;
    let (host, pid) = rest.rsplit_once('.')?;
    let hex = |c: u8| c.is_ascii_hexdigit() || c == b'x';
    if address.is_empty() || !address.bytes().all(hex) || host.is_empty() {
        return None;
    }
    pid.parse().ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_locks_of_dead_processes_go() {
        let dir = tempfile::tempdir().unwrap();
        // Numbers of processes end far below this.
        let dead = format!(".#lk0x7f00aa.host.example.{}", i32::MAX);
        let alive = format!(".#lk0x7f00aa.host.{}", std::process::id());
        for name in [dead.as_str(), &alive, ".#lkzz.host.2147483647", "pubring.kbx"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        clean(dir.path());
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = vec![alive, ".#lkzz.host.2147483647".to_owned(), "pubring.kbx".into()];
        expected.sort();
        assert_eq!(left, expected);
    }
}
