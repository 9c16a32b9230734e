//! Running the tests of a hole, and reading what came of it.

use super::tree::Tree;
use super::{Hole, Suite};
use crate::run::{Result, cargo};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Tests that take longer hang: an open hole may make them wait for ever.
const LONGEST: Duration = Duration::from_secs(180);

/// Builds and runs in the copy of the tree.
pub(super) struct Runner<'a> {
    /// The copy.
    pub(super) tree: &'a Tree,
    /// Where cargo builds.
    pub(super) target: PathBuf,
    /// Where the output of the last run is kept.
    pub(super) log: PathBuf,
}

/// What came of an open hole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Every named test failed.
    Killed,
    /// These did not.
    Survived(Vec<String>),
    /// The entry is wrong: it does not compile, or a test was not run to its end.
    Fault(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => write!(f, "killed"),
            Self::Survived(tests) => write!(f, "SURVIVED {}", tests.join(" ")),
            Self::Fault(what) => write!(f, "FAULT {what}"),
        }
    }
}

impl Runner<'_> {
    /// Runs the tests of these holes while all are closed: they must pass, or their failing would say nothing.
    pub(super) fn whole(&self, suite: &Suite, holes: &[&Hole]) -> Result {
        let mut tests: Vec<&str> = holes.iter().flat_map(|hole| hole.tests.iter().copied()).collect();
        tests.sort_unstable();
        tests.dedup();
        eprintln!("{} {}: {} tests with no hole open", suite.package, suite.target.join(" "), tests.len());
        match self.tests(suite, &tests)? {
            Outcome::Survived(passed) if passed.len() == tests.len() => Ok(()),
            _ => Err(format!("tests fail with no hole open, see {}", self.log.display())),
        }
    }

    /// Runs the tests of a hole while it is open.
    pub(super) fn open(&self, suite: &Suite, hole: &Hole) -> Result<Outcome> {
        self.tree.with(hole, || self.tests(suite, hole.tests))?
    }

    fn tests(&self, suite: &Suite, tests: &[&str]) -> Result<Outcome> {
        let build = self.cargo(suite, &["--no-run"], &[])?;
        if build.is_none_or(|status| !status.success()) {
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            let first = text.lines().find(|l| l.starts_with("error")).unwrap_or("the build hangs");
            return Ok(Outcome::Fault(format!("does not compile: {first}")));
        }
        let status = self.cargo(suite, &[], tests)?;
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        Ok(judge(&text, tests, status.is_some()))
    }

    /// Runs `cargo test` with its output in the log; None when it had to be ended.
    fn cargo(&self, suite: &Suite, more: &[&str], tests: &[&str]) -> Result<Option<ExitStatus>> {
        let told = |e: std::io::Error| format!("cargo test: {e}");
        let log = File::create(&self.log).map_err(told)?;
        let mut command: Command = cargo();
        command
            .current_dir(self.tree.dir())
            .args(["test", "--color=never", "-p", suite.package])
            .args(suite.target)
            .args(more)
            .arg("--")
            .args(tests)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "1")
            .stdout(log.try_clone().map_err(told)?)
            .stderr(log)
            .process_group(0);
        let mut child = command.spawn().map_err(told)?;
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().map_err(told)? {
                return Ok(Some(status));
            }
            if !tests.is_empty() && start.elapsed() > LONGEST {
                let group = i32::try_from(child.id()).map_err(|e| e.to_string())?;
                let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
                child.wait().map_err(told)?;
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Reads the lines `test path::name ... ok` and `... FAILED`.
fn judge(text: &str, tests: &[&str], ended: bool) -> Outcome {
    let mut passed = Vec::new();
    for test in tests {
        let line = text.lines().find(|line| {
            let name = line.strip_prefix("test ").and_then(|l| l.split(' ').next()).unwrap_or_default();
            name.rsplit("::").next() == Some(test)
        });
        match line {
            Some(line) if line.ends_with("... FAILED") => {}
            Some(line) if line.ends_with("... ok") => passed.push((*test).to_owned()),
            _ if !ended => return Outcome::Fault(format!("{test} hangs")),
            _ => return Outcome::Fault(format!("{test} was not run to its end")),
        }
    }
    if passed.is_empty() { Outcome::Killed } else { Outcome::Survived(passed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_that_ran_and_failed_count() {
        let text = "running 2 tests\ntest a::one ... FAILED\ntest two ... ok\n\nfailures:\n";
        assert_eq!(judge(text, &["one"], true), Outcome::Killed);
        assert_eq!(judge(text, &["one", "two"], true), Outcome::Survived(vec!["two".into()]));
        assert_eq!(judge(text, &["three"], true), Outcome::Fault("three was not run to its end".into()));
        assert_eq!(judge(text, &["three"], false), Outcome::Fault("three hangs".into()));
        assert_eq!(
            judge("test one ... signal: 6", &["one"], true).to_string(),
            "FAULT one was not run to its end"
        );
    }
}
