//! Every view of the checked-in warehouses against what Pallet Jack's `dump_pallet` printed of it, as data.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_inventory::{Native, Node, Snapshot};
use common::{Written, data, documents, load, texts};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was printed of each pallet of a kind, by its full name: the leaf name of the heading, after the name of what it lies in.
fn printed(file: &str) -> BTreeMap<String, (Value, Vec<Written>)> {
    let text = std::fs::read_to_string(data(file)).unwrap();
    let kind = file.rsplit('-').next().unwrap().split('.').next().unwrap();
    let head = format!("# {kind}: ");
    let names = text.lines().filter_map(|line| line.strip_prefix(&head)).map(str::to_owned);
    // An empty document is before the heading of each.
    let bodies = documents(&text).into_iter().filter(|(body, _)| body.is_object());
    let full = |(name, body): (String, (Value, Vec<Written>))| {
        let parent = body.0["pallet"]["references"]["_parent"].as_str();
        let own = matches!(kind, "h" | "netinstall" | "service");
        (parent.filter(|_| own).map_or(name.clone(), |parent| format!("{parent}/{name}")), body)
    };
    names.zip(bodies).map(full).collect()
}

fn same_views(snapshot: &Snapshot, folder: &str) -> usize {
    let mut compared = 0;
    for kind in snapshot.kinds() {
        let printed = printed(&format!("{folder}/dump_pallet-{kind}.yaml"));
        assert_eq!(printed.len(), snapshot.of_kind(kind).len(), "{kind}");
        for id in snapshot.of_kind(kind) {
            let pallet = snapshot.pallet(*id);
            let (expected, scalars) = &printed[pallet.full_name()];
            // Equality of serde_json's objects ignores the order of keys.
            assert_eq!(&texts(snapshot.view(*id)), expected, "{kind} {}", pallet.full_name());
            for written in scalars {
                quoted_alike(snapshot.view(*id), written);
            }
            compared += 1;
        }
    }
    compared
}

/// What is printed in quotes was made inside the program; what is printed plain and looks like something else was not.
fn quoted_alike(view: &Node, written: &Written) {
    let mut node = view;
    for part in &written.path {
        node = match node {
            Node::Map(map) => map.get(part).unwrap(),
            Node::List(list) => &list.items()[part.parse::<usize>().unwrap()],
            Node::Scalar(_) => panic!("{:?}", written.path),
        };
    }
    let scalar = node.scalar().unwrap();
    assert_eq!(scalar.text(), written.text);
    let number = written.text.parse::<f64>().is_ok();
    if written.quoted {
        assert!(scalar.quoted(), "{written:?}");
    } else if number {
        assert!(!scalar.quoted(), "{written:?}");
    }
}

#[test]
fn the_example_is_as_pallet_jack_has_it() {
    let snapshot = load(&data("inputs/example"));
    assert_eq!(snapshot.findings(), []);
    assert_eq!(same_views(&snapshot, "sorted"), 27);
}

#[test]
fn corner_cases_are_as_pallet_jack_has_them() {
    let snapshot = load(&data("inputs/edge"));
    assert_eq!(same_views(&snapshot, "edge"), 8);
    let codes: Vec<&str> = snapshot.findings().iter().map(|finding| finding.code).collect();
    // A list and mappings put into texts, as Ruby prints them.
    assert!(codes.contains(&"mapping-in-text") && codes.contains(&"list-in-text"), "{codes:?}");
    assert!(codes.contains(&"unknown-transform"), "{codes:?}");
    assert!(!snapshot.is_sound());
}

#[test]
fn keys_keep_the_order_in_which_they_came() {
    for (warehouse, folder) in [("inputs/example", "sorted"), ("inputs/edge", "edge")] {
        let snapshot = load(&data(warehouse));
        for id in snapshot.pallets() {
            let pallet = snapshot.pallet(id);
            let printed = printed(&format!("{folder}/dump_pallet-{}.yaml", pallet.kind()));
            let (expected, _) = &printed[pallet.full_name()];
            assert_eq!(texts(snapshot.view(id)).to_string(), expected.to_string(), "{}", pallet.path());
        }
    }
}

#[test]
fn natives_are_what_yaml_has_for_them() {
    let snapshot = load(&data("inputs/edge"));
    let id = snapshot.find("t", "types").unwrap();
    let native = |path: &str| snapshot.view(id).get(path).unwrap().scalar().unwrap().native();
    for (path, expected) in [
        ("v.int", Native::Int(34)),
        ("v.hex", Native::Int(31)),
        ("v.oct", Native::Str),
        ("v.float", Native::Float(1.1)),
        ("v.exp", Native::Str),
        ("v.true", Native::Str),
        ("v.false", Native::Bool(false)),
        ("v.null1", Native::Null),
        ("v.null2", Native::Null),
        ("v.date", Native::Date),
        ("v.time", Native::Time),
        ("v.sexa", Native::Int(45045)),
        ("v.sym", Native::Symbol),
        ("v.quoted", Native::Str),
        ("v.emptystr", Native::Str),
        ("v.bool", Native::Bool(true)),
    ] {
        assert_eq!(native(path), expected, "{path}");
    }
    let written = |path: &str| snapshot.view(id).get(path).unwrap().scalar().unwrap().written().to_owned();
    assert_eq!(written("v.sexa"), "12:30:45");
    assert_eq!(written("v.v6"), "::1");
}
