//! Rounds of beacons fire what stock's fire, at the same ticks of the clock.

use brine_beacons::manage::Beacons;
use brine_beacons::turns::{Turns, in_force};
use brine_core::call::Cx;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_testing::{Around, Random, Stock, json as to_json, number, value};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn cx(opts: Map, states_run: Arc<AtomicBool>, pillar: Map) -> Cx {
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let around = Around::files(Arc::new(brine_core::files::NoFiles)).and_jobs(move || {
        let fun = if states_run.load(Ordering::Relaxed) { "state.apply" } else { "test.sleep" };
        vec![map! { "fun" => fun }]
    });
    let mut cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(registry), Arc::new(around));
    cx.pillar = Arc::new(pillar);
    cx
}

/// A beacon's configuration by chance. One that always tells something, fails, or is wrong.
fn config(random: &mut Random) -> Json {
    let mut list = vec![
        json!({"beacon_module": random.pick(&["memusage", "memusage", "memusage", "no_such"])}),
        json!({"percent": random.pick(&["0%", "0", "x"])}),
    ];
    if random.once_in(8) {
        list.remove(1);
    }
    for (odds, option, values) in [
        (2, "interval", vec![json!(1), json!(0), json!(2.5), json!(3), json!(5), json!(0.3)]),
        (4, "enabled", vec![json!(true), json!(false)]),
        (4, "disable_during_state_run", vec![json!(true), json!(false)]),
        (6, "run_once", vec![json!(true)]),
    ] {
        if random.once_in(odds) {
            list.insert(random.below(list.len() + 1), json!({option: values[random.below(values.len())]}));
        }
    }
    if random.once_in(10) { json!({"percent": 0, "enabled": random.once_in(2)}) } else { list.into() }
}

/// Without what changes by itself.
fn shown(told: &Json) -> Vec<Json> {
    let mut told = told.as_array().unwrap().clone();
    for event in &mut told {
        if let Some(usage) = event["data"].get_mut("memusage") {
            *usage = json!("some");
        }
    }
    told
}

#[test]
fn rounds_fire_what_stock_s_fire() {
    let mut stock = Stock::start(include_str!("process.py"));
    let mut random = Random::new(number("BRINE_SEED", 21));
    let mut events = 0;
    for _ in 0..number("BRINE_CASES", 30) {
        let tick = [1.0, 0.5, 2.0][random.below(3)];
        let all: serde_json::Map<String, Json> = (0..4)
            .map(|n| (format!("b{n}"), config(&mut random)))
            .chain([("no_such".to_owned(), json!([]))])
            .collect();
        let opts = json!({"beacons": all, "loop_interval": tick});
        stock.ask(&json!({"do": "begin", "opts": opts}));
        let states_run = Arc::new(AtomicBool::new(false));
        let cx = cx(map! {"id" => "m1"}, states_run.clone(), Map::new());
        let mut beacons = Beacons::new(Some(&value(&opts["beacons"])));
        let start = Instant::now();
        let loops = Duration::from_secs_f64(tick);
        let mut turns = Turns::new(start, loops);
        for n in 0..14 {
            states_run.store(random.once_in(3), Ordering::Relaxed);
            let jobs = json!([{"fun": if states_run.load(Ordering::Relaxed) { "state.apply" } else { "test.sleep" }}]);
            let stock = stock.ask(&json!({"do": "round", "jobs": jobs}));
            let now = start + loops * n;
            let round = turns.round(&cx, &in_force(&cx, beacons.opts().clone()), now);
            let ours: Json = round.events.into_iter().map(|event| to_json(&Value::Map(event))).collect();
            assert_eq!(shown(&ours), shown(&stock["told"]), "tick {n}: {opts}");
            events += ours.as_array().unwrap().len();
            for name in round.spent {
                assert_eq!(beacons.spent(&name).unwrap().tag, "/salt/minion/minion_beacon_disabled_complete");
            }
            // Nobody sleeps beyond the next tick, nor wakes before it.
            if let Some(next) = round.next {
                assert!(next > now && (next - start).as_secs_f64() % tick < 0.001, "{next:?}");
            }
        }
    }
    assert!(events > 300, "{events}");
}

#[test]
fn those_of_the_pillar_go_before_those_of_the_options_and_off_is_off() {
    let told = |pillar: Json, opts: Json| -> Vec<String> {
        let pillar = value(&pillar).as_map().unwrap().clone();
        let cx = cx(map! {"id" => "m1"}, Arc::default(), pillar);
        let beacons = Beacons::new(Some(&value(&opts)));
        let now = Instant::now();
        let round =
            Turns::new(now, Duration::from_secs(1)).round(&cx, &in_force(&cx, beacons.opts().clone()), now);
        round.events.iter().map(|event| event.get_str("tag").unwrap().to_owned()).collect()
    };
    let memory = json!([{"percent": 0}]);
    let swap = json!({"swapusage": memory});
    assert_eq!(told(json!({}), json!({"memusage": memory})), ["salt/beacon/m1/memusage/"]);
    assert_eq!(told(json!({"beacons": swap}), json!({"memusage": memory})), ["salt/beacon/m1/swapusage/"]);
    assert!(told(json!({"beacons": swap}), json!({"enabled": false})).is_empty());
    assert!(told(json!({"beacons": {"enabled": false, "swapusage": memory}}), json!({})).is_empty());
    assert!(told(json!({}), json!({"memusage": memory, "enabled": false})).is_empty());
}

#[test]
fn what_is_kept_goes_with_its_configuration_and_stays_over_a_refresh() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log").to_str().unwrap().to_owned();
    std::fs::write(&path, "old\n").unwrap();
    let cx = cx(map! {"id" => "m1"}, Arc::default(), Map::new());
    let log = json!({"log": [{"file": path}, {"tags": {"all": {"regex": "."}}}]});
    let (log, none) = (value(&log).as_map().unwrap().clone(), Map::new());
    let mut now = Instant::now();
    let mut turns = Turns::new(now, Duration::from_secs(1));
    let mut round = |turns: &mut Turns, config: &Map| {
        now += Duration::from_secs(1);
        turns.round(&cx, config, now)
    };
    let append = |text: &str| {
        let old = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, old + text).unwrap();
    };
    assert!(round(&mut turns, &log).events.is_empty());
    append("one\n");
    turns.refresh();
    assert_eq!(round(&mut turns, &log).events.len(), 1);
    append("two\n");
    assert!(round(&mut turns, &none).next.is_none(), "without beacons nothing is waited for");
    assert!(round(&mut turns, &log).events.is_empty(), "it began anew");
    append("three\n");
    assert_eq!(round(&mut turns, &log).events.len(), 1);
    // One that was put off does not have its turns in a burst.
    now += Duration::from_secs(600);
    let late = turns.round(&cx, &log, now);
    assert!(late.next.unwrap() >= now + Duration::from_secs(1));
}
