//! A `salt-minion` process with a configuration of its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A minion and its directory.
pub(crate) struct MinionProcess {
    pub(crate) dir: PathBuf,
    env: Vec<(String, OsString)>,
    child: Option<Child>,
}

impl MinionProcess {
    /// Writes a configuration for a minion `m1` of these masters (`127.0.0.1:<port>`, or a list), and starts it.
    pub(crate) fn start(dir: &Path, master: &str, extra: &str) -> Self {
        Self::start_with(dir, master, extra, &[])
    }

    /// The same, with environment variables.
    pub(crate) fn start_with(dir: &Path, master: &str, extra: &str, env: &[(&str, &OsStr)]) -> Self {
        let config = format!(
            "id: m1\nroot_dir: {}\nsock_dir: /sock\nmaster: {master}\nacceptance_wait_time: 0.2\nauth_timeout: 2\n\
             return_retry_timer: 1\nreturn_retry_timer_max: 1\nrequest_channel_timeout: 3\nmine_enabled: false\n\
             enable_fqdns_grains: false\n{extra}\n",
            dir.display()
        );
        fs::create_dir_all(dir.join("conf")).unwrap();
        fs::write(dir.join("conf/minion"), config).unwrap();
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut this = Self { dir: dir.to_owned(), env, child: None };
        this.launch();
        this
    }

    /// Starts it (again).
    pub(crate) fn launch(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_salt-minion"))
            .arg("-c")
            .arg(self.dir.join("conf"))
            .args(["-l", "debug"])
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.as_ref().map_or(0, |c| c.id() as i32)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().unwrap()
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Files of the spool.
    pub(crate) fn spooled(&self) -> usize {
        let spool = self.dir.join("var/cache/salt/minion/spool");
        fs::read_dir(spool)
            .map_or(0, |d| d.flatten().filter(|e| e.file_name().to_string_lossy().ends_with(".ret")).count())
    }
}

impl Drop for MinionProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the minion's log ---\n{}", self.log());
        }
        self.kill();
    }
}
