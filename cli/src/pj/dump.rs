//! `pj dump`: all values of pallets, in the form of `dump_pallet`; with `-p` each value's whole story.

use super::warehouse::{Warehouse, chosen, nothing};
use super::{Told, print, r#where};
use crate::exit::Result;
use brine_inventory::export::yaml;
use brine_inventory::{PalletId, Snapshot};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(told: &Told) -> Result {
    let snap = Warehouse::of(told)?.load_to_look()?;
    let pallets = chosen(&snap, told, &told.line.args);
    if pallets.is_empty() {
        return Err(nothing());
    }
    if told.has("json") {
        let all: Vec<Value> =
            pallets.iter().map(|(id, _)| one_json(&snap, *id, told.has("position"))).collect();
        return print::json_text(&all.into());
    }
    let mut out = String::new();
    for (id, pallet) in pallets {
        let name = if told.has("full_name") { pallet.full_name() } else { pallet.leaf_name() };
        let _ = write!(out, "---\n# {}: {name}\n---\n", pallet.kind());
        let view = snap.view(id);
        if told.has("position") {
            out.push_str(&yaml::annotated(view, &|path, scalar, item| {
                r#where::aside(&snap, id, path, scalar, item)
            }));
        } else {
            out.push_str(&yaml::block(view));
        }
    }
    print::text(&out)
}

fn one_json(snap: &Snapshot, id: PalletId, stories: bool) -> Value {
    let pallet = snap.pallet(id);
    let mut out = json!({
        "kind": pallet.kind(), "name": pallet.leaf_name(), "full_name": pallet.full_name(), "view": print::node(snap.view(id)),
    });
    if stories {
        out["stories"] = r#where::stories(snap, id, "");
    }
    out
}
