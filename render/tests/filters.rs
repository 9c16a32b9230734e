//! Salt's filters and tests against the environment of stock 3006.28 itself, in one process: the same value, or the same error.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose other cases and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "filters/case.rs"]
mod case;
#[path = "filters/make.rs"]
mod make;
#[path = "filters/pools.rs"]
mod pools;
#[path = "common/stock.rs"]
mod stock;
#[path = "../../python/tests/common/values.rs"]
#[allow(dead_code, reason = "shared")]
mod values;

use case::{Case, state};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use stock::Stock;

/// Small, repeatable random numbers.
pub(crate) struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

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

const SCRIPT: &str = include_str!("data/stock_filters.py");

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// What differs, one case for each filter and shape of difference, the shortest of it.
fn compare(stock: &mut Stock, cases: &[Case]) -> (usize, usize, BTreeMap<String, (usize, String)>) {
    let state = state();
    let questions: Vec<Json> = cases.iter().map(|c| json!([c.kind, c.name, c.py()])).collect();
    let answers = stock.ask(&questions);
    let (mut compared, mut differ) = (0, 0);
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let (Some(answer), Some(ours)) = (answer.as_str(), case.ours(&state)) else { continue };
        if case.is_incomparable(answer) {
            continue;
        }
        compared += 1;
        if ours != answer {
            differ += 1;
            let text = format!("{}({})\n    stock {answer}\n    ours  {ours}", case.name, case.py());
            let kept =
                wrong.entry(format!("{} {}", case.kind, case.name)).or_insert_with(|| (0, text.clone()));
            kept.0 += 1;
            if text.len() < kept.1.len() {
                kept.1 = text;
            }
        }
    }
    (compared, differ, wrong)
}

#[test]
fn every_filter_is_as_in_stock() {
    let seed = number("BRINE_SEED", 1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for (name, content) in [
        ("text", &b"some text\n"[..]),
        ("empty", b""),
        ("binary", b"\0\x01\x02"),
        ("latin", b"caf\xe9 au lait"),
        ("odd", b"\xff\xfe\xfd\x80"),
    ] {
        std::fs::write(dir.join(name), content).unwrap();
    }
    let files: Vec<String> = ["text", "empty", "binary", "latin", "odd", "missing", "."]
        .iter()
        .map(|name| dir.join(name).to_str().unwrap().to_owned())
        .collect();
    let mut stock = Stock::start(SCRIPT);
    let mut random = Random::new(seed);
    let (mut left, mut compared, mut differ) = (number("BRINE_CASES", 20_000), 0, 0);
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    while left > 0 {
        let n = left.min(20_000);
        left -= n;
        let cases: Vec<Case> = (0..n).map(|_| make::case(&mut random, &files)).collect();
        let (c, d, w) = compare(&mut stock, &cases);
        compared += c;
        differ += d;
        for (name, (n, text)) in w {
            let kept = wrong.entry(name).or_insert_with(|| (0, text.clone()));
            kept.0 += n;
            if text.len() < kept.1.len() {
                kept.1 = text;
            }
        }
    }
    println!("seed {seed}: {compared} cases compared, {differ} differ");
    let shown: Vec<String> = wrong.values().map(|(n, text)| format!("{n}x {text}")).collect();
    assert!(wrong.is_empty(), "seed {seed}: {} filters differ:\n{}", wrong.len(), shown.join("\n"));
}

#[test]
fn no_name_is_missing() {
    let mut stock = Stock::start(SCRIPT);
    let names = &stock.ask(&[json!(["names", "", ""])])[0];
    let state = state();
    let missing = |what: &str, has: &dyn Fn(&str) -> bool| -> Vec<String> {
        let all = names[what].as_array().unwrap();
        assert!(all.len() > 5, "{what}");
        all.iter().map(|n| n.as_str().unwrap().to_owned()).filter(|n| !has(n)).collect()
    };
    let globals = brine_render::filters::globals();
    assert_eq!(missing("filters", &|n| state.env.filters.contains_key(n)), Vec::<String>::new());
    assert_eq!(missing("tests", &|n| state.env.tests.contains_key(n)), Vec::<String>::new());
    let named =
        |n: &str| globals.iter().any(|(name, _)| *name == n) || state.env.globals.get_str(n).is_some();
    assert_eq!(missing("globals", &named), Vec::<String>::new());
    for name in make::names() {
        assert!(state.env.filters.contains_key(name), "{name}");
    }
}
