//! A Python process that answers a line of JSON with a line of JSON.

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Where stock Salt is installed, a folder for each version.
///
/// # Panics
/// Without `BRINE_STOCK_DIR`, which `cargo xtask test` sets.
pub fn stock_dir() -> PathBuf {
    std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed").into()
}

/// The process. It ends with this.
pub struct Stock {
    child: Child,
    to: Option<ChildStdin>,
    from: Lines<BufReader<ChildStdout>>,
}

impl Stock {
    /// Starts the Python of stock Salt 3006 with a script that reads questions line by line.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(script: &str) -> Self {
        Self::start_with(script, |_| {})
    }

    /// The same, in another environment.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with(script: &str, set: impl FnOnce(&mut Command)) -> Self {
        Self::of("3006.28", script, set)
    }

    /// The Python of another version.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of_version(version: &str, script: &str) -> Self {
        Self::of(version, script, |_| {})
    }

    fn of(version: &str, script: &str, set: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(stock_dir().join(version).join("bin/python"));
        command.args(["-B", "-W", "ignore", "-c", script]).env("LANG", "C.UTF-8");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        set(&mut command);
        let mut child = command.spawn().expect("stock's Python starts");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, to, from }
    }

    /// One question.
    ///
    /// # Panics
    /// When the process has ended, or its answer is no JSON.
    pub fn ask(&mut self, question: &Json) -> Json {
        let to = self.to.as_mut().expect("the process runs");
        writeln!(to, "{question}").expect("stock's Python reads");
        let answer = self.from.next().expect("stock's Python answers").expect("text");
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        // It ends when it has nothing to read any more.
        drop(self.to.take());
        let _ended = self.child.wait();
    }
}
