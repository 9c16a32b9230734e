//! The views of all pallets, parents first; those of which nothing has changed are kept.

use super::Snapshot;
use super::graph::Graph;
use super::load::{Progress, threads};
use super::pallet::{Pallet, PalletId};
use super::transforms::Transforms;
use super::view::{View, compute};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// From how many pallets on that do not wait for each other threads are worth it.
const MANY: usize = 256;

/// What views are made of.
pub(super) struct Making<'m> {
    pub(super) pallets: &'m [Arc<Pallet>],
    pub(super) graph: &'m Arc<Graph>,
    pub(super) transforms: &'m Transforms,
    /// The snapshot before, with the position of each pallet in that.
    pub(super) before: Option<(&'m Snapshot, &'m [Option<PalletId>])>,
}

impl Making<'_> {
    /// All views, by the positions of their pallets.
    pub(super) fn views(&self, progress: &mut dyn FnMut(Progress)) -> Vec<Arc<View>> {
        let of = self.pallets.len();
        progress(Progress::Viewing { done: 0, of });
        let mut out: Vec<OnceLock<Arc<View>>> = Vec::new();
        out.resize_with(of, OnceLock::new);
        let mut missing = Vec::new();
        for id in self.graph.order() {
            match self.kept(*id, &out) {
                Some(view) => {
                    let _ = out[id.at()].set(view);
                }
                None => missing.push(*id),
            }
        }
        let mut done = of - missing.len();
        for level in self.levels(&missing) {
            self.level(&level, &out);
            done += level.len();
            progress(Progress::Viewing { done, of });
        }
        out.into_iter().filter_map(OnceLock::into_inner).collect()
    }

    /// The view that a pallet had, if neither it nor anything it inherits from has changed.
    fn kept(&self, id: PalletId, out: &[OnceLock<Arc<View>>]) -> Option<Arc<View>> {
        let (old, places) = self.before?;
        let before = places[id.at()]?;
        let (now, then) = (&self.pallets[id.at()], &old.pallets[before.at()]);
        let rules = Arc::ptr_eq(&self.transforms.rules, &old.transforms.rules);
        if rules && Arc::ptr_eq(now, then) && Arc::ptr_eq(self.graph, &old.graph) {
            let same = |parent: &PalletId| {
                out[parent.at()].get().is_some_and(|view| Arc::ptr_eq(view, &old.views[parent.at()]))
            };
            return self.graph.parents(id).iter().all(same).then(|| old.views[before.at()].clone());
        }
        let content = now.boxes.len() == then.boxes.len()
            && now.boxes.iter().zip(&then.boxes).all(|(now, then)| now.holds_same(then));
        if !rules || !content {
            return None;
        }
        let name = |pallet: &Pallet, link: Option<u32>| {
            link.and_then(|at| pallet.links.get(at as usize)).map(|link| link.name.clone())
        };
        let mut edges = self.graph.edges(id);
        let mut old_edges = old.graph.edges(before);
        loop {
            match (edges.next(), old_edges.next()) {
                (None, None) => return Some(old.views[before.at()].clone()),
                (Some((parent, link)), Some((old_parent, old_link))) => {
                    let view = out[parent.at()].get()?;
                    let same = places[parent.at()] == Some(old_parent)
                        && Arc::ptr_eq(view, &old.views[old_parent.at()])
                        && name(now, link) == name(then, old_link);
                    if !same {
                        return None;
                    }
                }
                _ => return None,
            }
        }
    }

    /// Pallets in groups of which each needs the views of those before it alone.
    fn levels(&self, missing: &[PalletId]) -> Vec<Vec<PalletId>> {
        let mut level = vec![0usize; self.pallets.len()];
        let mut out: Vec<Vec<PalletId>> = Vec::new();
        for id in missing {
            let own = self.graph.parents(*id).iter().map(|parent| level[parent.at()]).max().unwrap_or(0);
            level[id.at()] = own + 1;
            if out.len() <= own {
                out.resize_with(own + 1, Vec::new);
            }
            out[own].push(*id);
        }
        out.retain(|level| !level.is_empty());
        out
    }

    fn level(&self, level: &[PalletId], out: &[OnceLock<Arc<View>>]) {
        let next = AtomicUsize::new(0);
        let worker = || {
            while let Some(id) = level.get(next.fetch_add(1, Ordering::Relaxed)) {
                let view = compute(
                    *id,
                    self.pallets,
                    self.graph,
                    &self.transforms.rules,
                    &self.transforms.names,
                    |id| out[id.at()].get(),
                );
                let _ = out[id.at()].set(Arc::new(view));
            }
        };
        let others = if level.len() < MANY { 0 } else { threads() - 1 };
        std::thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(worker);
            }
            worker();
        });
    }
}
