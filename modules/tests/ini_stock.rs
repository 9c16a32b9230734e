//! `ini` against stock's: random files, random changes.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::text::python_repr;
use brine_core::{Opts, map};
use brine_testing::{Random, Stock, map as to_map, number};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const STOCK: &str = r#"
import json, logging, os, sys
import salt.config, salt.loader
logging.disable(logging.CRITICAL)
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update({"file_client": "local", "grains": {}, "pillar": {}, "test": False})
mods = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

def plain(x):
    return {k: plain(v) for k, v in x.items()} if isinstance(x, dict) else x

for question in sys.stdin:
    q = json.loads(question)
    with open(q["path"], "w", newline="") as f:
        f.write(q["text"])
    try:
        ret = repr(plain(mods[q["fun"]](q["path"], **q["kwargs"])))
    except BaseException as exc:
        ret = f"{type(exc).__name__}: {exc}"
    with open(q["path"], newline="") as f:
        print(json.dumps([ret, f.read()]), flush=True)
"#;

fn text(random: &mut Random) -> String {
    const LINES: &[&str] = &[
        "[one]",
        "[two]",
        "  [three] ",
        "[one]",
        "a=1",
        "a = 2",
        "b=x y",
        "  c=3",
        "    more",
        "\tmore",
        "# a = 5",
        "#b=1",
        "; c = 2",
        "",
        "odd",
        "[ ]",
        "d:4",
        "e =",
        "=f",
        "a b = c",
        "x = y = z",
        "   ",
        "é = ü",
        "g  =  1  ",
    ];
    let end = if random.once_in(8) { "\r\n" } else { "\n" };
    let mut out = String::new();
    for _ in 0..random.below(12) {
        out.push_str(random.pick(LINES));
        out.push_str(end);
    }
    out
}

fn question(random: &mut Random, path: &str) -> Json {
    const NAMES: &[&str] = &["a", "b", "c", "d", "g", "new", "one", "é"];
    const SECTIONS: &[&str] = &["one", "two", "three", "four", "a"];
    let mut kwargs = Map::new();
    let fun = *random.pick(&[
        &"set_option",
        &"set_option",
        &"set_option",
        &"get_ini",
        &"get_section",
        &"remove_section",
        &"remove_option",
        &"get_option",
    ]);
    match fun {
        "set_option" => {
            let mut sections = Map::new();
            for _ in 0..1 + random.below(3) {
                let values = [json!("v"), json!(1), json!(true), json!("two words"), json!(null)];
                let value = |random: &mut Random| values[random.below(values.len())].clone();
                if random.once_in(3) {
                    sections.insert(random.pick(NAMES).to_owned(), value(random));
                } else {
                    let inner: Map<String, Json> = (0..random.below(3))
                        .map(|_| (random.pick(NAMES).to_owned(), value(random)))
                        .collect();
                    sections.insert(random.pick(SECTIONS).to_owned(), inner.into());
                }
            }
            kwargs.insert("sections".into(), sections.into());
            if random.once_in(3) {
                kwargs.insert("no_spaces".into(), true.into());
            }
        }
        "get_section" | "remove_section" => {
            drop(kwargs.insert("section".into(), (*random.pick(SECTIONS)).into()))
        }
        "remove_option" | "get_option" => {
            let section = if random.once_in(3) { Json::Null } else { (*random.pick(SECTIONS)).into() };
            kwargs.insert("section".into(), section);
            kwargs.insert("option".into(), (*random.pick(NAMES)).into());
        }
        _ => {}
    }
    if random.once_in(5) {
        kwargs.insert("separator".into(), (*random.pick(&[&":", &" ", &" = "])).into());
    }
    json!({"path": path, "fun": format!("ini.{fun}"), "kwargs": kwargs, "text": text(random)})
}

#[test]
fn files_are_read_and_written_as_by_stock() {
    let (seed, cases) = (number("BRINE_SEED", 1), number("BRINE_CASES", 1000));
    let mut random = Random::new(seed);
    let mut stock = Stock::start(STOCK);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.ini").to_string_lossy().into_owned();
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let cx = Cx::new(Arc::new(Opts::new(map! {"test" => false})), Arc::new(registry), Arc::new(NoHost));
    let mut wrong = Vec::new();
    for n in 0..cases {
        let question = question(&mut random, &path);
        let theirs = stock.ask(&question);
        std::fs::write(&path, question["text"].as_str().unwrap()).unwrap();
        let args = Args { positional: vec![path.as_str().into()], keyword: to_map(&question["kwargs"]) };
        let ret = match cx.call(question["fun"].as_str().unwrap(), args) {
            Ok(value) => python_repr(&value),
            Err(CallError::Execution(text)) => format!("CommandExecutionError: {text}"),
            Err(other) => other.to_string(),
        };
        let mine = json!([ret, std::fs::read_to_string(&path).unwrap()]);
        if theirs != mine {
            wrong.push(format!("{n}: {question}\n  stock {theirs}\n  ours  {mine}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} of {cases}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}
