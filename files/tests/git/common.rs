//! Repositories that tests make, and the options that they are read with.

use brine_core::options::Daemon;
use brine_core::{Map, Opts, Value};
use brine_files::Backend;
use brine_files::git::GitFs;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A repository with a work tree.
pub(crate) struct Made {
    pub(crate) dir: PathBuf,
}

/// Runs git without anybody's configuration; what it prints.
pub(crate) fn git(dir: &Path, words: &[&str]) -> String {
    let out = Command::new("git")
        .args(words)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@b"),
            ("GIT_AUTHOR_DATE", "1700000000 +0000"),
        ])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@b")])
        .env("GIT_COMMITTER_DATE", "1700000000 +0000")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

impl Made {
    /// An empty one, on the branch `master`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        fs::create_dir_all(&dir).unwrap();
        let made = Self { dir };
        made.git(&["init", "--quiet", "--initial-branch=master"]);
        made
    }

    pub(crate) fn git(&self, words: &[&str]) -> String {
        git(&self.dir, words)
    }

    /// Writes files and commits everything.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let full = self.dir.join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A new branch off the current commit, with these files committed.
    pub(crate) fn branch(&self, name: &str, files: &[(&str, &str)]) -> String {
        self.git(&["checkout", "--quiet", "-b", name]);
        self.commit(files)
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }
}

/// A small repository: `master` and `dev` with a file each and one in common, and a tag.
pub(crate) fn small(dir: &TempDir) -> Made {
    let made = Made::new(dir.path().join("repo"));
    made.commit(&[("all", "1"), ("sub/deep/f", "deep"), ("on", "master")]);
    made.git(&["tag", "v1"]);
    made.branch("dev", &[("on", "dev"), ("only", "dev")]);
    made.git(&["checkout", "--quiet", "master"]);
    made
}

/// The defaults of all options about git, with others over them. They have no `__role`, so that a test sees what an option does.
pub(crate) fn opts(dir: &TempDir, over: Map) -> Opts {
    let mut all: Map = Daemon::Master
        .rows()
        .filter(|row| row.key.starts_with("git"))
        .filter_map(|row| Some((Value::from(row.key), row.default.value()?)))
        .collect();
    all.insert("cachedir", dir.path().join("cache").to_string_lossy().into_owned());
    all.insert("hash_type", "sha256");
    all.update(over);
    Opts::new(all)
}

/// What a file of a backend holds.
pub(crate) fn read(fs: &GitFs, path: &str, env: &str) -> Option<String> {
    let (Ok(path), Ok(env)) = (RelPath::parse(path), SaltEnv::parse(env)) else { return None };
    let found = fs.find(&path, &env).unwrap()?;
    assert_eq!(fs::metadata(&found.full).unwrap().len(), found.meta.len());
    Some(fs::read_to_string(found.full).unwrap())
}

/// The files of an environment.
pub(crate) fn files(fs: &GitFs, env: &str) -> Vec<String> {
    fs.list(&SaltEnv::parse(env).unwrap()).unwrap().files.clone()
}
