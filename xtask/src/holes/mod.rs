//! `cargo xtask holes`: opens each hole of docs/security.md in a copy of the tree and shows that its tests then fail.
//!
//! A test that has never failed proves little. The tables beside this file say, for each row of docs/security.md, which
//! text of which file closes the hole, what would open it, and which tests must notice. The command is no part of
//! `cargo xtask test`: it builds the crates once for each hole, which takes the better part of an hour. What CI checks
//! is that the tables still fit the source, and that no named test is left out.

#[cfg(test)]
mod coverage;
mod daemons;
mod eauth;
mod inventory;
mod libraries;
mod protocol;
mod run;
mod tree;

use crate::run::{Result, output, target_dir};
use run::{Outcome, Runner};
use std::process::Command;
use std::time::Instant;
use tree::Tree;

/// The row of holes whose tests are not in a table of docs/security.md but in the chapter of this name.
const BOUNDED: &str = "Bounded work for strangers";

/// Holes whose tests are in one test program of one package, so that opening each costs one small build.
struct Suite {
    package: &'static str,
    /// What cargo builds: `--lib`, or `--test` with a name.
    target: &'static [&'static str],
    holes: &'static [Hole],
}

/// A way to open a hole.
struct Hole {
    /// The CVE without its first four letters, or how the row of the weakness begins in docs/security.md.
    row: &'static str,
    /// The file that closes it.
    file: &'static str,
    /// Text that the file holds exactly once.
    find: &'static str,
    /// What stands there in an implementation with the hole. It must compile.
    put: &'static str,
    /// The tests that must fail then, all of them.
    tests: &'static [&'static str],
}

fn suites() -> impl Iterator<Item = &'static Suite> {
    [protocol::SUITES, libraries::SUITES, daemons::SUITES, eauth::SUITES, inventory::SUITES]
        .into_iter()
        .flatten()
}

/// `cargo xtask holes [NAME..]`: all, or those whose row, file or test holds one of the names.
pub(crate) fn holes(names: &[String]) -> Result {
    let base = target_dir("holes");
    let tree = Tree::copy(&base.join("tree"))?;
    let runner = Runner { tree: &tree, target: base.join("target"), log: base.join("output") };
    let chosen = |hole: &&Hole| {
        let texts = || [hole.row, hole.file].into_iter().chain(hole.tests.iter().copied());
        names.is_empty() || names.iter().any(|name| texts().any(|text| text.contains(name.as_str())))
    };
    let (mut killed, mut all) = (0, 0);
    println!("| row | file | verdict | seconds |\n|---|---|---|---|");
    for suite in suites() {
        let holes: Vec<&Hole> = suite.holes.iter().filter(chosen).collect();
        if holes.is_empty() {
            continue;
        }
        runner.whole(suite, &holes)?;
        for hole in holes {
            let start = Instant::now();
            let outcome = runner.open(suite, hole)?;
            all += 1;
            killed += usize::from(outcome == Outcome::Killed);
            println!("| {} | {} | {outcome} | {} |", hole.row, hole.file, start.elapsed().as_secs());
        }
    }
    let commit =
        output(Command::new("git").arg("-C").arg(crate::run::root()).args(["rev-parse", "--short", "HEAD"]))?;
    println!("\n{killed} of {all} killed at {}", commit.trim());
    if killed == all { Ok(()) } else { Err(format!("{} holes were not noticed", all - killed)) }
}
