//! Values that depend on the order in which names are read. Here that is the order of their bytes, so that the last name wins; for
//! Pallet Jack it is whatever the file system says.

use super::about;
use crate::{Finding, Map, Node, PalletId, Severity, Snapshot};

/// So many keys are named of one pair.
const MOST: usize = 3;
/// So many links and boxes of a pallet are compared, each with each.
const COMPARED: usize = 64;

pub(super) fn check(snap: &Snapshot, out: &mut Vec<Finding>) {
    for id in snap.pallets() {
        boxes(snap, id, out);
        links(snap, id, out);
    }
}

/// Two boxes of a pallet that say different things of one key.
fn boxes(snap: &Snapshot, id: PalletId, out: &mut Vec<Finding>) {
    let all: Vec<(&str, &Map)> =
        snap.pallet(id).boxes().filter_map(|(n, m)| Some((n, m?))).take(COMPARED).collect();
    for (i, (first, a)) in all.iter().enumerate() {
        for (second, b) in &all[i + 1..] {
            let mut keys = Vec::new();
            conflicts(a, b, "", &mut keys);
            if let Some((_, _, winner)) = keys.first() {
                let message = format!("{first} and {second} say different things of {}", named(&keys));
                let place = Some(winner.place().clone());
                out.push(about(snap, id, "order-of-boxes", Severity::Warning, place, message));
            }
        }
    }
}

/// Two links of a pallet by which different values of one key come, of which the pallet itself says nothing. The pallet that it lies
/// in is no link: that always comes last.
fn links(snap: &Snapshot, id: PalletId, out: &mut Vec<Finding>) {
    let all: Vec<_> =
        snap.pallet(id).links().iter().filter_map(|l| Some((l, l.target?))).take(COMPARED).collect();
    for (i, (first, a)) in all.iter().enumerate() {
        for (second, b) in &all[i + 1..] {
            if a == b {
                continue;
            }
            let (Some(x), Some(y)) = (snap.view(*a).map(), snap.view(*b).map()) else { continue };
            let mut keys = Vec::new();
            conflicts(x, y, "", &mut keys);
            keys.retain(|(path, x, y)| {
                let internal = ["pallet.references", "pallet.boxes"].iter().any(|p| path.starts_with(p));
                let counts = |v: &&Node| v.is(x) || v.is(y);
                let won = snap.view(id).get(path).filter(counts);
                // What a transform makes here again can be the same one in memory.
                !internal && won.is_some() && snap.story(id, path).is_some_and(|s| !s.winner.via.is_empty())
            });
            if !keys.is_empty() {
                let message = format!(
                    "the links {} and {} bring different values of {}, and the last name wins",
                    first.name,
                    second.name,
                    named(&keys)
                );
                let place = Some(second.place.clone());
                out.push(about(snap, id, "order-of-links", Severity::Warning, place, message));
            }
        }
    }
}

/// A key with the value that comes first and the one that wins.
type Conflict<'a> = (String, &'a Node, &'a Node);

fn conflicts<'a>(a: &'a Map, b: &'a Map, path: &str, out: &mut Vec<Conflict<'a>>) {
    if a.is(b) {
        return;
    }
    for (key, x) in a {
        let Some(y) = b.get(key).filter(|y| !y.is(x)) else { continue };
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match (x, y) {
            (Node::Map(x), Node::Map(y)) => conflicts(x, y, &path, out),
            _ if x == y => {}
            _ => out.push((path, x, y)),
        }
    }
}

fn named(keys: &[Conflict<'_>]) -> String {
    let names: Vec<&str> = keys.iter().take(MOST).map(|(path, _, _)| path.as_str()).collect();
    let more = keys.len().saturating_sub(MOST);
    if more == 0 { names.join(", ") } else { format!("{} and {more} keys more", names.join(", ")) }
}
