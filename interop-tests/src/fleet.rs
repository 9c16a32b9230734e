//! A master and its minions running in a scratch directory, and the programs a person would
//! use on them. Everything is stopped and removed when the value is dropped.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::cli::{self, Ran};
use crate::config::{self, Settings};
use crate::daemon::{self, Daemon, command};
use crate::failure::{Failure, Result, hold};
use crate::side::Side;
use crate::{ports, wait};

/// Longest time from the start of a daemon to the state a person waits for.
pub const START: Duration = Duration::from_secs(60);

/// One minion of the fleet: its side, and its process while it runs.
#[derive(Debug)]
pub struct Slot {
    side: Side,
    daemon: Option<Daemon>,
}

/// A master, its minions and their scratch directory.
#[derive(Debug)]
pub struct Fleet {
    dir: TempDir,
    /// Who plays the master.
    pub master: Side,
    /// Who plays the minions, unless one was added with another side.
    pub minion: Side,
    /// Whose `salt` and `salt-key` are used.
    pub cli: Side,
    /// Address, ports and so on.
    pub settings: Settings,
    /// Network namespace of the master and the command-line programs.
    pub master_netns: Option<String>,
    /// Network namespace of the minions.
    pub minion_netns: Option<String>,
    master_daemon: Option<Daemon>,
    minions: BTreeMap<String, Slot>,
}

impl Fleet {
    /// A fleet of which nothing runs yet. The CLI is stock's of the master's version, or
    /// 3006.28 where the master is ours.
    ///
    /// # Errors
    /// When there is no scratch directory or port to be had.
    pub fn new(master: Side, minion: Side) -> Result<Fleet> {
        // Unix socket paths are limited to 107 bytes, so the directory's name is short.
        let dir = tempfile::Builder::new().prefix("bi").tempdir_in("/tmp")?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        Ok(Fleet {
            dir,
            master,
            minion,
            cli: if master.is_ours() { Side::Stock("3006.28") } else { master },
            settings: Settings {
                address: "127.0.0.1".into(),
                publish_port: ports::free()?,
                ret_port: ports::free()?,
                user: "root".into(),
                minion_user: "root".into(),
                hasty: true,
                master_lines: Vec::new(),
                minion_lines: Vec::new(),
            },
            master_netns: None,
            minion_netns: None,
            master_daemon: None,
            minions: BTreeMap::new(),
        })
    }

    /// Starts the master and minions `m1` and `m2`; their keys stay pending.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn start(mut self) -> Result<Fleet> {
        self.start_master()?;
        for id in ["m1", "m2"] {
            self.start_minion(id, id, &[])?;
        }
        for id in ["m1", "m2"] {
            self.wait_key("minions_pre", id)?;
        }
        Ok(self)
    }

    /// Starts everything, accepts both keys and waits until both minions answer.
    ///
    /// # Errors
    /// When one of them does not.
    pub fn start_accepted(self) -> Result<Fleet> {
        let fleet = self.start()?;
        for id in ["m1", "m2"] {
            fleet.salt_key(&["-y", "-a", id])?.ok()?;
        }
        for id in ["m1", "m2"] {
            fleet.wait_ping(id, START)?;
        }
        Ok(fleet)
    }

    /// Starts the master and a minion of each kind, `m1` of ours and `m2` of stock's oldest release, accepts both keys and waits until both
    /// answer. `extra` are lines for the configuration of each.
    ///
    /// # Errors
    /// When one of them does not.
    pub fn start_both(&mut self, extra: impl Fn(&str) -> Vec<String>) -> Result {
        self.start_master()?;
        for (id, side) in [("m1", Side::Ours), ("m2", Side::Stock("3006.28"))] {
            self.start_minion_as(side, id, id, &extra(id))?;
        }
        for id in ["m1", "m2"] {
            self.wait_key("minions_pre", id)?;
        }
        self.salt_key(&["-y", "-A"])?.ok()?;
        for id in ["m1", "m2"] {
            self.wait_ping(id, START)?;
        }
        Ok(())
    }

    /// The scratch directory.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A path below the scratch directory.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    /// Starts the master on the present configuration and waits until both its ports and its
    /// command-line interface are there.
    ///
    /// # Errors
    /// When it ends or is not up in time.
    pub fn start_master(&mut self) -> Result {
        config::write_master(self.root(), &self.settings, self.cli)?;
        let mut cmd = command(self.master_netns.as_deref(), &self.master.program("salt-master")?);
        cmd.arg("-c").arg(self.path("etc")).args(["-l", "info"]);
        let mut daemon = Daemon::start("salt-master", cmd, &self.path("log/master.out"))?;
        // Seen from outside any namespace: the sockets the CLI needs, and the ports as `ss` lists them.
        let ready = wait::until("the master to listen", START, || {
            if let Some(status) = daemon.ended()? {
                return Err(Failure(format!("the master ended: {status}\n{}", daemon.tail(20))));
            }
            let sockets = ["s/publish_pull.ipc", "s/master_event_pub.ipc"];
            let up = sockets.iter().all(|s| self.path(s).exists())
                && self.listens(self.settings.publish_port)?
                && self.listens(self.settings.ret_port)?;
            Ok(up.then_some(()))
        });
        if let Err(e) = ready {
            return Err(Failure(format!("{e}\n{}", daemon.tail(20))));
        }
        self.master_daemon = Some(daemon);
        Ok(())
    }

    fn listens(&self, port: u16) -> Result<bool> {
        let mut cmd = command(self.master_netns.as_deref(), Path::new("ss"));
        cmd.args(["-ltnH", "sport", "=", &format!(":{port}")]);
        Ok(!cli::run(cmd, b"", START)?.out.trim().is_empty())
    }

    /// Stops the master in the orderly way.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_master(&mut self) -> Result {
        match self.master_daemon.take() {
            Some(mut daemon) => daemon.stop(),
            None => Ok(()),
        }
    }

    /// The running master.
    ///
    /// # Errors
    /// When none runs.
    pub fn master_daemon(&mut self) -> Result<&mut Daemon> {
        self.master_daemon.as_mut().ok_or_else(|| "no master is running".into())
    }

    /// Starts a minion of the fleet's side. `name` names its directory, `id` is its minion id,
    /// `extra` are lines for its configuration.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_minion(&mut self, name: &str, id: &str, extra: &[String]) -> Result {
        self.start_minion_as(self.minion, name, id, extra)
    }

    /// The same for a minion of side `side`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_minion_as(&mut self, side: Side, name: &str, id: &str, extra: &[String]) -> Result {
        config::write_minion(self.root(), name, id, &self.settings, extra)?;
        // A minion that was killed leaves its pid files (stock has two), and stock takes the pid's next
        // owner, or a zombie nobody reaps, for itself.
        for file in ["minion.pid", "process_responsibility_minion.pid"] {
            let _ = fs::remove_file(self.path(name).join("run").join(file));
        }
        let mut cmd = command(self.minion_netns.as_deref(), &side.program("salt-minion")?);
        cmd.arg("-c").arg(self.path(name)).args(["-l", "info"]);
        let output = self.path(name).join("log/minion.out");
        let daemon = Daemon::start(&format!("salt-minion {name}"), cmd, &output)?;
        self.minions.insert(name.to_owned(), Slot { side, daemon: Some(daemon) });
        Ok(())
    }

    /// The running minion whose directory is `name`.
    ///
    /// # Errors
    /// When it is not running.
    pub fn minion_daemon(&mut self, name: &str) -> Result<&mut Daemon> {
        let slot = self.minions.get_mut(name).and_then(|s| s.daemon.as_mut());
        slot.ok_or_else(|| Failure(format!("minion {name} is not running")))
    }

    /// Stops a minion in the orderly way; its files stay.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_minion(&mut self, name: &str) -> Result {
        match self.minions.get_mut(name).and_then(|s| s.daemon.take()) {
            Some(mut daemon) => daemon.stop(),
            None => Ok(()),
        }
    }

    /// Kills a minion with everything it started, as a power cut would.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill_minion(&mut self, name: &str) -> Result {
        self.minion_daemon(name)?.kill()?;
        self.stop_minion(name)
    }

    /// Runs a command-line program of the master's host in the master's namespace.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn tool(&self, program: &str, args: &[&str]) -> Result<Ran> {
        self.tool_of(self.cli, program, args)
    }

    /// The same for the program of side `side`.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn tool_of(&self, side: Side, program: &str, args: &[&str]) -> Result<Ran> {
        let mut cmd = command(self.master_netns.as_deref(), &side.program(program)?);
        cmd.arg("-c").arg(self.path("etc")).args(args);
        cli::run(cmd, b"", Duration::from_secs(300))
    }

    /// Our `salt-run` with JSON output, whoever's other commands are.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn our_run(&self, words: &[&str]) -> Result<Ran> {
        self.tool_of(Side::Ours, "salt-run", &[&["--out=json"], words].concat())
    }

    /// `salt` with JSON output and a short timeout.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn salt(&self, args: &[&str]) -> Result<Ran> {
        // 3007's client loses events that arrive within some 15 ms of its publish, as a fast
        // minion's return does, and shows the return only after it asked for the job: soon, then.
        let timeout = if self.cli.series() == 3007 { "4" } else { "20" };
        let mut all = vec!["--out=json"];
        if !args.contains(&"-t") {
            all.extend(["-t", timeout]);
        }
        all.extend(args);
        self.tool("salt", &all)
    }

    /// `salt-key`.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn salt_key(&self, args: &[&str]) -> Result<Ran> {
        self.tool("salt-key", args)
    }

    /// `salt-call` of the minion whose directory is `name`, with JSON output.
    ///
    /// # Errors
    /// When it is not there or does not end.
    pub fn salt_call(&self, name: &str, args: &[&str]) -> Result<Ran> {
        let side = self.minions.get(name).map_or(self.minion, |s| s.side);
        let mut cmd = command(self.minion_netns.as_deref(), &side.program("salt-call")?);
        cmd.arg("-c").arg(self.path(name)).arg("--out=json").args(args);
        cli::run(cmd, b"", Duration::from_secs(60))
    }

    /// Whether a key file of `id` lies in the pki directory `state` (`minions`, `minions_pre`...).
    pub fn has_key(&self, state: &str, id: &str) -> bool {
        self.path("pki/master").join(state).join(id).is_file()
    }

    /// Waits for the key of `id` to appear in `state`.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_key(&self, state: &str, id: &str) -> Result {
        wait::until(&format!("key {id} in {state}"), START, || Ok(self.has_key(state, id).then_some(())))
    }

    /// Whether `id` answers a `test.ping` now.
    ///
    /// # Errors
    /// When `salt` cannot be run.
    pub fn answers(&self, id: &str) -> Result<bool> {
        let ran = self.tool("salt", &["--out=json", "-t", "1", id, "test.ping"])?;
        Ok(ran.json().is_ok_and(|map| map.get(id) == Some(&serde_json::Value::Bool(true))))
    }

    /// Pings `id` until it answers; gives how long that took.
    ///
    /// # Errors
    /// When it does not within `limit`.
    pub fn wait_ping(&self, id: &str, limit: Duration) -> Result<Duration> {
        let start = std::time::Instant::now();
        let answers = || Ok(self.answers(id)?.then_some(()));
        wait::until(&format!("{id} to answer"), limit, answers)
            .map_err(|e| Failure(format!("{e}\n{}", self.logs())))?;
        Ok(start.elapsed())
    }

    /// Checks that `id` does not answer a ping.
    ///
    /// # Errors
    /// When it does.
    pub fn silent(&self, id: &str) -> Result {
        hold(!self.answers(id)?, || format!("{id} answers and must not"))
    }

    /// The last lines of every log, for the output of a failing test.
    pub fn logs(&self) -> String {
        let mut text = daemon::tail("master", &self.path("log/master.out"), 25);
        for name in self.minions.keys() {
            text.push_str(&daemon::tail(name, &self.path(name).join("log/minion.out"), 15));
        }
        text
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Minions first: they would only log the loss of their master.
        for slot in self.minions.values_mut() {
            if let Some(mut daemon) = slot.daemon.take() {
                let _ = daemon.kill();
            }
        }
        if let Some(mut daemon) = self.master_daemon.take() {
            let _ = daemon.kill();
        }
    }
}
