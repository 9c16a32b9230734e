//! Ours and stock Salt measured in one run: medians and ratios, printed. Never an assertion: machines are noisy.

mod alerts;
mod files;
mod inventory;
mod inventory_pillar;
mod pillars;
mod rendering;
mod states;

use crate::fleet::Fleet;
use crate::run::{Result, cargo, run, target_dir};
use crate::setup;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One implementation to be measured.
struct Side {
    name: &'static str,
    bin: PathBuf,
}

/// What was measured of a side; times in seconds, memory in kB.
struct Numbers {
    call: f64,
    call_memory: f64,
    start: f64,
    ping: f64,
    master_idle: f64,
    minion_idle: f64,
}

/// `cargo xtask bench [RUNS] [rendering|files|pillar|pillar-inventory|states|inventory|alerts]`.
pub(crate) fn bench(args: &[String]) -> Result {
    let runs: usize = args.first().and_then(|a| a.parse().ok()).unwrap_or(5);
    let stock = setup::setup()?;
    match args.get(1).map(String::as_str) {
        Some("rendering") => return rendering::bench(&stock, runs),
        Some("files") => return files::bench(&stock, runs),
        Some("states") => return states::bench(&stock, runs),
        Some("pillar") => return pillars::bench(&stock),
        Some("pillar-inventory") => return inventory_pillar::bench(),
        Some("inventory") => return inventory::bench(runs),
        Some("alerts") => return alerts::bench(runs),
        Some(other) => {
            return Err(format!(
                "bench knows no part {other}: rendering, files, pillar, pillar-inventory, states, inventory, alerts"
            ));
        }
        None => {}
    }
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--bins"]))?;
    let mut rows = Vec::new();
    for side in &sides(&stock) {
        eprintln!("measuring {} ({runs} runs)", side.name);
        rows.push((side.name, measure(side, runs)?));
    }
    print(&rows);
    rendering::bench(&stock, runs)?;
    files::bench(&stock, runs)?;
    pillars::bench(&stock)?;
    inventory_pillar::bench()?;
    states::bench(&stock, runs)?;
    inventory::bench(runs)?;
    alerts::bench(runs)
}

/// Ours, and stock's oldest and newest release.
fn sides(stock: &Path) -> [Side; 3] {
    [
        Side { name: "ours", bin: target_dir("release") },
        Side { name: "stock 3006.28", bin: stock.join("3006.28/bin") },
        Side { name: "stock 3008.3", bin: stock.join("3008.3/bin") },
    ]
}

fn measure(side: &Side, runs: usize) -> Result<Numbers> {
    let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
    let fleet = Fleet::new(dir.path(), &side.bin)?;
    let mut call = Vec::new();
    let mut memory = Vec::new();
    // One run to warm the page cache and Python's byte code.
    for i in 0..=runs {
        let (seconds, kb) = timed(fleet.command("salt-call").args(["--local", "test.ping"]))?;
        if i > 0 {
            call.push(seconds);
            memory.push(kb);
        }
    }
    let began = Instant::now();
    let (master, minion) = fleet.up()?;
    let start = began.elapsed().as_secs_f64();
    let mut ping = Vec::new();
    for i in 0..=runs {
        let (seconds, _) = timed(fleet.command("salt").args(["demo", "test.ping"]))?;
        if i > 0 {
            ping.push(seconds);
        }
    }
    std::thread::sleep(Duration::from_secs(5));
    Ok(Numbers {
        call: median(call),
        call_memory: median(memory),
        start,
        ping: median(ping),
        master_idle: tree_memory(master.id()),
        minion_idle: tree_memory(minion.id()),
    })
}

/// Runs to success; returns wall seconds and peak memory in kB: GNU time's `%M`. (A parent's own size would be
/// counted too, so the parent must be as small as that program.)
fn timed(command: &mut Command) -> Result<(f64, f64)> {
    let mut probe = Command::new("/usr/bin/time");
    probe.args(["-f", "%M", "--"]).arg(command.get_program()).args(command.get_args());
    let began = Instant::now();
    let out = probe.output().map_err(|e| format!("/usr/bin/time: {e}"))?;
    let seconds = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&out.stderr);
    match (out.status.success(), text.lines().last().and_then(|l| l.trim().parse().ok())) {
        (true, Some(kb)) => Ok((seconds, kb)),
        _ => Err(format!("{:?}: {}\n{text}", command.get_program(), out.status)),
    }
}

/// Proportional memory in kB of a process and all below it: shared pages are counted once.
pub(crate) fn tree_memory(pid: u32) -> f64 {
    let mut total = pss(pid);
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
        total += tree_memory(child);
    }
    total
}

fn pss(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    text.lines()
        .find_map(|l| l.strip_prefix("Pss:"))
        .and_then(|l| l.split_whitespace().next())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0)
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(rows: &[(&str, Numbers)]) {
    type Get = fn(&Numbers) -> f64;
    let lines: [(&str, &str, f64, Get); 6] = [
        ("salt-call --local test.ping, time", "ms", 1e3, |n| n.call),
        ("salt-call --local test.ping, peak memory", "MB", 1e-3, |n| n.call_memory),
        ("salt ID test.ping, round trip", "ms", 1e3, |n| n.ping),
        ("start of both daemons to first answer", "s", 1.0, |n| n.start),
        ("master idle, all processes", "MB", 1e-3, |n| n.master_idle),
        ("minion idle, all processes", "MB", 1e-3, |n| n.minion_idle),
    ];
    println!("{:<42} {:>14} {:>24} {:>24}", "median", rows[0].0, rows[1].0, rows[2].0);
    for (what, unit, scale, get) in lines {
        let ours = get(&rows[0].1);
        let cell = |n: &Numbers| format!("{:.1} {unit} ({:.0} x)", get(n) * scale, get(n) / ours);
        println!(
            "{what:<42} {:>14} {:>24} {:>24}",
            format!("{:.1} {unit}", ours * scale),
            cell(&rows[1].1),
            cell(&rows[2].1)
        );
    }
}
