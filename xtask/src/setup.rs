//! Installs what the tests need: stock Salt in cached virtualenvs, and a few Debian packages.

use crate::others;
use crate::run::{Result, output, run};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stock Salt releases that tests run against. 3006.9 is the last that speaks authentication version 2.
pub(crate) const STOCK: [&str; 4] = ["3006.28", "3007.15", "3008.3", "3006.9"];

/// What 3006.9 needs: its package names no requirements. Cryptography as of its time, since later ones lack what it uses.
const NEEDS_OF_3006_9: &str = "PyYAML Jinja2 msgpack pyzmq distro requests packaging looseversion psutil jmespath \
                               cryptography<43 pycryptodomex python-gnupg contextvars";

/// What the returners of 3006.28 need to talk to servers; the last Elasticsearch client that they know is of version 7. What its
/// gitfs needs: it adds a file to the configuration, which later releases refuse. And what its beacons watch with.
const DRIVERS: [&str; 8] = [
    "psycopg2-binary",
    "pymysql",
    "redis",
    "elasticsearch<8",
    "pygit2==1.14.1",
    "pyinotify",
    "watchdog==7.1.0",
    "pyroute2",
];

/// Programs the tests call, with the Debian package that brings each.
const PROGRAMS: [(&str, &str); 31] = [
    ("openvpn", "openvpn"),
    ("ping", "iputils-ping"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("openssl", "openssl"),
    ("ss", "iproute2"),
    ("time", "time"),
    ("git", "git"),
    ("ssh", "openssh-client"),
    ("sshd", "openssh-server"),
    ("gpg", "gnupg"),
    ("slapd", "slapd"),
    ("setpriv", "util-linux"),
    ("pg_ctlcluster", "postgresql"),
    ("mariadbd", "mariadb-server"),
    ("mariadb", "mariadb-server"),
    ("redis-server", "redis-server"),
    ("groff", "groff-base"),
    ("ruby", "ruby"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("kea-dhcp4", "kea-dhcp4-server"),
    ("kea-dhcp6", "kea-dhcp6-server"),
    ("named-checkzone", "bind9-utils"),
    ("knotc", "knot"),
    ("unbound-checkconf", "unbound"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("exim4", "exim4-daemon-light"),
    ("strace", "strace"),
    ("journalctl", "systemd"),
    ("promtool", "prometheus"),
];

/// The system's own interpreter, which every user may run: a stock master changes its user in some tests. The
/// `python3` of the path may lie in a home directory.
fn python() -> &'static str {
    if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" }
}

/// The cache of virtualenvs: `BRINE_STOCK_DIR`; else for root a folder that other users can read, since tests run stock
/// Salt as another user; else a folder of the user's cache directory.
pub(crate) fn stock_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("BRINE_STOCK_DIR") {
        return dir.into();
    }
    if nix::unistd::geteuid().is_root() {
        return "/var/cache/brine/stock".into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or("/".into())).join(".cache");
    cache.unwrap_or_else(home).join("brine").join("stock")
}

/// Installs everything that is missing; returns the cache of virtualenvs.
pub(crate) fn setup() -> Result<PathBuf> {
    packages()?;
    let dir = stock_dir();
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for version in STOCK {
        virtualenv(&dir, version)?;
    }
    drivers(&dir.join(STOCK[0]))?;
    others::install(&dir, STOCK[0])?;
    // It only starts tests: unoptimised is enough.
    if !on_path("cargo-nextest") {
        run(crate::run::cargo().args(["install", "cargo-nextest", "--locked", "--debug"]))?;
    }
    Ok(dir)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .any(|dir| dir.join(program).is_file())
}

/// Debian's word for packages not to start the services they bring: the tests start what they need themselves. It is
/// taken back when this is dropped; one that was there before stays.
struct NoServices(Option<&'static str>);

impl NoServices {
    fn declare() -> Self {
        const POLICY: &str = "/usr/sbin/policy-rc.d";
        let mut new = std::fs::OpenOptions::new();
        new.write(true).create_new(true).mode(0o755);
        let written = new.open(POLICY).and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        Self(written.is_ok().then_some(POLICY))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = self.0 {
            let _ = std::fs::remove_file(policy);
        }
    }
}

fn packages() -> Result {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    let can_make = Command::new(python()).args(["-c", "import ensurepip, venv"]).output();
    if !can_make.is_ok_and(|o| o.status.success()) {
        missing.push("python3-venv");
    }
    // What stock reads the journal with, for the system's own interpreter.
    let reads = Command::new(python()).args(["-c", "import systemd.journal"]).output();
    if !reads.is_ok_and(|o| o.status.success()) {
        missing.push("python3-systemd");
    }
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(format!("as root, first: apt-get install {}", missing.join(" ")));
    }
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    let _guard = NoServices::declare();
    run(Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-qq", "-y", "--no-install-recommends", "install"])
        .args(&missing))
}

/// A virtualenv is used only when it once answered with its version: a half-made one is made anew.
fn virtualenv(dir: &Path, version: &str) -> Result {
    let venv = dir.join(version);
    let call = venv.join("bin/salt-call");
    if output(Command::new(&call).arg("--version")).is_ok_and(|v| v.contains(version)) {
        return Ok(());
    }
    eprintln!("installing stock Salt {version} into {}", venv.display());
    run(Command::new(python()).args(["-m", "venv", "--clear"]).arg(&venv))?;
    let needs = if version == "3006.9" { NEEDS_OF_3006_9 } else { "" };
    run(Command::new(venv.join("bin/pip"))
        .args(["install", "--quiet", &format!("salt=={version}")])
        .args(needs.split_whitespace()))?;
    output(Command::new(&call).arg("--version")).map(drop)
}

/// Adds the Python modules that stock's returners, gitfs and beacons need, if one is missing.
fn drivers(venv: &Path) -> Result {
    let all = "import psycopg2, pymysql, redis, elasticsearch, pygit2, pyinotify, watchdog, pyroute2";
    if output(Command::new(venv.join("bin/python")).args(["-c", all])).is_ok() {
        return Ok(());
    }
    eprintln!("installing what stock's returners, gitfs and beacons need into {}", venv.display());
    run(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(DRIVERS))
}
