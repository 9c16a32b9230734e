//! What works here and not, or not for sure, with Pallet Jack itself: deep hierarchies, and transforms whose values depend on whose
//! are made first.

use super::about;
use crate::{Finding, Node, PalletId, Severity, Snapshot};
use std::collections::BTreeMap;

pub(super) fn check(snap: &Snapshot, out: &mut Vec<Finding>) {
    for id in snap.pallets() {
        if snap.pallet(id).full_name().matches('/').count() >= 2 {
            let message = "Pallet Jack does not load pallets that lie in two others".to_owned();
            out.push(about(snap, id, "deep-hierarchy", Severity::Warning, None, message));
        }
    }
    transforms(snap, out);
}

/// Compares every value that transforms make, those of ancestors first as it must be, with what they make of a pallet whose ancestors
/// have not been transformed: in Pallet Jack's order some are.
fn transforms(snap: &Snapshot, out: &mut Vec<Finding>) {
    let mut differing: BTreeMap<usize, (PalletId, String, usize)> = BTreeMap::new();
    for (id, rule, early) in snap.transformed_early() {
        let key = snap.transform_key(rule);
        let now = snap.view(id).get(key).map_or("nothing".to_owned(), shown);
        let early = early.as_ref().map_or("nothing".to_owned(), shown);
        let message = format!("{key} of {} is {now} here, and may be {early}", snap.pallet(id).path());
        differing.entry(rule).or_insert((id, message, 0)).2 += 1;
    }
    for (rule, (_, message, count)) in differing {
        let others = if count > 1 { format!(" (and {} other pallets)", count - 1) } else { String::new() };
        let message = format!(
            "{message} with Pallet Jack, where heirs are transformed before those they inherit from{others}"
        );
        out.push(Finding::warning("transform-order", snap.transform_place(rule), message));
    }
}

fn shown(node: &Node) -> String {
    node.str().map_or_else(|| node.kind().to_owned(), |text| format!("{text:?}"))
}
