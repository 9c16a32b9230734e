//! A return of 64 MiB where stock manages that, with `max_event_size` raised on both sides as stock needs it; and what is
//! shown of a large return without that.

use brine_interop_tests::cases::returns;
use brine_interop_tests::{Fleet, Result, Side};

/// What 3006.28 takes.
const BIG: usize = 64 << 20;
/// 3008.3 loses a return of 64 MiB, from its own minion too.
const FOR_3008: usize = 16 << 20;

fn play(master: &str, minion: &str, size: usize) -> Result {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    fleet.settings.master_lines.push("max_event_size: 200000000".into());
    fleet.settings.minion_lines.push("max_event_size: 200000000".into());
    let fleet = fleet.start_accepted()?;
    returns::sized(&fleet, size)
}

/// With `max_event_size` as it is by default on the master, `salt` is told that there was more.
fn cut(master: &str, minion: &str) -> Result {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    // So that it is the master who cuts.
    fleet.settings.minion_lines.push("max_event_size: 200000000".into());
    returns::cut(&fleet.start_accepted()?)
}

#[test]
fn what_is_too_large_is_cut_by_stock_3006() -> Result {
    cut("3006", "3006")
}

#[test]
fn what_is_too_large_is_cut_by_ours() -> Result {
    cut("ours", "3006")?;
    cut("ours", "ours")
}

#[test]
fn stock_3006_x_stock_3006() -> Result {
    play("3006", "3006", BIG)
}

#[test]
fn stock_3006_x_ours() -> Result {
    play("3006", "ours", BIG)
}

#[test]
fn stock_3008_x_stock_3008() -> Result {
    play("3008", "3008", FOR_3008)
}

#[test]
fn stock_3008_x_ours() -> Result {
    play("3008", "ours", FOR_3008)
}

#[test]
fn ours_x_stock_3006() -> Result {
    play("ours", "3006", BIG)
}

#[test]
fn ours_x_ours() -> Result {
    play("ours", "ours", BIG)
}
