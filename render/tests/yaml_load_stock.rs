//! Loading YAML against stock's own loaders, on generated documents, in one process: value, sharing, or error text.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;
mod yamlgen;

use brine_python::{Obj, float_repr};
use brine_render::yaml::{Encrypted, Loader, TEXT, load_with};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use stock::Stock;
use yamlgen::{Random, documents::document, number};

const LOADERS: &[(&str, Loader)] = &[
    ("salt", Loader::Salt),
    ("ordered", Loader::SaltOrdered),
    ("safe", Loader::Safe),
    ("serializer", Loader::Serializer),
];

/// The same text for the same value with the same sharing, as the program of the other side writes it.
fn form(value: &Obj, seen: &mut HashMap<usize, usize>, out: &mut String) {
    let quoted = |text: &str| {
        brine_render::json::dumps(&text.into(), &brine_render::json::Options::default()).unwrap()
    };
    match value {
        Obj::None => out.push('N'),
        Obj::Bool(b) => out.push(if *b { 'T' } else { 'F' }),
        Obj::Int(_) | Obj::Big(_) => out.push_str(&format!("i{}", brine_python::str(value).unwrap())),
        Obj::Float(x) => out.push_str(&format!("f{}", float_repr(*x))),
        Obj::Str(s) => out.push_str(&quoted(s)),
        Obj::Bytes(b) => {
            out.push('b');
            b.iter().for_each(|b| out.push_str(&format!("{b:02x}")));
        }
        Obj::DateTime(_) | Obj::Date(_) => {
            let iso = brine_python::call_method(value, "isoformat", &brine_python::Args::default()).unwrap();
            out.push(if matches!(value, Obj::Date(_)) { 'd' } else { 'w' });
            out.push_str(iso.as_str().unwrap());
        }
        Obj::Tuple(items) => {
            out.push('(');
            for item in items.iter() {
                form(item, seen, out);
                out.push(',');
            }
            out.push(')');
        }
        Obj::Other(o) if o.downcast::<Encrypted>().is_some() => {
            out.push('E');
            out.push_str(&quoted(o.as_str().unwrap()));
        }
        _ => {
            if let Some(n) = seen.get(&value.address()) {
                out.push_str(&format!("@{n}"));
                return;
            }
            seen.insert(
                if let Obj::Set(s) = value { std::rc::Rc::as_ptr(s) as usize } else { value.address() },
                seen.len(),
            );
            match value {
                Obj::List(items) => {
                    out.push('[');
                    for item in items.borrow().iter() {
                        form(item, seen, out);
                        out.push(',');
                    }
                    out.push(']');
                }
                Obj::Set(set) => {
                    let mut members = Vec::new();
                    for member in set.to_vec() {
                        let mut text = String::new();
                        form(&member, &mut HashMap::new(), &mut text);
                        members.push(text);
                    }
                    members.sort();
                    out.push_str(&format!("<{}>", members.join(",")));
                }
                Obj::Dict(dict) => {
                    out.push_str(if dict.is_ordered() { "O{" } else { "{" });
                    for (key, value) in dict.pairs() {
                        form(&key, seen, out);
                        out.push(':');
                        form(&value, seen, out);
                        out.push(',');
                    }
                    out.push('}');
                }
                _ => panic!("{value:?}"),
            }
        }
    }
}

fn ours(text: &str, loader: Loader) -> String {
    match load_with(text, TEXT, loader) {
        Ok(value) => {
            let mut out = String::new();
            form(&value, &mut HashMap::new(), &mut out);
            out
        }
        Err(e) => format!("{}: {e}", e.class.name()),
    }
}

#[test]
fn documents_load_as_with_stock() {
    let (seed, count) = (number("BRINE_SEED", 1), number("BRINE_CASES", 20_000) as usize);
    let mut random = Random::new(seed);
    let mut stock = Stock::start(include_str!("data/stock_yaml_load.py"));
    let (mut compared, mut kinds) = (0, BTreeMap::<String, (usize, String)>::new());
    let mut wrong = 0;
    let (mut values, mut errors, mut others) = (0, 0, 0);
    while compared < count {
        let cases: Vec<(&str, Loader, String)> = (0..2000.min(count - compared))
            .map(|_| {
                let (name, loader) =
                    random.pick(&[LOADERS[0], LOADERS[0], LOADERS[0], LOADERS[1], LOADERS[2], LOADERS[3]]);
                (name, loader, document(&mut random))
            })
            .collect();
        let questions: Vec<Json> = cases.iter().map(|(name, _, text)| json!([name, text])).collect();
        for ((name, loader, text), answer) in cases.iter().zip(stock.ask(&questions)) {
            compared += 1;
            let Json::String(answer) = answer else { continue };
            let ours = ours(text, *loader);
            if ours.contains("Error: ") {
                errors += 1
            } else {
                values += 1
            }
            // What holds itself is refused here, even where nothing leads to it in the end.
            if ours == answer || ours.contains("found unconstructable recursive node") {
                continue;
            }
            // Of several faults in the syntax, another one may be named: the parser looks less far ahead.
            let syntax = |s: &str| {
                ["ScannerError: ", "ParserError: ", "ComposerError: "].iter().any(|e| s.starts_with(e))
            };
            if syntax(&ours) && syntax(&answer) {
                others += 1;
                continue;
            }
            wrong += 1;
            let kind = |s: &str| {
                s.lines()
                    .take(1)
                    .chain(s.lines().filter(|l| !l.starts_with("  in")).skip(1))
                    .collect::<Vec<_>>()
                    .join("|")
                    .chars()
                    .filter(|c| !c.is_ascii_digit())
                    .take(90)
                    .collect::<String>()
            };
            let shape = if answer.contains("Error: ") || ours.contains("Error: ") {
                let short = |s: &str| if s.contains("Error: ") { kind(s) } else { "value".to_owned() };
                format!("{} / {}", short(&answer), short(&ours))
            } else {
                "values".to_owned()
            };
            let shown = format!("{name} {text:?}\n    stock {answer:?}\n    ours  {ours:?}");
            let kept = kinds.entry(shape).or_insert_with(|| (0, shown.clone()));
            kept.0 += 1;
            if shown.len() < kept.1.len() {
                kept.1 = shown;
            }
        }
    }
    println!(
        "seed {seed}: {compared} documents compared, {values} values and {errors} errors, {wrong} differ, {others} name another fault"
    );
    let list: Vec<_> = kinds.iter().map(|(shape, (n, shown))| format!("{n} x {shape}\n  {shown}")).collect();
    assert!(others <= count / 2000, "{others} documents name another fault");
    assert!(list.is_empty(), "{} kinds differ:\n{}", list.len(), list.join("\n"));
}
