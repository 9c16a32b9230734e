//! A minion of stock 3006.9, the last release that speaks authentication version 2: refused by default, and served
//! where the master's operator lowered `minimum_auth_version`. Each case passes with stock's master first.

use std::fs;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::fleet::START;
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use serde_json::json;

/// Newer stock minions speak version 3.
const OLD: Side = Side::Stock("3006.9");

fn fleet(master: Side, lines: &[&str]) -> Result<Fleet> {
    let mut fleet = Fleet::new(master, OLD)?;
    fleet.settings.master_lines.extend(lines.iter().map(|&line| line.into()));
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    Ok(fleet)
}

fn log(fleet: &Fleet) -> String {
    fs::read_to_string(fleet.path("m1/log/minion.out")).unwrap_or_default()
}

/// Everything that goes over the wire: the key, a ping, arguments and a large return, events, the pillar, the mine,
/// and the same again after the master's keys have changed.
fn served(master: Side) -> Result {
    let mut fleet = fleet(master, &["minimum_auth_version: 2"])?;
    let outcome = walk(&mut fleet);
    outcome.map_err(|e| Failure(format!("{e}\n{}", fleet.logs())))
}

fn walk(fleet: &mut Fleet) -> Result {
    fleet.wait_key("minions_pre", "m1")?;
    fleet.salt_key(&["-y", "-a", "m1"])?.ok()?;
    fleet.wait_ping("m1", START)?;
    let version = fleet.salt(&["m1", "test.version"])?.ok()?.ret("m1")?;
    same("the minion's version", version, "3006.9")?;
    let told = fleet.salt(&["m1", "test.arg", "one", "2", "three=[3, x]"])?.ok()?.ret("m1")?;
    same("arguments", &told["args"], &json!(["one", 2]))?;
    same("keyword", &told["kwargs"]["three"], &json!([3, "x"]))?;
    let large = fleet.salt(&["m1", "cmd.run", "head -c 300000 /dev/zero | tr '\\0' x"])?.ok()?.ret("m1")?;
    same("length of a large return", large.as_str().map(str::len), Some(300_000))?;
    same("pillar", fleet.salt(&["m1", "pillar.items"])?.ok()?.ret("m1")?, json!({}))?;
    fleet.salt(&["m1", "mine.send", "test.ping"])?.ok()?;
    let mine = fleet.salt(&["m1", "mine.get", "m1", "test.ping"])?.ok()?.ret("m1")?;
    same("mine", mine, json!({"m1": true}))?;
    let called = fleet.salt_call("m1", &["test.ping"])?.ok()?.ret("local")?;
    same("salt-call through the master", called, true)?;
    fleet.stop_master()?;
    fleet.start_master()?;
    fleet.wait_ping("m1", START * 2)?;
    for words in ["Traceback", "[CRITICAL"] {
        hold(!log(fleet).contains(words), || format!("the minion's log says {words}"))?;
    }
    Ok(())
}

/// By default it gets no further than its first request, and its key is not even stored.
fn refused(master: Side) -> Result {
    let fleet = fleet(master, &[])?;
    let outcome = wait::until("the minion to be refused twice", START, || {
        Ok((log(&fleet).matches(REFUSED).count() > 1).then_some(()))
    })
    .and_then(|()| {
        for state in ["minions", "minions_pre", "minions_denied", "minions_rejected"] {
            hold(!fleet.has_key(state, "m1"), || format!("its key is in {state}"))?;
        }
        Ok(())
    });
    outcome.map_err(|e| Failure(format!("{e}\n{}", fleet.logs())))
}

/// What the minion makes of the answer `bad load`.
const REFUSED: &str = "bad load";

#[test]
fn ours_serves_version_2_where_told_to() -> Result {
    served(Side::Ours)
}

#[test]
fn stock_3006_serves_version_2_where_told_to() -> Result {
    served(Side::Stock("3006.28"))
}

#[test]
fn ours_refuses_version_2() -> Result {
    refused(Side::Ours)
}

#[test]
fn stock_3006_refuses_version_2() -> Result {
    refused(Side::Stock("3006.28"))
}
