//! Warehouses in git: the same as the folder that was committed, from bare repositories and from those with a work tree.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_inventory::{LoadError, Origin, Snapshot};
use common::{data, load, texts};
use std::path::{Path, PathBuf};
use std::process::Command;

fn git(dir: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(words);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let out = command.output().unwrap();
    assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A repository with a copy of a warehouse below a folder; its first commit.
fn repository(dir: &Path, warehouse: &str, below: &str) -> PathBuf {
    let work = dir.join("work");
    let at = work.join(below);
    std::fs::create_dir_all(&at).unwrap();
    let from = format!("{}/.", data(warehouse).display());
    let copied = Command::new("cp").arg("-a").args([from.as_str()]).arg(&at).status().unwrap();
    assert!(copied.success());
    git(&work, &["init", "-q", "-b", "main"]);
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "-m", "all"]);
    work
}

fn origin(repository: &Path, revision: &str, below: &str) -> Origin {
    Origin::Git { repository: repository.into(), revision: revision.into(), below: below.into() }
}

fn from_git(repository: &Path, revision: &str, below: &str) -> Result<Snapshot, LoadError> {
    Snapshot::load(&origin(repository, revision, below), &mut |_| {})
}

fn same(a: &Snapshot, b: &Snapshot) {
    let paths = |snapshot: &Snapshot| -> Vec<String> {
        snapshot.pallets().map(|id| snapshot.pallet(id).path().to_owned()).collect()
    };
    assert_eq!(paths(a), paths(b));
    assert_eq!(a.findings(), b.findings());
    for (one, other) in a.pallets().zip(b.pallets()) {
        assert_eq!(a.view(one), b.view(other));
        assert_eq!(texts(a.view(one)), texts(b.view(other)));
        assert_eq!(a.pallet(one).links(), b.pallet(other).links());
        assert_eq!(a.parents(one), b.parents(other));
        assert_eq!(a.children(one), b.children(other));
    }
}

#[test]
fn a_revision_is_as_the_folder_that_was_committed() {
    for (warehouse, below) in [("inputs/example", ""), ("inputs/edge", "deep/er"), ("inputs/example", "one")]
    {
        let dir = tempfile::tempdir().unwrap();
        let work = repository(dir.path(), warehouse, below);
        let folder = load(&data(warehouse));
        let commit = git(&work, &["rev-parse", "HEAD"]);
        let bare = dir.path().join("bare.git");
        git(dir.path(), &["clone", "-q", "--bare", "work", "bare.git"]);
        for (repository, revision) in
            [(&work, "main"), (&bare, "main"), (&bare, &commit), (&bare, "HEAD^{commit}")]
        {
            let snapshot = from_git(repository, revision, below).unwrap();
            assert_eq!(snapshot.revision(), Some(&*commit));
            same(&folder, &snapshot);
        }
    }
}

#[test]
fn the_root_of_a_work_tree_is_a_warehouse_without_git_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let work = repository(dir.path(), "inputs/example", "");
    same(&load(&work), &from_git(&work, "main", "").unwrap());
}

#[test]
fn what_is_no_revision_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let work = repository(dir.path(), "inputs/edge", "w");
    for (revision, below) in [
        ("--help", "w"),
        ("-n", "w"),
        ("", "w"),
        ("main\nmain", "w"),
        ("nothing", "w"),
        ("main", "no"),
        ("main", "../w"),
        ("main", "w/transforms.yaml"),
        ("main:w", ""),
    ] {
        let failed = from_git(&work, revision, below);
        assert!(matches!(failed, Err(LoadError::Git { .. })), "{revision:?} {below:?}");
    }
    assert!(matches!(from_git(dir.path(), "main", "w"), Err(LoadError::Git { .. })));
    assert!(matches!(from_git(&dir.path().join("no"), "main", ""), Err(LoadError::Git { .. })));
    let folder = Origin::Directory(dir.path().join("no"));
    assert!(matches!(Snapshot::load(&folder, &mut |_| {}), Err(LoadError::Directory { .. })));
}
