//! Servers of git on loopback, gone with the test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server, and its port.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait(server: Server) -> Server {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", server.port)).is_err() {
        assert!(Instant::now() < deadline, "the server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// `git daemon` for the repositories in a folder.
pub(crate) fn daemon(dir: &Path) -> Server {
    let port = free_port();
    // The program itself: `git` would start it as another process.
    let child = Command::new(Path::new(&super::common::git(dir, &["--exec-path"])).join("git-daemon"))
        .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", dir.display()))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .spawn()
        .unwrap();
    wait(Server { child, port })
}

/// Git's CGI program for the repositories in a folder, behind a name and a password, with a certificate or without.
pub(crate) fn http(dir: &Path, login: &str, tls: bool) -> Server {
    if tls {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(dir)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
    }
    let mut child = Command::new(brine_testing::stock_dir().join("3006.28/bin/python"))
        .args(["-B", "-c", include_str!("../data/git_http.py")])
        .arg(dir)
        .args([login, if tls { "tls" } else { "" }])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { child, port: line.trim().parse().unwrap() }
}

/// An ssh server that lets two keys in, `plain` and `locked`, the latter with the passphrase `open sesame`. The folder gets the
/// keys, and a program `ssh` that knows the server.
pub(crate) fn ssh(dir: &Path) -> Server {
    let keygen = |name: &str, passphrase: &str| {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
            .arg(dir.join(name))
            .status()
            .unwrap();
        assert!(made.success());
        fs::read_to_string(dir.join(format!("{name}.pub"))).unwrap()
    };
    let host = keygen("host", "");
    let keys = format!("{}{}", keygen("plain", ""), keygen("locked", "open sesame"));
    fs::write(dir.join("keys"), keys).unwrap();
    let port = free_port();
    let at = dir.display();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {at}/host\nAuthorizedKeysFile {at}/keys\nPidFile none\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    );
    fs::write(dir.join("config"), config).unwrap();
    fs::write(dir.join("known"), format!("[127.0.0.1]:{port} {host}")).unwrap();
    // The server of a privileged user wants this folder.
    let _ = fs::create_dir("/run/sshd");
    let child = Command::new("/usr/sbin/sshd")
        .arg("-De")
        .arg("-f")
        .arg(dir.join("config"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fs::create_dir(dir.join("bin")).unwrap();
    let program = dir.join("bin/ssh");
    fs::write(
        &program,
        format!("#!/bin/sh\nexec /usr/bin/ssh -F none -o UserKnownHostsFile={at}/known \"$@\"\n"),
    )
    .unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    wait(Server { child, port })
}
