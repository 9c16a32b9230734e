//! What transforms make of a pallet before those of its ancestors have run, as Pallet Jack's order has it for some: for lints.

use super::Snapshot;
use super::pallet::PalletId;
use super::view::{View, compute};
use crate::finding::Place;
use crate::node::Node;
use crate::transform::{self, Made, Rules};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Snapshot {
    /// Every value of a transform that would be another one if the pallet were transformed before its ancestors: pallet, number of the
    /// rule, and that value.
    pub(crate) fn transformed_early(&self) -> Vec<(PalletId, usize, Option<Node>)> {
        let none = Rules::default();
        let names = &self.transforms.names;
        let view = |id, of: &dyn Fn(PalletId) -> Option<Arc<View>>| {
            let parents: Vec<(PalletId, Arc<View>)> =
                self.parents(id).iter().filter_map(|p| Some((*p, of(*p)?))).collect();
            let of = |id: PalletId| parents.iter().find(|(p, _)| *p == id).map(|(_, view)| view);
            compute(id, &self.pallets, &self.graph, &none, names, of)
        };
        let rules = self.rules().rules.iter().enumerate();
        let last: BTreeMap<&str, usize> = rules.map(|(n, rule)| (&*rule.key.whole, n)).collect();
        let mut plain: Vec<Option<Arc<View>>> = vec![None; self.pallets.len()];
        let mut out = Vec::new();
        for id in self.parents_first() {
            let untransformed = Arc::new(view(id, &|p| plain[p.at()].clone()));
            plain[id.at()] = Some(untransformed.clone());
            if self.parents(id).is_empty() {
                continue;
            }
            let inherited = view(id, &|p| Some(self.views[p.at()].clone()));
            let Node::Map(mut early) = untransformed.root.clone() else { continue };
            let made = transform::apply(self.rules(), &self.own(id), &mut early).made;
            // Later ones over earlier ones.
            let own: HashMap<&str, &Made> =
                made.iter().map(|m| (self.transform_key(m.rule as usize), m)).collect();
            for (key, n) in &last {
                let early = match own.get(key) {
                    Some(made) => Some(Node::Scalar(made.value.clone())),
                    None => inherited.root.get(key).cloned(),
                };
                let now = self.view(id).get(key);
                if early.as_ref().map(text) != now.map(text) {
                    out.push((id, *n, early));
                }
            }
        }
        out
    }

    /// The key that a rule makes.
    pub(crate) fn transform_key(&self, rule: usize) -> &str {
        &self.rules().rules[rule].key.whole
    }

    /// Where a rule stands.
    pub(crate) fn transform_place(&self, rule: usize) -> Place {
        let ops = &self.rules().rules[rule].ops;
        ops.first().map_or_else(|| Place::whole(crate::tree::TRANSFORMS), |op| op.place.clone())
    }
}

/// Values are compared by their texts; what is no scalar by what it is: no transform makes it.
fn text(node: &Node) -> &str {
    node.str().unwrap_or(node.kind())
}
