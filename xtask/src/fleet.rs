//! A master and a minion on loopback in a scratch directory, for the demo and the measurements.

use crate::run::{Result, output};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A scratch directory with the configuration of one master and one minion.
pub(crate) struct Fleet {
    pub(crate) dir: PathBuf,
    bin: PathBuf,
    /// The publish port and the request port.
    pub(crate) ports: [u16; 2],
}

/// A daemon that ends with us.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// An error if it has ended.
    pub(crate) fn check(&mut self) -> Result {
        match self.0.try_wait() {
            Ok(Some(status)) => Err(format!("a daemon ended by itself: {status}")),
            _ => Ok(()),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0.id() as i32), Signal::SIGTERM);
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Fleet {
    /// Writes the configuration of both daemons below `dir`.
    pub(crate) fn new(dir: &Path, bin: &Path) -> Result<Self> {
        let io = |e: std::io::Error| e.to_string();
        let [publish, ret] = free_ports()?;
        for sub in ["etc", "log", "run", "cache", "pki"] {
            std::fs::create_dir(dir.join(sub)).map_err(io)?;
        }
        let d = dir.display();
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
            .ok()
            .flatten()
            .map_or("root".to_owned(), |u| u.name);
        std::fs::write(
            dir.join("etc/master"),
            format!(
                "interface: 127.0.0.1\nuser: {user}\npublish_port: {publish}\nret_port: {ret}\npki_dir: {d}/pki/master\ncachedir: \
                 {d}/cache/master\nsock_dir: {d}/run/master\npidfile: {d}/run/master.pid\nlog_file: {d}/log/master\n"
            ),
        )
        .map_err(io)?;
        std::fs::write(
            dir.join("etc/minion"),
            format!(
                "id: demo\nmaster: 127.0.0.1\nuser: {user}\npublish_port: {publish}\nmaster_port: {ret}\npki_dir: \
                 {d}/pki/minion\ncachedir: {d}/cache/minion\nsock_dir: {d}/run/minion\npidfile: \
                 {d}/run/minion.pid\nlog_file: {d}/log/minion\nacceptance_wait_time: 1\n"
            ),
        )
        .map_err(io)?;
        Ok(Self { dir: dir.to_owned(), bin: bin.to_owned(), ports: [publish, ret] })
    }

    /// A program of this fleet with its configuration.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut c = Command::new(self.bin.join(program));
        c.arg("-c").arg(self.dir.join("etc"));
        c
    }

    /// Starts the master; returns when its event bus is there.
    pub(crate) fn start_master(&self) -> Result<Daemon> {
        let mut master = self.start("salt-master")?;
        wait("the master", || self.dir.join("run/master/master_event_pub.ipc").exists(), &mut master)?;
        Ok(master)
    }

    /// Starts the minion; returns when its key has reached the master.
    pub(crate) fn start_minion(&self) -> Result<Daemon> {
        let mut minion = self.start("salt-minion")?;
        // A master that accepts keys by itself has it there at once.
        let keys =
            ["minions_pre", "minions"].map(|folder| self.dir.join("pki/master").join(folder).join("demo"));
        wait("the minion's key", || keys.iter().any(|key| key.exists()), &mut minion)?;
        Ok(minion)
    }

    /// Waits until the minion answers a ping.
    pub(crate) fn first_answer(&self, patience: Duration) -> Result {
        let end = Instant::now() + patience;
        while !output(self.command("salt").args(["demo", "test.ping", "--out=txt"]))
            .is_ok_and(|o| o.contains("True"))
        {
            if Instant::now() > end {
                return Err(format!("the minion does not answer; see {}", self.dir.join("log").display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Adds a line to a file of configuration, `etc/master` or `etc/minion`.
    pub(crate) fn configure(&self, file: &str, line: &str) -> Result {
        let path = self.dir.join(file);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).map_err(|e| e.to_string())?;
        writeln!(file, "{line}").map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Starts both daemons and accepts the minion's key; returns when it has answered.
    pub(crate) fn up(&self) -> Result<(Daemon, Daemon)> {
        let daemons = (self.start_master()?, self.start_minion()?);
        output(self.command("salt-key").args(["-y", "-a", "demo"]))?;
        self.first_answer(Duration::from_secs(90))?;
        Ok(daemons)
    }

    fn start(&self, program: &str) -> Result<Daemon> {
        let log = |name| std::fs::File::create(self.dir.join("log").join(name)).map_err(|e| e.to_string());
        self.command(program)
            .stdin(Stdio::null())
            .stdout(log(format!("{program}.out"))?)
            .stderr(log(format!("{program}.err"))?)
            .spawn()
            .map(Daemon)
            .map_err(|e| format!("{program}: {e}"))
    }

    /// Runs a tool as a user would, shows command and output, and returns the output.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> Result<String> {
        let shown: Vec<_> = args
            .iter()
            .map(|a| if a.contains([' ', '*']) { format!("'{a}'") } else { (*a).to_owned() })
            .collect();
        eprintln!("$ {program} {}", shown.join(" "));
        let text = output(self.command(program).args(args))?;
        eprint!("{text}");
        Ok(text)
    }
}

/// Two loopback ports that nobody listens on.
fn free_ports() -> Result<[u16; 2]> {
    let bind = || TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string());
    let (a, b) = (bind()?, bind()?);
    let port = |l: &TcpListener| l.local_addr().map(|a| a.port()).map_err(|e| e.to_string());
    Ok([port(&a)?, port(&b)?])
}

fn wait(what: &str, ready: impl Fn() -> bool, daemon: &mut Daemon) -> Result {
    let end = Instant::now() + Duration::from_secs(60);
    while !ready() {
        daemon.check()?;
        if Instant::now() > end {
            return Err(format!("{what} did not appear within 60 s"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
