//! A warehouse as it was at one moment: pallets, their relations, their views and what is wrong with them.

mod boxes;
mod early;
mod graph;
mod load;
mod origin;
mod pallet;
mod read;
mod related;
mod resolve;
mod story;
mod transforms;
mod view;
mod views;

pub use load::Progress;
pub use origin::{LoadError, Origin};
pub use pallet::{Link, Pallet, PalletId};
pub use story::{Candidate, Source, Step, Story, TransformUse};

use crate::finding::{Finding, Place};
use crate::node::{Map, Node};
use crate::transform::Rules;
use crate::tree::{Listing, Oid};
use graph::Graph;
use std::sync::Arc;
use transforms::Transforms;
use view::View;

/// A warehouse as it was at one moment. It never changes; what a later one has in common with it is shared.
#[derive(Debug)]
pub struct Snapshot {
    revision: Option<Arc<str>>,
    tree: Option<Oid>,
    /// Sorted by kind and full name, by bytes; an id is a position here.
    pallets: Vec<Arc<Pallet>>,
    ids: Vec<PalletId>,
    kinds: Vec<(Arc<str>, std::ops::Range<usize>)>,
    graph: Arc<Graph>,
    views: Vec<Arc<View>>,
    transforms: Transforms,
    listing: Listing,
    findings: Vec<Finding>,
}

impl Snapshot {
    /// The full id of the commit that it was read from.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// What is wrong with it, by place. Of faults that are many of one sort only the first are told.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Those that are errors.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.findings.iter().filter(|finding| finding.is_error())
    }

    /// Whether nothing in it is an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.errors().next().is_none()
    }

    /// All kinds, sorted; also those that have no pallets.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|(kind, _)| &**kind)
    }

    /// All pallets, by kind and full name.
    pub fn pallets(&self) -> impl Iterator<Item = PalletId> + '_ {
        self.ids.iter().copied()
    }

    /// The pallets of a kind, by full name.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[PalletId] {
        let found = self.kinds.binary_search_by(|(own, _)| (**own).cmp(kind));
        found.map_or(&[], |at| &self.ids[self.kinds[at].1.clone()])
    }

    /// A pallet by its kind and full name.
    #[must_use]
    pub fn find(&self, kind: &str, full_name: &str) -> Option<PalletId> {
        let ids = self.of_kind(kind);
        ids.binary_search_by(|id| self.pallet(*id).full_name().cmp(full_name)).ok().map(|at| ids[at])
    }

    /// A pallet of this snapshot.
    #[must_use]
    pub fn pallet(&self, id: PalletId) -> &Pallet {
        &self.pallets[id.at()]
    }

    /// The pallets it inherits from directly, one for each link and the one it lies in last. A later one counts more.
    #[must_use]
    pub fn parents(&self, id: PalletId) -> &[PalletId] {
        self.graph.parents(id)
    }

    /// The pallets that inherit from it directly, one for each link.
    #[must_use]
    pub fn children(&self, id: PalletId) -> &[PalletId] {
        self.graph.children(id)
    }

    /// It and all it inherits from, itself first, each once.
    #[must_use]
    pub fn ancestors(&self, id: PalletId) -> Vec<PalletId> {
        related::reached(id, |id| self.parents(id))
    }

    /// It and all that inherit from it, itself first, each once.
    #[must_use]
    pub fn descendants(&self, id: PalletId) -> Vec<PalletId> {
        related::reached(id, |id| self.children(id))
    }

    /// Every pallet, those it inherits from before it.
    pub fn parents_first(&self) -> impl Iterator<Item = PalletId> + '_ {
        self.graph.order().iter().copied()
    }

    /// All values of a pallet, merged and transformed: a mapping.
    #[must_use]
    pub fn view(&self, id: PalletId) -> &Node {
        &self.views[id.at()].root
    }

    /// Whether the view of a pallet here is one and the same in memory as that of a pallet of another snapshot: then nothing it is
    /// made of differs.
    #[must_use]
    pub fn shares_view(&self, id: PalletId, other: &Snapshot, of: PalletId) -> bool {
        Arc::ptr_eq(&self.views[id.at()], &other.views[of.at()])
    }

    /// The boxes of a pallet merged, and what its folder says: all it has itself, before transforms.
    #[must_use]
    pub fn own(&self, id: PalletId) -> Map {
        view::local(self.pallet(id), &self.transforms.names)
    }

    /// The comments of `transforms.yaml` that begin with `pj:`, with their places.
    pub fn remarks(&self) -> impl Iterator<Item = (Place, &str)> {
        let place = |line| Place { line, ..Place::whole(crate::tree::TRANSFORMS) };
        self.transforms.remarks.iter().map(move |(line, text)| (place(*line), &**text))
    }

    fn rules(&self) -> &Rules {
        &self.transforms.rules
    }
}
