//! Functions on live objects against stock's own, in one process of stock's Python: the result, what was changed, and what is
//! shared.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose other cases and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;
#[path = "../../python/tests/common/values.rs"]
#[allow(dead_code, reason = "shared")]
mod values;

use brine_core::call::Registry;
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, Value};
use brine_python::{Args, Obj, repr};
use brine_render::template::Session;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use stock::Stock;
use values::{V, s};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const FUNCTIONS: &[&str] = &[
    "pillar.get",
    "pillar.get",
    "pillar.fetch",
    "pillar.item",
    "pillar.keys",
    "pillar.raw",
    "pillar.filter_by",
    "grains.get",
    "grains.fetch",
    "grains.item",
    "grains.items",
    "grains.has_value",
    "grains.equals",
    "grains.ls",
    "grains.filter_by",
    "grains.filter_by",
    "config.get",
    "config.option",
    "config.merge",
    "defaults.merge",
    "defaults.update",
    "defaults.deepcopy",
    "slsutil.update",
    "slsutil.merge",
    "slsutil.merge",
    "slsutil.merge_all",
];
const PATHS: &[&str] = &[
    "a",
    "b",
    "a:b",
    "a:b:c",
    "a:0",
    "b:1",
    "c",
    "nope",
    "a:k",
    "os",
    "master",
    "a:b:0:c",
    "",
    "serialnumber",
];

fn leaf(r: &mut Random) -> V {
    match r.below(6) {
        0 => V::None,
        1 => V::Small(r.below(3) as i64),
        2 => V::Bool(r.one_in(2)),
        _ => s(r.pick(&["x", "y", "Debian", "Deb*", "a"])),
    }
}

fn list(r: &mut Random, depth: usize) -> V {
    V::List((0..r.below(4)).map(|_| value(r, depth + 1)).collect())
}

fn dict(r: &mut Random, depth: usize) -> V {
    let keys = ["a", "b", "c", "k"];
    let pairs: Vec<(V, V)> = keys.into_iter().filter(|_| r.below(3) > 0).map(|k| (s(k), V::None)).collect();
    V::Dict(pairs.into_iter().map(|(k, _)| (k, value(r, depth + 1))).collect())
}

fn value(r: &mut Random, depth: usize) -> V {
    match if depth > 3 { 0 } else { r.below(5) } {
        0 | 1 => leaf(r),
        2 => list(r, depth),
        _ => dict(r, depth),
    }
}

fn lookup(r: &mut Random) -> V {
    let keys = ["Debian", "Red*", "default", "x", "Deb*"];
    let pairs: Vec<_> = keys.into_iter().filter(|_| r.one_in(2)).collect();
    V::Dict(pairs.into_iter().map(|k| (s(k), if r.one_in(5) { leaf(r) } else { dict(r, 1) })).collect())
}

/// Something of the kind that a function is made for.
fn fit(r: &mut Random, name: &str) -> (Vec<V>, Vec<(&'static str, V)>) {
    let path = |r: &mut Random| s(r.pick(PATHS));
    let mut named = Vec::new();
    let pos = match name.split_once('.').map(|(_, f)| f).unwrap_or_default() {
        "get" | "fetch" => {
            if r.one_in(2) {
                named.push(("default", value(r, 1)));
            }
            if name.starts_with('p') && r.one_in(2) {
                named.push(("merge", V::Bool(true)));
                if r.one_in(2) {
                    named.push(("merge_nested_lists", V::Bool(r.one_in(2))));
                }
            }
            if r.one_in(6) {
                named.push(("delimiter", s("/")));
            }
            vec![path(r)]
        }
        "item" => (0..r.below(4)).map(|_| path(r)).collect(),
        "keys" | "has_value" => vec![path(r)],
        "raw" => (0..r.below(2)).map(|_| path(r)).collect(),
        "equals" => vec![path(r), leaf(r)],
        "items" | "ls" => vec![],
        "filter_by" => {
            if r.one_in(3) {
                named.push(("merge", if r.one_in(8) { leaf(r) } else { dict(r, 1) }));
            }
            if r.one_in(3) {
                named.push(("default", s(r.pick(&["default", "x"]))));
            }
            if r.one_in(3) {
                named.push(("base", s(r.pick(&["default", "Debian", "none"]))));
            }
            vec![lookup(r), s(r.pick(&["os", "a", "roles", "b:0"]))]
        }
        "option" => vec![s(r.pick(&["a", "b", "os", "opt"]))],
        "merge" if name.starts_with('c') => vec![s(r.pick(&["a", "b", "opt", "k"]))],
        "merge" if name.starts_with('s') => {
            if r.one_in(2) {
                named.push((
                    "strategy",
                    s(r.pick(&["smart", "recurse", "aggregate", "overwrite", "list", "none", "odd"])),
                ));
            }
            if r.one_in(5) {
                named.push(("renderer", s(r.pick(&["yamlex", "jinja|yamlex", "yaml"]))));
            }
            if r.one_in(3) {
                named.push(("merge_lists", V::Bool(true)));
            }
            vec![dict(r, 0), dict(r, 0)]
        }
        "merge_all" => {
            if r.one_in(2) {
                named.push(("strategy", s(r.pick(&["recurse", "aggregate", "overwrite", "list"]))));
            }
            vec![V::List((0..r.below(4)).map(|_| dict(r, 1)).collect())]
        }
        "merge" | "update" => {
            if name.starts_with('d') {
                for flag in ["merge_lists", "in_place", "convert_none"] {
                    if r.one_in(3) {
                        named.push((flag, V::Bool(r.one_in(2))));
                    }
                }
            } else if r.one_in(2) {
                named.push((["merge_lists", "recursive_update"][r.below(2)], V::Bool(r.one_in(2))));
            }
            let mut pair = vec![dict(r, 0), dict(r, 0)];
            if r.one_in(6) {
                pair[r.below(2)] = leaf(r);
            }
            pair
        }
        _ => vec![value(r, 0)],
    };
    (pos, named)
}

fn map(v: &V) -> Map {
    match brine_python::to_value(&v.obj()).unwrap() {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

fn inside(x: &Obj, of: &Obj) -> bool {
    if x.is(of) {
        return true;
    }
    match of {
        Obj::Dict(dict) => dict.pairs().iter().any(|(_, v)| inside(x, v)),
        _ => of.sequence().is_some_and(|items| items.iter().any(|v| inside(x, v))),
    }
}

fn ours(name: &str, pos: &[V], named: &[(&'static str, V)], state: &[(&str, V)]) -> String {
    let part = |n: &str| map(&state.iter().find(|(name, _)| *name == n).unwrap().1);
    let registry = Arc::new(Registry::new(&[]));
    let mut cx = Cx::new(Arc::new(Opts::new(part("opts"))), registry, Arc::new(NoHost));
    cx.pillar = Arc::new(part("pillar"));
    cx.grains = Arc::new(part("grains"));
    let session = Session::new(&cx, Arc::new(NoFiles));
    let args = Args {
        pos: pos.iter().map(V::obj).collect(),
        kw: named.iter().map(|(n, v)| ((*n).into(), v.obj())).collect(),
    };
    let out = session.enter(|| session.call(name, &args));
    let tuple = Obj::tuple(args.pos.clone());
    let after = brine_python::Dict::new();
    after.set_str("pillar", session.pillar().clone());
    after.set_str("grains", session.grains().clone());
    after.set_str("opts", session.opts().clone());
    let after = Obj::dict(after);
    let rest = format!("{} ; {}", repr(&tuple).unwrap(), repr(&after).unwrap());
    match out {
        Err(e) => format!("{}: {e} ; {rest}", e.kind().name()),
        Ok(out) => {
            let kw = Obj::list(args.kw.iter().map(|(_, v)| v.clone()).collect());
            let shared = match &out {
                Obj::Dict(_) | Obj::List(_) => {
                    let all = [&tuple, &kw, &after].map(|of| Obj::Bool(inside(&out, of)));
                    repr(&Obj::list(all.to_vec())).unwrap()
                }
                _ => String::new(),
            };
            format!("{} ; {rest} ; {shared}", repr(&out).unwrap())
        }
    }
}

#[test]
fn what_is_shared_and_changed_is_as_in_stock() {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let seed = number("BRINE_SEED", 1);
    let mut r = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 5_000) {
        let name = r.pick(FUNCTIONS);
        let (pos, named) = fit(&mut r, name);
        let pairs = |v: V| match v {
            V::Dict(pairs) => pairs,
            _ => Vec::new(),
        };
        let mut pillar = pairs(dict(&mut r, 0));
        pillar.push((s("master"), dict(&mut r, 1)));
        let mut grains = pairs(dict(&mut r, 0));
        grains.push((s("os"), s("Debian")));
        grains.push((s("roles"), V::List(vec![s("x"), s("Debian")])));
        grains.push((s("serialnumber"), s("abcdefghij")));
        let opts = vec![
            (s("pillar_raise_on_missing"), V::Bool(r.one_in(3))),
            (s("pillar_merge_lists"), V::Bool(r.one_in(3))),
            (s("opt"), value(&mut r, 1)),
        ];
        let state = vec![("pillar", V::Dict(pillar)), ("grains", V::Dict(grains)), ("opts", V::Dict(opts))];
        cases.push((name, pos, named, state));
    }
    let source = |pos: &[V], named: &[(&'static str, V)]| {
        let mut all: Vec<String> = pos.iter().map(V::py).collect();
        all.extend(named.iter().map(|(n, v)| format!("{n}={}", v.py())));
        format!("call({})", all.join(", "))
    };
    let questions: Vec<Json> = cases
        .iter()
        .map(|(name, pos, named, state)| {
            let state: Vec<String> = state.iter().map(|(n, v)| format!("\"{n}\": {}", v.py())).collect();
            json!([name, source(pos, named), format!("{{{}}}", state.join(", "))])
        })
        .collect();
    let answers = Stock::start(include_str!("data/stock_live.py")).ask(&questions);
    let (mut compared, mut wrong): (usize, BTreeMap<&str, (usize, String)>) = (0, BTreeMap::new());
    for ((name, pos, named, state), answer) in cases.iter().zip(&answers) {
        let ours = ours(name, pos, named, state);
        // Defaults are asked of the execution module, which is not here.
        if ours.starts_with("KeyError: ") && name.starts_with("config.") {
            continue;
        }
        compared += 1;
        let stock = answer.as_str().unwrap();
        if ours != stock {
            let text = format!(
                "{name}{} with {}\n    stock {stock}\n    ours  {ours}",
                &source(pos, named)[4..],
                state[0].1.py()
            );
            let kept = wrong.entry(name).or_insert_with(|| (0, text.clone()));
            kept.0 += 1;
            if text.len() < kept.1.len() {
                kept.1 = text;
            }
        }
    }
    println!("seed {seed}: {compared} calls compared");
    let shown: Vec<String> = wrong.values().map(|(n, text)| format!("{n}x {text}")).collect();
    assert!(wrong.is_empty(), "seed {seed}: {} functions differ:\n{}", wrong.len(), shown.join("\n"));
    assert!(compared > 1000 || cases.len() < 2000, "{compared}");
}
