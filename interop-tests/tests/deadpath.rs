//! The path between master and minion dies in the ways real ones do, in network namespaces. Our
//! minion must find out by itself and answer a job within 10 s of the path's return; stock's is
//! measured beside it and printed.
//!
//! `BRINE_CUTS=50` makes as many cuts as one wants for a percentile.

use std::env;
use std::time::{Duration, SystemTime};

use brine_interop_tests::beat::Beat;
use brine_interop_tests::failure::hold;
use brine_interop_tests::netns::{Cable, MASTER, MINION, MINION_MOVED};
use brine_interop_tests::wait::let_pass;
use brine_interop_tests::{Failure, Fleet, Result, Side};

/// How soon after the path's return an answer must come.
const LIMIT: Duration = Duration::from_secs(10);

/// A way to lose the path.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Packets vanish.
    Drop,
    /// The minion's interface goes down.
    Link,
    /// The minion's address changes, without any loss.
    Move,
    /// Packets vanish, and the minion has another address when they pass again.
    DropAndMove,
}

/// The cuts of the routine run, and how long each lasts in seconds.
const ROUTINE: [(Cut, u64); 5] =
    [(Cut::Drop, 3), (Cut::Link, 3), (Cut::Move, 0), (Cut::DropAndMove, 5), (Cut::Drop, 15)];

fn cuts() -> Vec<(Cut, u64)> {
    let number = env::var("BRINE_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUTINE.len());
    // Lengths that differ from round to round: heartbeats and back-off are met in every phase.
    (0..number).map(|i| (ROUTINE[i % 5].0, if i < 5 { ROUTINE[i].1 } else { (i as u64 * 7) % 19 })).collect()
}

/// Makes one cut; gives the moment the path was back.
fn make(cable: &Cable, cut: Cut, seconds: u64, address: &mut &'static str) -> Result<SystemTime> {
    let span = Duration::from_secs(seconds);
    let other = if *address == MINION { MINION_MOVED } else { MINION };
    match cut {
        Cut::Drop | Cut::DropAndMove => cable.drop_packets()?,
        Cut::Link => cable.set_link(false)?,
        Cut::Move => {}
    }
    let_pass(span);
    if matches!(cut, Cut::Move | Cut::DropAndMove) {
        cable.move_minion(other)?;
        *address = other;
    }
    match cut {
        Cut::Drop | Cut::DropAndMove => cable.pass_packets()?,
        Cut::Link => cable.set_link(true)?,
        Cut::Move => {}
    }
    Ok(SystemTime::now())
}

/// Cuts the path again and again; gives the recovery times, `None` for none within the limit.
fn measure(
    master: Side,
    minion: Side,
    cuts: &[(Cut, u64)],
    limit: Duration,
) -> Result<Vec<Option<Duration>>> {
    let cable = Cable::lay()?;
    let mut fleet = Fleet::new(master, minion)?;
    fleet.settings.address = MASTER.into();
    fleet.settings.hasty = false;
    fleet.settings.minion_lines.push("acceptance_wait_time: 1".into());
    fleet.master_netns = Some(cable.master.clone());
    fleet.minion_netns = Some(cable.minion.clone());
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    fleet.wait_key("minions_pre", "m1")?;
    fleet.salt_key(&["-y", "-a", "m1"])?.ok()?;
    fleet.wait_ping("m1", Duration::from_secs(40))?;
    let beat = Beat::start(&fleet, "m1")?;
    let mut address = MINION;
    let mut times = Vec::new();
    for &(cut, seconds) in cuts {
        let back = make(&cable, cut, seconds, &mut address)?;
        let took = beat.answer_after(back, limit)?;
        let shown = took.map_or_else(
            || format!("none within {} s", limit.as_secs()),
            |t| format!("{:.2} s", t.as_secs_f64()),
        );
        eprintln!("     master {master} x minion {minion}: {cut:?} for {seconds} s: answer after {shown}");
        times.push(took);
        if took.is_none() {
            eprintln!("{}", fleet.logs());
            break;
        }
    }
    Ok(times)
}

fn ours_on(master: &str) -> Result {
    let times = measure(Side::parse(master)?, Side::Ours, &cuts(), LIMIT)?;
    let lost = times.iter().filter(|t| t.is_none()).count();
    let mut sorted: Vec<Duration> = times.into_iter().flatten().collect();
    sorted.sort();
    // The nearest rank: with fewer than a hundred cuts p99 is the worst.
    let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1));
    if let (Some(median), Some(most), Some(worst)) = (rank(50), rank(99), sorted.last()) {
        eprintln!("     {} cuts: p50 {median:.2?}, p99 {most:.2?}, max {worst:.2?}", sorted.len());
    }
    hold(lost == 0, || format!("no answer within {LIMIT:?} after a cut"))
}

#[test]
fn ours_on_stock_3006() -> Result {
    ours_on("3006")
}

#[test]
fn ours_on_stock_3007() -> Result {
    ours_on("3007")
}

#[test]
fn ours_on_stock_3008() -> Result {
    ours_on("3008")
}

#[test]
fn ours_on_ours() -> Result {
    ours_on("ours")
}

/// Stock's own minion, for comparison; a short silence it must survive, the change of its address
/// it does not notice for minutes, which also shows that these tests can fail.
#[test]
fn stock_3006_on_itself() -> Result {
    let stock = Side::parse("3006")?;
    let cuts = [(Cut::Drop, 3), (Cut::Link, 3), (Cut::Move, 0)];
    let times = measure(stock, stock, &cuts, Duration::from_secs(20))?;
    match times.as_slice() {
        [Some(_), Some(_), None] => Ok(()),
        other => Err(Failure(format!("stock behaves otherwise than measured before: {other:?}"))),
    }
}
