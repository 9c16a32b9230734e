//! The YAML loader against what stock Salt's loader was measured to do.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_protocol::Value;
use brine_render::yaml;
use common::{data, same, untag};

/// Where we differ from stock on purpose, and what we say instead.
const DIFFERENT: &[(&str, &str)] = &[
    // Stock runs into Python's recursion limit when it prints such a value.
    ("&a [1, 2, *a]", "found unconstructable recursive node"),
    ("a: &b\n  c: *b\n", "found unconstructable recursive node"),
];

#[test]
fn loads_as_stock_does() {
    let cases = data(include_str!("data/yaml.json"));
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let ours = yaml::load(text);
        if let Some((_, problem)) = DIFFERENT.iter().find(|(t, _)| *t == text) {
            assert_eq!(&*ours.unwrap_err().problem, *problem);
            continue;
        }
        let verdict = match (&ours, case.get("value"), case.get("error"), case.get("raises")) {
            (Ok(value), Some(stock), _, _) => same(value, &untag(stock)),
            (Err(e), _, Some(stock), _) => e.to_string() == stock.as_str().unwrap(),
            (Err(_), _, _, Some(_)) => true,
            _ => false,
        };
        if !verdict {
            wrong.push(format!("{text:?}\n  stock: {case}\n  ours: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn aliases_cannot_blow_up() {
    let mut laughs = String::from("a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (one, next) in ('a'..='i').zip('b'..='j') {
        let refs = vec![format!("*{one}"); 9].join(", ");
        laughs.push_str(&format!("{next}: &{next} [{refs}]\n"));
    }
    assert_eq!(&*yaml::load(&laughs).unwrap_err().problem, "aliases expand to too much data");
    let long = format!("a: &a '{}'\nb: [{}]", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    assert_eq!(&*yaml::load(&long).unwrap_err().problem, "aliases expand to too much data");
    let mut merges = String::from("a: &a {x: 1}\n");
    for (one, next) in ('a'..='y').zip('b'..='z') {
        merges.push_str(&format!("{next}: &{next}\n  <<: [*{one}, *{one}]\n"));
    }
    assert!(yaml::load(&merges).is_err());
}

/// A loader that builds whatever objects a text names runs code (2025-62348, and what made 2021-25283 worse).
#[test]
fn cve_2025_62348_no_object_is_built_from_a_tag() {
    for text in [
        "!!python/object/apply:os.system ['id']",
        "!!python/object:subprocess.Popen {args: id}",
        "!!python/object/new:os.system ['id']",
        "!!python/name:os.system ''",
        "!!python/module:os ''",
        "a: [!!python/object/apply:time.sleep [9]]",
        "!ruby/object:Gem::Installer {i: x}",
    ] {
        assert!(
            yaml::load(text).unwrap_err().to_string().contains("could not determine a constructor"),
            "{text}"
        );
    }
}

#[test]
fn nesting_is_bounded() {
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "&a [".repeat(5000)] {
        assert!(yaml::load(&text).is_err());
    }
}

#[test]
fn what_is_dumped_loads_again() {
    let cases = data(include_str!("data/yaml.json"));
    for case in cases.as_array().unwrap() {
        let Some(stock) = case.get("value") else { continue };
        let value = untag(stock);
        let text = yaml::safe_dump(&value);
        let again = yaml::load(&text).unwrap();
        assert!(same_in_any_order(&again, &value), "{value:?}\n{text}{again:?}");
    }
}

/// The dump sorts the keys of maps.
fn same_in_any_order(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get_key(k).is_some_and(|w| same_in_any_order(v, w)))
        }
        (Value::List(x), Value::List(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same_in_any_order(x, y))
        }
        _ => same(a, b),
    }
}
