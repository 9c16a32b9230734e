//! Does the test that an option names fail when the option is ignored?

use super::targets::{Test, parse};
use super::{DOC, Row, counts, doc};
use crate::run::{Result, cargo, output, root, target_dir};
use crate::setup;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A test that takes longer hangs, which is as good as failing: it waits for what an ignored option keeps away.
const LONGEST: Duration = Duration::from_secs(90);
/// Tests at once. They are mostly waiting.
const AT_ONCE: usize = 2;

/// Runs the tests of all options, or of those with these keys, both ways.
pub(super) fn prove(rows: &[Row], keys: &[String]) -> Result {
    let chosen: Vec<(&Row, Test)> = rows
        .iter()
        .filter(|row| keys.is_empty() || keys.contains(&row.key))
        .filter_map(|row| Some((row, parse(row.test()?)?)))
        .collect();
    // What is built is this commit, whatever comes while the tests run.
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let stock = setup::setup()?;
    let programs = build(chosen.iter().map(|(_, test)| test))?;
    let runner = Runner { programs, stock };
    let passes = runner.whole(&chosen)?;
    let next = Mutex::new(chosen.iter());
    let lines = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let job = next.lock().ok().and_then(|mut jobs| jobs.next());
                    let Some((row, test)) = job else { return };
                    let start = Instant::now();
                    let verdict = if passes.get(test) != Some(&true) {
                        "DOES NOT PASS"
                    } else if runner.run(test, Some(&row.name())) == Some(false) {
                        "fails when ignored"
                    } else {
                        "PASSES WHEN IGNORED"
                    };
                    let seconds = start.elapsed().as_secs_f32();
                    println!("| {} | {} | {verdict} | {seconds:.1} |", row.name(), row.detail);
                    if let Ok(mut lines) = lines.lock() {
                        lines.push(verdict);
                    }
                }
            });
        }
    });
    let lines = lines.into_inner().map_err(|e| e.to_string())?;
    let proved = lines.iter().filter(|verdict| **verdict == "fails when ignored").count();
    let said = format!("{proved} of {} named tests pass, and fail when their key is ignored", lines.len());
    println!("\n{said}\n{}", counts(rows));
    if keys.is_empty() {
        note(&said, commit.trim())?;
    }
    if proved == lines.len() { Ok(()) } else { Err(said) }
}

fn git(args: &[&str]) -> Result<String> {
    output(Command::new("git").arg("-C").arg(root()).args(args))
}

/// Puts the result into the document.
fn note(said: &str, commit: &str) -> Result {
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let path = root().join(DOC);
    let old = std::fs::read_to_string(&path).map_err(|e| format!("{DOC}: {e}"))?;
    let said = format!("{said} (`cargo xtask options`, {}, at {commit}).\n", date.trim());
    let new = doc::with_proof(&old, &said).ok_or(format!("{DOC} has no place for the result"))?;
    std::fs::write(&path, new).map_err(|e| format!("{DOC}: {e}"))
}

/// Builds the programs of these tests, and ours: by directory of the package and name of the program.
fn build<'a>(tests: impl Iterator<Item = &'a Test>) -> Result<BTreeMap<(PathBuf, Option<String>), PathBuf>> {
    let ours = ["--package", "brine-cli", "--package", "brine-master", "--package", "brine-minion"];
    crate::run::run(cargo().args(["build", "--quiet", "--bins"]).args(ours))?;
    let mut command = cargo();
    command.args(["test", "--quiet", "--no-run", "--message-format=json"]);
    let (mut packages, mut programs) = (BTreeSet::new(), BTreeSet::new());
    for test in tests {
        packages.insert(package_name(&test.package)?);
        programs.insert(test.program.clone());
    }
    for package in packages {
        command.args(["--package", &package]);
    }
    for program in &programs {
        match program {
            Some(name) => command.args(["--test", name]),
            None => command.arg("--lib"),
        };
    }
    let mut built = BTreeMap::new();
    for line in output(command.stderr(Stdio::inherit()))?.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let Some(executable) = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)
        else {
            continue;
        };
        let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
        let package = manifest.parent().and_then(|dir| dir.strip_prefix(root()).ok()).unwrap_or(manifest);
        let test = message["target"]["kind"][0] == "test";
        let name = test.then(|| message["target"]["name"].as_str().unwrap_or_default().to_owned());
        built.insert((package.to_owned(), name), executable.into());
    }
    Ok(built)
}

/// The name in a package's manifest.
fn package_name(dir: &Path) -> Result<String> {
    let path = root().join(dir).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.map(str::to_owned).ok_or_else(|| format!("{}: no name", path.display()))
}

struct Runner {
    programs: BTreeMap<(PathBuf, Option<String>), PathBuf>,
    stock: PathBuf,
}

impl Runner {
    /// Which tests pass as they are.
    fn whole(&self, chosen: &[(&Row, Test)]) -> Result<BTreeMap<Test, bool>> {
        let mut tests: Vec<&Test> = chosen.iter().map(|(_, test)| test).collect();
        tests.sort();
        tests.dedup();
        eprintln!("{} tests with nothing ignored", tests.len());
        let next = Mutex::new(tests.into_iter());
        let passes = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(test) = next.lock().ok().and_then(|mut tests| tests.next()) else { return };
                        let passed = self.run(test, None) == Some(true);
                        if let Ok(mut passes) = passes.lock() {
                            passes.insert(test.clone(), passed);
                        }
                    }
                });
            }
        });
        passes.into_inner().map_err(|e| e.to_string())
    }

    /// Whether the test passes; None when it was not run at all.
    fn run(&self, test: &Test, ignored: Option<&str>) -> Option<bool> {
        let program = self.programs.get(&(test.package.clone(), test.program.clone()))?;
        let log = tempfile::NamedTempFile::new().ok()?;
        let mut command = Command::new(program);
        command
            .current_dir(root().join(&test.package))
            .arg(&test.name)
            .env("BRINE_STOCK_DIR", &self.stock)
            .env("BRINE_BIN_DIR", target_dir("debug"))
            .env("BRINE_PYZMQ_PYTHON", self.stock.join("3006.28/bin/python"))
            .env_remove("BRINE_IGNORE_OPTION")
            .stdin(Stdio::null())
            .stdout(log.reopen().ok()?)
            .stderr(Stdio::null());
        if let Some(key) = ignored {
            command.env("BRINE_IGNORE_OPTION", key);
        }
        let mut child = command.spawn().ok()?;
        let start = Instant::now();
        while child.try_wait().ok()?.is_none() {
            if start.elapsed() > LONGEST {
                let _ = child.kill();
                let _ = child.wait();
                return Some(false);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        verdict(log.path(), &test.name)
    }
}

/// Reads `test path::name ... ok`.
fn verdict(log: &Path, name: &str) -> Option<bool> {
    let text = std::fs::read_to_string(log).ok()?;
    let of = |line: &&str| {
        let path = line.strip_prefix("test ").and_then(|rest| rest.split(' ').next());
        path.is_some_and(|path| path.rsplit("::").next() == Some(name))
    };
    let line = text.lines().find(of);
    Some(line?.ends_with("... ok"))
}
