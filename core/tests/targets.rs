//! Matchers against what stock's were measured to answer.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_core::target::{self, Fleet, FleetData, Subject, check_minions, matches};
use brine_core::{Map, Value, jid};
use common::untag;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where we differ from stock on purpose.
const DIFFERENT: &[&str] = &[
    // A nodegroup of numbers: stock fails on them, here they are names.
    "ints",
];

fn cases() -> Json {
    serde_json::from_str(include_str!("data/targets.json")).unwrap()
}

fn map(json: &Json) -> Map {
    let Value::Map(map) = untag(json) else { panic!("a map") };
    map
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_minion_answers_as_stock_does() {
    let cases = cases();
    let (grains, pillar) = (map(&cases["grains"]), map(&cases["pillar"]));
    let nodegroups = map(&cases["nodegroups"]);
    let id = cases["id"].as_str().unwrap();
    let subject = Subject { id, grains: &grains, pillar: &pillar, nodegroups: &nodegroups };
    let mut wrong = Vec::new();
    for case in cases["minion"].as_array().unwrap() {
        let tgt = untag(&case[0]);
        let ours = matches(&tgt, case[1].as_str().unwrap(), case[2].as_str().unwrap(), subject);
        if ours != case[3].as_bool().unwrap() && !tgt.as_str().is_some_and(|t| DIFFERENT.contains(&t)) {
            wrong.push(case.to_string());
        }
    }
    report(&wrong);
}

struct TestFleet {
    minions: BTreeMap<String, Option<FleetData>>,
    accepted: Vec<String>,
    nodegroups: Map,
    cache: bool,
}

impl Fleet for TestFleet {
    fn accepted(&self) -> Vec<String> {
        self.accepted.clone()
    }
    fn cached(&self) -> Vec<String> {
        self.minions.iter().filter(|(_, data)| data.is_some()).map(|(id, _)| id.clone()).collect()
    }
    fn data(&self, id: &str) -> Option<FleetData> {
        self.minions.get(id).cloned().flatten()
    }
    fn nodegroups(&self) -> &Map {
        &self.nodegroups
    }
    fn minion_data_cache(&self) -> bool {
        self.cache
    }
}

#[test]
fn a_master_expects_whom_stock_expects() {
    let cases = cases();
    let mut minions = BTreeMap::new();
    let mut accepted = Vec::new();
    for source in ["minions", "ghost"] {
        for (id, data) in map(&cases[source]) {
            let id = id.as_str().unwrap().to_owned();
            if source == "minions" {
                accepted.push(id.clone());
            }
            let part = |key| Arc::new(data.get(key).cloned().unwrap_or_default());
            minions.insert(
                id,
                (!data.is_nil()).then(|| FleetData { grains: part("grains"), pillar: part("pillar") }),
            );
        }
    }
    accepted.sort_by_key(|id| id.to_lowercase());
    let mut fleet = TestFleet { minions, accepted, nodegroups: map(&cases["nodegroups"]), cache: true };
    let mut wrong = Vec::new();
    for case in cases["master"].as_array().unwrap() {
        fleet.cache = case[4].as_bool().unwrap();
        let (tgt, tgt_type) = (untag(&case[0]), case[1].as_str().unwrap());
        let mut ours =
            check_minions(&fleet, &tgt, tgt_type, case[2].as_str().unwrap(), case[3].as_bool().unwrap());
        if tgt_type != "list" {
            ours.minions.sort();
        }
        let texts = |json: &Json| -> Vec<String> {
            json.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
        };
        let same = ours.minions == texts(&case[5]) && ours.missing == texts(&case[6]);
        if !same && !tgt.as_str().is_some_and(|t| DIFFERENT.contains(&t)) {
            wrong.push(format!("{case}\n  ours: {ours:?}"));
        }
    }
    report(&wrong);
}

#[test]
fn fnmatch_is_pythons() {
    let mut wrong = Vec::new();
    for case in cases()["fnmatch"].as_array().unwrap() {
        let (text, pattern) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        if target::fnmatch(text, pattern) != case[2].as_bool().unwrap() {
            wrong.push(case.to_string());
        }
    }
    report(&wrong);
}

#[test]
fn small_words_are_stocks() {
    for case in cases()["jid"].as_array().unwrap() {
        let text = case[0].as_str().unwrap();
        assert_eq!(jid::jid_to_time(text), case[1].as_str().unwrap(), "{text}");
        assert_eq!(jid::is_jid(text), case[2].as_bool().unwrap(), "{text}");
    }
    for case in cases()["expr_match"].as_array().unwrap() {
        let (line, expr) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        assert_eq!(target::expr_match(line, expr), case[2].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn hostile_targets_end_soon() {
    let start = std::time::Instant::now();
    let mut nodegroups = Map::new();
    nodegroups.insert("g0", "web* or db*");
    for i in 1..64 {
        nodegroups.insert(format!("g{i}"), format!("N@g{0} or N@g{0}", i - 1));
    }
    let mut deep = Map::new();
    deep.insert("a", "x");
    for _ in 1..60 {
        let mut map = Map::new();
        map.insert("a", deep);
        deep = map;
    }
    let pillar = Map::new();
    let subject = Subject { id: "web1", grains: &deep, pillar: &pillar, nodegroups: &nodegroups };
    assert!(!matches(&"N@g63".into(), "compound", ":", subject));
    assert!(!matches(&(vec!["a"; 62].join(":") + ":nope").into(), "grain", ":", subject));
    assert!(!matches(&(vec!["*"; 60].join(":") + ":nope").into(), "grain", ":", subject));
    assert!(!matches(&"( ".repeat(100_000).into(), "compound", ":", subject));
    assert!(!matches(&format!("a:{}y", "(x+x+)+".repeat(3)).into(), "grain_pcre", ":", subject));
    assert!(start.elapsed().as_secs() < 10);
}
