//! SLS files made up at random, compiled to low data here and by stock Salt: with 3006's semantics as 3006.28 does, with 3008's
//! as 3008.3 does.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more; `BRINE_CASE` shows one.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::options::Daemon;
use brine_core::{CallError, Opts};
use brine_files::Client;
use brine_states::{Compiled, Highstate, settings};
use brine_testing::{Around, Random, Stock, json, map, number};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const REQUISITES: &[&str] = &[
    "require",
    "require",
    "require",
    "watch",
    "watch",
    "watch_any",
    "require_any",
    "onchanges",
    "onchanges_any",
    "onfail",
    "onfail_any",
    "prereq",
    "listen",
    "require_in",
    "watch_in",
    "prereq_in",
    "onchanges_in",
    "onfail_in",
    "use",
    "use_in",
];
const KINDS: &[&str] = &["id", "id", "id", "id", "test", "cmd", "sls"];

fn id(r: &mut Random) -> String {
    format!("i{}", [0, 1, 4, 8][r.below(4)])
}

fn requisite(r: &mut Random) -> String {
    let kind = r.pick(KINDS);
    let name = match (kind, r.below(20)) {
        ("sls", _) => r.pick(&["a", "b", "c", "none", "'[ab]'"]).to_owned(),
        (_, 0) => "'i*'".into(),
        (_, 1) if r.once_in(3) => "gone".into(),
        (_, 2) => "n1".into(),
        (_, 3) if r.once_in(4) => "5".into(),
        (_, 3) if r.once_in(4) => "~".into(),
        _ => id(r),
    };
    if r.once_in(8) { name } else { format!("{kind}: {name}") }
}

fn sls(r: &mut Random, own: &str, first: usize) -> String {
    let mut out = String::new();
    if r.once_in(3) {
        out += &format!("include:\n  - {}\n", r.pick(&["a", "b", "c", "b", "c", "none"]));
    }
    for n in first..first + 1 + r.below(4) {
        let kind = r.pick(&["test", "test", "cmd", "file"]);
        let fun = r.pick(&["nop", "run", "managed"]);
        out += &format!("i{n}:\n  {kind}.{fun}:\n    - arg: {own}\n");
        if r.once_in(5) {
            out +=
                &format!("    - order: {}\n", r.pick(&["1", "last", "first", "-1", "20000", "2.5", "odd"]));
        }
        if r.once_in(6) {
            out += "    - names: [n1, n2, {n3: [{mode: 5}]}]\n";
        }
        if r.once_in(8) {
            out += &format!("    - name: {}\n", r.pick(&["n1", "7", "i2"]));
        }
        let mut used = Vec::new();
        for _ in 0..r.below(5) / 2 {
            let requisite_name = r.pick(REQUISITES);
            if used.contains(&requisite_name) {
                continue;
            }
            used.push(requisite_name);
            if r.once_in(60) {
                out += &format!("    - {requisite_name}: text\n");
                continue;
            }
            out += &format!("    - {requisite_name}:\n");
            for _ in 0..1 + r.below(2) {
                out += &format!("      - {}\n", requisite(r));
            }
        }
    }
    if r.once_in(8) {
        out += &format!("extend:\n  {}:\n    test:\n      - require:\n        - {}\n", id(r), requisite(r));
    }
    if r.once_in(10) {
        out += &format!("exclude:\n  - {}\n", r.pick(&["id: i1", "sls: b", "b"]));
    }
    out
}

fn ours(opts: &Json, grains: &Json, mods: &[String], registry: &Arc<Registry>) -> Json {
    let mut all = Daemon::Minion.defaults();
    all.update(map(opts));
    let all = Opts::new(all);
    let files = Arc::new(Client::of_this_machine(&all));
    let mut cx = Cx::new(Arc::new(all), registry.clone(), Arc::new(Around::files(files)));
    cx.grains = Arc::new(map(grains));
    cx.opts = Arc::new(settings(&cx));
    match Highstate::new(&cx).low_of(&[("base".into(), mods.to_vec())]) {
        Ok(Compiled { errors, data, .. }) if errors.is_empty() => json!({"chunks": json(&data)}),
        Ok(Compiled { errors, .. }) => json!({"errors": errors}),
        // Which of several things fails first is Python's own affair.
        Err(CallError::Exception { .. } | CallError::Arguments(_)) => json!({"exception": true}),
        Err(other) => json!({"exception": format!("{other:?}")}),
    }
}

fn compare(version: &str, semantics: Json) {
    let dir = tempfile::tempdir().unwrap();
    let seed = number("BRINE_SEED", 1);
    let one = std::env::var("BRINE_CASE").ok().and_then(|n| n.parse::<u64>().ok());
    let mut random = Random::new(seed);
    let mut stock = Stock::of_version(version, include_str!("data/compile.py"));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let (count, mut wrong, mut fine) = (number("BRINE_CASES", 40), Vec::new(), 0);
    for n in 0..count {
        let own = dir.path().join(n.to_string());
        let root = |name: &str| own.join(name).to_string_lossy().into_owned();
        let opts = json!({
            "id": "m1", "file_client": "local", "cachedir": root("cache"), "extension_modules": root("ext"),
            "root_dir": root("root"), "file_roots": {"base": [root("base")]}, "pillar_roots": {"base": [root("pillar")]},
            "state_semantics": semantics, "disabled_requisites": if random.once_in(6) { json!(["watch", "require_in"]) } else { json!([]) },
        });
        fs::create_dir_all(Path::new(&root("base"))).unwrap();
        let mut texts = String::new();
        for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
            let overlap = usize::from(at > 0 && random.once_in(12));
            let text = sls(&mut random, name, at * 4 - overlap);
            fs::write(own.join("base").join(format!("{name}.sls")), &text).unwrap();
            texts += &format!("--- {name}\n{text}");
        }
        let mods: Vec<String> =
            if random.once_in(2) { vec!["a".into()] } else { vec!["a".into(), "b".into(), "c".into()] };
        let grains = json!({"os": "Debian", "id": "m1", "state_runs_disabled": if random.once_in(6) { json!(["test.r*"]) } else { json!([]) }});
        if one.is_some_and(|one| one != n) {
            continue;
        }
        let answer = stock.ask(&json!({"opts": opts, "grains": grains, "mods": mods}));
        let mine = ours(&opts, &grains, &mods, &registry);
        if one.is_some() {
            println!("{texts}\n{mods:?} {opts}\n{answer:#}\n{mine:#}");
        }
        fine += usize::from(answer.get("chunks").is_some());
        if answer != mine {
            wrong.push(format!("case {n}\n    stock {answer}\n    ours  {mine}"));
        }
        fs::remove_dir_all(own).unwrap();
    }
    println!("{version}, seed {seed}: {count} trees compared, {fine} without errors");
    let shown = wrong[..wrong.len().min(8)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} differ:\n{shown}", wrong.len());
    assert!(one.is_some() || fine * 20 > count as usize, "few are without errors: {fine}");
}

#[test]
fn low_data_are_those_of_3006() {
    compare("3006.28", json!(3006));
}

#[test]
fn low_data_are_those_of_3008_where_the_option_says_so() {
    compare("3008.3", json!(3008));
}
