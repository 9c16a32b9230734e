//! Two hundred people at once: each runs `salt` against fifty minions with an argument of his own, and gets fifty answers to
//! it and none to another's. The minions are the swarm's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side};

const MINIONS: usize = 50;
const PEOPLE: usize = 200;

/// The simulated minions; they end with the value.
struct Swarm(Child);

impl Swarm {
    fn start(fleet: &Fleet) -> Result<Swarm> {
        let key = fleet.path("swarm.pem");
        swarm(&["-", "1", "1", "0"], &key).status()?;
        let accepted = fleet.path("pki/master/minions");
        fs::create_dir_all(&accepted)?;
        for n in 1..=MINIONS {
            fs::copy(key.with_extension("pem.pub"), accepted.join(format!("s{n:04}")))?;
        }
        let port = |port: u16| port.to_string();
        let (request, publish) = (port(fleet.settings.ret_port), port(fleet.settings.publish_port));
        let mut words = swarm(&["127.0.0.1", &request, &publish, &MINIONS.to_string()], &key);
        let mut child = words.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("the swarm has no output")?;
        let swarm = Swarm(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        same("the swarm's word", line.trim(), "ready")?;
        Ok(swarm)
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn swarm(words: &[&str], key: &Path) -> Command {
    let mut swarm = Command::new(env!("CARGO_BIN_EXE_swarm"));
    swarm.args(words).arg(key);
    swarm
}

/// One person's command: how long it took, after its answers were looked through.
fn ask(fleet: &Fleet, n: usize) -> Result<Duration> {
    let own = format!("token-{n}-{}", "x".repeat(n % 7));
    let mut salt = command(None, &Side::Ours.program("salt")?);
    salt.arg("-c").arg(fleet.path("etc")).args(["--out=txt", "-t", "60", "s*", "test.echo", &own]);
    let began = Instant::now();
    let ran = salt.stdin(Stdio::null()).output()?;
    let took = began.elapsed();
    let text = String::from_utf8_lossy(&ran.stdout);
    let right = text.lines().filter(|line| line.split_once(": ").is_some_and(|(_, got)| got == own)).count();
    hold(right == MINIONS && text.lines().count() == MINIONS, || {
        format!("{own}: {right} right answers in\n{text}")
    })?;
    Ok(took)
}

#[test]
fn every_answer_reaches_its_caller_and_no_other() -> Result {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    fleet.start_master()?;
    let _swarm = Swarm::start(&fleet)?;
    let fleet = &fleet;
    let began = Instant::now();
    let mut times = std::thread::scope(|scope| {
        let people: Vec<_> = (0..PEOPLE).map(|n| scope.spawn(move || ask(fleet, n))).collect();
        people.into_iter().map(|p| p.join().map_err(|_| "a thread has panicked")?).collect::<Result<Vec<_>>>()
    })?;
    times.sort_unstable();
    let at = |percent: usize| times.get(PEOPLE * percent / 100).copied().unwrap_or_default();
    eprintln!(
        "     {PEOPLE} commands at once, {MINIONS} minions: p50 {:.2?}, p99 {:.2?}, all within {:.2?}",
        at(50),
        at(99),
        began.elapsed()
    );
    Ok(())
}
