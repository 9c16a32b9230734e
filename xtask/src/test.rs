//! Every check and every test, in the order in which they are likely to fail.

use crate::retry::with_one_retry;
use crate::run::{Result, cargo, run, target_dir};
use crate::{setup, tidy};
use std::path::Path;
use std::process::Command;

/// `cargo xtask test [CARGO TEST ARGUMENTS]`.
pub(crate) fn test(args: &[String]) -> Result {
    let stock = setup::setup()?;
    tidy::tidy()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // The licences of every crate are read, also of those that this platform does not build.
    run(cargo().args(["fetch", "--locked", "--quiet"]))?;
    run(cargo().args(["deny", "--offline", "--log-level", "error", "check", "bans", "licenses", "sources"]))?;
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    let mut all = vec!["--workspace", "--no-fail-fast"];
    all.extend(args.iter().map(String::as_str));
    with_one_retry(|| tests(&stock), &all)
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

/// `cargo test` with what the tests look for in their environment. One thread more than there are cores: much of the time is
/// spent waiting for stock's programs.
fn tests(stock: &Path) -> Command {
    let threads = std::thread::available_parallelism().map_or(2, usize::from) + 1;
    let mut c = cargo();
    c.arg("test")
        .env("RUST_TEST_THREADS", threads.to_string())
        .env("BRINE_STOCK_DIR", stock)
        .env("BRINE_BIN_DIR", target_dir("debug"))
        .env("BRINE_PYZMQ_PYTHON", stock.join("3006.28/bin/python"));
    c
}
