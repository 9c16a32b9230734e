//! The program itself: how it starts, refuses to start, goes into the background and stops.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a subscriber of everything says in ZMTP 3.0: its greeting, READY, and the empty subscription.
const SUBSCRIBER: &[u8] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB\0\x01\x01";

struct Scratch {
    tmp: tempfile::TempDir,
    ports: [u16; 2],
}

/// Two ports nobody uses now. Somebody may take them before the master does; then the test fails and says so.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|l| l.local_addr().unwrap().port())
}

impl Scratch {
    fn new(more: &str) -> Self {
        let (tmp, ports) = (tempfile::tempdir().unwrap(), free_ports());
        let root = tmp.path().display();
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
        let text = format!(
            "root_dir: {root}\nuser: {user}\ninterface: 127.0.0.1\npublish_port: {}\nret_port: {}\n\
             pki_dir: {root}/pki\ncachedir: {root}/cache\nsock_dir: {root}/s\npidfile: {root}/run/pid\n\
             log_file: {root}/log/master\n{more}\n",
            ports[0], ports[1]
        );
        std::fs::create_dir_all(tmp.path().join("log")).unwrap();
        std::fs::write(tmp.path().join("master"), text).unwrap();
        Self { tmp, ports }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_salt-master"));
        command.arg("-c").arg(self.tmp.path()).stdin(Stdio::null());
        command
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.tmp.path().join(name)
    }

    fn wait_for(&self, what: &str, mut f: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !f() {
            assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn serves(&self) -> bool {
        self.path("s/workers.ipc").exists()
            && std::net::TcpStream::connect(("127.0.0.1", self.ports[1])).is_ok()
    }
}

/// A master in the foreground, gone with the test however that ends.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    fn exit_code(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_serves_and_stops_in_order() {
    let scratch = Scratch::new("");
    let mut child = Running::start(scratch.command());
    scratch.wait_for("serving", || scratch.serves());
    assert_eq!(std::fs::read_to_string(scratch.path("run/pid")).unwrap(), child.0.id().to_string());
    for name in ["publish_pull.ipc", "master_event_pub.ipc", "master_event_pull.ipc"] {
        assert!(scratch.path("s").join(name).exists(), "{name}");
    }
    let mode = |p: &str| std::fs::metadata(scratch.path(p)).unwrap().mode() & 0o7777;
    assert_eq!((mode("pki"), mode("pki/master.pem"), mode("pki/master.pub")), (0o700, 0o400, 0o644));
    // A second one finds the ports taken and leaves the first one's files alone.
    let socket = std::fs::metadata(scratch.path("s/master_event_pub.ipc")).unwrap().ino();
    let key = std::fs::read(scratch.path("cache/.root_key")).ok();
    let second = scratch.command().output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    assert!(text(&second).contains("Is there another salt-master running?"), "{}", text(&second));
    assert_eq!(std::fs::metadata(scratch.path("s/master_event_pub.ipc")).unwrap().ino(), socket);
    assert_eq!(std::fs::read(scratch.path("cache/.root_key")).ok(), key);
    assert_eq!(std::fs::read_to_string(scratch.path("run/pid")).unwrap(), child.0.id().to_string());

    // Subscribers see the end of the connection, not a break.
    let mut subscriber = std::net::TcpStream::connect(("127.0.0.1", scratch.ports[0])).unwrap();
    subscriber.set_read_timeout(Some(PATIENCE)).unwrap();
    subscriber.write_all(SUBSCRIBER).unwrap();
    subscriber.read_exact(&mut [0; 64]).unwrap();
    child.signal(Signal::SIGHUP);
    let begun = Instant::now();
    child.signal(Signal::SIGTERM);
    assert_eq!(child.exit_code(), 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "it stops at once");
    subscriber.read_to_end(&mut Vec::new()).unwrap();
    for name in ["pid", "publish_pull.ipc", "workers.ipc", "master_event_pub.ipc", "master_event_pull.ipc"] {
        let dir = if name == "pid" { "run" } else { "s" };
        assert!(!scratch.path(dir).join(name).exists(), "{name} is left");
    }
}

#[test]
fn in_the_background_it_returns_when_it_serves() {
    let scratch = Scratch::new("");
    let output = scratch.command().arg("-d").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(scratch.serves());
    let pid: i32 = std::fs::read_to_string(scratch.path("run/pid")).unwrap().parse().unwrap();
    let second = scratch.command().arg("-d").output().unwrap();
    assert_eq!(second.status.code(), Some(4), "{}", text(&second));
    kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
    scratch.wait_for("its end", || !scratch.path("run/pid").exists());
}

#[test]
fn what_it_cannot_do_it_says_at_once() {
    let output = Scratch::new("transport: tcp").command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("transport"), "{}", text(&output));
    let output = Scratch::new("").command().args(["-u", "no-such-user-here"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(text(&output).contains("no-such-user-here"), "{}", text(&output));
    let broken = Scratch::new("a: [");
    let output = broken.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&broken.path("master").display().to_string()), "{}", text(&output));
    let damaged = Scratch::new("");
    std::fs::create_dir(damaged.path("pki")).unwrap();
    std::fs::write(damaged.path("pki/master.pem"), "garbage").unwrap();
    let output = damaged.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("master.pem"), "{}", text(&output));
}

#[test]
fn as_root_it_becomes_its_user_and_gives_him_the_files() {
    if !nix::unistd::Uid::effective().is_root() || !Path::new("/etc/passwd").exists() {
        return;
    }
    let scratch = Scratch::new("publisher_acl: {root: ['.*']}");
    // The user must be able to reach the directory.
    std::fs::set_permissions(scratch.tmp.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let mut command = scratch.command();
    command.args(["-u", "nobody"]);
    let mut child = Running::start(command);
    scratch.wait_for("serving", || scratch.serves());
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
    assert!(status.contains(&format!("Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}")), "{status}");
    for name in
        ["pki", "pki/master.pem", "pki/minions", "cache", "cache/.nobody_key", "s", "run/pid", "log/master"]
    {
        let uid = std::fs::metadata(scratch.path(name)).unwrap().uid();
        assert_eq!(uid, nobody, "{name}");
    }
    child.signal(Signal::SIGTERM);
    assert_eq!(child.exit_code(), 0);
}
