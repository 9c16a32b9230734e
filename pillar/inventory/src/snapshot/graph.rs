//! Who inherits from whom, in tables; and the order in which all that is inherited from comes first.

use super::pallet::{Pallet, PalletId};
use crate::finding::{Finding, Place};
use std::sync::Arc;

/// The relations of all pallets.
#[derive(Debug, Default)]
pub(super) struct Graph {
    parents: Table,
    /// By which link, as a position in the pallet's links; none is the folder it lies in.
    via: Vec<Option<u32>>,
    children: Table,
    order: Vec<PalletId>,
}

/// Lists of pallets in one.
#[derive(Debug, Default)]
struct Table {
    starts: Vec<u32>,
    items: Vec<PalletId>,
}

impl Table {
    fn range(&self, id: PalletId) -> std::ops::Range<usize> {
        self.starts[id.at()] as usize..self.starts[id.at() + 1] as usize
    }

    fn of(&self, id: PalletId) -> &[PalletId] {
        &self.items[self.range(id)]
    }
}

/// A pallet that is inherited from, with the link that says so; none is the folder that the heir lies in.
pub(super) type Edge = (PalletId, Option<u32>);

impl Graph {
    /// The relations of pallets. Links that would close a cycle are told, and lead nowhere from then on.
    pub(super) fn new(pallets: &mut [Arc<Pallet>], findings: &mut Vec<Finding>) -> Self {
        let (order, cut) = order(pallets);
        for (at, link) in cut {
            let pallet = &pallets[at];
            let mut whole = pallet.again();
            let finding = if let Some(found) = link.and_then(|link| whole.links.get_mut(link as usize)) {
                found.target = None;
                let message = format!("the link to {} closes a cycle, and counts for nothing", found.written);
                Finding::error("link-cycle", found.place.clone(), message)
            } else {
                whole.within = None;
                let message = "it inherits from the pallet it lies in, which inherits from it: a cycle, which ends here";
                Finding::error("link-cycle", Place::whole(pallet.path.clone()), message)
            };
            findings.push(finding.of(&pallet.listed.kind, &pallet.listed.full_name));
            pallets[at] = Arc::new(whole);
        }
        let mut parents = Table { starts: vec![0], items: Vec::new() };
        let mut via = Vec::new();
        let mut counts = vec![0u32; pallets.len() + 1];
        for pallet in pallets.iter() {
            for (parent, link) in edges(pallet) {
                parents.items.push(parent);
                via.push(link);
                counts[parent.at() + 1] += 1;
            }
            parents.starts.push(parents.items.len() as u32);
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        let mut children = Table { starts: counts.clone(), items: vec![PalletId(0); parents.items.len()] };
        for at in 0..pallets.len() as u32 {
            for parent in parents.of(PalletId(at)) {
                let slot = &mut counts[parent.at()];
                children.items[*slot as usize] = PalletId(at);
                *slot += 1;
            }
        }
        Self { parents, via, children, order }
    }

    pub(super) fn parents(&self, id: PalletId) -> &[PalletId] {
        self.parents.of(id)
    }

    pub(super) fn children(&self, id: PalletId) -> &[PalletId] {
        self.children.of(id)
    }

    /// All pallets, those they inherit from before them.
    pub(super) fn order(&self) -> &[PalletId] {
        &self.order
    }

    /// What a pallet inherits from, the least first.
    pub(super) fn edges(&self, id: PalletId) -> impl DoubleEndedIterator<Item = Edge> + '_ {
        let range = self.parents.range(id);
        self.parents.items[range.clone()].iter().copied().zip(self.via[range].iter().copied())
    }
}

/// What a pallet inherits from: what its links lead to, by their names, and the pallet that it lies in.
fn edges(pallet: &Pallet) -> impl Iterator<Item = Edge> + '_ {
    let links = (0..).zip(&pallet.links).filter_map(|(at, link)| Some((link.target?, Some(at))));
    links.chain(pallet.within.map(|parent| (parent, None)))
}

/// The order, and the edges that had to be left out for there to be one: heirs with the link that closes a cycle.
fn order(pallets: &[Arc<Pallet>]) -> (Vec<PalletId>, Vec<(usize, Option<u32>)>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    struct Frame {
        at: usize,
        edges: Vec<Edge>,
        next: usize,
    }
    let frame = |at: usize| Frame { at, edges: edges(&pallets[at]).collect(), next: 0 };
    let mut seen = vec![Seen::No; pallets.len()];
    let mut out = Vec::with_capacity(pallets.len());
    let mut cut = Vec::new();
    for start in 0..pallets.len() {
        if seen[start] != Seen::No {
            continue;
        }
        seen[start] = Seen::Open;
        let mut stack = vec![frame(start)];
        while let Some(top) = stack.last_mut() {
            let Some((parent, via)) = top.edges.get(top.next).copied() else {
                seen[top.at] = Seen::Done;
                out.push(PalletId(top.at as u32));
                stack.pop();
                continue;
            };
            top.next += 1;
            match seen[parent.at()] {
                Seen::Done => {}
                Seen::Open => cut.push((top.at, via)),
                Seen::No => {
                    seen[parent.at()] = Seen::Open;
                    stack.push(frame(parent.at()));
                }
            }
        }
    }
    (out, cut)
}
