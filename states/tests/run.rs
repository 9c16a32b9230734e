//! Chunks of low data made up at random, with requisites of every kind, run here and by stock Salt 3006.28 in one process of
//! its Python.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more; `BRINE_CASE` shows one.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::text::python_repr;
use brine_core::{CallError, Map, Opts, Value};
use brine_states::Runner;
use brine_testing::{Random, Stock, map, number, value};
use serde_json::{Value as Json, json};
use std::sync::Arc;

const KINDS: &[&str] = &[
    "require",
    "require",
    "require_any",
    "watch",
    "watch",
    "watch_any",
    "onchanges",
    "onchanges_any",
    "onfail",
    "onfail_any",
    "onfail_all",
    "prereq",
    "listen",
];
const FUNCTIONS: &[&str] = &[
    "nop",
    "succeed_with_changes",
    "succeed_with_changes",
    "succeed_without_changes",
    "fail_with_changes",
    "fail_without_changes",
    "configurable_test_state",
    "show_notification",
    "none",
];

/// One entry of a requisite, and the chunk it means if it means one.
fn entry(r: &mut Random, count: usize) -> (Json, Option<usize>) {
    let at = r.below(count);
    match r.below(14) {
        0 => (json!(format!("id{at}")), Some(at)),
        1 => (json!({"test": format!("name{at}")}), Some(at)),
        2 => (json!({"sls": format!("sls{}", r.below(3))}), None),
        3 if r.once_in(3) => (json!({"test": "lost"}), None),
        3 => (json!({"sls": "empty"}), None),
        4 => (json!({"test": format!("id[{at}x]")}), None),
        5 => (json!({"test.nop": format!("id{at}")}), Some(at)),
        6 if r.once_in(3) => (json!({"nostate": format!("id{at}")}), None),
        7 if r.once_in(3) => (json!({"test": 5}), None),
        _ => (json!({"test": format!("id{at}")}), Some(at)),
    }
}

fn condition(r: &mut Random) -> Json {
    match r.below(9) {
        0 => json!("true"),
        1 => json!("false"),
        2 => json!(["true", "false"]),
        3 => json!(["true", "true"]),
        4 => json!([{"fun": "test.true"}]),
        5 => json!([{"fun": "test.false"}]),
        6 => {
            json!([{"fun": "test.arg_clean", "args": ["__slot__:salt:test.echo(x)"], "a": 1, "get_return": "kwargs:a"}])
        }
        7 => json!([{"a": "b"}]),
        _ => json!([5]),
    }
}

fn chunks(r: &mut Random) -> Vec<Json> {
    let count = 2 + r.below(7);
    let mut all: Vec<Json> = (0..count)
        .map(|at| {
            let mut low = json!({
                "state": if r.once_in(25) { "nostate" } else { "test" },
                "fun": r.pick(FUNCTIONS),
                "__id__": format!("id{at}"),
                "name": if r.once_in(2) { format!("name{at}") } else { format!("id{at}") },
                "__sls__": format!("sls{}", r.below(3)),
                "__env__": "base",
                "order": 10_000 + at,
            });
            if low["fun"] == "configurable_test_state" {
                low["changes"] = r.once_in(2).into();
                low["result"] = r.once_in(2).into();
                if r.once_in(4) {
                    low["warnings"] = json!(["w"]);
                }
                if r.once_in(12) {
                    low["warnings"] = json!(7);
                }
            }
            if r.once_in(10) {
                low["failhard"] = r.once_in(2).into();
            }
            if r.once_in(10) {
                low[r.pick(&["onlyif", "unless"])] = condition(r);
            }
            if r.once_in(20) {
                low["creates"] = [json!("/"), json!("/none"), json!(["/", "/tmp"])][r.below(3)].clone();
            }
            if r.once_in(15) {
                low["check_cmd"] = [json!("true"), json!(["true", "false"])][r.below(2)].clone();
            }
            if r.once_in(15) {
                low["retry"] = [
                    json!({"attempts": 3, "interval": 0, "until": true}),
                    json!({"attempts": 2, "interval": 0, "until": false}),
                    json!({"attempts": "x", "interval": 0, "splay": 0}),
                ][r.below(3)]
                .clone();
            }
            if r.once_in(15) && low["fun"] != "configurable_test_state" {
                low["comment"] =
                    ["__slot__:salt:test.echo('a b').c ~ d", "__slot__:salt:test.echo(text)", "__slot__:x"]
                        [r.below(3)]
                    .into();
            }
            if r.once_in(20) {
                low["umask"] = [json!("077"), json!(22), json!("x")][r.below(3)].clone();
            }
            low
        })
        .collect();
    for at in 0..count {
        for _ in 0..r.below(3) {
            let kind = r.pick(KINDS);
            let mut entries = Vec::new();
            for _ in 0..1 + r.below(2) {
                let (entry, meant) = entry(r, count);
                if kind == "listen" && !entry.is_object() {
                    continue;
                }
                if kind == "prereq" {
                    let Some(meant) = meant.filter(|meant| *meant != at) else { continue };
                    let own = json!({"test": format!("id{at}")});
                    match all[meant]["prerequired"].as_array_mut() {
                        Some(list) => list.push(own),
                        None => all[meant]["prerequired"] = json!([own]),
                    }
                }
                entries.push(entry);
            }
            if !entries.is_empty() {
                all[at][kind] = entries.into();
            }
        }
    }
    all
}

fn ours(
    opts: &Json,
    grains: &Json,
    processed: &Json,
    chunks: &[Json],
    registry: &Arc<Registry>,
) -> Result<Map, String> {
    let mut all = Daemon::Minion.defaults();
    all.update(map(opts));
    all.insert("local", true);
    let mut cx = Cx::new(Arc::new(Opts::new(all)), registry.clone(), Arc::new(NoHost));
    cx.grains = Arc::new(map(grains));
    cx.test = opts["test"] == true;
    let mut runner = Runner::new(&cx);
    let names = processed.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    runner.processed_sls(names);
    let words = |e: CallError| match e {
        CallError::Exception { kind, message } => {
            format!("{}: {message}", kind.rsplit('.').next().unwrap_or(kind))
        }
        CallError::Invocation(text) => format!("SaltInvocationError: {text}"),
        CallError::Arguments(text) => format!("TypeError: {text}"),
        other => format!("{other:?}"),
    };
    runner.run(chunks.iter().map(map).collect()).map_err(words)
}

/// A result without what differs by nature: times, the frames of tracebacks, the order of Python's sets.
fn plain(ret: &Value) -> Value {
    let Value::Map(ret) = ret else { return ret.clone() };
    let mut ret = ret.clone();
    ret.remove("start_time");
    ret.remove("duration");
    if let Some(comment) = ret.get_str("comment").map(str::to_owned) {
        let mut comment = comment;
        if let Some(all) = comment.strip_prefix("One or more requisite failed: ") {
            let mut all: Vec<&str> = all.split(", ").collect();
            all.sort_unstable();
            comment = format!("failed: {}", all.join(" "));
        }
        while let Some(at) = comment.find("Traceback (most recent call last):\n") {
            let rest = comment[at..].to_owned();
            let end = rest.lines().skip(1).find(|line| !line.starts_with(' ')).unwrap_or_default();
            let after = rest.find(end).unwrap_or_default();
            comment = format!("{}{}", &comment[..at], &rest[after..]);
        }
        ret.insert("comment", comment);
    }
    let mut sorted = ret;
    sorted.sort_by_key_text();
    sorted.into()
}

fn shown(results: &Map) -> String {
    let lines = results.iter().map(|(tag, ret)| format!("{} {}", python_repr(tag), python_repr(&plain(ret))));
    lines.collect::<Vec<_>>().join("\n        ")
}

/// Whether two runs differ where stock errs.
fn excused(
    chunks: &[Json],
    failhard: bool,
    theirs: &Result<String, String>,
    mine: &Result<String, String>,
) -> bool {
    let any = |key: &str| chunks.iter().any(|low| low.get(key).is_some());
    // It forgets to run first what is named by `onfail_all`: it raises, finds that it goes in circles, or misses nothing.
    let (Ok(theirs), Ok(mine)) = (theirs, mine) else {
        // Which of two looks finds first that a name is no text.
        if theirs.as_ref().is_err_and(|text| text.starts_with("TypeError: expected str")) {
            return mine.as_ref().is_err_and(|text| text.starts_with("SaltRenderError"));
        }
        if any("onfail_all") && mine.is_err() {
            return true;
        }
        return any("onfail_all") && theirs.as_ref().is_err_and(|text| text.starts_with("UnboundLocalError"));
    };
    if any("onfail_all") && (theirs.contains("Recursive requisite") || mine.contains("onfail_all:")) {
        return true;
    }
    // After a failure that is to end the run, it still runs what else a waiting chunk needs.
    let lines: Vec<&str> = theirs.lines().map(str::trim).collect();
    (failhard || any("failhard")) && mine.lines().all(|line| lines.contains(&line.trim()))
}

#[test]
fn chunks_with_requisites_run_as_in_stock() {
    let seed = number("BRINE_SEED", 1);
    let one = std::env::var("BRINE_CASE").ok().and_then(|n| n.parse::<u64>().ok());
    let mut random = Random::new(seed);
    let mut stock = Stock::start(include_str!("data/run.py"));
    let registry = Registry::new(brine_modules::ALL.iter().copied())
        .with_states(brine_state_modules::ALL.iter().copied());
    let registry = Arc::new(registry);
    let (count, mut wrong) = (number("BRINE_CASES", 150), Vec::new());
    for n in 0..count {
        let r = &mut random;
        let opts = json!({
            "test": r.once_in(5), "failhard": r.once_in(20),
            "disabled_requisites": if r.once_in(10) { json!(["require", "onfail"]) } else { json!([]) },
        });
        let grains = if r.once_in(20) {
            json!({"state_runs_disabled": ["test.nop", "test.fail*"]})
        } else {
            json!({})
        };
        let processed = json!(["empty"]);
        let chunks = chunks(r);
        if one.is_some_and(|one| one != n) {
            continue;
        }
        let question = json!({"opts": opts, "grains": grains, "processed": processed, "chunks": chunks});
        let answer = stock.ask(&question);
        let mine = ours(&opts, &grains, &processed, &chunks, &registry);
        let theirs = match answer.get("ret") {
            Some(ret) => Ok(shown(value(ret).as_map().unwrap())),
            None => Err(answer["error"].as_str().unwrap().to_owned()),
        };
        // Stock trips over its own mark of a failure that ends the run, and calls itself without end.
        let trips = |text: &str| {
            text == "AttributeError: 'bool' object has no attribute 'get'"
                || text.starts_with("RecursionError")
        };
        if theirs.as_ref().is_err_and(|text| trips(text)) {
            continue;
        }
        let mine = mine.map(|ret| shown(&ret));
        if one.is_some() {
            println!("{}\n{theirs:?}\n{mine:?}", serde_json::to_string_pretty(&question).unwrap());
        }
        if theirs != mine && !excused(&chunks, opts["failhard"] == true, &theirs, &mine) {
            let show = |all: Result<String, String>| all.unwrap_or_else(|e| format!("error {e}"));
            wrong.push(format!(
                "case {n}\n    stock\n        {}\n    ours\n        {}",
                show(theirs),
                show(mine)
            ));
        }
    }
    println!("seed {seed}: {count} runs compared");
    let shown = wrong[..wrong.len().min(5)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} differ:\n{shown}", wrong.len());
}
