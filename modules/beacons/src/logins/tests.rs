//! Records of logins as programs write them, told as stock tells them.

use super::record::SIZE;
use super::*;
use crate::{btmp, wtmp};
use brine_core::host::NoHost;
use brine_core::{Opts, Registry};
use brine_testing::{Random, Stock, json as to_json, number, value};
use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::Arc;

/// `struct utmp`.
fn record(kind: i16, pid: i32, line: &str, user: &str, host: &str, random: &mut Random) -> [u8; SIZE] {
    let mut raw = [0; SIZE];
    raw[..2].copy_from_slice(&kind.to_ne_bytes());
    raw[4..8].copy_from_slice(&pid.to_ne_bytes());
    for (at, text) in [(8, line), (40, "ts/0"), (44, user), (76, host)] {
        raw[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    raw[332..336].copy_from_slice(&(random.below(9999) as i32).to_ne_bytes());
    raw[336..340].copy_from_slice(&(random.below(9999) as i32).to_ne_bytes());
    raw[340..344].copy_from_slice(&1_700_000_000i32.to_ne_bytes());
    raw
}

#[test]
fn logins_are_told_as_stock_tells_them() {
    // Groups are asked of an execution module: of this machine's own.
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let cx = Cx::new(Arc::new(Opts::default()), registry, Arc::new(NoHost));
    let members = cx.call("group.info", Args::positional(["users"])).unwrap();
    let answers = json!({"group.info": {"by": {"users": to_json(&members), "no-such-group": {}}}});
    let mut random = Random::new(number("BRINE_SEED", 4));
    let mut told = 0;
    for (logins, path_name) in [(&wtmp::LOGINS, "WTMP"), (&btmp::LOGINS, "BTMP")] {
        for config in [
            json!([]),
            json!([{"users": {"ann": {}, "bob": null}}]),
            json!([{"users": {"ann": {"time_range": {"start": "0am", "end": "11:59pm"}}, "bob": {"time_range": {"start": "11:59:59pm", "end": "11:59:59pm"}}}}]),
            json!([{"users": {"ann": {}}}, {"defaults": {"time_range": {"start": "11:59:59pm", "end": "0am"}}}]),
            json!([{"defaults": {"time_range": {"start": "0am", "end": "23:59:59"}}}]),
            json!([{"groups": {"users": {}, "no-such-group": {}}}, {"users": {"bob": {}}}]),
        ] {
            let mut stock = Stock::start(include_str!("../../tests/beacons/stock.py"));
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut kept = Kept::default();
            file.as_file().write_all(&record(7, 1, "pts/9", "early", "", &mut random)).unwrap();
            let mut turn = || {
                let asked = json!({
                    "beacon": logins.name, "do": "look", "config": config, "answers": answers,
                    "set": {path_name: file.path().to_str().unwrap()},
                });
                let stock = stock.ask(&asked)["told"].clone();
                let config = value(&config);
                let ours = logins.look_at(&cx, config.as_list().unwrap(), &mut kept, file.path()).unwrap();
                let ours: Json = ours.into_iter().map(|event| to_json(&event.into())).collect();
                assert_eq!(ours, stock, "{asked}");
                ours.as_array().unwrap().len()
            };
            assert_eq!(turn(), 0, "what was there before is not told");
            for _ in 0..8 {
                for _ in 0..random.below(4) {
                    let (kind, user) =
                        [(7, "ann"), (7, "bob"), (8, ""), (2, "reboot"), (7, "åke")][random.below(5)];
                    let line = ["pts/0", "pts/1", "tty1"][random.below(3)];
                    let raw = record(kind, 77, line, user, "192.0.2.9", &mut random);
                    file.as_file().write_all(&raw).unwrap();
                }
                told += turn();
            }
            // Half a record is not one yet.
            file.as_file().write_all(&[7; 100]).unwrap();
            assert_eq!(turn(), 0);
        }
    }
    assert!(told > 40, "{told}");
}

#[test]
fn types_of_records_are_those_that_the_configuration_says() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let cx = Cx::new(Arc::new(Opts::default()), Arc::new(Registry::default()), Arc::new(NoHost));
    let mut kept = Kept::default();
    let config = value(&json!([{"ut_type": {"login": 9}}]));
    let mut turn = || wtmp::LOGINS.look_at(&cx, config.as_list().unwrap(), &mut kept, file.path()).unwrap();
    turn();
    file.as_file().write_all(&record(9, 1, "tty1", "ann", "", &mut Random::new(1))).unwrap();
    assert_eq!(turn()[0].get_str("action"), Some("login"));
}
