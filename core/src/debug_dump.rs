//! What a daemon says about itself on SIGUSR1, where stock's daemons write down their Python stack: its threads and
//! what each waits for, its open files by kind, its memory. It holds no data of jobs, keys or options.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Prints the report on the terminal, or writes it to a new file of this user's alone in the directory for temporary
/// files, named as stock names it. Says in the log where it went.
pub fn write_debug_dump() {
    let report = report(Path::new("/proc/self"));
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _ = stderr.write_all(report.as_bytes());
        return;
    }
    match save(&std::env::temp_dir(), &report) {
        Ok(path) => tracing::info!("SIGUSR1: wrote {}", path.display()),
        Err(e) => tracing::error!("SIGUSR1: cannot write a debug log: {e}"),
    }
}

/// Writes to a file that did not exist: others may have put a link at a name that can be guessed.
fn save(dir: &Path, report: &str) -> io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let names =
        [format!("salt-debug-{seconds}.log"), format!("salt-debug-{seconds}-{}.log", std::process::id())];
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for name in names {
        let path = dir.join(name);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => return file.write_all(report.as_bytes()).map(|()| path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => taken = e,
            Err(e) => return Err(e),
        }
    }
    Err(taken)
}

/// The report about the process whose `/proc` directory this is.
fn report(process: &Path) -> String {
    let mut out = String::from("======== Salt Debug Stack Trace =========\n");
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let status = read(process.join("status"));
    for line in status.lines() {
        let key = line.split(':').next().unwrap_or_default();
        if ["Name", "Pid", "VmRSS", "VmHWM", "Threads"].contains(&key) {
            out.push_str(line);
            out.push('\n');
        }
    }
    for (kind, count) in open_files(process) {
        let _ = writeln!(out, "Open {kind}:\t{count}");
    }
    for thread in entries(&process.join("task")) {
        let name = read(thread.join("comm"));
        let state = read(thread.join("status"));
        let state = state.lines().find_map(|l| l.strip_prefix("State:")).unwrap_or_default();
        let waits = read(thread.join("wchan"));
        let id = thread.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(out, "Thread {id} {}: {}, in {}", name.trim_end(), state.trim(), waits.trim_end());
    }
    out.push_str("=========================================\n");
    out
}

/// How many descriptors of each kind are open.
fn open_files(process: &Path) -> Vec<(&'static str, usize)> {
    let mut counts = vec![("files", 0), ("sockets", 0), ("pipes", 0), ("others", 0)];
    for fd in entries(&process.join("fd")) {
        let target = fs::read_link(fd).unwrap_or_default();
        let target = target.to_string_lossy();
        let kind = match target.split(':').next() {
            Some("socket") => 1,
            Some("pipe") => 2,
            _ if target.starts_with('/') => 0,
            _ => 3,
        };
        counts[kind].1 += 1;
    }
    counts
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_tells_of_threads_and_files() {
        let report = report(Path::new("/proc/self"));
        assert!(report.starts_with("======== Salt Debug Stack Trace =========\nName:"), "{report}");
        assert!(report.contains("\nThread ") && report.contains("\nOpen files:\t"), "{report}");
    }

    #[test]
    fn a_link_that_waits_in_the_directory_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let first = save(dir.path(), "x").unwrap();
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        // Whatever the clock says, every name of the next seconds is taken by a link.
        let target = dir.path().join("target");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let links: Vec<PathBuf> =
            (now..now + 30).map(|s| dir.path().join(format!("salt-debug-{s}.log"))).collect();
        for link in &links {
            let _ = std::os::unix::fs::symlink(&target, link);
        }
        let second = save(dir.path(), "y").unwrap();
        assert!(!links.contains(&second) && !target.exists(), "{}", second.display());
    }
}
