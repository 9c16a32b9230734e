//! Servers of a test's own, such as Debian's databases: on loopback, in scratch directories, as a user without rights, stopped when
//! dropped. What they serve is the test's business.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to answer, and how often it is asked.
const LONG: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
/// `nobody`.
const NOBODY: u32 = 65534;

/// A running server with its directory.
pub struct Service {
    child: Child,
    dir: TempDir,
    /// Where it listens.
    pub port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may already be gone.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Service {
    /// Starts one; it need not answer yet.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(dir: TempDir, port: u16, command: &mut Command) -> Self {
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, dir, port }
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// When it ends, or does not answer within a minute.
    #[must_use]
    pub fn up(mut self, done: impl Fn(&Self) -> bool) -> Self {
        let end = Self::patience();
        while !done(&self) {
            self.pause(end);
        }
        self
    }

    /// Until when a server that starts now is waited for.
    pub fn patience() -> Instant {
        Instant::now() + LONG
    }

    /// A moment, between two looks at whether it answers.
    ///
    /// # Panics
    /// When it has ended, or it is too late.
    pub fn pause(&mut self, end: Instant) {
        let status = self.child.try_wait().unwrap();
        if status.is_some() || Instant::now() > end {
            panic!("{status:?}: {}", std::fs::read_to_string(self.file("log")).unwrap());
        }
        std::thread::sleep(PAUSE);
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }
}

/// A port that nobody listens on, below those that the system gives to whoever connects: there it could be gone by the
/// time a server wants it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(37).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20000 + (next % 12000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Runs a program to its end; what it printed.
///
/// # Panics
/// When it fails.
pub fn run(command: &mut Command) -> String {
    let out =
        command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; `cargo xtask setup` installs it"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// A program as somebody who owns the directory and nothing else: PostgreSQL refuses to serve as root.
pub fn unprivileged(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        let nobody = NOBODY.to_string();
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
    }
    command.arg(program).current_dir(dir).env("HOME", dir).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Gives a file to that somebody.
pub fn own(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A directory that he owns.
pub fn scratch() -> TempDir {
    let dir = tempfile::Builder::new().prefix("brine-db").tempdir().unwrap();
    own(dir.path());
    dir
}

/// Where Debian's PostgreSQL is.
///
/// # Panics
/// When it is not installed.
pub fn postgres_bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let bin = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
    bin.expect("Debian's package postgresql is needed; `cargo xtask setup` installs it")
}
