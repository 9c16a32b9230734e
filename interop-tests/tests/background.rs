//! Daemons in the background as a service script uses them: `-d`, the pid file, and a log file that survives its rotation,
//! for our master and minion and, so that the expectations are stock's, for stock's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Result, Side, cli, config, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const SOON: Duration = Duration::from_secs(60);

/// Ends the daemon whatever happens to the test.
struct Ending(Pid);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

fn runs(pid: Pid) -> bool {
    // A zombie has ended, even if nobody reaps it.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z "))
}

/// Whether a process has a handler for SIGHUP, which is signal 1.
fn catches_hangup(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|l| u64::from_str_radix(l.strip_prefix("SigCgt:")?.trim(), 16).ok());
    caught.is_some_and(|mask| mask & 1 == 1)
}

fn pid_of(file: &Path) -> Option<Pid> {
    fs::read_to_string(file).ok()?.trim().parse().ok().map(Pid::from_raw)
}

fn live(program: &str) -> Result {
    let side = Side::Ours;
    let fleet = Fleet::new(side, side)?;
    config::write_master(fleet.root(), &fleet.settings, side)?;
    config::write_minion(fleet.root(), "m1", "m1", &fleet.settings, &[])?;
    let (dir, log) = match program {
        "salt-master" => (fleet.path("etc"), fleet.path("log/master")),
        _ => (fleet.path("m1"), fleet.path("m1/log/minion")),
    };
    let pidfile: PathBuf = fleet.path("own.pid");
    let start = || -> Result<Pid> {
        let mut cmd = command(None, &side.program(program)?);
        cmd.arg("-c").arg(&dir).arg("-d").arg(format!("--pid-file={}", pidfile.display()));
        cmd.arg("--log-file-level=debug");
        cli::run(cmd, b"", SOON)?.ok()?;
        let pid = wait::until("a pid in the pid file", SOON, || Ok(pid_of(&pidfile).filter(|p| runs(*p))))?;
        Ok(pid)
    };
    let pid = start()?;
    let _ending = Ending(pid);
    wait::until("lines in the log", SOON, || {
        Ok((fs::metadata(&log).is_ok_and(|m| m.len() > 0)).then_some(()))
    })?;
    wait::until("it to listen to SIGHUP", SOON, || Ok(catches_hangup(pid).then_some(())))?;
    // Rotation as logrotate does it without copytruncate.
    let old = log.with_extension("1");
    fs::rename(&log, &old)?;
    let _ = kill(pid, Signal::SIGHUP);
    wait::until(
        "a new log file",
        SOON,
        || Ok((fs::metadata(&log).is_ok_and(|m| m.len() > 0)).then_some(())),
    )?;
    hold(runs(pid), || "SIGHUP has ended it".into())?;
    let _ = kill(pid, Signal::SIGTERM);
    wait::until("its end", SOON, || Ok((!runs(pid)).then_some(())))?;
    same("the pid file after the end", pidfile.exists(), false)?;
    hold(fs::read_to_string(&log)?.lines().count() > 0, || "nothing in the new file".into())?;
    // A pid file that was left behind does not stop the next start.
    fs::write(&pidfile, "999999")?;
    let again = start()?;
    let _ending = Ending(again);
    let _ = kill(again, Signal::SIGTERM);
    wait::until("its end", SOON, || Ok((!runs(again)).then_some(())))?;
    Ok(())
}

fn check(result: Result) {
    if let Err(Failure(text)) = result {
        panic!("{text}");
    }
}

#[test]
fn our_master() {
    check(live("salt-master"));
}

#[test]
fn our_minion() {
    check(live("salt-minion"));
}
