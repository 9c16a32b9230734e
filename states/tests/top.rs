//! Top files made up at random, found, merged and matched here and by stock Salt 3006.28 in one process of its Python.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more; `BRINE_CASE` shows one.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::files::Files;
use brine_core::options::Daemon;
use brine_core::text::python_repr;
use brine_core::{CallError, Opts, Value};
use brine_files::Client;
use brine_states::{Highstate, settings};
use brine_testing::{Around, Random, Stock, map, number};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const TARGETS: &[&str] = &[
    "'*'",
    "m1",
    "m2",
    "'m*'",
    "'m1 or m2'",
    "'os:Debian'",
    "'os:Red*'",
    "'role:web'",
    "'m[0-9]'",
    "'G@os:Debian and m*'",
    "ng",
    "'10.1.2.0/24'",
    "'m1,m2'",
    "'I@role:web'",
    "1",
];
const MATCHERS: &[&str] = &[
    "grain",
    "glob",
    "pcre",
    "list",
    "compound",
    "pillar",
    "ipcidr",
    "nodegroup",
    "grain_pcre",
    "pillar_exact",
    "nothing",
    "''",
    "1",
];

fn name(r: &mut Random) -> &'static str {
    r.pick(&["a", "b", "c.d", "'*'", "e", "''", "mysubfilter", "{{ grains.os }}"])
}

fn targets(r: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..1 + r.below(3) {
        let target = r.pick(TARGETS);
        if r.once_in(12) {
            out += &format!("  {target}: {}\n", r.pick(&["a", "~", "[]", "7", "{a: b}"]));
            continue;
        }
        out += &format!("  {target}:\n");
        if r.once_in(2) {
            out += &format!("    - match: {}\n", r.pick(MATCHERS));
        }
        for _ in 0..1 + r.below(3) {
            match r.below(14) {
                0 => out += &format!("    - {}: {}\n", r.pick(&["dev", "base", "nowhere", "order"]), name(r)),
                1 => {
                    out +=
                        &format!("    - subfilter:\n        {}:\n          - {}\n", r.pick(TARGETS), name(r))
                }
                2 => out += "    - ignore_missing: true\n",
                3 => out += "    - 5\n",
                _ => out += &format!("    - {}\n", name(r)),
            }
        }
    }
    out
}

fn top(r: &mut Random) -> String {
    match r.below(30) {
        0 => return "- a\n- b\n".into(),
        1 => return String::new(),
        2 => return "{{ nothing.at.all }}\n".into(),
        3 => return "base: ~\n".into(),
        4 => return "base:\n  - a\n".into(),
        _ => {}
    }
    let mut out = String::new();
    if r.once_in(4) {
        out += &format!("include:\n  - {}\n", r.pick(&["more", "'m*'", "none", "sub", "more\n  - sub"]));
    }
    let mut envs = vec!["base", "dev", "nowhere", "1"];
    for _ in 0..1 + r.below(2) {
        let env = envs.remove(r.below(envs.len()));
        out += &format!("{env}:\n{}", targets(r));
    }
    out
}

fn opts(r: &mut Random, dir: &Path) -> Json {
    let root = |env: &str| dir.join(env).to_string_lossy().into_owned();
    let mut opts = json!({
        "id": "m1", "file_client": "local", "cachedir": root("cache"), "extension_modules": root("ext"), "root_dir": root("root"),
        "file_roots": {"base": [root("base")], "dev": [root("dev")]}, "pillar_roots": {"base": [root("pillar")]},
        "nodegroups": {"ng": "m1 or m2"}, "saltenv": null, "top_file_merging_strategy": "merge", "env_order": [], "default_top": "base",
    });
    if r.once_in(4) {
        opts["saltenv"] = r.pick(&["base", "dev"]).into();
    }
    if r.once_in(2) {
        opts["top_file_merging_strategy"] = r.pick(&["same", "merge_all", "merge", "odd"]).into();
    }
    if r.once_in(4) {
        opts["env_order"] =
            [json!(["dev", "base"]), json!(["base"]), json!(["dev", "dev", "none"])][r.below(3)].clone();
    }
    if r.once_in(5) {
        opts["default_top"] = r.pick(&["dev", "", "none"]).into();
    }
    if r.once_in(6) {
        opts["state_top_saltenv"] = r.pick(&["dev", "base", "none"]).into();
    }
    if r.once_in(6) {
        opts["state_top"] = r.pick(&["salt://more.sls", "/sub/init.sls", "more.sls", "nothing.sls"]).into();
    }
    opts
}

fn ours(opts: &Json, grains: &Json, pillar: &Json, registry: &Arc<Registry>) -> String {
    let mut all = Daemon::Minion.defaults();
    all.update(map(opts));
    let all = Opts::new(all);
    let files: Arc<dyn Files> = Arc::new(Client::of_this_machine(&all));
    let mut cx = Cx::new(Arc::new(all), registry.clone(), Arc::new(Around::files(files)));
    cx.grains = Arc::new(map(grains));
    cx.pillar = Arc::new(map(pillar));
    cx.opts = Arc::new(settings(&cx));
    let states = Highstate::new(&cx);
    let work = || {
        let top = states.top()?;
        let errors = states.verify(&top)?;
        if errors.is_empty() {
            return Ok(python_repr(&states.matches(&top)?.into()));
        }
        Ok(python_repr(&errors.into_iter().map(Value::from).collect::<Vec<_>>().into()))
    };
    match work() {
        Ok(text) => text,
        Err(CallError::Exception { kind, message }) => {
            format!("{}: {message}", kind.rsplit('.').next().unwrap_or(kind))
        }
        Err(CallError::Arguments(text)) => format!("TypeError: {text}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn every_top_gives_what_it_gives_in_stock() {
    let dir = tempfile::tempdir().unwrap();
    let seed = number("BRINE_SEED", 1);
    let one = std::env::var("BRINE_CASE").ok().and_then(|n| n.parse::<u64>().ok());
    let mut random = Random::new(seed);
    let mut stock = Stock::start(include_str!("data/top.py"));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let grains = json!({"os": "Debian", "id": "m1", "ipv4": ["10.1.2.3"], "ipv6": []});
    let pillar = json!({"role": "web"});
    let (count, mut wrong) = (number("BRINE_CASES", 60), Vec::new());
    for n in 0..count {
        let own = dir.path().join(n.to_string());
        let opts = opts(&mut random, &own);
        let mut files = Vec::new();
        for env in ["base", "dev"] {
            fs::create_dir_all(own.join(env).join("sub")).unwrap();
            for file in ["top.sls", "more.sls", "sub/init.sls"] {
                if !random.once_in(6) {
                    let text = top(&mut random);
                    fs::write(own.join(env).join(file), &text).unwrap();
                    files.push((env, file, text));
                }
            }
        }
        if one.is_some_and(|one| one != n) {
            continue;
        }
        let answer = stock.ask(&json!({"opts": opts, "grains": grains, "pillar": pillar}));
        let mine = ours(&opts, &grains, &pillar, &registry);
        if one.is_some() {
            for (env, file, text) in files {
                println!("--- {env} {file}\n{text}");
            }
            println!("{opts}\n{answer}\n{mine}");
        }
        if answer.as_str() != Some(&mine) {
            wrong.push(format!("case {n}\n    stock {answer}\n    ours  {mine}"));
        }
        fs::remove_dir_all(own).unwrap();
    }
    println!("seed {seed}: {count} trees compared");
    let shown = wrong[..wrong.len().min(15)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} differ:\n{shown}", wrong.len());
}
