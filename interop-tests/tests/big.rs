//! A return of 64 MiB, with `max_event_size` raised on both sides as stock needs it.

use brine_interop_tests::cases::returns;
use brine_interop_tests::{Fleet, Result, Side};

fn play(master: &str, minion: &str) -> Result {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    fleet.settings.master_lines.push("max_event_size: 200000000".into());
    fleet.settings.minion_lines.push("max_event_size: 200000000".into());
    let fleet = fleet.start_accepted()?;
    returns::sized(&fleet, 64 << 20)
}

#[test]
fn stock_3006_x_stock_3006() -> Result {
    play("3006", "3006")
}

#[test]
fn stock_3006_x_ours() -> Result {
    play("3006", "ours")
}

#[test]
fn stock_3008_x_ours() -> Result {
    play("3008", "ours")
}

#[test]
fn ours_x_stock_3006() -> Result {
    play("ours", "3006")
}

#[test]
fn ours_x_ours() -> Result {
    play("ours", "ours")
}
