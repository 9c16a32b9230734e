//! A long-running child program: started in a process group of its own, its output kept in a
//! file, and gone with everything it started when the value is dropped. Also when the test
//! program itself is killed: the kernel then sends the child a SIGTERM (`setpriv --pdeathsig`).

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::failure::{Failure, Result};
use crate::wait;

/// How long a program may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A running child.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    name: String,
    output: PathBuf,
}

/// Builds the command line that runs `program`, inside a network namespace when one is given.
/// The process started is the program itself: `ip`, `setpriv` and `env` replace themselves by it. Where the tests were
/// started in the background, Ctrl-C is ignored, and programs would inherit that.
pub fn command(namespace: Option<&str>, program: &Path) -> Command {
    let mut cmd = match namespace {
        Some(ns) => {
            let mut cmd = Command::new("ip");
            cmd.args(["netns", "exec", ns, "setpriv"]);
            cmd
        }
        None => Command::new("setpriv"),
    };
    cmd.args(["--pdeathsig", "TERM", "--", "env", "--default-signal=INT,QUIT"]).arg(program);
    cmd
}

impl Daemon {
    /// Starts `cmd`; its standard output and error go to the file `output`, appended.
    ///
    /// # Errors
    /// When the file cannot be opened or the program not started.
    pub fn start(name: &str, mut cmd: Command, output: &Path) -> Result<Daemon> {
        let file = File::options().create(true).append(true).open(output)?;
        cmd.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let child = cmd.spawn().map_err(|e| Failure(format!("cannot start {name} ({cmd:?}): {e}")))?;
        Ok(Daemon { child, name: name.to_owned(), output: output.to_owned() })
    }

    /// Process id of the program, which is also its group's.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs; when not, its exit status in words.
    ///
    /// # Errors
    /// When the kernel will not say.
    pub fn ended(&mut self) -> Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }

    /// Asks it to end, and makes it end when it does not.
    ///
    /// # Errors
    /// When it survives even SIGKILL.
    pub fn stop(&mut self) -> Result {
        if self.child.try_wait()?.is_none() {
            let _ = kill(self.id(), Signal::SIGTERM);
            let gone = wait::until("end after SIGTERM", GRACE, || Ok(self.child.try_wait()?.map(|_| ())));
            if gone.is_err() {
                return self.kill();
            }
        }
        self.sweep();
        Ok(())
    }

    /// Kills the whole group at once, as a power cut would.
    ///
    /// # Errors
    /// When the process does not end.
    pub fn kill(&mut self) -> Result {
        self.sweep();
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal to the whole group.
    pub fn signal(&self, signal: Signal) {
        let _ = killpg(self.id(), signal);
    }

    /// The last lines of what it printed.
    pub fn tail(&self, lines: usize) -> String {
        tail(&self.name, &self.output, lines)
    }

    fn sweep(&self) {
        let _ = killpg(self.id(), Signal::SIGKILL);
    }

    fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// The last `lines` lines of a text file, each marked with `name`.
pub fn tail(name: &str, path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    all[from..].iter().map(|line| format!("    {name}| {line}\n")).collect()
}
