//! Rendering measured beside stock: 10 MB of YAML, and every SLS of real trees, cold and warm, each in one process a side.

use crate::run::{Result, cargo, output, root, run, target_dir};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Configurations of trees, as `trees.py` of the formulas harness writes them; without it, trees are not measured.
const TREES: &str = "BRINE_FORMULAS";

/// Runs both sides on the same words; ours, then stock's answers, a line of JSON each.
fn both(stock: &Path, words: &[String]) -> Result<(Vec<Value>, Vec<Value>)> {
    let ours = output(Command::new(target_dir("release").join("examples/rendering")).args(words))?;
    let script = root().join("xtask/src/bench/stock_rendering.py");
    let stock = output(Command::new(stock.join("3006.28/bin/python")).arg(script).args(words))?;
    let read =
        |text: &str| text.lines().map(serde_json::from_str).collect::<std::result::Result<Vec<Value>, _>>();
    Ok((read(&ours).map_err(|e| e.to_string())?, read(&stock).map_err(|e| e.to_string())?))
}

/// Measures and prints.
pub(super) fn bench(stock: &Path, runs: usize) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "-p", "brine-minion", "--example", "rendering"]))?;
    yaml(stock, runs)?;
    match std::env::var(TREES) {
        Ok(dir) => trees(stock, Path::new(&dir), runs),
        Err(_) => {
            println!("trees: not measured, as {TREES} names no folder of configurations");
            Ok(())
        }
    }
}

/// About 10 MB of the YAML that people write: maps in lists, text, numbers, flags.
fn document() -> String {
    let mut text = String::with_capacity(11 << 20);
    let mut i = 0_u32;
    while text.len() < 10 << 20 {
        let _ = write!(
            text,
            "web-{i}:\n  pkg.installed:\n    - name: package-{i}\n    - version: {}.{}\n    - require:\n      - file: /etc/web-{i}/config\n  \
             settings: {{port: {}, enabled: {}, ratio: {}.5, tags: [one, 'two three', \"four\"]}}\n  \
             text: it is a line of text with a number, {i}, in it\n",
            i % 9,
            i % 7,
            1024 + i % 60_000,
            i.is_multiple_of(2),
            i % 100,
        );
        i += 1;
    }
    text
}

fn yaml(stock: &Path, runs: usize) -> Result {
    let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    std::fs::write(file.path(), document()).map_err(|e| e.to_string())?;
    let words = ["yaml".to_owned(), file.path().display().to_string(), runs.to_string()];
    eprintln!("measuring 10 MB of YAML ({runs} runs)");
    let (ours, theirs) = both(stock, &words)?;
    for what in ["load", "dump"] {
        let of = |side: &[Value]| side.first().and_then(|v| v[what].as_f64()).unwrap_or(f64::NAN);
        let (ours, theirs) = (of(&ours), of(&theirs));
        println!(
            "{:<42} {:>11.0} ms {:>17.0} ms ({:.0} x)",
            format!("YAML, 10 MB, {what}"),
            ours,
            theirs,
            theirs / ours
        );
    }
    Ok(())
}

fn trees(stock: &Path, dir: &Path, runs: usize) -> Result {
    let text =
        std::fs::read_to_string(dir.join("configs.json")).map_err(|e| format!("{}: {e}", dir.display()))?;
    let all: Vec<String> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    // A tree, its example pillar, Debian 12.
    let mut words = vec![runs.to_string()];
    for name in all {
        if let Some(tree) =
            name.strip_suffix("/example/debian12").or_else(|| name.strip_suffix("/all/debian12"))
        {
            let kind = if name.contains("/example/") { "example" } else { "all" };
            words.push(dir.join(tree).join(format!("{kind}.debian12")).display().to_string());
        }
    }
    eprintln!("measuring {} trees ({runs} warm runs)", words.len() - 1);
    let (ours, theirs) = both(stock, &words)?;
    println!(
        "{:<24} {:>5} {:>13} {:>13} {:>7} {:>13} {:>13} {:>7}",
        "tree", "SLS", "cold, ours", "stock", "x", "warm, ours", "stock", "x"
    );
    let (mut colds, mut warms) = (Vec::new(), Vec::new());
    for own in &ours {
        let Some(other) = theirs.iter().find(|o| o["dir"] == own["dir"]) else { continue };
        let count = |v: &Value| v["sls"].as_array().map_or(0, Vec::len);
        let of = |v: &Value, what: &str| v[what].as_f64().unwrap_or(f64::NAN);
        let (cold, warm) = (of(other, "cold") / of(own, "cold"), of(other, "warm") / of(own, "warm"));
        let name = own["dir"].as_str().unwrap_or_default();
        let tree = Path::new(name).parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let differ = if own["sls"] == other["sls"] { "" } else { "  (other SLS)" };
        println!(
            "{tree:<24} {:>5} {:>10.1} ms {:>10.1} ms {cold:>7.1} {:>10.2} ms {:>10.1} ms {warm:>7.1}{differ}",
            count(own),
            of(own, "cold"),
            of(other, "cold"),
            of(own, "warm"),
            of(other, "warm"),
        );
        colds.push(cold);
        warms.push(warm);
    }
    let least = warms.iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{} trees: median {:.0} x cold, {:.0} x warm; least warm {least:.0} x",
        warms.len(),
        super::median(colds),
        super::median(warms)
    );
    Ok(())
}
