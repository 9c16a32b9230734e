//! What a burst of events costs jobs: the time of `salt demo test.ping` idle and while 100,000 events come that five rules look at, with
//! alerts, whose one sink is dead, and without; and the master's memory before, during and after.

use super::{median, tree_memory};
use crate::fleet::Fleet;
use crate::run::{Result, cargo, output, run, target_dir};

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const EVENTS: usize = 100_000;
/// Events come from so many minions, each tenth of them a failure.
const MINIONS: usize = 1000;

/// Five rules that all look at every event of the burst, and a sink that nobody answers.
fn rules() -> String {
    let rule = |n: usize| {
        format!(
            "{{alert: Burst{n}, tag: 'site/*/backup', when: 'data.code != 0 and data.n % 5 == {n}', labels: {{host: '{{{{ data.host }}}}'}}, \
             summary: 'backup of {{{{ data.host }}}}: {{{{ data.code }}}}', group: [host], resolve_after: 10m}}"
        )
    };
    let rules = (0..5).map(rule).collect::<Vec<_>>().join(", ");
    // Nobody listens on the port of discarded words.
    format!("alerts: {{rules: [{rules}], sinks: {{dead: {{kind: webhook, url: 'http://127.0.0.1:9/'}}}}}}")
}

struct Numbers {
    idle: f64,
    burst: f64,
    worst: f64,
    jobs: usize,
    /// Seconds until the master had taken the last event.
    taken: f64,
    memory: [f64; 3],
}

/// `cargo xtask bench RUNS alerts`.
pub(super) fn bench(runs: usize) -> Result {
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--bins"]))?;
    let without = measure(runs, None)?;
    let with = measure(runs, Some(&rules()))?;
    println!("{EVENTS} events in a burst, five rules, one dead sink, job latency (salt demo test.ping)");
    println!("{:<44} {:>14} {:>14}", "", "no alerts", "alerts");
    let row = |what: &str, get: &dyn Fn(&Numbers) -> String| {
        println!("{what:<44} {:>14} {:>14}", get(&without), get(&with));
    };
    row("idle, median", &|n| format!("{:.1} ms", n.idle * 1e3));
    row("during the burst, median", &|n| format!("{:.1} ms", n.burst * 1e3));
    row("during the burst, of idle", &|n| format!("{:.2} x", n.burst / n.idle));
    row("during the burst, worst", &|n| format!("{:.1} ms", n.worst * 1e3));
    row("jobs during the burst", &|n| n.jobs.to_string());
    row("the burst, until taken", &|n| format!("{:.1} s", n.taken));
    row("master's memory before", &|n| format!("{:.1} MB", n.memory[0] * 1e-3));
    row("master's memory, most during the burst", &|n| format!("{:.1} MB", n.memory[1] * 1e-3));
    row("master's memory after", &|n| format!("{:.1} MB", n.memory[2] * 1e-3));
    Ok(())
}

fn measure(runs: usize, alerts: Option<&str>) -> Result<Numbers> {
    let dir = tempfile::Builder::new().prefix("brine-bench-").tempdir().map_err(|e| e.to_string())?;
    let fleet = Fleet::new(dir.path(), &target_dir("release"))?;
    if let Some(line) = alerts {
        fleet.configure("etc/master", line)?;
    }
    let (master, _minion) = fleet.up()?;
    let ping = || -> Result<f64> {
        let began = Instant::now();
        output(fleet.command("salt").args(["demo", "test.ping", "--out=txt"]))?;
        Ok(began.elapsed().as_secs_f64())
    };
    ping()?;
    let idle = (0..runs.max(5) * 4).map(|_| ping()).collect::<Result<Vec<f64>>>()?;
    let before = tree_memory(master.id());
    let socket = dir.path().join("run/master/master_event_pull.ipc");
    let over = AtomicBool::new(false);
    let (mut times, mut most, mut taken) = (Vec::new(), before, 0.0);
    let began = Instant::now();
    std::thread::scope(|scope| -> Result {
        let burst = scope.spawn(|| {
            let done = fire(&socket);
            over.store(true, Ordering::Relaxed);
            done.map(|()| began.elapsed().as_secs_f64())
        });
        while !over.load(Ordering::Relaxed) || times.len() < 5 {
            times.push(ping()?);
            most = most.max(tree_memory(master.id()));
        }
        taken = burst.join().map_err(|_| "the burst panicked".to_owned())?.map_err(|e| e.to_string())?;
        Ok(())
    })?;
    // What waits is looked at, and given back.
    std::thread::sleep(Duration::from_secs(10));
    let worst = times.iter().copied().fold(0.0, f64::max);
    let memory = [before, most, tree_memory(master.id())];
    Ok(Numbers { idle: median(idle), burst: median(times.clone()), worst, jobs: times.len(), taken, memory })
}

/// Fires all events, as fast as the bus takes them.
fn fire(socket: &Path) -> std::io::Result<()> {
    let mut stream = std::io::BufWriter::with_capacity(64 << 10, UnixStream::connect(socket)?);
    for n in 0..EVENTS {
        let host = format!("m{}", n % MINIONS);
        let code = u8::from(n % 10 == 0);
        let mut body = format!("site/{host}/backup\n\n").into_bytes();
        // A map of four, in msgpack: short texts, small numbers, and one of 32 bits.
        body.push(0x84);
        for (key, value) in [("host", text(&host)), ("code", vec![code]), ("log", text(&"x".repeat(150)))] {
            body.extend(text(key));
            body.extend(value);
        }
        body.extend(text("n"));
        body.push(0xce);
        body.extend(u32::try_from(n).unwrap_or(0).to_be_bytes());
        let mut frame = vec![0x82];
        frame.extend(text("head"));
        frame.push(0x80);
        frame.extend(text("body"));
        frame.push(0xc5);
        frame.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
        frame.extend(body);
        stream.write_all(&frame)?;
    }
    stream.flush()
}

/// A text of at most 255 bytes in msgpack.
fn text(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len()).unwrap_or(0);
    let mut out = if len < 32 { vec![0xa0 | len] } else { vec![0xd9, len] };
    out.extend(text.as_bytes());
    out
}
