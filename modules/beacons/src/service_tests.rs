//! A service's changes are told after their delay, as stock tells them.

use super::*;
use brine_testing::{Random, Stock, number, value};
use serde_json::json;

#[test]
fn changes_are_told_after_their_delay() {
    let mut random = Random::new(number("BRINE_SEED", 2));
    let mut stock = Stock::start(include_str!("../tests/beacons/stock.py"));
    let mut told = 0;
    for round in 0..25 {
        let delay = [json!(0), json!(2), json!(3.5), json!(true)][random.below(4)].clone();
        let options = json!({"onchangeonly": true, "delay": delay, "emitatstartup": !random.once_in(3)});
        let mut last = HashMap::new();
        let (mut running, mut now) = (true, 1000.0);
        for _ in 0..25 {
            running ^= random.once_in(4);
            now += [0.5, 1.0, 2.5][random.below(3)];
            let answer = stock.ask(&json!({
                "beacon": "service", "name": round.to_string(), "do": "look", "config": [{"services": {"a": options}}], "time": now,
                "answers": {"service.status": running},
            }));
            let stock = answer["told"].as_array().unwrap().len();
            let options = value(&options);
            let ours = times(&mut last, "a", running.into(), options.as_map().unwrap(), now).unwrap();
            assert_eq!(ours, stock, "{options:?} at {now}");
            told += ours;
        }
    }
    assert!(told > 50, "{told}");
}
