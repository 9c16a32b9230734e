//! Every check and every test, in the order in which they are likely to fail.

use crate::retry::{nextest_with_one_retry, with_one_retry};
use crate::run::{Result, cargo, run, target_dir};
use crate::{licences, setup, tidy};
use std::path::Path;
use std::process::Command;

/// `cargo xtask test [CARGO TEST ARGUMENTS]`.
pub(crate) fn test(args: &[String]) -> Result {
    let stock = setup::setup()?;
    tidy::tidy()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    licences::check()?;
    run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // Always all of it, and what is run is chosen afterwards: crates are built anew for each set of packages that is asked for.
    run(cargo().args(["build", "--quiet", "--workspace", "--all-targets"]))?;
    if !args.is_empty() {
        let mut all = vec!["--workspace", "--no-fail-fast"];
        all.extend(args.iter().map(String::as_str));
        return with_one_retry(|| tests(&stock), &all);
    }
    // What fails among the units does not keep the others from being seen.
    let units = nextest(&stock, &format!("not package({INTEROP})"));
    units.and(nextest(&stock, &format!("package({INTEROP})")))
}

/// The tests that only start programs. They wait so much, and some so long, that they run over all test programs at once.
const INTEROP: &str = "brine-interop-tests";

/// The tests that a filter chooses, by nextest (`.config/nextest.toml`).
fn nextest(stock: &Path, filter: &str) -> Result {
    let run = || {
        let mut c = cargo();
        c.args(["nextest", "run", "--workspace", "--color", "never"]);
        environment(c, stock)
    };
    nextest_with_one_retry(run, filter, at_once())
}

/// `cargo xtask soak`: the tests that take longer than a change should wait for.
pub(crate) fn soak() -> Result {
    let stock = setup::setup()?;
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    let long = run(tests(&stock).args([
        "--workspace",
        "--no-fail-fast",
        "--",
        "--ignored",
        "--test-threads=1",
        "--nocapture",
        // Those want trees that are not kept here.
        "--skip",
        "formula_",
    ]));
    // Enough cuts for percentiles; those of our minion on each master.
    let cuts = run(tests(&stock).env("BRINE_CUTS", "50").args([
        "-p",
        "brine-interop-tests",
        "--test",
        "deadpath",
        "--",
        "ours",
        "--test-threads=1",
        "--nocapture",
    ]));
    long.and(cuts)
}

/// `cargo test` with what the tests look for in their environment.
fn tests(stock: &Path) -> Command {
    let mut c = cargo();
    c.arg("test").env("RUST_TEST_THREADS", at_once().to_string());
    environment(c, stock)
}

/// Tests that run at once, one more than there are cores: much of the time is spent waiting for stock's programs.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) + 1
}

/// What the tests look for in their environment.
fn environment(mut c: Command, stock: &Path) -> Command {
    c.env("BRINE_STOCK_DIR", stock)
        .env("BRINE_BIN_DIR", target_dir("debug"))
        .env("BRINE_PYZMQ_PYTHON", stock.join("3006.28/bin/python"));
    c
}
