//! Load averages are told when stock tells them.

use super::*;
use brine_testing::{Random, Stock, number, value};
use serde_json::json;

#[test]
fn averages_are_told_when_stock_tells_them() {
    let mut random = Random::new(number("BRINE_SEED", 1));
    let mut stock = Stock::start(include_str!("../tests/beacons/stock.py"));
    let mut told = 0;
    for round in 0..20 {
        let mut bounds = || json!([random.below(30) as f64 / 10.0, (random.below(30) + 10) as f64 / 10.0]);
        let mut averages = json!({"1m": bounds(), "5m": bounds(), "15m": bounds()});
        if round % 4 == 1 {
            averages.as_object_mut().unwrap().remove("5m");
        }
        let config = json!([{"averages": averages}, {"onchangeonly": round % 2 == 0}, {"emitatstartup": round % 3 == 0}]);
        let merged = merged(value(&config).as_list().unwrap()).unwrap();
        let mut last = None;
        for _ in 0..30 {
            let now: [f64; 3] = std::array::from_fn(|_| random.below(50) as f64 / 10.0);
            let answer = stock.ask(&json!({"beacon": "load", "name": round.to_string(), "do": "look", "config": config, "loadavg": now}));
            let stock = !answer["told"].as_array().unwrap().is_empty();
            assert_eq!(is_told(&merged, now, &mut last).unwrap(), stock, "{config} {now:?}");
            told += usize::from(stock);
        }
    }
    assert!(told > 100, "{told}");
}
