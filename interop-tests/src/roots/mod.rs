//! Throw-away roots: an overlay of this machine's root in namespaces of its own, where anything may be installed, written
//! and broken. What is done inside is asked of an agent (`py/root_agent.py`) line by line.

mod pair;

pub use pair::{Pair, list};

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
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
    /// systemd, booted.
    Systemd,
}

/// A root, thrown away with this.
pub struct Root {
    processes: Vec<Child>,
    to: Option<ChildStdin>,
    from: Lines<BufReader<ChildStdout>>,
    place: PathBuf,
}

/// Lays the overlay on `$W` and goes into it. The folders in `$KEEP` are those of this machine, which may lie in other file
/// systems than the root.
const LAY: &str = r#"
set -eu
mount -t tmpfs -o size=4g tmpfs "$W"
mkdir "$W/u" "$W/w" "$W/m"
M="$W/m"
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

const ENTER: &str = r#"
mount --rbind /sys "$M/sys"
exec chroot "$M" /usr/bin/env --default-signal=INT,QUIT "$PYTHON" -B -W ignore "$AGENT"
"#;

const BOOT: &str = r#"
exec unshare --net sh -c '
set -eu
M="$W/m"
mount -t sysfs sysfs "$M/sys"
mount -t cgroup2 cgroup2 "$M/sys/fs/cgroup"
ip link set lo up
for unit in systemd-sysctl systemd-udevd systemd-logind systemd-networkd systemd-resolved getty@tty1 console-getty \
    apt-daily.timer apt-daily-upgrade.timer; do
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
        let agent = concat!(env!("CARGO_MANIFEST_DIR"), "/py/root_agent.py");
        let place = tempfile::Builder::new().prefix("brine-root-").tempdir()?.keep();
        let stock = python.ancestors().nth(3).unwrap_or(&python).to_owned();
        let bin = ours.parent().unwrap_or(&ours);
        let keep = format!("{} {} {}/py", stock.display(), bin.display(), env!("CARGO_MANIFEST_DIR"));
        let script = format!("{LAY}{}", if init == Init::None { ENTER } else { BOOT });
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]);
        if init == Init::Systemd {
            command.args(["--uts", "--ipc", "--cgroup"]);
        }
        command.args(["sh", "-c", &script]).env("W", &place).env("KEEP", keep).env("BEFORE", before);
        command
            .env("PYTHON", &python)
            .env("AGENT", agent)
            .env("LANG", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command.process_group(0);
        let mut processes = Vec::new();
        let mut talker = match init {
            Init::None => command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?,
            Init::Systemd => {
                command.stdin(Stdio::null()).stdout(Stdio::null());
                let mut boot = command.spawn()?;
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
                processes.push(boot);
                let inside = |words: &[&str]| {
                    let mut command = Command::new("nsenter");
                    command.args(["-t", &one, "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w"]).args(words);
                    command.env("LANG", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
                    command
                };
                until("systemd to be up", Duration::from_secs(120), || {
                    let state = inside(&["systemctl", "is-system-running"]).stderr(Stdio::null()).output()?;
                    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
                    Ok((state == "running" || state == "degraded").then_some(()))
                })?;
                let python = python.display().to_string();
                inside(&[&python, "-B", "-W", "ignore", agent])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()?
            }
        };
        let to = talker.stdin.take();
        let from = BufReader::new(talker.stdout.take().ok_or("no pipe")?).lines();
        processes.insert(0, talker);
        Ok(Self { processes, to, from, place })
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

impl Drop for Root {
    fn drop(&mut self) {
        drop(self.to.take());
        for process in self.processes.iter_mut().rev() {
            // `--kill-child` takes everything in the namespace with it.
            let _gone = process.kill();
            let _reaped = process.wait();
        }
        let _gone = fs::remove_dir(&self.place);
    }
}
