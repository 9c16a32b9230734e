//! Files measured beside stock: a master and its minion's `salt-call`, ours and stock's: one large file, a listing of many,
//! many clients at once. Times are those of whole programs, as a user waits for them.

use super::{Side, median};
use crate::fleet::Fleet;
use crate::run::{Result, cargo, output, run, target_dir};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Bytes of the large file.
const LARGE: u64 = 1 << 30;
/// Folders with files in them, and how many each has: the tree that is listed.
const FOLDERS: usize = 10_000;
const EACH: usize = 5;
/// Small files that each client takes.
const SMALL: usize = 1_000;
/// Clients at once.
const CLIENTS: usize = 100;
/// Of stock's as many as are run; the time of all is reckoned from theirs.
const SAMPLE: usize = 4;

/// What was measured of a side, in seconds.
struct Numbers {
    large: f64,
    list_first: f64,
    list_again: f64,
    clients: f64,
}

/// Measures and prints.
pub(super) fn bench(stock: &Path, runs: usize) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--bins"]))?;
    let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
    let tree = dir.path().join("tree");
    plant(&tree).map_err(|e| format!("{}: {e}", tree.display()))?;
    let ours = Side { name: "ours", bin: target_dir("release") };
    let theirs = Side { name: "stock 3006.28", bin: stock.join("3006.28/bin") };
    let mut rows = Vec::new();
    for (side, clients) in [(&ours, CLIENTS), (&theirs, SAMPLE)] {
        eprintln!("measuring files of {} ({runs} runs)", side.name);
        rows.push(measure(side, dir.path(), &tree, runs, clients)?);
    }
    let (ours, theirs) = (&rows[0], &rows[1]);
    println!("{:<42} {:>14} {:>24}", "files, median", "ours", "stock 3006.28");
    let row = |what: &str, ours: f64, theirs: f64| {
        let theirs = format!("{theirs:.2} s ({:.0} x)", theirs / ours);
        println!("{what:<42} {:>14} {theirs:>24}", format!("{ours:.2} s"));
    };
    row("a file of 1 GiB", ours.large, theirs.large);
    row("a list of 50,000 files, the first", ours.list_first, theirs.list_first);
    row("a list of 50,000 files, again", ours.list_again, theirs.list_again);
    row(&format!("{CLIENTS} clients, {SMALL} files each (*)"), ours.clients, theirs.clients);
    println!("(*) of stock's {SAMPLE} were run at once, and the time multiplied by {}", CLIENTS / SAMPLE);
    Ok(())
}

/// Makes the tree that both masters serve.
fn plant(tree: &Path) -> std::io::Result<()> {
    fs::create_dir_all(tree.join("small"))?;
    let block: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut large = File::create(tree.join("large"))?;
    for i in 0..LARGE >> 20 {
        large.write_all(&i.to_le_bytes())?;
        large.write_all(&block[8..])?;
    }
    for i in 0..SMALL {
        fs::write(tree.join(format!("small/{i}")), format!("file {i}\n").repeat(100))?;
    }
    for folder in 0..FOLDERS {
        let at = tree.join(format!("many/{}/{}", folder / 100, folder % 100));
        fs::create_dir_all(&at)?;
        for i in 0..EACH {
            fs::write(at.join(i.to_string()), "")?;
        }
    }
    Ok(())
}

fn measure(side: &Side, dir: &Path, tree: &Path, runs: usize, clients: usize) -> Result<Numbers> {
    let home = dir.join(side.name.replace(' ', "-"));
    fs::create_dir(&home).map_err(|e| e.to_string())?;
    let fleet = Fleet::new(&home, &side.bin)?;
    fleet
        .configure("etc/master", &format!("auto_accept: true\nfile_roots: {{base: [{}]}}", tree.display()))?;
    let (_master, minion) = fleet.up()?;
    // What follows is asked by salt-call, under the same key.
    drop(minion);
    let timed = |args: &[&str]| -> Result<f64> {
        let began = Instant::now();
        output(fleet.command("salt-call").args(args))?;
        Ok(began.elapsed().as_secs_f64())
    };
    let list = ["cp.list_master", "prefix=many", "--out=json"];
    let list_first = timed(&list)?;
    let mut again = Vec::new();
    for _ in 0..runs {
        again.push(timed(&list)?);
    }
    let to = home.join("large");
    let mut large = Vec::new();
    for _ in 0..runs.min(3) {
        large.push(timed(&["cp.get_file", "salt://large", &to.display().to_string()])?);
        fs::remove_file(&to).map_err(|e| e.to_string())?;
    }
    let clients = at_once(side, &home, clients)? * (CLIENTS / clients) as f64;
    Ok(Numbers { large: median(large), list_first, list_again: median(again), clients })
}

/// How long so many clients take that begin together: minions, each with a name, a key and a cache of its own.
fn at_once(side: &Side, home: &Path, clients: usize) -> Result<f64> {
    let config = fs::read_to_string(home.join("etc/minion")).map_err(|e| e.to_string())?;
    let mut commands = Vec::new();
    for i in 0..clients {
        let own = home.join(format!("client-{i}"));
        fs::create_dir(&own).map_err(|e| e.to_string())?;
        let mine = [
            ("id:", format!("id: client-{i}\nkeysize: 2048")),
            ("cachedir:", format!("cachedir: {}", own.join("cache").display())),
            ("pki_dir:", format!("pki_dir: {}", own.join("pki").display())),
        ];
        let lines: Vec<_> = config
            .lines()
            .map(|line| mine.iter().find(|(key, _)| line.starts_with(key)).map_or(line, |(_, own)| own))
            .collect();
        fs::write(own.join("minion"), lines.join("\n")).map_err(|e| e.to_string())?;
        let call = |words: &[&str]| {
            let mut command = Command::new(side.bin.join("salt-call"));
            command.arg("-c").arg(&own).args(words).arg("--out=quiet");
            command
        };
        // Its key is made and accepted before the time is taken.
        output(&mut call(&["test.ping"]))?;
        commands.push(call(&["cp.cache_dir", "salt://small"]));
    }
    let began = Instant::now();
    let mut running = Vec::new();
    for mut command in commands {
        running.push(command.stdout(Stdio::null()).spawn().map_err(|e| e.to_string())?);
    }
    for mut child in running {
        let status = child.wait().map_err(|e| e.to_string())?;
        if !status.success() {
            return Err(format!("a client of {} ended: {status}", side.name));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let last = home.join(format!("client-{}/cache/files/base/small", clients - 1));
    let there = fs::read_dir(&last).map_or(0, Iterator::count);
    if there == SMALL { Ok(seconds) } else { Err(format!("{}: {there} of {SMALL} files", last.display())) }
}
