//! `salt '*' test.ping` with a thousand simulated minions, on our master and on stock's in one run. Prints; asserts nothing
//! but that every minion has answered.

use crate::fleet::Fleet;
use crate::run::{Result, cargo, output, run, target_dir};
use crate::setup;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Jobs on each master; the first is not counted.
const JOBS: usize = 5;

struct Numbers {
    name: &'static str,
    /// Seconds from the command's start to its end, all answers printed.
    seconds: f64,
    /// Processor seconds of the master, all its processes, for one job.
    cpu: f64,
    /// Proportional memory of the master in kB, after the jobs.
    memory: f64,
}

/// `cargo xtask swarm [COUNT]`.
pub(crate) fn swarm(args: &[String]) -> Result {
    let count: usize = args.first().and_then(|a| a.parse().ok()).unwrap_or(1000);
    let stock = setup::setup()?;
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--bins"]))?;
    let ours = target_dir("release");
    let program = ours.join("swarm");
    let mut rows = Vec::new();
    for (name, bin) in [("ours", ours), ("stock 3006.28", stock.join("3006.28/bin"))] {
        eprintln!("{name}: {count} minions");
        rows.push(measure(name, bin, &program, count)?);
    }
    print(count, &rows);
    Ok(())
}

fn measure(name: &'static str, bin: PathBuf, program: &Path, count: usize) -> Result<Numbers> {
    let io = |e: std::io::Error| e.to_string();
    let dir = tempfile::Builder::new().prefix("brine-swarm-").tempdir().map_err(io)?;
    let fleet = Fleet::new(dir.path(), &bin)?;
    let key = dir.path().join("swarm.pem");
    run(Command::new(program).args(["-", "1", "1", "0"]).arg(&key))?;
    let accepted = dir.path().join("pki/master/minions");
    std::fs::create_dir_all(&accepted).map_err(io)?;
    for n in 1..=count {
        std::fs::copy(dir.path().join("swarm.pem.pub"), accepted.join(format!("s{n:04}"))).map_err(io)?;
    }
    let master = fleet.start_master()?;
    let [publish, request] = fleet.ports;
    let began = Instant::now();
    let _swarm = Swarm::start(program, request, publish, count, &key)?;
    eprintln!("  all connected after {:.1} s", began.elapsed().as_secs_f64());
    let (mut times, mut work) = (Vec::new(), Vec::new());
    for n in 0..JOBS {
        let before = cpu_seconds(master.id());
        let began = Instant::now();
        let text = output(fleet.command("salt").args(["*", "test.ping", "--out=txt", "-t", "60"]))?;
        let seconds = began.elapsed().as_secs_f64();
        let answers = text.lines().filter(|line| line.ends_with(": True")).count();
        if answers != count {
            return Err(format!("{name}: {answers} of {count} answers"));
        }
        eprintln!("  job {n}: {seconds:.2} s");
        if n > 0 {
            times.push(seconds);
            work.push(cpu_seconds(master.id()) - before);
        }
    }
    Ok(Numbers {
        name,
        seconds: crate::bench::median(times),
        cpu: crate::bench::median(work),
        memory: crate::bench::tree_memory(master.id()),
    })
}

fn print(count: usize, rows: &[Numbers]) {
    println!("salt '*' test.ping, {count} minions, median of {} jobs", JOBS - 1);
    println!(
        "{:<16} {:>14} {:>12} {:>14} {:>12}",
        "master", "all answers", "answers/s", "master's CPU", "memory"
    );
    for n in rows {
        println!(
            "{:<16} {:>12.2} s {:>12.0} {:>12.2} s {:>9.1} MB",
            n.name,
            n.seconds,
            count as f64 / n.seconds,
            n.cpu,
            n.memory / 1e3
        );
    }
    if let [ours, stock] = rows {
        println!(
            "{:<16} {:>12.1} x {:>12} {:>12.1} x {:>9.1} x",
            "stock to ours",
            stock.seconds / ours.seconds,
            "",
            stock.cpu / ours.cpu,
            stock.memory / ours.memory
        );
    }
}

/// The program with the minions; ends with us.
struct Swarm(Child);

impl Swarm {
    fn start(program: &Path, request: u16, publish: u16, count: usize, key: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["127.0.0.1", &request.to_string(), &publish.to_string(), &count.to_string()])
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let out = child.stdout.take().ok_or("no output")?;
        let swarm = Self(child);
        match BufReader::new(out).lines().next() {
            Some(Ok(line)) if line == "ready" => Ok(swarm),
            _ => Err("the swarm did not get ready".into()),
        }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Processor seconds of a process and all below it so far, ended children included.
fn cpu_seconds(pid: u32) -> f64 {
    // After the name in parentheses: utime, stime, cutime, cstime are fields 12 to 15, in hundredths of a second.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(4);
    let own: f64 = fields.filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    own + children.split_whitespace().filter_map(|c| c.parse().ok()).map(cpu_seconds).sum::<f64>()
}
