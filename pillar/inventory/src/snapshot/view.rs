//! What a pallet has: what it inherits, then what it has itself, then what transforms make of both.

use super::graph::Graph;
use super::pallet::{Pallet, PalletId};
use crate::finding::{Finding, Place};
use crate::node::{List, Map, MapBuilder, Node, Scalar};
use crate::transform::{self, Made, Rules};
use crate::yaml::Keys;
use std::sync::Arc;

/// All values of a pallet, and how the last of them came to be.
#[derive(Debug)]
pub(super) struct View {
    /// A mapping.
    pub(super) root: Node,
    pub(super) made: Box<[Made]>,
    pub(super) findings: Box<[Finding]>,
}

/// The keys that are made of folders and links.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) pallet: Arc<str>,
    pub(super) boxes: Arc<str>,
    pub(super) references: Arc<str>,
    pub(super) parent: Arc<str>,
}

impl Names {
    pub(super) fn new(keys: &mut Keys) -> Self {
        let mut key = |name| keys.get(name);
        Self {
            pallet: key("pallet"),
            boxes: key("boxes"),
            references: key("references"),
            parent: key("_parent"),
        }
    }
}

/// What a pallet has itself: its boxes in order, then what its folder says.
pub(super) fn local(pallet: &Pallet, names: &Names) -> Map {
    let place = Place::whole(pallet.path.clone());
    let mut out = Map::empty(place.clone());
    for one in &pallet.boxes {
        if let Some(content) = &one.content {
            out.merge(content);
        }
    }
    out.merge(&own_names(pallet, names, place));
    out
}

/// `pallet: {<kind>: <leaf name>, boxes: [..]}`.
pub(super) fn own_names(pallet: &Pallet, names: &Names, place: Place) -> Map {
    let boxes =
        pallet.boxes.iter().map(|one| Scalar::made(one.name(), Place::whole(one.path.clone())).into());
    let boxes = Node::List(List::new(boxes.collect(), place.clone()));
    let mut own = MapBuilder::new(place.clone());
    own.set(pallet.listed.kind.clone(), Scalar::made(pallet.leaf_name(), place.clone()).into());
    own.set(names.boxes.clone(), boxes);
    nested(&names.pallet, own.build(), place)
}

/// `pallet: {references: {<link>: <full name>}}`.
pub(super) fn reference(link: &Arc<str>, full_name: &str, names: &Names, place: &Place) -> Map {
    let mut inner = MapBuilder::new(place.clone());
    inner.set(link.clone(), Scalar::made(full_name, place.clone()).into());
    let references = nested(&names.references, inner.build(), place.clone());
    nested(&names.pallet, references, place.clone())
}

fn nested(key: &Arc<str>, inner: Map, place: Place) -> Map {
    let mut outer = MapBuilder::new(place);
    outer.set(key.clone(), Node::Map(inner));
    outer.build()
}

/// The view of a pallet, from those of the pallets that it inherits from.
pub(super) fn compute<'v>(
    id: PalletId,
    pallets: &[Arc<Pallet>],
    graph: &Graph,
    rules: &Rules,
    names: &Names,
    view_of: impl Fn(PalletId) -> Option<&'v Arc<View>>,
) -> View {
    let pallet = &pallets[id.at()];
    let mut root = Map::empty(Place::whole(pallet.path.clone()));
    for (parent, via) in graph.edges(id) {
        if let Some(Node::Map(inherited)) = view_of(parent).map(|view| &view.root) {
            root.merge(inherited);
        }
        let full_name = pallets[parent.at()].full_name();
        let (link, place) = match via.and_then(|at| pallet.links.get(at as usize)) {
            Some(link) => (&link.name, link.place.clone()),
            None => (&names.parent, Place::whole(pallet.path.clone())),
        };
        root.merge(&reference(link, full_name, names, &place));
    }
    let own = local(pallet, names);
    root.merge(&own);
    let outcome = transform::apply(rules, &own, &mut root);
    let findings =
        outcome.findings.into_iter().map(|finding| finding.of(&pallet.listed.kind, &pallet.listed.full_name));
    View { root: Node::Map(root), made: outcome.made.into(), findings: findings.collect() }
}
