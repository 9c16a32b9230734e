//! One more try for tests that failed, alone and aloud.
//!
//! Tests against stock Salt wait on real clocks, and a machine may be slow for a minute. A test that holds only at the
//! second try is named at the end, so that nobody takes it for a quiet success; one that fails twice has failed.

use crate::run::Result;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;

/// Failures that are tried once more.
const MOST: usize = 6;

/// Runs `cargo test` made by `command` with `args`; on failure, runs what failed once more.
pub(crate) fn with_one_retry(command: impl Fn() -> Command, args: &[&str]) -> Result {
    one_retry(command, args, |lines| {
        let failed = failures(lines);
        let again = |target: &String| {
            let mut words: Vec<String> = target.split_whitespace().map(str::to_owned).collect();
            words.extend(["--", "--exact", "--test-threads=1"].map(str::to_owned));
            words.extend(failed.tests.iter().cloned());
            words
        };
        let runs = failed.targets.iter().map(again).collect();
        Again { tests: failed.tests, runs }
    })
}

/// Runs `cargo nextest run` made by `command` for the tests of a filter, so many at once; on failure, runs what failed once more.
pub(crate) fn nextest_with_one_retry(command: impl Fn() -> Command, filter: &str, at_once: usize) -> Result {
    one_retry(command, &["--test-threads", &at_once.to_string(), "-E", filter], |lines| {
        let failed = failures_of_nextest(lines);
        let those: Vec<String> =
            failed.iter().map(|(binary, test)| format!("(binary_id(={binary}) & test(={test}))")).collect();
        let words = ["--test-threads", "1", "-E", &those.join(" | ")].map(str::to_owned).into();
        Again {
            tests: failed.iter().map(|(binary, test)| format!("{binary}::{test}")).collect(),
            runs: if failed.is_empty() { Vec::new() } else { vec![words] },
        }
    })
}

/// What failed, and the arguments by which it is run once more, one at a time.
struct Again {
    tests: Vec<String>,
    runs: Vec<Vec<String>>,
}

fn one_retry(command: impl Fn() -> Command, args: &[&str], read: impl Fn(&[String]) -> Again) -> Result {
    let (ok, lines) = tee(command().args(args))?;
    if ok {
        return Ok(());
    }
    let Again { tests, runs } = read(&lines);
    if tests.is_empty() || runs.is_empty() {
        return Err("the tests failed, and not in a way that another try could mend".into());
    }
    let names = tests.join(" ");
    // A slow minute does not make so many fail, and all of them alone would take longer than anybody waits.
    if tests.len() > MOST {
        return Err(format!("{} tests failed, too many for another try: {names}", tests.len()));
    }
    eprintln!("\n{} tests failed; once more, one at a time: {names}\n", tests.len());
    for words in runs {
        if !tee(command().args(&words))?.0 {
            return Err(format!("failed twice: {}", words.join(" ")));
        }
    }
    eprintln!("\nHELD ONLY AT THE SECOND TRY: {names}");
    Ok(())
}

/// Test programs and names of tests that failed, from lines such as `FAIL [   1.203s] (3/8) crate::program test`.
fn failures_of_nextest(lines: &[String]) -> BTreeSet<(String, String)> {
    const FAILED: [&str; 4] = ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV ["];
    let failed = |line: &String| {
        let line = line.trim_start();
        let rest = FAILED.iter().find_map(|word| line.strip_prefix(word))?;
        let rest = rest.split_once(']')?.1.trim_start();
        let rest =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
        let mut words = rest.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    lines.iter().filter_map(failed).collect()
}

/// Test targets, as arguments of cargo, and names of tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Failures {
    targets: Vec<String>,
    tests: Vec<String>,
}

fn failures(lines: &[String]) -> Failures {
    let mut found = Failures::default();
    for line in lines {
        let target = line
            .strip_prefix("error: test failed, to rerun pass `")
            .or_else(|| line.strip_prefix("error: doctest failed, to rerun pass `"));
        if let Some(target) = target.and_then(|t| t.strip_suffix('`')) {
            found.targets.push(target.to_owned());
        }
        if let Some(test) = line.strip_prefix("test ").and_then(|t| t.strip_suffix(" ... FAILED")) {
            found.tests.push(test.to_owned());
        }
    }
    found.tests.sort();
    found.tests.dedup();
    found
}

/// Runs a command with its output shown and kept: whether it succeeded, and its lines.
fn tee(command: &mut Command) -> Result<(bool, Vec<String>)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cargo test: {e}"))?;
    let (tx, rx) = mpsc::channel();
    let out = child.stdout.take().map(|s| std::thread::spawn(copier(s, std::io::stdout(), tx.clone())));
    let err = child.stderr.take().map(|s| std::thread::spawn(copier(s, std::io::stderr(), tx)));
    let lines = rx.iter().collect();
    for thread in [out, err].into_iter().flatten() {
        let _ = thread.join();
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((status.success(), lines))
}

fn copier(
    from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    lines: mpsc::Sender<String>,
) -> impl FnOnce() + Send + 'static {
    move || {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            // A reader of ours that has gone does not stop the tests.
            let _ = to.write_all(&line).and_then(|()| to.flush());
            let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_from_cargos_output() {
        let text = "test a ... ok\ntest b::c ... FAILED\ntest b::c ... FAILED\n\
                    error: test failed, to rerun pass `-p x --test y`\nerror: 1 target failed:\n    `-p x --test y`";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let want = Failures { targets: vec!["-p x --test y".into()], tests: vec!["b::c".into()] };
        assert_eq!(failures(&lines), want);
        assert_eq!(failures(&["error: could not compile".to_owned()]), Failures::default());
    }

    #[test]
    fn failures_are_read_from_nextests_output() {
        let text = "    Starting 8 tests across 4 binaries (36 binaries skipped)\n        PASS [   9.903s] (2/8) b::rc a\n        \
                    FAIL [   0.004s] (3/8) b::rules c\n  stdout ───\n    test c ... FAILED\n     TIMEOUT [ 300.004s] ( 4/8) b::big d::e\n\
                    ────────────\n        FAIL [   0.004s] (3/8) b::rules c";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let want = [("b::big".to_owned(), "d::e".to_owned()), ("b::rules".to_owned(), "c".to_owned())];
        assert_eq!(failures_of_nextest(&lines), want.into());
    }
}
