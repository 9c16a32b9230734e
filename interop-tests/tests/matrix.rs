//! Every case on every pair of master and minion: stock 3006 against itself first of all, then each pair one side of which
//! is ours; the other pairs of stock's in the soak. One test per pair; the fleet is started once for all its cases.

use brine_interop_tests::{Failure, Fleet, Result, Side, cases, table};

fn pair(master: &str, minion: &str) -> Result {
    play(Side::parse(master)?, Side::parse(minion)?, None)
}

fn play(master: Side, minion: Side, cli: Option<Side>) -> Result {
    let mut fleet = Fleet::new(master, minion)?;
    if let Some(cli) = cli {
        fleet.cli = cli;
    }
    fleet.settings.master_lines.push("max_event_size: 100000000".into());
    fleet.settings.minion_lines.push("max_event_size: 100000000".into());
    fleet
        .settings
        .minion_lines
        .push("mine_functions: {test.arg: [x], mined_ping: [{mine_function: test.ping}]}".into());
    let mut fleet = fleet.start()?;
    table::run(&mut fleet, cases::MATRIX)
}

macro_rules! pairs {
    ($($(#[$how:meta])? $name:ident: $master:literal, $minion:literal;)+) => { $(
        #[test]
        $(#[$how])?
        fn $name() {
            if let Err(Failure(text)) = pair($master, $minion) {
                panic!("{text}");
            }
        }
    )+ };
}

pairs! {
    stock_3006_x_stock_3006: "3006", "3006";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3006_x_stock_3007: "3006", "3007";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3006_x_stock_3008: "3006", "3008";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3007_x_stock_3006: "3007", "3006";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3007_x_stock_3007: "3007", "3007";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3007_x_stock_3008: "3007", "3008";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3008_x_stock_3006: "3008", "3006";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3008_x_stock_3007: "3008", "3007";
    #[ignore = "neither side is ours; run by cargo xtask soak"]
    stock_3008_x_stock_3008: "3008", "3008";
    stock_3006_x_ours: "3006", "ours";
    stock_3007_x_ours: "3007", "ours";
    stock_3008_x_ours: "3008", "ours";
    ours_x_stock_3006: "ours", "3006";
    ours_x_stock_3007: "ours", "3007";
    ours_x_stock_3008: "ours", "3008";
    ours_x_ours: "ours", "ours";
}

/// The pair the environment names: `BRINE_MASTER`, `BRINE_MINION`, and `BRINE_CLI` if it is not
/// to be the master's own.
#[test]
#[ignore = "a tool for one pair at a time; run by name with BRINE_MASTER and BRINE_MINION set"]
fn chosen() -> Result {
    let stock = Side::Stock("3006.28");
    let master = Side::from_env("BRINE_MASTER", stock)?;
    let minion = Side::from_env("BRINE_MINION", stock)?;
    let own = if master.is_ours() { stock } else { master };
    play(master, minion, Some(Side::from_env("BRINE_CLI", own)?))
}
