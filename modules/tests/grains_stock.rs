//! Our grains against those of stock Salt 3006.28 on this machine, key by key. `BRINE_STOCK_DIR` holds
//! `3006.28/bin/salt-call` (default: `.cache/stock` in the repository); without it the test fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/json.rs"]
mod json;
#[path = "common/stock.rs"]
mod stock;

use brine_core::{Map, Opts, Value, map};
use std::collections::{BTreeMap, BTreeSet};

const DIFFERENCES: &str = include_str!("grains_differences.txt");

fn differences() -> BTreeMap<&'static str, &'static str> {
    DIFFERENCES
        .lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
        .map(|l| l.split_once(": ").expect("`name: reason`"))
        .collect()
}

fn keys(map: &Map) -> BTreeSet<String> {
    map.keys().filter_map(|k| k.as_str().map(str::to_owned)).collect()
}

#[test]
fn grains_equal_stocks_but_for_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let conf = stock::configuration(dir.path(), "grains:\n  role: web\n");
    std::fs::write(dir.path().join("grains"), "rack: 12\nshell: /bin/odd\n").unwrap();
    let out = stock::salt_call(dir.path(), &["grains.items"]);
    let Some(Value::Map(theirs)) = out.get("local").cloned() else { panic!("stock gave no grains: {out:?}") };
    let opts = Opts::new(map! {
        "id" => "stockm",
        "master" => "salt",
        "conf_file" => conf.to_string_lossy().into_owned(),
        "grains" => map! {"role" => "web"},
    });
    let ours = brine_modules::grains(&opts);
    let listed = differences();
    let mut wrong = Vec::new();
    let mut differ = BTreeSet::new();
    for key in keys(&theirs).union(&keys(&ours)) {
        let (a, b) = (theirs.get(key), ours.get(key));
        if stock::same(a, b) {
            continue;
        }
        differ.insert(key.clone());
        if !listed.contains_key(key.as_str()) {
            wrong.push(format!("{key}: stock {a:?}, ours {b:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A stock on the packages' own Python and libzmq may agree here.
    let may_agree = ["pythonversion", "zmqversion"];
    for key in listed.keys().filter(|k| !may_agree.contains(*k)) {
        assert!(differ.contains(*key), "{key} no longer differs; take it off the list");
    }
}

#[test]
fn loading_takes_a_second_at_most() {
    let opts = Opts::new(map! {"id" => "m1", "enable_fqdns_grains" => false});
    // The best of a few, as other tests share the machine. What takes long is a resolver that does not answer, and
    // that is given a second.
    let best = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            assert!(!brine_modules::grains(&opts).is_empty());
            start.elapsed()
        })
        .min()
        .unwrap();
    assert!(best < std::time::Duration::from_millis(1500), "{best:?}");
    println!("grains in {best:?}");
}
