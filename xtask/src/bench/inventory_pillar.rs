//! Pillar from an inventory in git, measured: requests, and how soon a commit of one file is a new pillar. Stock has nothing like it.

use crate::run::{Result, cargo, output, run, target_dir};
use serde_json::Value;
use std::process::Command;

/// How many machines; an object is a rack, a network, an interface and so on, about nine for each.
const MACHINES: [usize; 2] = [1_100, 11_000];
/// How many requests.
const REQUESTS: usize = 1_000;

/// Measures and prints.
pub(super) fn bench() -> Result {
    run(cargo().args([
        "build",
        "--release",
        "--quiet",
        "-p",
        "brine-pillar",
        "--example",
        "inventory_pillar",
    ]))?;
    let program = target_dir("release").join("examples/inventory_pillar");
    for machines in MACHINES {
        let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
        let words = [dir.path().display().to_string(), machines.to_string(), REQUESTS.to_string()];
        let text = output(Command::new(&program).args(words))?;
        let told: Value = serde_json::from_str(text.trim()).map_err(|e| e.to_string())?;
        let objects = &told["objects"];
        for (what, key) in [
            ("read from git", "cold"),
            ("1,000 requests for pillar", "requests"),
            ("pillar of all minions", "all"),
            ("one file changed, known whom it concerns", "known"),
            ("one file changed, its new pillar", "served"),
        ] {
            let ms = told[key].as_f64().unwrap_or(f64::NAN);
            println!("{:<64} {ms:>11.1} ms", format!("inventory of {objects} objects, {what}"));
        }
    }
    Ok(())
}
