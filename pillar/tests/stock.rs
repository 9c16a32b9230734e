//! Pillar trees made up at random, compiled here and by stock Salt 3006.28 in one process of its Python.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more; `BRINE_CASE` shows one.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod common;

use brine_core::call::{Cx, Registry};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::text::{python_repr, python_str};
use brine_core::{CallError, Opts, Value, map};
use brine_files::PillarRoots;
use brine_pillar::{Settled, Shared, Wish, compile_sharing};
use brine_testing::{Random, Stock, map as map_of, number, value};
use common::{Case, case};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn grains() -> Json {
    json!({"os": "Debian", "os_family": "Debian", "id": "m1", "ipv4": ["10.1.2.3"], "ipv6": []})
}

fn write(dir: &Path, case: &Case) -> Json {
    for (env, path, text) in &case.files {
        let file = dir.join(env).join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let root = |env: &str| dir.join(env).to_string_lossy().into_owned();
    let mut opts = json!({
        "id": "m1", "file_client": "local", "cachedir": root("cache"), "extension_modules": root("ext"),
        "pillar_roots": {"base": [root("base")], "dev": [root("dev")]}, "file_roots": {"base": [root("files")]},
        "nodegroups": {"ng": "m1 or m2"},
    });
    for (key, value) in &case.opts {
        opts[key] = value.clone();
    }
    opts
}

/// An error without the lines around its place, which ours show more often.
fn in_short(error: &Value) -> Value {
    let text = python_str(error);
    let cut = text.match_indices("\n\nline ").map(|(at, _)| at).find(|at| {
        let rest = text[at + 7..].trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(":\n")
    });
    text[..cut.unwrap_or(text.len())].into()
}

fn all_opts(opts: &Json) -> Arc<Opts> {
    let mut all = Daemon::Minion.defaults();
    all.update(map_of(opts));
    Arc::new(Opts::new(all))
}

fn ours(
    case: &Case,
    opts: &Json,
    grains: &Json,
    registry: &Arc<Registry>,
    shared: Option<&Arc<Shared>>,
) -> String {
    let mut cx = Cx::new(all_opts(opts), registry.clone(), Arc::new(NoHost));
    cx.grains = Arc::new(map_of(grains));
    let kept = map! {"role" => "web", "k1" => map! {"kept" => Value::List(vec![1.into()])}};
    cx.pillar = Arc::new(kept.clone());
    let wish = Wish {
        kept: Some(kept),
        id: "m1".into(),
        saltenv: case.saltenv.map(str::to_owned),
        pillarenv: case.pillarenv.map(str::to_owned),
        over: value(&case.over).as_map().cloned(),
        ..Wish::default()
    };
    let settled = Settled::new(&cx.opts, wish);
    let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    match compile_sharing(&cx, settled, files, shared.cloned()) {
        Ok(mut pillar) => {
            if let Some(Value::List(errors)) = pillar.get("_errors").cloned() {
                pillar.insert("_errors", errors.iter().map(in_short).collect::<Vec<_>>());
            }
            python_repr(&pillar.into())
        }
        Err(CallError::Exception { kind, message }) => format!("{kind}: {message}"),
        Err(CallError::Arguments(text)) => format!("TypeError: {text}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn every_tree_compiles_as_by_stock() {
    let dir = tempfile::tempdir().unwrap();
    let seed = number("BRINE_SEED", 1);
    let one = std::env::var("BRINE_CASE").ok().and_then(|n| n.parse::<usize>().ok());
    let mut random = Random::new(seed);
    let cases: Vec<(Case, Json)> = (0..number("BRINE_CASES", 150))
        .map(|n| {
            let case = case(&mut random);
            let opts = write(&dir.path().join(n.to_string()), &case);
            (case, opts)
        })
        .collect();
    let mut stock = Stock::start(include_str!("data/stock_pillar.py"));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let mut wrong = Vec::new();
    for (n, (case, opts)) in cases.iter().enumerate() {
        if one.is_some_and(|one| one != n) {
            continue;
        }
        let question = json!({
            "opts": opts, "grains": grains(), "saltenv": case.saltenv, "pillarenv": case.pillarenv, "over": case.over,
        });
        let answer = stock.ask(&question);
        let own = ours(case, opts, &grains(), &registry, None);
        // What minions share makes no difference: not when it is rendered first, not later, not for another minion.
        if let Some(shared) = Shared::of(&all_opts(opts)).map(Arc::new) {
            let mut other = grains();
            other["os"] = "Fedora".into();
            let alone = ours(case, opts, &other, &registry, None);
            for (grains, want) in [(&grains(), &own), (&other, &alone), (&grains(), &own), (&other, &alone)] {
                let again = ours(case, opts, grains, &registry, Some(&shared));
                if again != *want {
                    wrong.push(format!("case {n}\n    alone  {want}\n    shared {again}"));
                }
            }
        }
        if one.is_some() {
            for (env, path, text) in &case.files {
                println!("--- {env} {path}\n{text}");
            }
            println!("{opts}");
        }
        if answer.as_str() != Some(&own) {
            wrong.push(format!("case {n}\n    stock {answer}\n    ours  {own}"));
        }
    }
    println!("seed {seed}: {} trees compared", cases.len());
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(15)].join("\n")
    );
}
