//! Beacons of our minion and of stock's, watching the same kind of things, on a master of either kind: the events on the master's bus are
//! equal, and so is what `beacons.*` and the states of `beacon` answer.

use std::fs;
use std::time::Duration;

use brine_interop_tests::bus::{Bus, Event};
use brine_interop_tests::failure::same;
use brine_interop_tests::fleet::START;
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use serde_json::{Value, json};

const MINIONS: [(&str, &str); 2] = [("m1", "ours"), ("m2", "3006")];
const SOON: Duration = Duration::from_secs(40);

/// The events of one beacon of one minion, without what differs between the two.
fn told(bus: &Bus, root: &str, id: &str, beacon: &str) -> Vec<Value> {
    let prefix = format!("salt/beacon/{id}/{beacon}/");
    let masked = |text: &str| {
        text.replace(root, "ROOT")
            .replace(&format!("watched-{id}"), "watched")
            .replace(&format!("/{id}/"), "/ID/")
    };
    let shown = |event: Event| {
        let mut data = event.data;
        data["_stamp"] = json!("now");
        let text = masked(&data.to_string()).replace(&format!("\"id\":\"{id}\""), "\"id\":\"ID\"");
        json!([masked(&event.tag), serde_json::from_str::<Value>(&text).unwrap_or_default()])
    };
    bus.seen().into_iter().filter(|event| event.tag.starts_with(&prefix)).map(shown).collect()
}

/// Keys and kinds of values, where the values are the machine's.
fn kinds(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), kinds(value))).collect(),
        Value::Array(list) => list.iter().map(kinds).collect(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}

fn beacons(root: &str, id: &str) -> String {
    let beacons = json!({
        "inotify": [{"files": {format!("{root}/watched-{id}"): {"mask": ["create", "modify", "delete", "moved_to"], "recurse": true, "auto_add": true}}}],
        "load": [{"averages": {"1m": [0, -1], "5m": [0, 1000], "15m": [0, 1000]}}, {"interval": 2}],
        "memory": [{"beacon_module": "memusage"}, {"percent": "0%"}, {"run_once": true}],
        "log": [{"file": "/no/such/file"}, {"interval": 2}],
        "ps": [{"processes": {"no-such-program": "stopped"}}, {"enabled": false}],
    });
    format!("beacons: {beacons}")
}

fn compare(master: &str) -> Result {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse("3006")?)?;
    let root = fleet.root().display().to_string();
    for (id, _) in MINIONS {
        fs::create_dir(format!("{root}/watched-{id}"))?;
    }
    fleet.start_master()?;
    let bus = Bus::listen(&fleet)?;
    for (id, side) in MINIONS {
        fleet.start_minion_as(Side::parse(side)?, id, id, &[beacons(&root, id)])?;
        fleet.wait_key("minions_pre", id)?;
    }
    fleet.salt_key(&["-y", "-A"])?.ok()?;
    for (id, _) in MINIONS {
        fleet.wait_ping(id, START)?;
    }
    for (id, _) in MINIONS {
        for beacon in ["load", "memory", "log"] {
            wait::until("the first events", SOON, || {
                Ok((!told(&bus, &root, id, beacon).is_empty()).then_some(()))
            })?;
        }
        let dir = format!("{root}/watched-{id}");
        fs::write(format!("{dir}/a"), "x")?;
        fs::rename(format!("{dir}/a"), format!("{dir}/b"))?;
        fs::remove_file(format!("{dir}/b"))?;
        fs::create_dir(format!("{dir}/new"))?;
        wait::until("the folder", SOON, || Ok(told(&bus, &root, id, "inotify").len().ge(&5).then_some(())))?;
        fs::write(format!("{dir}/new/c"), "x")?;
        wait::until("the file in it", SOON, || {
            Ok(told(&bus, &root, id, "inotify").len().ge(&7).then_some(()))
        })?;
    }
    same("inotify", told(&bus, &root, "m1", "inotify"), told(&bus, &root, "m2", "inotify"))?;
    for beacon in ["load", "memory", "log"] {
        let of = |id| told(&bus, &root, id, beacon).first().map(kinds);
        same(beacon, of("m1"), of("m2"))?;
    }
    for (id, _) in MINIONS {
        same("a beacon that runs once", told(&bus, &root, id, "memory").len(), 1)?;
        same("a beacon that is off", told(&bus, &root, id, "ps").len(), 0)?;
    }
    functions(&fleet)
}

/// What both answer to the same words.
fn functions(fleet: &Fleet) -> Result {
    let mut wrong = Vec::new();
    let ps = r#"[{"processes": {"a": "stopped"}}]"#;
    for words in [
        vec!["beacons.add", "ps", ps],
        vec!["beacons.reset"],
        vec!["beacons.list"],
        vec!["beacons.add", "ps", ps, "test=True"],
        vec!["beacons.add", "ps", ps],
        vec!["beacons.add", "no_such", "[]"],
        vec!["beacons.add", "load", r#"[{"onchangeonly": 5}]"#],
        vec!["beacons.modify", "ps", r#"[{"processes": {"b": "running"}}]"#],
        vec!["beacons.disable_beacon", "ps"],
        vec!["beacons.list", "return_yaml=False"],
        vec!["beacons.enable_beacon", "other"],
        vec!["beacons.disable"],
        vec!["beacons.enable"],
        vec!["state.single", "beacon.absent", "name=ps"],
        vec!["state.single", "beacon.present", "name=memusage", "percent=99", "test=True"],
        vec!["beacons.add", "ps", ps],
        vec!["state.single", "beacon.disabled", "name=ps"],
        vec!["state.single", "beacon.enabled", "name=ps"],
        vec!["state.single", "beacon.enabled", "name=gone"],
        vec!["beacons.delete", "ps"],
    ] {
        let mut all = vec!["*", "--out=json", "--static"];
        all.extend(&words);
        let ran = fleet.salt(&all)?;
        let mut answers = ran.json()?;
        for (_, answer) in &mut answers {
            // States say when they ran.
            for state in answer
                .as_object_mut()
                .into_iter()
                .flat_map(|map| map.values_mut())
                .filter_map(Value::as_object_mut)
            {
                for key in ["start_time", "duration"] {
                    state.remove(key);
                }
            }
        }
        if answers.get("m1") != answers.get("m2") {
            wrong.push(format!(
                "{words:?}\n  ours:  {:?}\n  stock: {:?}",
                answers.get("m1"),
                answers.get("m2")
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure(wrong.join("\n"))) }
}

#[test]
fn events_and_answers_are_stocks_on_a_stock_master() -> Result {
    compare("3006")
}

#[test]
fn events_and_answers_are_stocks_on_our_master() -> Result {
    compare("ours")
}
