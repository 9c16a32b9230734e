//! Random warehouses against a slow, literal model of the rules of inheritance and transforms. `BRINE_CASES` and `BRINE_SEED` choose
//! how many, and which.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_inventory::{Node, Severity, Snapshot};
use brine_testing::{Random, number};
use common::model::{Warehouse, warehouse};
use common::{load, texts};
use std::collections::BTreeSet;

/// Faults that random rules may have: the rest of a random warehouse is as it should be.
const MEANT: [&str; 6] = [
    "mapping-in-text",
    "list-in-text",
    "transform-in-the-way",
    "source-not-text",
    "concatenate-not-a-list",
    "repeated-group",
];

fn agree(model: &Warehouse, snapshot: &Snapshot, seed: u64) {
    let views = model.views();
    assert_eq!(views.len(), snapshot.pallets().count(), "seed {seed}");
    for ((kind, full_name), expected) in &views {
        let id = snapshot.find(kind, full_name).unwrap();
        // As text, so that the order of keys counts.
        assert_eq!(
            texts(snapshot.view(id)).to_string(),
            expected.to_string(),
            "{kind}/{full_name}, seed {seed}"
        );
        let parents: Vec<_> = model.edges(&(kind.clone(), full_name.clone()));
        let own: Vec<_> = snapshot.parents(id).iter().map(|id| snapshot.pallet(*id).path()).collect();
        let expected: Vec<_> = parents.iter().map(|((kind, name), _)| format!("{kind}/{name}")).collect();
        assert_eq!(own, expected, "seed {seed}");
    }
    for finding in snapshot.findings() {
        assert!(MEANT.contains(&finding.code), "{finding}, seed {seed}");
    }
}

#[test]
fn random_warehouses_are_as_a_literal_model_has_them() {
    let cases = number("BRINE_CASES", 300);
    let first = number("BRINE_SEED", 1);
    let mut transformed = 0;
    for seed in first..first + cases {
        let model = warehouse(&mut Random::new(seed));
        let dir = tempfile::tempdir().unwrap();
        model.write(dir.path());
        let snapshot = load(dir.path());
        agree(&model, &snapshot, seed);
        stories(&snapshot, seed, &mut transformed);
    }
    assert!(transformed > 0 || cases < 100, "no value was transformed");
}

/// Of every scalar and list the story's winner is what is in the view, and where it stands; and each is told of once.
fn stories(snapshot: &Snapshot, seed: u64, transformed: &mut usize) {
    for id in snapshot.pallets() {
        let stories = snapshot.stories(id, "");
        for path in every(snapshot.view(id), "") {
            assert!(
                snapshot.story(id, &path).is_some(),
                "{path} of {} seed {seed}",
                snapshot.pallet(id).path()
            );
        }
        let paths: BTreeSet<&String> = stories.iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), stories.len());
        assert_eq!(stories.len(), leaves(snapshot.view(id)), "{} seed {seed}", snapshot.pallet(id).path());
        for (path, story) in &stories {
            let value = snapshot.view(id).get(path).unwrap();
            let at = format!("{path} of {}, seed {seed}", snapshot.pallet(id).path());
            assert_eq!(&story.winner.value, value, "{at}");
            if let Node::Scalar(scalar) = value {
                assert_eq!(&story.winner.place, scalar.place(), "{at}");
            }
            // The way leads from the pallet to the one that has the value.
            let mut here = id;
            for step in &story.winner.via {
                here = *snapshot
                    .parents(here)
                    .iter()
                    .find(|id| {
                        let pallet = snapshot.pallet(**id);
                        (pallet.kind(), pallet.full_name()) == (&*step.kind, &*step.full_name)
                    })
                    .unwrap_or_else(|| panic!("{at}: no way"));
            }
            assert_eq!(here, story.winner.pallet, "{at}");
            if let Some(made) = &story.winner.transform {
                *transformed += 1;
                assert_eq!(&*made.key, path, "{at}");
                assert_eq!(&*made.place.file, "transforms.yaml");
            }
        }
    }
}

/// The paths of a value and all that is below it.
fn every(node: &Node, at: &str) -> Vec<String> {
    let Some(map) = node.map() else { return vec![at.to_owned()] };
    let below = map.iter().flat_map(|(key, value)| {
        every(value, &if at.is_empty() { key.to_string() } else { format!("{at}.{key}") })
    });
    below.chain((!at.is_empty()).then(|| at.to_owned())).collect()
}

fn leaves(node: &Node) -> usize {
    match node {
        Node::Map(map) if !map.is_empty() => map.iter().map(|(_, value)| leaves(value)).sum(),
        _ => 1,
    }
}

#[test]
fn ancestors_and_descendants_are_those_that_edges_lead_to() {
    for seed in 1..50 {
        let dir = tempfile::tempdir().unwrap();
        warehouse(&mut Random::new(seed)).write(dir.path());
        let snapshot = load(dir.path());
        let all: Vec<_> = snapshot.pallets().collect();
        let order: Vec<_> = snapshot.parents_first().collect();
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), all.len());
        for id in &all {
            let ancestors = snapshot.ancestors(*id);
            assert_eq!(ancestors[0], *id);
            let mut expected = BTreeSet::from([*id]);
            let mut open = vec![*id];
            while let Some(id) = open.pop() {
                for parent in snapshot.parents(id) {
                    assert!(snapshot.children(*parent).contains(&id));
                    expected.insert(*parent);
                    open.push(*parent);
                }
            }
            assert_eq!(ancestors.iter().copied().collect::<BTreeSet<_>>(), expected);
            assert_eq!(ancestors.len(), expected.len());
            let at = |of: &_| order.iter().position(|id| id == of);
            for ancestor in &ancestors {
                assert!(snapshot.descendants(*ancestor).contains(id));
                assert!(at(ancestor) <= at(id));
            }
        }
    }
    assert_eq!(Severity::Error.cmp(&Severity::Warning), std::cmp::Ordering::Less);
}
