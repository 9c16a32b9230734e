//! Dumping YAML against stock's dumpers, on generated values, in one process.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;
mod yamlgen;

use brine_render::yaml::{DumpOptions, Dumper, Flow, Style, dump_obj};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use stock::Stock;
use yamlgen::{Random, number, values::Maker};

/// Options for both sides.
fn options(random: &mut Random) -> (DumpOptions, Json) {
    let mut ours = DumpOptions::default();
    let mut theirs = Map::new();
    let (name, dumper) = random.pick(&[
        ("ordered", Dumper::Ordered),
        ("ordered", Dumper::Ordered),
        ("indented", Dumper::Ordered),
        ("safe", Dumper::Safe),
        ("serializer", Dumper::Serializer),
        ("yamlex", Dumper::Yamlex),
    ]);
    ours.dumper = dumper;
    theirs.insert("dumper".into(), json!(name));
    let (flow, json) =
        random.pick(&[(Flow::Block, Some(false)), (Flow::Inline, Some(true)), (Flow::Leaves, None)]);
    ours.flow = flow;
    theirs.insert("default_flow_style".into(), json!(json));
    ours.unicode = !random.one_in(4);
    theirs.insert("allow_unicode".into(), json!(ours.unicode));
    if random.one_in(4) {
        let (style, text) = random.pick(&[
            (Style::SingleQuoted, "'"),
            (Style::DoubleQuoted, "\""),
            (Style::Literal, "|"),
            (Style::Folded, ">"),
        ]);
        ours.style = Some(style);
        theirs.insert("default_style".into(), json!(text));
    }
    if random.one_in(4) {
        ours.indent = Some(random.pick(&[0, 1, 2, 3, 4, 8, 9, 10]));
        theirs.insert("indent".into(), json!(ours.indent));
    }
    if random.one_in(4) {
        ours.width = Some(random.pick(&[1, 4, 5, 20, 40, 120, 2_147_483_647]));
        theirs.insert("width".into(), json!(ours.width));
    }
    if random.one_in(3) {
        ours.sort_keys = false;
        theirs.insert("sort_keys".into(), json!(false));
    }
    if random.one_in(12) {
        ours.explicit_start = true;
        theirs.insert("explicit_start".into(), json!(true));
    }
    if random.one_in(12) {
        ours.explicit_end = true;
        theirs.insert("explicit_end".into(), json!(true));
    }
    if random.one_in(30) {
        ours.version = Some((1, random.pick(&[1, 2, 3])));
        theirs.insert("version".into(), json!(ours.version));
    }
    if random.one_in(30) {
        ours.canonical = true;
        theirs.insert("canonical".into(), json!(true));
    }
    (ours, theirs.into())
}

#[test]
fn values_dump_as_with_stock() {
    let (seed, count) = (number("BRINE_SEED", 1), number("BRINE_CASES", 20_000) as usize);
    let mut random = Random::new(seed);
    let mut stock = Stock::start(include_str!("data/stock_values.py"));
    let (mut compared, mut wrong, mut kinds) = (0, 0, BTreeMap::<String, (usize, String)>::new());
    while compared < count {
        let mut ours = Vec::new();
        let mut questions = Vec::new();
        for _ in 0..2000.min(count - compared) {
            let odd = random.one_in(2);
            let depth = random.below(4);
            let (value, described) = Maker::new(&mut random, odd).value(depth);
            let (options, theirs) = options(&mut random);
            ours.push(match dump_obj(&value, &options) {
                Ok(text) => format!("= {text}"),
                Err(e) => format!("{e:?}"),
            });
            questions.push(json!(["yaml", described, theirs]));
        }
        for ((question, ours), answer) in questions.iter().zip(ours).zip(stock.ask(&questions)) {
            compared += 1;
            let Json::String(answer) = answer else { continue };
            // The order of sets is Python's own business; the objects that the indented dumper writes are not for us to write.
            let sets = (question[2]["sort_keys"] == json!(false) || answer.starts_with("Repr"))
                && question.to_string().contains("\"s\":");
            if ours == answer || sets || answer.contains("!!python/object") || answer.starts_with("KeyError")
            {
                continue;
            }
            wrong += 1;
            let shape = format!(
                "{} {}",
                question[2]["dumper"],
                question[2]
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter(|k| !["dumper", "allow_unicode"].contains(&k.as_str()))
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            );
            let same = answer.chars().zip(ours.chars()).take_while(|(a, b)| a == b).count();
            let from = |text: &str| text.chars().skip(same.saturating_sub(150)).take(250).collect::<String>();
            let shown = format!("{question}\n    stock {:?}\n    ours  {:?}", from(&answer), from(&ours));
            let kept = kinds.entry(shape).or_insert_with(|| (0, shown.clone()));
            kept.0 += 1;
            if shown.len() < kept.1.len() {
                kept.1 = shown;
            }
        }
    }
    println!("seed {seed}: {compared} values compared, {wrong} differ");
    let mut list: Vec<_> =
        kinds.iter().map(|(shape, (n, shown))| format!("{n} x {shape}\n  {shown}")).collect();
    list.sort_by_key(String::len);
    assert!(list.is_empty(), "{} kinds differ:\n{}", list.len(), list.join("\n"));
}
