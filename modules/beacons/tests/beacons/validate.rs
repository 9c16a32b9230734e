//! Configurations are right or wrong as stock finds them, in its words. Where its check itself fails, ours refuses.

use super::both::{SCRIPT, validated};
use brine_testing::{Random, Stock, number};
use serde_json::{Value as Json, json};
use std::cell::RefCell;

/// The words that each beacon's check looks for, and those around them.
const WORDS: &[(&str, &[&str])] = &[
    ("btmp", &["users", "groups", "defaults", "time_range", "start", "end", "gareth"]),
    ("wtmp", &["users", "groups", "defaults", "time_range", "start", "end", "gareth"]),
    ("cert_info", &["files", "notify_days"]),
    ("diskusage", &["/", "^/.*$"]),
    (
        "inotify",
        &["files", "/etc/hosts", "mask", "recurse", "auto_add", "create", "modify", "no_such", "coalesce"],
    ),
    ("journald", &["services", "sshd", "PRIORITY"]),
    ("load", &["averages", "1m", "5m", "15m", "emitatstartup", "onchangeonly"]),
    ("log", &["file", "tags", "regex"]),
    ("memusage", &["percent"]),
    ("swapusage", &["percent"]),
    ("network_info", &["interfaces", "eth0", "type", "bytes_sent", "errin", "no_such"]),
    ("network_settings", &["interfaces", "eth0", "ipaddr", "mtu", "onvalue", "no_such"]),
    ("pkg", &["pkgs", "refresh", "zsh"]),
    ("ps", &["processes", "sshd", "running"]),
    ("salt_monitor", &["salt_fun", "test.ping", "test.no", "args", "kwargs"]),
    ("service", &["services", "cron", "onchangeonly"]),
    ("sh", &["anything"]),
    ("status", &["loadavg", "all"]),
    ("watchdog", &["directories", "/etc", "mask", "create", "no_such"]),
];

fn config(random: &mut Random, words: &[&str], depth: usize) -> Json {
    let word = |random: &mut Random| random.pick(words);
    match random.below(if depth == 0 { 5 } else { 12 }) {
        0 => word(random).into(),
        1 => true.into(),
        2 => 5.into(),
        3 => Json::Null,
        4 => "".into(),
        5..=7 => {
            let some = random.below(4);
            (0..some).map(|_| config(random, words, depth - 1)).collect()
        }
        _ => {
            let some = random.below(4);
            Json::Object(
                (0..some).map(|_| (word(random).to_owned(), config(random, words, depth - 1))).collect(),
            )
        }
    }
}

/// One that is right but for a part: whole trees by chance alone hardly ever get far.
fn nearly(random: &mut Random, kind: &str, words: &[&str]) -> Json {
    let random = RefCell::new(random);
    let or = |depth: usize, right: Json| {
        let random = &mut **random.borrow_mut();
        if random.once_in(4) { config(random, words, depth) } else { right }
    };
    let range = json!({"start": or(1, json!("8am")), "end": "4pm"});
    let user = or(1, json!({"time_range": or(2, range)}));
    match kind {
        "btmp" | "wtmp" => {
            json!([{"users": or(2, json!({"gareth": user}))}, {"groups": or(1, json!({}))}, {"defaults": or(2, json!({}))}])
        }
        "inotify" => {
            let options = json!({"mask": or(2, json!([or(0, json!("create")), "modify"])), "recurse": or(0, json!(true)), "auto_add": or(0, json!(false))});
            json!([{"files": or(2, json!({"/etc/hosts": or(1, options)}))}, {"coalesce": true}])
        }
        "load" => {
            let averages = json!({"1m": or(2, json!([0, 1])), "5m": or(1, json!([0, 2])), "15m": or(1, json!([0, or(0, json!(1))]))});
            json!([{"averages": or(2, averages)}, {"emitatstartup": or(0, json!(true))}, {"onchangeonly": or(0, json!(false))}])
        }
        "network_info" => {
            json!([{"interfaces": or(2, json!({"eth0": or(1, json!({"type": "equal", "errin": 1}))}))}])
        }
        "network_settings" => {
            json!([{"interfaces": or(2, json!({"eth0": or(1, json!({"ipaddr": null, "mtu": {"onvalue": 1}}))}))}])
        }
        "salt_monitor" => {
            let how = json!({"args": or(1, json!(["x"])), "kwargs": or(2, json!([or(1, json!({"a": 1}))]))});
            json!([{"salt_fun": or(2, json!(["test.ping", {"test.ping": or(1, how)}]))}])
        }
        "service" => json!([{"services": or(2, json!({"cron": or(1, json!({}))}))}]),
        "watchdog" => {
            json!([{"directories": or(2, json!({"/etc": or(1, json!({"mask": or(1, json!(["create"]))}))}))}])
        }
        "journald" => json!([{"services": or(2, json!({"sshd": or(1, json!({"PRIORITY": 6}))}))}]),
        "ps" => json!([{"processes": or(2, json!({"sshd": "running"}))}]),
        "pkg" => json!([{"pkgs": or(1, json!(["zsh"]))}, or(1, json!({"refresh": true}))]),
        _ => or(3, json!([{words[0]: 5}])),
    }
}

#[test]
fn configurations_are_right_or_wrong_as_stock_finds_them() {
    let mut stock = Stock::start(SCRIPT);
    let mut random = Random::new(number("BRINE_SEED", 7));
    let cases = number("BRINE_CASES", 250);
    let answers = json!({"test.ping": true});
    for (kind, words) in WORDS {
        let (mut right, mut wrong) = (0, 0);
        for case in 0..cases {
            let config =
                if case % 4 == 0 { config(&mut random, words, 4) } else { nearly(&mut random, kind, words) };
            if config.as_array().is_some_and(|list| list.iter().any(Json::is_array)) {
                // Python makes dicts of some of these, too.
                continue;
            }
            let asked = json!({"do": "validate", "beacon": kind, "config": config, "answers": answers});
            let (theirs, ours) = (stock.ask(&asked), validated(kind, &config, &answers));
            if theirs.get("raised").is_some() {
                // What stock falls over is refused.
                assert_ne!(ours["valid"], true, "{kind} {config}: {theirs}");
                continue;
            }
            assert_eq!(ours, theirs, "{kind} {config}");
            *(if ours["valid"] == true { &mut right } else { &mut wrong }) += 1;
        }
        assert!(right > 0 && wrong > 0, "{kind}: {right} right, {wrong} wrong");
    }
}
