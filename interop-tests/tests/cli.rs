//! The command line of one side on the master of the other: our `salt` and `salt-key` on stock
//! masters, and stock's of each version on ours, whose event bus is set to fit.

use brine_interop_tests::{Failure, Fleet, Result, Side, cases, table};

fn play(master: &str, minion: &str, cli: &str) -> Result {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    fleet.cli = Side::parse(cli)?;
    fleet.settings.master_lines.push("max_event_size: 100000000".into());
    fleet.settings.minion_lines.push("max_event_size: 100000000".into());
    let mut fleet = fleet.start()?;
    table::run(&mut fleet, cases::CLI)
}

macro_rules! trios {
    ($($name:ident: $master:literal, $minion:literal, $cli:literal;)+) => { $(
        #[test]
        fn $name() {
            if let Err(Failure(text)) = play($master, $minion, $cli) {
                panic!("{text}");
            }
        }
    )+ };
}

trios! {
    ours_on_stock_3006: "3006", "ours", "ours";
    ours_on_stock_3007: "3007", "ours", "ours";
    ours_on_stock_3008: "3008", "ours", "ours";
    stock_3007_on_ours: "ours", "ours", "3007";
    stock_3008_on_ours: "ours", "ours", "3008";
    ours_on_ours: "ours", "ours", "ours";
    ours_with_stock_minions: "ours", "3006", "ours";
    stock_3006_on_ours: "ours", "ours", "3006";
}
