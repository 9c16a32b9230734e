//! `pj where`: where a value comes from. Who wins and who is passed over, the links between, and what a transform has made it of.

use super::query::shown;
use super::warehouse::{Warehouse, chosen, nothing};
use super::{Told, print};
use crate::exit::Result;
use brine_inventory::{Candidate, PalletId, Place, Scalar, Snapshot, Step, Story, TransformUse};
use serde_json::{Map, Value, json};
use std::fmt::Write;

pub(super) fn run(told: &Told) -> Result {
    let Some((key, names)) = told.line.args.split_first() else {
        return Err(told.usage("a key is needed: net.dns.fqdn"));
    };
    let snap = Warehouse::of(told)?.load_to_look()?;
    let mut found = Vec::new();
    for (id, pallet) in chosen(&snap, told, names) {
        let stories = snap.stories(id, key);
        if !stories.is_empty() {
            found.push((pallet, stories));
        }
    }
    if found.is_empty() {
        return Err(nothing());
    }
    if told.has("json") {
        let all = found.iter().map(|(pallet, stories)| {
            json!({"kind": pallet.kind(), "full_name": pallet.full_name(), "stories": stories_json(&snap, stories)})
        });
        return print::json_text(&all.collect());
    }
    let mut out = String::new();
    for (pallet, stories) in &found {
        for (path, story) in stories {
            let _ = writeln!(out, "{}: {path}: {}", pallet.path(), shown(&story.winner.value));
            candidate(&mut out, "from", &story.winner);
            for passed in &story.shadowed {
                candidate(&mut out, &format!("not {}, from", shown(&passed.value)), passed);
            }
        }
    }
    print::text(&out)
}

fn candidate(out: &mut String, what: &str, of: &Candidate) {
    let _ = writeln!(out, "  {what} {}{}", of.place, way(&of.via, of.transform.as_ref()));
    for source in of.transform.iter().flat_map(|t| &t.sources) {
        let _ = writeln!(out, "    of {} = {}, from {}", source.key, shown(&source.value), source.place);
    }
}

/// How a value has come: `, by domain -> domain/example.com, made by synthesize`.
fn way(via: &[Step], transform: Option<&TransformUse>) -> String {
    let mut out = String::new();
    for (i, step) in via.iter().enumerate() {
        let before = if i == 0 { ", by " } else { ", " };
        let _ = write!(out, "{before}{} -> {}/{}", step.link, step.kind, step.full_name);
    }
    if let Some(transform) = transform {
        let _ = write!(out, ", made by {} of {}", transform.op, transform.key);
    }
    out
}

/// What `pj dump -p` says beside a scalar: where it stands and how it has come, and what it has taken the place of. Items of a list
/// are told with the first of them.
pub(super) fn aside(
    snap: &Snapshot,
    id: PalletId,
    path: &str,
    scalar: &Scalar,
    item: Option<usize>,
) -> Vec<String> {
    let place = scalar.place().to_string();
    let Some(story) = snap.story(id, path).filter(|_| item.unwrap_or(0) == 0) else { return vec![place] };
    let mut lines = vec![place + &way(&story.winner.via, story.winner.transform.as_ref())];
    for passed in &story.shadowed {
        let value = shown(&passed.value);
        lines.push(format!(
            "not {value}, from {}{}",
            passed.place,
            way(&passed.via, passed.transform.as_ref())
        ));
    }
    lines
}

/// The stories of all values at or below a path, by their paths.
pub(super) fn stories(snap: &Snapshot, id: PalletId, path: &str) -> Value {
    stories_json(snap, &snap.stories(id, path))
}

fn stories_json(snap: &Snapshot, all: &[(String, Story)]) -> Value {
    let one = |(path, story): &(String, Story)| {
        let shadowed: Vec<Value> = story.shadowed.iter().map(|c| candidate_json(snap, c)).collect();
        (path.clone(), json!({"winner": candidate_json(snap, &story.winner), "shadowed": shadowed}))
    };
    Value::Object(all.iter().map(one).collect::<Map<_, _>>())
}

fn candidate_json(snap: &Snapshot, of: &Candidate) -> Value {
    let pallet = snap.pallet(of.pallet);
    let step = |s: &Step| json!({"link": &*s.link, "kind": &*s.kind, "full_name": &*s.full_name});
    let mut out = json!({
        "value": print::node(&of.value),
        "place": print::place(&of.place),
        "pallet": {"kind": pallet.kind(), "full_name": pallet.full_name()},
        "via": of.via.iter().map(step).collect::<Vec<_>>(),
    });
    if let Some(transform) = &of.transform {
        let source = |key: &str, value: &brine_inventory::Node, place: &Place| json!({"key": key, "value": print::node(value), "place": print::place(place)});
        let sources: Vec<Value> =
            transform.sources.iter().map(|s| source(&s.key, &s.value, &s.place)).collect();
        out["transform"] = json!({
            "key": &*transform.key, "op": &*transform.op, "place": print::place(&transform.place), "sources": sources,
        });
    }
    out
}
