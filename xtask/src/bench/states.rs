//! State runs measured beside stock: whole programs, as a user waits for them, without a master and (the converged run) on a
//! minion that is up.

use super::{Side, median};
use crate::fleet::Fleet;
use crate::run::{Result, cargo, output, run};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Files that are managed, half of them templates.
const FILES: usize = 1_000;
/// Chunks of the highstate.
const CHUNKS: usize = 300;
/// Links of the chain of requisites.
const CHAIN: usize = 5_000;

/// What was measured of a side, in seconds.
struct Numbers {
    name: &'static str,
    rows: Vec<f64>,
}

const ROWS: [&str; 6] = [
    "1,000 file.managed, cold",
    "1,000 file.managed, converged",
    "the same, on a running minion",
    "1,000 file.managed, test=True",
    "a highstate of 300 chunks, converged",
    "a chain of 5,000 requisites",
];

/// Measures and prints.
pub(super) fn bench(stock: &Path, runs: usize) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--bins"]))?;
    let mut all = Vec::new();
    for side in &super::sides(stock) {
        eprintln!("measuring states of {} ({runs} runs)", side.name);
        all.push(measure(side, runs)?);
    }
    println!("{:<42} {:>14} {:>24} {:>24}", "states, median", all[0].name, all[1].name, all[2].name);
    for (at, what) in ROWS.iter().enumerate() {
        let ours = all[0].rows[at];
        let cell = |n: &Numbers| match n.rows[at] {
            seconds if seconds.is_nan() => "fails".to_owned(),
            seconds => format!("{:.2} s ({:.0} x)", seconds, seconds / ours),
        };
        let own = format!("{:.0} ms", ours * 1e3);
        println!("{what:<42} {own:>14} {:>24} {:>24}", cell(&all[1]), cell(&all[2]));
    }
    Ok(())
}

/// Writes the trees below `srv`; what they manage is below `to`.
fn plant(srv: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(srv.join("src"))?;
    let mut sls = String::new();
    for i in 0..FILES {
        let template = if i % 2 == 0 { "" } else { "    - template: jinja\n    - context: {number: 7}\n" };
        let body = if i % 2 == 0 {
            format!("# file {i}\nlisten = 0.0.0.0:{}\n", 1000 + i).repeat(12)
        } else {
            format!(
                "# file {i} of {{{{ grains.id }}}}\n{{% for n in range(number) %}}line {{{{ n }}}} of {i}\n{{% endfor %}}\n"
            )
        };
        fs::write(srv.join(format!("src/{i}")), body)?;
        let _ = write!(
            sls,
            "{}/conf/{i}:\n  file.managed:\n    - source: salt://src/{i}\n    - mode: '0644'\n    - makedirs: true\n{template}",
            to.display()
        );
    }
    fs::write(srv.join("files.sls"), sls)?;
    let mut sls = String::new();
    for i in 0..CHUNKS / 3 {
        let _ = write!(
            sls,
            "{to}/dir{i}:\n  file.directory:\n    - makedirs: true\n{to}/dir{i}/a:\n  file.managed:\n    - contents: 'number {i}'\n    \
             - require:\n      - file: {to}/dir{i}\nrun{i}:\n  test.succeed_without_changes:\n    - watch:\n      - file: {to}/dir{i}/a\n",
            to = to.display()
        );
    }
    fs::write(srv.join("chunks.sls"), sls)?;
    fs::write(srv.join("top.sls"), "base: {'*': [chunks]}\n")?;
    let mut sls = "c0: {test.nop: []}\n".to_owned();
    // The last needs the one before it, and so on: each is written before what it needs.
    for i in (1..CHAIN).rev() {
        let _ = writeln!(sls, "c{i}: {{test.nop: [{{require: [{{test: c{}}}]}}]}}", i - 1);
    }
    fs::write(srv.join("chain.sls"), sls)
}

fn measure(side: &Side, runs: usize) -> Result<Numbers> {
    let io = |e: std::io::Error| e.to_string();
    let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(io)?;
    let fleet = Fleet::new(dir.path(), &side.bin)?;
    let (srv, to) = (dir.path().join("srv"), dir.path().join("to"));
    plant(&srv, &to).map_err(io)?;
    let roots = format!("file_roots: {{base: [{}]}}", srv.display());
    for file in ["etc/minion", "etc/master"] {
        fleet.configure(file, &roots)?;
    }
    let local = |words: &[&str]| -> Result<f64> {
        let began = Instant::now();
        output(
            fleet.command("salt-call").args(["--local", "--out=quiet", "--retcode-passthrough"]).args(words),
        )?;
        Ok(began.elapsed().as_secs_f64())
    };
    let many = |words: &[&str]| -> Result<f64> {
        Ok(median((0..runs).map(|_| local(words)).collect::<Result<_>>()?))
    };
    // Python's byte code and the page cache are warm.
    local(&["test.ping"])?;
    let mut cold = Vec::new();
    for _ in 0..runs {
        let _gone = fs::remove_dir_all(to.join("conf"));
        cold.push(local(&["state.apply", "files"])?);
    }
    if fs::read_dir(to.join("conf")).map_err(io)?.count() != FILES {
        return Err(format!("{}: not all files were made", side.name));
    }
    let converged = many(&["state.apply", "files"])?;
    let tested = many(&["state.apply", "files", "test=True"])?;
    local(&["state.apply"])?;
    let highstate = many(&["state.apply"])?;
    // Stock's recursion may end at Python's limit.
    let chain = many(&["state.apply", "chain"]).unwrap_or_else(|e| {
        eprintln!("{}: the chain: {}", side.name, e.lines().next().unwrap_or_default());
        f64::NAN
    });
    let _daemons = fleet.up()?;
    let mut up = Vec::new();
    for i in 0..=runs {
        let began = Instant::now();
        output(fleet.command("salt").args(["-t", "300", "--out=quiet", "demo", "state.apply", "files"]))?;
        if i > 0 {
            up.push(began.elapsed().as_secs_f64());
        }
    }
    Ok(Numbers { name: side.name, rows: vec![median(cold), converged, median(up), tested, highstate, chain] })
}
