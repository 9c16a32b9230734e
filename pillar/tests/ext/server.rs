//! Servers of the tests' own: Debian's PostgreSQL, MariaDB and Redis on loopback, in scratch directories, as a user without rights.
//! Not tests; stopped when dropped.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to answer, and how often it is asked.
const LONG: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A running server with its directory.
pub(crate) struct Server {
    child: Child,
    dir: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may already be gone.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A port that nobody listens on, below those that the system gives to whoever connects.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(41).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20000 + (next % 12000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn run(command: &mut Command) {
    let out =
        command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; `cargo xtask setup` installs it"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .map(|meta| std::os::unix::fs::MetadataExt::uid(&meta))
        .is_ok_and(|uid| uid == 0)
}

/// A program as somebody who owns the directory and nothing else: PostgreSQL refuses to serve as root.
fn unprivileged(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg(program).current_dir(dir).env("HOME", dir).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

fn scratch() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("brine-db").tempdir().unwrap();
    if is_root() {
        std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    }
    dir
}

impl Server {
    fn start(dir: tempfile::TempDir, port: u16, command: &mut Command) -> Self {
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, dir, port }
    }

    /// Waits until it answers.
    fn up(mut self, done: impl Fn(&Self) -> bool) -> Self {
        let end = Instant::now() + LONG;
        while !done(&self) {
            let status = self.child.try_wait().unwrap();
            if status.is_some() || Instant::now() > end {
                panic!("{status:?}: {}", std::fs::read_to_string(self.dir.path().join("log")).unwrap());
            }
            std::thread::sleep(PAUSE);
        }
        self
    }

    /// PostgreSQL with the user and database `salt`, by password over TCP.
    pub(crate) fn postgres(sql: &str) -> Self {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let bin: Option<PathBuf> =
            versions.map(|v| v.path().join("bin")).find(|bin| bin.join("initdb").exists());
        let bin = bin.expect("Debian's package postgresql is needed; `cargo xtask setup` installs it");
        let dir = scratch();
        let data = dir.path().join("data");
        run(unprivileged(bin.join("initdb"), dir.path())
            .args(["--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-D"])
            .arg(&data));
        std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhost all all all scram-sha-256\n")
            .unwrap();
        let port = free_port();
        let mut command = unprivileged(bin.join("postgres"), dir.path());
        let socket = format!("unix_socket_directories={}", dir.path().display());
        command.arg("-D").arg(&data).args([
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            &socket,
        ]);
        command.args(["-c", &format!("port={port}")]);
        let psql = |server: &Self, db: &str, sql: &str| {
            let mut command = Command::new("psql");
            command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db, "-c", sql, "-h"]);
            command.arg(server.dir.path()).args(["-p", &server.port.to_string()]);
            command
        };
        let server = Self::start(dir, port, &mut command)
            .up(|server| psql(server, "postgres", "SELECT 1").output().unwrap().status.success());
        run(&mut psql(&server, "postgres", "CREATE ROLE salt LOGIN PASSWORD 'pass ''word'"));
        run(&mut psql(&server, "postgres", "CREATE DATABASE salt OWNER salt"));
        run(&mut psql(&server, "salt", &format!("SET ROLE salt; {sql}")));
        server
    }

    /// MariaDB with the user and database `salt`, by password over TCP.
    pub(crate) fn mariadb(sql: &str) -> Self {
        let dir = scratch();
        let at = |name: &str| dir.path().join(name).display().to_string();
        run(unprivileged("mariadb-install-db", dir.path())
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", at("data"))));
        let port = free_port();
        let mut command = unprivileged("/usr/sbin/mariadbd", dir.path());
        command.args([
            "--no-defaults".to_owned(),
            format!("--datadir={}", at("data")),
            format!("--socket={}", at("socket")),
            format!("--port={port}"),
            "--bind-address=127.0.0.1".into(),
            "--innodb-flush-log-at-trx-commit=0".into(),
            "--innodb-buffer-pool-size=32M".into(),
        ]);
        let mysql = |server: &Self, sql: &str| {
            let mut command = Command::new("mariadb");
            command.args(["--no-defaults", "-uroot", "-D", "mysql", "-e", sql]);
            command.arg(format!("--socket={}", server.dir.path().join("socket").display()));
            command
        };
        let server = Self::start(dir, port, &mut command)
            .up(|s| mysql(s, "SELECT 1").output().unwrap().status.success());
        let user = "CREATE USER salt IDENTIFIED BY 'pass ''word'; GRANT ALL ON salt.* TO salt";
        run(&mut mysql(
            &server,
            &format!("CREATE DATABASE salt DEFAULT CHARACTER SET utf8mb4; {user}; USE salt; {sql}"),
        ));
        server
    }

    /// Redis by password over TCP.
    pub(crate) fn redis(commands: &[&[&str]]) -> Self {
        let (dir, port) = (scratch(), free_port());
        let mut command = unprivileged("redis-server", dir.path());
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--requirepass",
            "pass word",
            "--port",
            &port.to_string(),
        ]);
        let cli = |server: &Self, args: &[&str]| {
            let mut command = Command::new("redis-cli");
            command.args(["-h", "127.0.0.1", "-p", &server.port.to_string()]).args(args);
            command.env("REDISCLI_AUTH", "pass word");
            command
        };
        let server = Self::start(dir, port, &mut command)
            .up(|s| cli(s, &["PING"]).output().unwrap().stdout == b"PONG\n");
        for args in commands {
            run(&mut cli(&server, args));
        }
        server
    }
}
