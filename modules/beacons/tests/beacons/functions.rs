//! The functions of the module `beacons` and the states of `beacon` return what stock's return, whatever was done before.

use brine_beacons::manage::Beacons;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::host::{Host, NoHost, Refresh};
use brine_core::{Map, Opts, Registry, Value, map};
use brine_testing::{Random, Stock, json as to_json, number, value};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A minion of which only the beacons are there.
struct Minion {
    beacons: Mutex<Beacons>,
    /// What beacons see.
    cx: Cx,
}

impl Host for Minion {
    fn beacons(&self, request: Map) -> Result<Option<Map>> {
        Ok(self.beacons.lock().unwrap().manage(&self.cx, &request).map(|answer| answer.data))
    }

    fn master_request(&self, load: Map, timeout: Duration) -> Result {
        NoHost.master_request(load, timeout)
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        NoHost.fire_local(tag, data)
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        NoHost.refresh(what, wait)
    }

    fn compile_pillar(&self, _: Option<&str>, _: Option<&str>, _: Option<Map>) -> Result<Map> {
        Ok(Map::new())
    }

    fn running(&self) -> Vec<Map> {
        Vec::new()
    }

    fn signal_job(&self, _: &str, _: i32) -> Value {
        Value::Nil
    }

    fn master(&self) -> Option<String> {
        None
    }
}

fn data(random: &mut Random, name: &str) -> Json {
    let mut list = match name {
        "watch" => vec![json!({"beacon_module": "ps"}), json!({"processes": {"a": "running"}})],
        "memusage" => vec![json!({"percent": random.below(3)})],
        "load" => vec![json!({"averages": {"1m": [0, 1], "5m": [0, 1], "15m": [0, random.below(3)]}})],
        _ => vec![json!({"processes": {"a": random.pick(&["running", "stopped"])}})],
    };
    if random.once_in(6) {
        list.pop();
        list.push(json!({"other": 1}));
    }
    if random.once_in(4) {
        list.push(json!({"interval": random.below(9)}));
    }
    if random.once_in(8) {
        list.push(json!({"enabled": random.once_in(2)}));
    }
    list.into()
}

fn question(random: &mut Random) -> Json {
    let name = random.pick(&["ps", "memusage", "load", "watch", "no_such", "of_pillar", ""]);
    let data = data(random, name);
    let kwargs = if random.once_in(5) { json!({"test": true}) } else { json!({}) };
    if random.once_in(3) {
        let fun = random.pick(&["present", "present", "absent", "enabled", "disabled"]);
        let mut kwargs = Map::new();
        if fun == "present" {
            for item in value(&data).as_list().unwrap() {
                kwargs.update(item.as_map().unwrap().clone());
            }
        }
        if random.once_in(5) && fun != "enabled" && fun != "disabled" {
            kwargs.insert("save", true);
        }
        return json!({"do": "state", "fun": fun, "args": [name], "kwargs": to_json(&kwargs.into()), "test": random.once_in(5)});
    }
    let fun = random.pick(&[
        "add",
        "add",
        "modify",
        "modify",
        "delete",
        "enable_beacon",
        "disable_beacon",
        "enable",
        "disable",
        "list",
        "reset",
        "save",
    ]);
    let args = match fun {
        "add" | "modify" => json!([name, data]),
        "delete" | "enable_beacon" | "disable_beacon" => json!([name]),
        "list" => json!([random.once_in(2), random.once_in(2), random.once_in(2)]),
        _ => json!([]),
    };
    json!({"do": "call", "fun": fun, "args": args, "kwargs": kwargs})
}

fn ours(cx: &Cx, question: &Json) -> Json {
    let args = Args {
        positional: value(&question["args"]).as_list().unwrap().to_vec(),
        keyword: value(&question["kwargs"]).as_map().unwrap().clone(),
    };
    let fun = question["fun"].as_str().unwrap();
    let ret = if question["do"] == "state" {
        let mut cx = cx.clone();
        cx.test = question["test"] == true;
        cx.call_state(&format!("beacon.{fun}"), args)
    } else {
        cx.call(&format!("beacons.{fun}"), args)
    };
    match ret {
        Ok(ret) => json!({ "ret": to_json(&ret) }),
        Err(CallError::Exception { kind, .. }) => json!({ "raised": kind }),
        Err(e) => json!({ "raised": e.to_string() }),
    }
}

#[test]
fn functions_and_states_return_what_stock_s_return() {
    let mut random = Random::new(number("BRINE_SEED", 31));
    let mut stock = Stock::start(include_str!("process.py"));
    for _ in 0..number("BRINE_CASES", 25) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("minion.d/beacons.conf");
        if !random.once_in(4) {
            std::fs::create_dir(dir.path().join("minion.d")).unwrap();
        }
        let conf = dir.path().join("minion").to_str().unwrap().to_owned();
        let pillar = json!({"beacons": {"of_pillar": [{"percent": 5}]}});
        let begin =
            json!({"conf_file": conf, "default_include": "minion.d/*.conf", "beacons": {}, "pillar": pillar});
        stock.ask(&json!({"do": "begin", "opts": begin}));
        let registry = Arc::new(
            Registry::new(brine_modules::ALL.iter().copied())
                .with_states(brine_state_modules::ALL.iter().copied()),
        );
        let opts = Arc::new(Opts::new(
            map! {"conf_file" => conf, "default_include" => "minion.d/*.conf", "id" => "m1"},
        ));
        let mut beacons = Beacons::new(None);
        beacons.set_pillar(value(&pillar).as_map().unwrap());
        let cx = Cx::new(opts.clone(), registry.clone(), Arc::new(NoHost));
        let cx = Cx::new(opts, registry, Arc::new(Minion { beacons: Mutex::new(beacons), cx }));
        let mut before = Vec::new();
        for _ in 0..25 {
            let question = question(&mut random);
            let theirs = stock.ask(&question);
            let saved = std::fs::read_to_string(&file).ok();
            let ours = ours(&cx, &question);
            assert_eq!(ours, theirs, "{question}\nafter {}", json!(before));
            assert_eq!(std::fs::read_to_string(&file).ok(), saved, "{question}");
            before.push(question);
        }
    }
}

#[test]
fn without_a_minion_nothing_is_known() {
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let cx = Cx::new(Arc::new(Opts::default()), registry, Arc::new(NoHost));
    assert_eq!(cx.call("beacons.list", Args::none()).unwrap(), "beacons: null\n".into());
    assert_eq!(
        cx.call("beacons.list_available", Args::none()).unwrap(),
        map! {"beacons" => Map::new()}.into()
    );
    assert!(
        cx.call("beacons.add", Args::positional([Value::from("ps"), Vec::<Value>::new().into()])).is_err()
    );
}

#[test]
fn what_can_be_had_is_listed() {
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let opts = Arc::new(Opts::default());
    let cx = Cx::new(opts, registry, Arc::new(NoHost));
    let answer = Beacons::default().manage(&cx, &map! {"func" => "list_available"}).unwrap();
    let names = answer.data.get("beacons").and_then(Value::as_list).unwrap().to_vec();
    assert!(names.contains(&"load".into()) && names.contains(&"inotify".into()));
    let has_wtmp = std::path::Path::new("/var/log/wtmp").is_file();
    assert_eq!(names.contains(&"wtmp".into()), has_wtmp);
    for (name, why) in [
        ("adb", "adb is missing."),
        ("avahi_announce", "The 'python-avahi' dependency is missing."),
        ("none", "there is no such beacon"),
    ] {
        assert_eq!(brine_beacons::missing(&cx, name).as_deref(), Some(why));
    }
}
