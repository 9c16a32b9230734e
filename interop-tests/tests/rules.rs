//! What a user of `publisher_acl` gets with his own key: what his rules say. Stock lets him call himself root, takes a
//! list of functions for allowed when one of them is, and asks no rules for the wheel; that its masters fail here shows
//! that the tests can.

use brine_interop_tests::failure::same;
use brine_interop_tests::{Failure, Fleet, Result, Side, script};

/// Asks for what his rules do not allow; `gets` says whether the master gives it all the same.
fn beyond_his_rules(master: Side, gets: bool) -> Result {
    let mut fleet = Fleet::new(master, master)?;
    fleet.settings.master_lines.push("publisher_acl: {nobody: [test.ping]}".into());
    fleet.start_master()?;
    let told = script::wire(&fleet, &["rules"])?.json()?;
    let outcome = ["a list that begins with what he may", "as root", "wheel", "wheel as root"]
        .into_iter()
        .map(|what| (what, gets))
        .chain([("what he may", true), ("what he may not", false)])
        .try_for_each(|(what, gets)| same(what, told[what]["error"].is_null(), gets));
    outcome.map_err(|Failure(e)| Failure(format!("{e}\n{told:#?}\n{}", fleet.logs())))
}

#[test]
fn ours_gives_no_more_than_the_rules() -> Result {
    beyond_his_rules(Side::Ours, false)
}

#[test]
fn stock_3006_gives_more() -> Result {
    beyond_his_rules(Side::parse("3006")?, true)
}

#[test]
fn stock_3008_gives_more() -> Result {
    beyond_his_rules(Side::parse("3008")?, true)
}
