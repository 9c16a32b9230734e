//! How a snapshot is made: of files, and of the snapshot before it.

use super::graph::Graph;
use super::pallet::{Pallet, PalletId};
use super::read::{self, Files};
use super::transforms::Transforms;
use super::views::Making;
use super::{LoadError, Origin, Snapshot, resolve};
use crate::finding::Finding;
use crate::tree::{self, Directory, Listing, Repository};
use std::collections::HashMap;
use std::sync::Arc;

/// How many threads read and compute. More would wait for each other.
const MOST_THREADS: usize = 4;

/// Of how many faults of one sort each is told.
const MOST_ALIKE: usize = 1000;

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Folders are listed.
    Listing,
    /// Files are read.
    Reading {
        /// How many have been.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// Values are inherited and transformed.
    Viewing {
        /// Of how many pallets they have been.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

impl Snapshot {
    /// Reads a warehouse.
    ///
    /// # Errors
    /// There is none: no such folder, repository, revision or folder in it. What is wrong within it is among the findings.
    pub fn load(origin: &Origin, progress: &mut dyn FnMut(Progress)) -> Result<Self, LoadError> {
        make(origin, None, progress)
    }

    /// Reads a warehouse again. Files that are the same are not parsed again, and pallets that inherit from nothing that has
    /// changed keep their views, the same ones in memory.
    ///
    /// # Errors
    /// As [`Snapshot::load`].
    pub fn reload(&self, origin: &Origin, progress: &mut dyn FnMut(Progress)) -> Result<Self, LoadError> {
        make(origin, Some(self), progress)
    }
}

pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

fn make(
    origin: &Origin,
    old: Option<&Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, LoadError> {
    progress(Progress::Listing);
    match origin {
        Origin::Directory(path) => {
            let failed = |why: String| LoadError::Directory { path: path.clone(), why };
            let directory = Directory::open(path).map_err(|e| failed(e.to_string()))?;
            let listing = tree::walk(&directory, threads(), old.map(|old| &old.listing)).map_err(failed)?;
            build(&Files::Directory(directory), listing, old, progress).map_err(failed)
        }
        Origin::Git { repository, revision, below } => {
            let failed = |why: String| LoadError::Git { repository: repository.clone(), why };
            let repository = Repository::new(repository).map_err(failed)?;
            let found = repository.resolve(revision, below).map_err(failed)?;
            let before = old.and_then(|old| Some((old.tree?, &old.listing)));
            let listing = match before {
                Some((tree, listing)) if tree == found.tree => Some(listing.clone()),
                Some((tree, listing)) => tree::patched(listing, &repository, tree, found.tree),
                None => None,
            };
            let listing = match listing {
                Some(listing) => listing,
                None => {
                    let tree = repository.tree(found.tree).map_err(failed)?;
                    tree::walk(&tree, 1, None).map_err(failed)?
                }
            };
            let files = Files::Git(repository, found.commit.into(), found.tree);
            build(&files, listing, old, progress).map_err(failed)
        }
    }
}

fn build(
    files: &Files,
    mut listing: Listing,
    old: Option<&Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, String> {
    let transforms = Transforms::read(files, listing.transforms, old.map(|old| &old.transforms))?;
    let places = old.map(|old| places(&listing, old));
    let before = |at: usize| -> Option<&Arc<Pallet>> {
        let (old, places) = (old?, places.as_ref()?);
        Some(&old.pallets[places[at]?.at()])
    };
    let boxes = read::boxes(files, &listing, |at| before(at).map(|old| &**old), progress)?;
    let mut found = Vec::new();
    // Whether every id means what it did.
    let same_ids = old.filter(|old| {
        let ids = (0..).map(|id| Some(PalletId(id))).take(old.pallets.len());
        places.iter().flatten().copied().eq(ids)
    });
    let mut pallets = resolve::pallets(&listing, boxes, before, same_ids.is_some(), &mut found);
    let graph = match same_ids.filter(|old| same_links(&old.pallets, &pallets)) {
        Some(old) => old.graph.clone(),
        None => Arc::new(Graph::new(&mut pallets, &mut found)),
    };
    let making = Making {
        pallets: &pallets,
        graph: &graph,
        transforms: &transforms,
        before: old.zip(places.as_deref()),
    };
    let views = making.views(progress);
    let kinds = kinds(&listing, &pallets);
    // Equal ones are kept once.
    listing.pallets = pallets.iter().map(|pallet| pallet.listed.clone()).collect();
    let mut snapshot = Snapshot {
        revision: None,
        tree: None,
        ids: (0..).map(PalletId).take(pallets.len()).collect(),
        pallets,
        kinds,
        graph,
        views,
        transforms,
        listing,
        findings: Vec::new(),
    };
    if let Files::Git(_, commit, tree) = files {
        (snapshot.revision, snapshot.tree) = (Some(commit.clone()), Some(*tree));
    }
    snapshot.findings = findings(&snapshot, found);
    Ok(snapshot)
}

/// Whether all links lead where they led, and none closes a cycle or leads nowhere.
fn same_links(old: &[Arc<Pallet>], new: &[Arc<Pallet>]) -> bool {
    let same = |(old, new): (&Arc<Pallet>, &Arc<Pallet>)| {
        Arc::ptr_eq(old, new)
            || old.links == new.links
                && old.within == new.within
                && old.links.iter().all(|link| link.target.is_some())
                && old.within.is_some() == old.listed.child
    };
    old.len() == new.len() && old.iter().zip(new).all(same)
}

/// Where each pallet of a listing was in the snapshot before: both are sorted.
fn places(listing: &Listing, old: &Snapshot) -> Vec<Option<PalletId>> {
    let mut at = 0;
    let mut place = |listed: &Arc<tree::Listed>| {
        let name = (&listed.kind, &listed.full_name);
        while let Some(pallet) = old.pallets.get(at) {
            let own = (&pallet.listed.kind, &pallet.listed.full_name);
            match own.cmp(&name) {
                std::cmp::Ordering::Less => at += 1,
                std::cmp::Ordering::Equal => return Some(old.ids[at]),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    };
    listing.pallets.iter().map(&mut place).collect()
}

/// All that is wrong, by place.
fn findings(snapshot: &Snapshot, mut all: Vec<Finding>) -> Vec<Finding> {
    all.extend(snapshot.listing.findings.iter().cloned());
    all.extend(snapshot.transforms.findings.iter().cloned());
    all.extend(snapshot.rules().findings.iter().cloned());
    for pallet in &snapshot.pallets {
        let own = pallet.boxes.iter().flat_map(|one| one.findings.iter().cloned());
        all.extend(own.map(|finding| finding.of(&pallet.listed.kind, &pallet.listed.full_name)));
    }
    all.extend(snapshot.views.iter().flat_map(|view| view.findings.iter().cloned()));
    all.sort();
    let mut alike: HashMap<&'static str, usize> = HashMap::new();
    all.retain(|finding| {
        let count = alike.entry(finding.code).or_default();
        *count += 1;
        *count <= MOST_ALIKE
    });
    all
}

fn kinds(listing: &Listing, pallets: &[Arc<Pallet>]) -> Vec<(Arc<str>, std::ops::Range<usize>)> {
    let range = |kind: &Arc<str>| {
        let start = pallets.partition_point(|pallet| pallet.listed.kind < *kind);
        start..start + pallets[start..].partition_point(|pallet| pallet.listed.kind == *kind)
    };
    listing.kinds.iter().map(|kind| (kind.clone(), range(kind))).collect()
}
