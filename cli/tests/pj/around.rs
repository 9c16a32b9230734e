//! What the tests share: the program run, the example copied, repositories made.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What a program has said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it printed, if it went well.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    pub(crate) fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
    }
}

/// Runs `pj` in a directory.
pub(crate) fn pj_in(dir: &Path, line: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pj"));
    command.args(line.split_whitespace()).current_dir(dir).stdin(Stdio::null());
    Ran::of(command.output().unwrap())
}

/// Runs any program in a directory; it must go well.
pub(crate) fn run_in(dir: &Path, words: &[&str]) -> String {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(dir).stdin(Stdio::null());
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env(name, "tester@example.com");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// The same of a push, which may be refused.
pub(crate) fn push(from: &Path, what: &str) -> Ran {
    let mut command = Command::new("git");
    command.args(["push", "-q", "origin", what]).current_dir(from).env("GIT_CONFIG_GLOBAL", "/dev/null");
    Ran::of(command.output().unwrap())
}

/// Pallet Jack's example, to be changed.
pub(crate) fn example() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pillar/inventory/tests/data/inputs/example/.");
    run_in(dir.path(), &["cp", "-a", from.to_str().unwrap(), "."]);
    dir
}

/// Writes a file below a directory, with the folders that it needs.
pub(crate) fn write(dir: &Path, path: &str, text: &str) {
    let at = dir.join(path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::write(at, text).unwrap();
}

pub(crate) fn link(dir: &Path, path: &str, target: &str) {
    let at = dir.join(path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target, at).unwrap();
}

pub(crate) fn read(dir: &Path, path: &str) -> String {
    std::fs::read_to_string(dir.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Commits all there is, and gives the commit's id.
pub(crate) fn commit(dir: &Path) -> String {
    run_in(dir, &["git", "add", "-A"]);
    run_in(dir, &["git", "commit", "-qm", "x"]);
    run_in(dir, &["git", "rev-parse", "HEAD"]).trim().to_owned()
}

/// The example as a repository with one commit.
pub(crate) fn repository() -> TempDir {
    let dir = example();
    run_in(dir.path(), &["git", "init", "-q", "-b", "main"]);
    commit(dir.path());
    dir
}

/// A bare repository whose hooks are the program, and a clone of it that holds the example, not pushed yet.
pub(crate) struct Hooked {
    #[allow(dead_code, reason = "it is removed when it is dropped")]
    dir: TempDir,
    pub(crate) bare: PathBuf,
    pub(crate) work: PathBuf,
}

impl Hooked {
    /// `pre` and `post` are the options of the hooks.
    pub(crate) fn new(pre: &str, post: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (bare, work) = (dir.path().join("bare.git"), dir.path().join("work"));
        run_in(dir.path(), &["git", "init", "-q", "--bare", "-b", "main", "bare.git"]);
        run_in(dir.path(), &["git", "init", "-q", "-b", "main", "work"]);
        let from = example();
        run_in(&work, &["cp", "-a", from.path().join(".").to_str().unwrap(), "."]);
        commit(&work);
        run_in(&work, &["git", "remote", "add", "origin", bare.to_str().unwrap()]);
        let program = env!("CARGO_BIN_EXE_pj");
        for (hook, options) in [("pre-receive", pre), ("post-receive", post)] {
            script(&bare.join("hooks").join(hook), &format!("exec {program} hook {hook} {options}"));
        }
        Self { dir, bare, work }
    }
}

/// A script that can be run.
pub(crate) fn script(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut new = std::fs::OpenOptions::new();
    let mut file = new.write(true).create(true).truncate(true).mode(0o755).open(path).unwrap();
    write!(file, "#!/bin/sh\n{text}\n").unwrap();
}
