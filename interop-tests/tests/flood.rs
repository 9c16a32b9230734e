//! Strangers at the door: while a crowd sends garbage, huge frames and `_auth` requests as fast as it can, the jobs of
//! those who belong there go on, and the master does not grow. The short test only sees to that; the long one, run by
//! `cargo xtask soak`, measures it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::hold;
use brine_interop_tests::netns::sys;
use brine_interop_tests::{Failure, Fleet, Result, Side};

/// Real keys, each used under many ids.
const KEYS: u32 = 8;

/// What was measured.
#[derive(Debug)]
struct Seen {
    before: Vec<Duration>,
    during: Vec<Duration>,
    /// Growth of the master's resident memory at its worst, in kB.
    growth: u64,
    told: String,
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Resident memory of a process now, in kB.
fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let number = line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok());
    number.ok_or_else(|| "the master has no memory".into())
}

/// Runs `salt m1 test.ping` again and again for `span`, with the clock on each; every one must be answered.
fn jobs(fleet: &Fleet, span: Duration, mut between: impl FnMut() -> Result) -> Result<Vec<Duration>> {
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < span {
        let mut salt = command(None, &Side::Ours.program("salt")?);
        salt.arg("-c").arg(fleet.path("etc")).args(["--out=json", "-t", "10", "m1", "test.ping"]);
        let began = Instant::now();
        let ran = salt.stdin(Stdio::null()).output()?;
        times.push(began.elapsed());
        hold(String::from_utf8_lossy(&ran.stdout).contains("true"), || {
            format!("job {} has no answer: {ran:?}", times.len())
        })?;
        between()?;
    }
    Ok(times)
}

fn start_flood(fleet: &Fleet, span: Duration) -> Result<Child> {
    let keys = fleet.path("keys");
    fs::create_dir_all(&keys)?;
    for n in 0..KEYS {
        let private = fleet.path("private.pem").display().to_string();
        sys(&["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", &private])?;
        let public = keys.join(format!("{n}.pem")).display().to_string();
        sys(&["openssl", "pkey", "-in", &private, "-pubout", "-out", &public])?;
    }
    // The true key of a true minion is no secret either.
    fs::copy(fleet.path("m1/pki/minion.pub"), keys.join("m1.pem"))?;
    let mut flood = Command::new("nice");
    flood.args(["-n", "19", env!("CARGO_BIN_EXE_flood"), &fleet.settings.address]);
    flood.args([fleet.settings.ret_port.to_string(), fleet.settings.publish_port.to_string()]);
    flood.arg(span.as_secs().to_string()).arg(keys).stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(flood.spawn()?)
}

fn flood(span: Duration) -> Result<Seen> {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    fleet.cli = Side::Ours;
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    fleet.wait_key("minions_pre", "m1")?;
    fleet.salt_key(&["-y", "-a", "m1"])?.ok()?;
    fleet.wait_ping("m1", brine_interop_tests::fleet::START)?;
    let before = jobs(&fleet, span, || Ok(()))?;
    let pid = fleet.master_daemon()?.pid();
    let at_rest = resident(pid)?;
    // It goes on a little longer than it is watched.
    let flood = start_flood(&fleet, span + Duration::from_secs(2))?;
    let mut peak = at_rest;
    let during = jobs(&fleet, span, || {
        peak = peak.max(resident(pid)?);
        Ok(())
    });
    let told = String::from_utf8_lossy(&flood.wait_with_output()?.stdout).into_owned();
    let during = during.map_err(|e| Failure(format!("{e}\n{told}\n{}", fleet.logs())))?;
    Ok(Seen { before, during, growth: peak.saturating_sub(at_rest), told })
}

fn report(seen: &mut Seen) {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    for (name, times) in [("before", &mut seen.before), ("during", &mut seen.during)] {
        eprintln!(
            "     {name}: {} jobs, median {:.1} ms, p99 {:.1} ms",
            times.len(),
            ms(percentile(times, 50)),
            ms(percentile(times, 99))
        );
    }
    eprintln!("     the master grew by {:.1} MB; {}", seen.growth as f64 / 1024.0, seen.told.trim());
}

#[test]
fn jobs_go_on_in_a_short_flood() -> Result {
    let mut seen = flood(Duration::from_secs(5))?;
    report(&mut seen);
    hold(seen.growth < 64 << 10, || format!("the master grew by {} kB", seen.growth))
}

#[test]
#[ignore = "a minute, and needs a quiet machine; run by cargo xtask soak"]
fn a_flood_at_most_doubles_the_time_of_a_job() -> Result {
    let mut seen = flood(Duration::from_secs(30))?;
    report(&mut seen);
    let (before, during) = (percentile(&mut seen.before, 99), percentile(&mut seen.during, 99));
    hold(seen.growth < 32 << 10, || format!("the master grew by {} kB", seen.growth))?;
    hold(during <= before * 2, || format!("p99 of a job {before:?} before, {during:?} during"))
}
