//! Warehouses of ten thousand and a hundred thousand objects: read from a folder and from git with the views of all objects, and read
//! again after one file has changed. Pallet Jack itself takes 90 seconds and 225 MB for ten thousand.

use super::median;
use crate::run::{Result, cargo, output, run, target_dir};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Numbers of machines; each makes nine objects.
const SIZES: [usize; 2] = [1_100, 11_000];

/// A file of one system, and one that many inherit from.
const CHANGES: [(&str, &str); 2] =
    [("of one system", "system/host00007/role.yaml"), ("of a rack", "rack/r0/location.yaml")];

/// Measures and prints.
pub(super) fn bench(runs: usize) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "-p", "brine-inventory", "--example", "inventory"]))?;
    for machines in SIZES {
        let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
        size(dir.path(), machines, runs)?;
    }
    Ok(())
}

fn size(dir: &Path, machines: usize, runs: usize) -> Result {
    let (folder, bare) = (dir.join("folder").display().to_string(), dir.join("bare").display().to_string());
    let objects = ours(&["write", &folder, &machines.to_string()])?;
    eprintln!("measuring a warehouse of {objects} objects ({runs} runs)");
    let line = |what: &str, value: f64, unit: &str| {
        println!("{:<58} {value:>9.1} {unit}", format!("inventory of {objects} objects, {what}"))
    };
    let folders = all(runs, || ours(&["load", &folder]))?;
    git(&folder, &["init", "--quiet", "--initial-branch=main"])?;
    commit(&folder)?;
    line("cold from a folder", of(&folders, "cold"), "ms");
    line("cold from a folder, peak memory", of(&folders, "peak"), "MB");
    for (what, file) in CHANGES {
        let changed = all(runs, || ours(&["change", &folder, file]))?;
        line(&format!("one file changed in a folder, {what}"), of(&changed, "changed"), "ms");
        line("  views made anew", of(&changed, "views"), "");
        commit(&folder)?;
    }
    git(dir.to_str().unwrap_or("."), &["clone", "--quiet", "--bare", &folder, &bare])?;
    git(&bare, &["repack", "-a", "-d", "--quiet"])?;
    let commits = all(runs, || ours(&["load", &bare, "main"]))?;
    line("cold from git", of(&commits, "cold"), "ms");
    line("cold from git, peak memory", of(&commits, "peak"), "MB");
    for (what, old, new) in [("of one system", "main~2", "main~1"), ("of a rack", "main~1", "main")] {
        let changed = all(runs, || ours(&["change", &bare, old, new]))?;
        line(&format!("one file changed in git, {what}"), of(&changed, "changed"), "ms");
        line("  views made anew", of(&changed, "views"), "");
    }
    Ok(())
}

fn ours(words: &[&str]) -> Result<Value> {
    let program = target_dir("release").join("examples/inventory");
    let text = output(Command::new(program).args(words))?;
    serde_json::from_str(text.trim()).map_err(|e| e.to_string())
}

fn all(runs: usize, mut one: impl FnMut() -> Result<Value>) -> Result<Vec<Value>> {
    (0..runs.max(1)).map(|_| one()).collect()
}

fn of(runs: &[Value], what: &str) -> f64 {
    median(runs.iter().filter_map(|run| run[what].as_f64()).collect())
}

fn commit(folder: &str) -> Result {
    git(folder, &["add", "--all"])?;
    git(
        folder,
        &["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "one"],
    )
}

fn git(folder: &str, words: &[&str]) -> Result {
    run(Command::new("git").arg("-C").arg(folder).args(words))
}
