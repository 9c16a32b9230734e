//! What `palletjack2salt` selects of a warehouse for Salt: a tree for all minions, and one for each system.
//!
//! The pallet `_config/PalletJack2Salt` says what: `pillar.global.each-pallet` and `.each-leaf-pallet` name kinds whose views go to
//! everybody, `pillar.per-minion.each-subtree` names keys of a system. Which minion a system is, and of what types the values
//! are, is decided by who serves them.
//!
//! Where the original loses data or stops, this goes on: two addresses on one interface are both kept, a subtree that a system
//! does not have is left out and told by [`findings`].

use crate::node::MapBuilder;
use crate::{Finding, Node, PalletId, Place, Severity, Snapshot};

/// Kind and name of the pallet that says what is selected.
pub const CONFIG: (&str, &str) = ("_config", "PalletJack2Salt");
/// The kind whose pallets are minions.
pub const SYSTEM: &str = "system";
/// The kind of a system's addresses.
const INTERFACE: &str = "ipv4_interface";

/// What stands at `palletjack:global` for every minion: by destination key and full name, views without `pallet`. Empty where
/// nothing is configured.
pub fn global(snapshot: &Snapshot) -> Node {
    let mut all: Vec<(&str, MapBuilder)> = Vec::new();
    for (setting, only_leaves) in
        [("pillar.global.each-pallet", false), ("pillar.global.each-leaf-pallet", true)]
    {
        for (destination, kind) in pairs(snapshot, setting) {
            let of_kind = under(&mut all, destination);
            for &pallet in snapshot.of_kind(kind) {
                if !only_leaves || !has_child_of(snapshot, pallet, kind) {
                    of_kind.set(
                        snapshot.pallet(pallet).full_name().into(),
                        without_pallet(snapshot.view(pallet)),
                    );
                }
            }
        }
    }
    made(all)
}

/// What stands at `palletjack` for the minion that a system is: `ipv4_interfaces` by interface and address, and the configured
/// subtrees. An interface without a name or an address stands under an empty one.
pub fn minion(snapshot: &Snapshot, system: PalletId) -> Node {
    let mut all = MapBuilder::new(nowhere());
    all.set("ipv4_interfaces".into(), interfaces(snapshot, system));
    let view = snapshot.view(system);
    for (destination, path) in pairs(snapshot, "pillar.per-minion.each-subtree") {
        if let Some(subtree) = view.get(path) {
            all.set(destination.into(), subtree.clone());
        }
    }
    Node::Map(all.build())
}

/// Whether two snapshots give a system the same of everything here, as can be seen without making it: nothing it is made of
/// differs. False says nothing.
pub fn is_shared(old: &Snapshot, before: PalletId, new: &Snapshot, after: PalletId) -> bool {
    let config = |snapshot: &Snapshot| snapshot.find(CONFIG.0, CONFIG.1);
    let same = |before: PalletId, after: PalletId| old.shares_view(before, new, after);
    let configs = match (config(old), config(new)) {
        (Some(before), Some(after)) => same(before, after),
        (before, after) => before == after,
    };
    let (before_it, after_it) = (addresses(old, before), addresses(new, after));
    configs
        && same(before, after)
        && before_it.len() == after_it.len()
        && before_it.into_iter().zip(after_it).all(|(before, after)| same(before, after))
}

/// The pallets that a system stands below, by any way: `kind/full name`, in byte order, without itself.
pub fn groups(snapshot: &Snapshot, system: PalletId) -> Vec<String> {
    let above = snapshot.ancestors(system);
    let mut names: Vec<String> = above
        .into_iter()
        .filter(|id| *id != system)
        .map(|id| {
            let pallet = snapshot.pallet(id);
            format!("{}/{}", pallet.kind(), pallet.full_name())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What is missing for the trees above: warnings, each with its system.
pub fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    let wanted = pairs(snapshot, "pillar.per-minion.each-subtree");
    let mut found = Vec::new();
    for &system in snapshot.of_kind(SYSTEM) {
        for (destination, path) in &wanted {
            if snapshot.view(system).get(path).is_none() {
                let pallet = snapshot.pallet(system);
                found.push(Finding {
                    code: "missing-subtree",
                    severity: Severity::Warning,
                    message: format!(
                        "it has no key {path}, which Salt is to get as palletjack:{destination}"
                    ),
                    place: None,
                    pallet: Some((pallet.kind().into(), pallet.full_name().into())),
                });
            }
        }
    }
    found
}

fn interfaces(snapshot: &Snapshot, system: PalletId) -> Node {
    let mut all: Vec<(&str, MapBuilder)> = Vec::new();
    for child in addresses(snapshot, system) {
        let view = snapshot.view(child);
        let text = |path: &str| view.get(path).and_then(Node::str).unwrap_or_default();
        let mut net = MapBuilder::new(nowhere());
        for (part, path) in [("ipv4", "net.ipv4"), ("layer2", "net.layer2")] {
            if let Some(subtree) = view.get(path) {
                net.set(part.into(), subtree.clone());
            }
        }
        let mut of_address = MapBuilder::new(nowhere());
        of_address.set("net".into(), Node::Map(net.build()));
        under(&mut all, text("net.layer2.name"))
            .set(text("net.ipv4.address").into(), Node::Map(of_address.build()));
    }
    made(all)
}

/// The interfaces of a system.
fn addresses(snapshot: &Snapshot, system: PalletId) -> Vec<PalletId> {
    let children = snapshot.children(system).iter().copied();
    children.filter(|child| snapshot.pallet(*child).kind() == INTERFACE).collect()
}

/// What is collected under a key, which may be there already.
fn under<'a, 's>(all: &'a mut Vec<(&'s str, MapBuilder)>, key: &'s str) -> &'a mut MapBuilder {
    let at = all.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
        all.push((key, MapBuilder::new(nowhere())));
        all.len() - 1
    });
    &mut all[at].1
}

fn made(all: Vec<(&str, MapBuilder)>) -> Node {
    let mut out = MapBuilder::new(nowhere());
    for (key, map) in all {
        out.set(key.into(), Node::Map(map.build()));
    }
    Node::Map(out.build())
}

/// Mappings that are made here stand in no file but the one that asks for them.
fn nowhere() -> Place {
    Place::whole(format!("{}/{}", CONFIG.0, CONFIG.1))
}

/// The pairs of text that a setting of the configuration holds.
fn pairs<'s>(snapshot: &'s Snapshot, setting: &str) -> Vec<(&'s str, &'s str)> {
    let config = snapshot.find(CONFIG.0, CONFIG.1).and_then(|id| snapshot.view(id).get(setting));
    match config {
        Some(Node::Map(map)) => map.iter().filter_map(|(key, value)| Some((&**key, value.str()?))).collect(),
        _ => Vec::new(),
    }
}

fn has_child_of(snapshot: &Snapshot, pallet: PalletId, kind: &str) -> bool {
    snapshot.children(pallet).iter().any(|child| snapshot.pallet(*child).kind() == kind)
}

fn without_pallet(view: &Node) -> Node {
    match view {
        Node::Map(map) => {
            let mut rest = MapBuilder::new(map.place().clone());
            for (key, value) in map.iter().filter(|(key, _)| &***key != "pallet") {
                rest.set(key.clone(), value.clone());
            }
            Node::Map(rest.build())
        }
        other => other.clone(),
    }
}
