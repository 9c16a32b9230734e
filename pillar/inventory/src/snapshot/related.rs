//! What is reached from a pallet, along links or against them.

use super::PalletId;
use std::collections::HashSet;

/// A pallet and all that are reached from it, each once, nearest of the first link first.
pub(super) fn reached<'s>(from: PalletId, next: impl Fn(PalletId) -> &'s [PalletId]) -> Vec<PalletId> {
    let mut seen = HashSet::from([from]);
    let mut out = Vec::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        out.push(id);
        open.extend(next(id).iter().rev().filter(|id| seen.insert(**id)));
    }
    out
}
