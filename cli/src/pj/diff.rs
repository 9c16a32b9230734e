//! `pj diff`: what another revision changes for those who get something of the warehouse: the pillar of each minion, key by key, leases
//! and zones.

use super::query::shown;
use super::warehouse::Warehouse;
use super::{Told, print};
use crate::exit::Result;
use brine_inventory::export::Family;
use brine_inventory::export::kea::{Lease, leases};
use brine_inventory::export::zones::{Zone, zones};
use brine_inventory::{Node, Snapshot, salt};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(super) fn run(told: &Told) -> Result {
    let [old, new] = told.line.args.as_slice() else {
        return Err(told.usage("two revisions are needed"));
    };
    let before = Warehouse::at(told, old)?.load_to_look()?;
    let after = Warehouse::at(told, new)?;
    let after = after.load_after(&before)?;
    let all = Changes::between(&before, &after);
    if told.has("json") { print::json_text(&all.json(&before, &after)) } else { print::text(&all.text()) }
}

/// One key that differs.
#[derive(Debug, PartialEq)]
struct Change {
    path: String,
    old: Option<Node>,
    new: Option<Node>,
}

/// Lines that are gone and lines that are new.
#[derive(Debug, Default, PartialEq)]
struct Lines {
    gone: Vec<String>,
    new: Vec<String>,
}

/// All that differs.
#[derive(Debug, Default)]
struct Changes {
    global: Vec<Change>,
    /// By minion.
    minions: BTreeMap<String, Vec<Change>>,
    /// By service.
    leases: BTreeMap<String, Lines>,
    /// By name.
    zones: BTreeMap<String, Lines>,
}

impl Changes {
    fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let mut all = Self::default();
        compare(Some(&salt::global(before)), Some(&salt::global(after)), "", &mut all.global);
        let (old, new) = (minions(before), minions(after));
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let mut changes = Vec::new();
            compare(old.get(id), new.get(id), "", &mut changes);
            if !changes.is_empty() {
                all.minions.insert(id.clone(), changes);
            }
        }
        all.leases = sets(lease_lines(before), lease_lines(after));
        all.zones = sets(zone_lines(before), zone_lines(after));
        all
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let pillars = self.minions.iter().map(|(id, c)| (format!("pillar of {id}"), c));
        let global = (!self.global.is_empty())
            .then(|| ("pillar of all minions, below global".to_owned(), &self.global));
        for (title, changes) in global.into_iter().chain(pillars) {
            let _ = writeln!(out, "{title}");
            for change in changes {
                let path = &change.path;
                let _ = match (&change.old, &change.new) {
                    (Some(old), Some(new)) => writeln!(out, "  ~ {path}: {} -> {}", shown(old), shown(new)),
                    (Some(old), None) => writeln!(out, "  - {path}: {}", shown(old)),
                    (None, new) => {
                        writeln!(out, "  + {path}: {}", new.as_ref().map_or_else(String::new, shown))
                    }
                };
            }
        }
        for (what, sets) in [("leases of", &self.leases), ("zone", &self.zones)] {
            for (name, lines) in sets {
                let _ = writeln!(out, "{what} {name}");
                lines.gone.iter().for_each(|l| out.push_str(&format!("  - {l}\n")));
                lines.new.iter().for_each(|l| out.push_str(&format!("  + {l}\n")));
            }
        }
        out
    }

    fn json(&self, before: &Snapshot, after: &Snapshot) -> Value {
        let changes = |all: &Vec<Change>| -> Value {
            let side = |node: &Option<Node>| node.as_ref().map_or(Value::Null, print::node);
            all.iter().map(|c| json!({"key": c.path, "old": side(&c.old), "new": side(&c.new)})).collect()
        };
        let sets = |all: &BTreeMap<String, Lines>| -> Value {
            let one =
                |(name, l): (&String, &Lines)| (name.clone(), json!({"removed": l.gone, "added": l.new}));
            Value::Object(all.iter().map(one).collect())
        };
        let minions: Map<String, Value> =
            self.minions.iter().map(|(id, all)| (id.clone(), changes(all))).collect();
        json!({
            "old": before.revision(), "new": after.revision(), "global": changes(&self.global), "minions": minions,
            "leases": sets(&self.leases), "zones": sets(&self.zones),
        })
    }
}

/// The pillar of each minion, without what all have.
fn minions(snap: &Snapshot) -> BTreeMap<String, Node> {
    let id = |system| snap.view(system).get("net.dns.fqdn").and_then(Node::str).map(str::to_owned);
    let all = snap.of_kind(salt::SYSTEM).iter();
    all.filter_map(|system| Some((id(*system)?, salt::minion(snap, *system)))).collect()
}

/// What differs between two trees, down to what is no mapping.
fn compare(old: Option<&Node>, new: Option<&Node>, path: &str, out: &mut Vec<Change>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let map = |node: Option<&Node>| node.and_then(Node::map).filter(|m| !m.is_empty()).cloned();
    match (old, new) {
        (Some(a), Some(b)) if a == b => {}
        (None, None) => {}
        _ => match (map(old), map(new)) {
            (None, None) => {
                out.push(Change { path: path.to_owned(), old: old.cloned(), new: new.cloned() });
            }
            (a, b) => {
                // A mapping beside something else: that is gone, or new.
                let scalar = |node: Option<&Node>, map: &Option<_>| node.filter(|_| map.is_none()).cloned();
                let (lost, come) = (scalar(old, &a), scalar(new, &b));
                if lost.is_some() || come.is_some() {
                    out.push(Change { path: path.to_owned(), old: lost, new: come });
                }
                let keys = |m: &Option<brine_inventory::Map>| -> Vec<String> {
                    m.iter().flat_map(|m| m.iter().map(|(k, _)| k.to_string())).collect()
                };
                let mut all = keys(&a);
                all.extend(keys(&b).into_iter().filter(|k| a.as_ref().is_none_or(|m| m.get(k).is_none())));
                for key in all {
                    let side =
                        |m: &Option<brine_inventory::Map>| m.as_ref().and_then(|m| m.get(&key).cloned());
                    compare(side(&a).as_ref(), side(&b).as_ref(), &below(&key), out);
                }
            }
        },
    }
}

fn sets(
    old: BTreeMap<String, BTreeSet<String>>,
    new: BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, Lines> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let none = BTreeSet::new();
    let mut out = BTreeMap::new();
    for name in names {
        let (a, b) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
        let lines =
            Lines { gone: a.difference(b).cloned().collect(), new: b.difference(a).cloned().collect() };
        if lines != Lines::default() {
            out.insert(name.clone(), lines);
        }
    }
    out
}

fn lease_lines(snap: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let mut out = BTreeMap::new();
    for &id in snap.of_kind("service") {
        let name = snap.pallet(id).full_name();
        if !name.starts_with("dhcp-server/") {
            continue;
        }
        let all = [Family::V4, Family::V6].into_iter().flat_map(|family| leases(snap, id, family));
        let line = |l: Lease| format!("{} {} {} ({})", l.address, l.mac, l.hostname, l.subnet);
        out.insert(name.to_owned(), all.map(line).collect());
    }
    out
}

fn zone_lines(snap: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let head = |z: &Zone| {
        let ttl = z.ttl.iter().map(|t| format!("$TTL {t}"));
        ttl.chain(std::iter::once(format!("{}. IN SOA {} {}", z.name, z.primary, z.contact)))
            .collect::<Vec<_>>()
    };
    let lines = |z: &Zone| head(z).into_iter().chain(z.records().map(|r| r.line())).collect();
    zones(snap).0.iter().map(|z| (z.name.clone(), lines(z))).collect()
}
