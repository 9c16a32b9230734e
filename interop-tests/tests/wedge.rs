//! A handful of unauthenticated requests must not silence a master. Stock 3006 and 3007 have this
//! hole, which shows that the test can fail; stock 3008 and ours do not.

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side, script};

/// Sends the requests; gives whether the master still answers a ping.
fn survives(side: Side) -> Result<bool> {
    let mut fleet = Fleet::new(side, side)?;
    fleet.start_master()?;
    let told = script::wire(&fleet, &["wedging"])?.json()?;
    Ok(told["ping"]["cmd"] == "ping")
}

#[test]
fn ours_survives() -> Result {
    hold(survives(Side::Ours)?, || "the master no longer answers".into())
}

#[test]
fn stock_3006_does_not() -> Result {
    same("stock 3006 survives", survives(Side::parse("3006")?)?, false)
}

#[test]
fn stock_3008_survives() -> Result {
    hold(survives(Side::parse("3008")?)?, || "the master no longer answers".into())
}
