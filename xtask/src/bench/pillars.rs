//! Pillar for many minions from a tree of 200 files, measured beside stock: cold, again, and after one file changed.

use crate::run::{Result, cargo, output, root, run, target_dir};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How many minions.
const MINIONS: usize = 1000;
/// How many of them stock compiles; its times are scaled.
const SAMPLE: usize = 20;

/// Folders of the tree: a grain that chooses them, how many values it has, and files for each of these. All minions get `common`.
const FOLDERS: [(&str, usize, usize); 4] = [("common", 1, 20), ("role", 6, 15), ("os", 3, 10), ("dc", 5, 12)];

/// Measures and prints.
pub(super) fn bench(stock: &Path) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "-p", "brine-pillar", "--example", "pillars"]))?;
    let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
    let side = |name: &str| -> Result<(String, String)> {
        let tree = dir.path().join(name);
        write(&tree).map_err(|e| e.to_string())?;
        Ok((tree.display().to_string(), tree.join("common0/f1.sls").display().to_string()))
    };
    eprintln!("measuring pillar of {MINIONS} minions, of {SAMPLE} by stock");
    let (tree, changed) = side("ours")?;
    let program = target_dir("release").join("examples/pillars");
    let words = [&tree, &changed, &MINIONS.to_string(), &SAMPLE.to_string()];
    let ours = read(&output(Command::new(program).args(words))?)?;
    let (tree, changed) = side("stock")?;
    let script = root().join("xtask/src/bench/stock_pillars.py");
    let mut python = Command::new(stock.join("3006.28/bin/python"));
    let theirs = read(&output(python.arg(script).args([&tree, &changed, &SAMPLE.to_string()]))?)?;
    if ours["pillars"] != theirs["pillars"] {
        return Err("the pillars differ".into());
    }
    let of = |side: &Value, what: &str| side[what].as_f64().unwrap_or(f64::NAN);
    for (what, own, other) in
        [("cold", "cold", "each"), ("again", "warm", "changed"), ("one file changed", "changed", "changed")]
    {
        let (own, other) = (of(&ours, own), of(&theirs, other) * MINIONS as f64);
        println!(
            "{:<42} {:>11.0} ms {:>17.0} ms ({:.0} x)",
            format!("pillar of {MINIONS} minions, {what}"),
            own,
            other,
            other / own
        );
    }
    Ok(())
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text.trim()).map_err(|e| e.to_string())
}

/// The tree: most files read a grain or two, some nothing, one in ten the minion's id.
fn write(tree: &Path) -> std::io::Result<()> {
    let mut top = String::from("base:\n");
    for (grain, values, files) in FOLDERS {
        for value in 0..values {
            let folder = format!("{grain}{value}");
            fs::create_dir_all(tree.join(&folder))?;
            let _ = if grain == "common" {
                writeln!(top, "  '*':")
            } else {
                writeln!(top, "  '{grain}:{folder}':\n    - match: grain")
            };
            for n in 0..files {
                let _ = writeln!(top, "    - {folder}.f{n}");
                fs::write(tree.join(&folder).join(format!("f{n}.sls")), sls(&folder, n))?;
            }
        }
    }
    fs::write(tree.join("top.sls"), top)
}

fn sls(folder: &str, n: usize) -> String {
    let mut text =
        format!("{{% set names = ['alpha', 'beta', 'gamma', 'delta'] %}}\n{folder}:\n  part{n}:\n");
    match n % 10 {
        0 => text.push_str("    owner: {{ grains['id'] }}\n"),
        1..=5 => text.push_str("    place: {{ grains.dc }}\n    system: {{ grains.get('os') | upper }}\n"),
        _ => text.push_str("    static: true\n"),
    }
    text.push_str("{% for name in names %}\n    {{ name }}:\n");
    for key in 0..8 {
        let _ = writeln!(
            text,
            "      key{key}: {{{{ name }}}}-{key}\n      list{key}: [{key}, two, {{a: {key}}}]"
        );
    }
    text.push_str("{% endfor %}\n");
    text
}
