//! Throw-away roots: an overlay of this machine's root in namespaces of its own, where anything may be installed, written
//! and broken. What is done inside is asked of an agent (`py/root_agent.py`) line by line.

mod pair;

pub use pair::{Pair, list};

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::side::Side;
use crate::wait::until;

/// What runs as PID 1 in a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Only what is asked for.
    None,
    /// The same, with a network of its own, in which there is nothing but `lo`.
    Apart,
    /// systemd, booted.
    Systemd,
}

/// A root, thrown away with this.
pub struct Root {
    to: Option<ChildStdin>,
    from: Lines<BufReader<ChildStdout>>,
    #[expect(dead_code, reason = "the root lasts as long as this")]
    place: Place,
}

/// What is left of a root outside it: the processes that hold its namespaces, and the folder that it was laid on.
struct Place {
    processes: Vec<Child>,
    dir: PathBuf,
}

const AGENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/py/root_agent.py");

/// Lays the overlay on `$W` and goes into it. The folders in `$KEEP` are those of this machine, which may lie in other file
/// systems than the root.
const LAY: &str = r#"
set -eu
mount -t tmpfs -o size=4g tmpfs "$W"
mkdir "$W/u" "$W/w" "$W/m"
export M="$W/m"
mount -t overlay overlay -o lowerdir=/,upperdir="$W/u",workdir="$W/w" "$M"
mount --rbind /dev "$M/dev"
mount -t proc proc "$M/proc"
mount -t tmpfs tmpfs "$M/run"
mkdir -p "$M/run/lock"
mount -t tmpfs tmpfs "$M/tmp"
for d in $KEEP; do mkdir -p "$M$d"; mount --bind "$d" "$M$d"; done
if [ -n "$BEFORE" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$M/usr/sbin/policy-rc.d"
  chmod 755 "$M/usr/sbin/policy-rc.d"
  chroot "$M" /bin/bash -eu -c "$BEFORE" >&2 </dev/null || { echo "before: failed" >&2; exit 9; }
  rm "$M/usr/sbin/policy-rc.d"
fi
"#;

/// The clock, and the kernel's idea of a time zone (the first to set it moves the clock), are this machine's: whoever sets a
/// root's time zone must not be able to set those.
const TIMELESS: [&str; 2] = ["setpriv", "--bounding-set=-sys_time"];

const ENTER: &str = r#"
mount --rbind /sys "$M/sys"
exec chroot "$M" /usr/bin/env --default-signal=INT,QUIT "$PYTHON" -B -W ignore "$AGENT"
"#;

const APART: &str = r#"
mount --rbind /sys "$M/sys"
exec unshare --net sh -c 'ip link set lo up; exec chroot "$M" /usr/bin/env --default-signal=INT,QUIT "$PYTHON" -B -W ignore "$AGENT"'
"#;

const BOOT: &str = r#"
exec unshare --net sh -c '
set -eu
M="$W/m"
mount -t sysfs sysfs "$M/sys"
mount -t cgroup2 cgroup2 "$M/sys/fs/cgroup"
ip link set lo up
for unit in systemd-sysctl systemd-udevd systemd-logind systemd-networkd systemd-resolved getty@tty1 console-getty; do
  ln -sf /dev/null "$M/etc/systemd/system/$unit.service" 2>/dev/null || true
done
rm -f "$M/etc/systemd/system/default.target"
ln -s /lib/systemd/system/multi-user.target "$M/etc/systemd/system/default.target"
: > "$M/etc/fstab"
exec env -i container=brine PATH="$PATH" chroot "$M" /lib/systemd/systemd --log-target=null
'
"#;

impl Root {
    /// Makes a root and starts the agent in it, with stock 3006's Python. The shell script `before` is run first, as long as there is
    /// a network (systemd's roots have none) and without starting any service; it may install packages.
    ///
    /// # Errors
    /// When namespaces or overlays cannot be made (that needs root), or systemd does not come up.
    pub fn new(init: Init, before: &str) -> Result<Self> {
        let python = Side::Stock("3006.28").program("python")?;
        let ours = Side::Ours.program("salt-call")?;
        let stock = python.ancestors().nth(3).unwrap_or(&python);
        let bin = ours.parent().unwrap_or(&ours);
        let mut place = Place {
            processes: Vec::new(),
            dir: tempfile::Builder::new().prefix("brine-root-").tempdir()?.keep(),
        };
        let mut command = Command::new("unshare");
        let enter = match init {
            Init::None => ENTER,
            Init::Apart => APART,
            Init::Systemd => BOOT,
        };
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]);
        if init == Init::Systemd {
            command.args(["--uts", "--ipc", "--cgroup"]);
        }
        command
            .args(TIMELESS)
            .args(["sh", "-c", &format!("{LAY}{enter}")])
            .env("W", &place.dir)
            .env("KEEP", format!("{} {} {}/py", stock.display(), bin.display(), env!("CARGO_MANIFEST_DIR")))
            .env("BEFORE", before)
            .env("PYTHON", &python)
            .env("AGENT", AGENT);
        command.process_group(0);
        let mut agent = command;
        if init == Init::Systemd {
            place.processes.push(agent.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
            agent = booted(&mut place.processes[0])?;
            agent.args(TIMELESS).arg(python).args(["-B", "-W", "ignore", AGENT]);
        }
        let quiet = [("LANG", "C.UTF-8"), ("DEBIAN_FRONTEND", "noninteractive")];
        for (name, _) in std::env::vars_os() {
            // Where pip looks is for the cases to say.
            if name.to_string_lossy().starts_with("PIP_") {
                agent.env_remove(name);
            }
        }
        let mut talker = agent.envs(quiet).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = talker.stdin.take();
        let from = talker.stdout.take();
        place.processes.push(talker);
        Ok(Self { to, from: BufReader::new(from.ok_or("no pipe")?).lines(), place })
    }

    /// One question to the agent; see `py/root_agent.py`.
    ///
    /// # Errors
    /// When the agent has ended, or could not do it.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        let to = self.to.as_mut().ok_or("the agent has ended")?;
        writeln!(to, "{question}")?;
        let line = self.from.next().ok_or("the agent has ended")??;
        let mut answer: Value = serde_json::from_str(&line)?;
        match answer.get("failed") {
            Some(failed) => Err(Failure(format!("in the root: {failed}"))),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Runs a shell script in a folder, which is made.
    ///
    /// # Errors
    /// With its output when it fails.
    pub fn sh(&mut self, dir: &str, script: &str) -> Result<String> {
        let ran = self.ask(&json!({"do": "sh", "dir": dir, "script": script}))?;
        let out = ran["out"].as_str().unwrap_or_default().to_owned();
        if ran["rc"] == 0 { Ok(out) } else { Err(Failure(format!("exit code {}: {out}", ran["rc"]))) }
    }
}

/// Waits until systemd is up below this process; what is then to be run inside follows the words of the command.
fn booted(boot: &mut Child) -> Result<Command> {
    let pid = boot.id();
    let one = until("systemd to be PID 1", Duration::from_secs(600), || {
        if let Some(status) = boot.try_wait()? {
            return Err(Failure(format!("the root was not booted: {status}")));
        }
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let one = children.split_whitespace().next().unwrap_or_default().to_owned();
        let name = fs::read_to_string(format!("/proc/{one}/comm")).unwrap_or_default();
        Ok((name.trim() == "systemd").then_some(one))
    })?;
    let inside = || {
        let mut command = Command::new("nsenter");
        command.args(["-t", &one, "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w"]);
        command
    };
    until("systemd to be up", Duration::from_secs(120), || {
        let state = inside().args(["systemctl", "is-system-running"]).stderr(Stdio::null()).output()?;
        let state = String::from_utf8_lossy(&state.stdout);
        Ok(["running", "degraded"].contains(&state.trim()).then_some(()))
    })?;
    Ok(inside())
}

/// A file as PyYAML reads it.
///
/// # Errors
/// When it is no YAML.
pub fn yaml(path: &Path) -> Result<Value> {
    const READ: &str =
        "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    let read =
        Command::new(Side::Stock("3006.28").program("python")?).args(["-c", READ]).arg(path).output()?;
    if read.status.success() {
        Ok(serde_json::from_slice(&read.stdout)?)
    } else {
        Err(Failure(format!("{}: {}", path.display(), String::from_utf8_lossy(&read.stderr))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // `--kill-child` takes everything in the namespace with it.
            let _gone = process.kill();
            let _reaped = process.wait();
        }
        let _gone = fs::remove_dir(&self.dir);
    }
}
