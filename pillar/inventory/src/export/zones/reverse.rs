//! Reverse zones: each address in that of the smallest network it is of, and zones above delegating to those below.

use super::{Record, Zone};
use crate::export::network::reverse_name;
use crate::export::reader::interfaces;
use crate::export::{Cidr, Reader};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What fills the reverse zones.
#[derive(Default)]
pub(super) struct Reverse {
    pub(super) networks: Vec<Cidr>,
    /// The names of all reverse zones.
    pub(super) seen: BTreeSet<String>,
}

impl Reverse {
    /// Puts pointers into zones, and what those above others need to delegate to them.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, zones: &mut [Zone]) {
        let snap = reader.snap;
        let ids = ["ipv4_interface", "ipv6_interface"].into_iter().flat_map(|k| snap.of_kind(k)).copied();
        // What is wrong with them was told with their domains.
        let all = interfaces(&mut Reader::new(snap), ids);
        let networks: HashSet<Cidr> = self.networks.iter().copied().collect();
        let lengths: BTreeSet<u8> = networks.iter().map(Cidr::prefix).collect();
        let smallest = |address| {
            let around = lengths.iter().rev().filter_map(|length| Cidr::around(address, *length));
            around.into_iter().find(|cidr| networks.contains(cidr))
        };
        let mut pointers: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        let mut aliases: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for member in &all {
            let net = smallest(member.address);
            let (Some(fqdn), Some(net)) = (member.fqdn, net) else { continue };
            let owner = format!("{}.", net.name_of(member.address));
            if net.is_classless() {
                let alias =
                    Record::new(format!("{}.", reverse_name(member.address)), format!("CNAME {owner}"));
                aliases.entry(net.zone_of(member.address)).or_default().push(alias);
            }
            let record = Record::new(owner, format!("PTR {fqdn}."));
            let records = pointers.entry(net.zone_of(member.address)).or_default();
            if !records.contains(&record) {
                records.push(record);
            }
        }
        let mut delegated: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for zone in zones.iter_mut().filter(|z| z.reverse) {
            zone.groups.push(pointers.remove(&zone.name).unwrap_or_default());
            let above = self.above(&zone.name);
            let mut records: Vec<Record> = zone
                .servers
                .iter()
                .map(|s| Record::new(format!("{}.", zone.name), format!("NS {s}")))
                .collect();
            let mut aliases = aliases.remove(&zone.name).unwrap_or_default();
            aliases.dedup();
            match above {
                Some(above) => {
                    records.extend(aliases);
                    delegated.entry(above.to_owned()).or_default().extend(records);
                }
                None if aliases.is_empty() => {}
                None => {
                    records.extend(aliases);
                    zone.wanted = records;
                }
            }
        }
        for zone in zones.iter_mut().filter(|z| z.reverse) {
            zone.groups.push(delegated.remove(&zone.name).unwrap_or_default());
        }
    }

    /// The closest zone above, of these.
    fn above(&self, zone: &str) -> Option<&str> {
        let mut rest = zone;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(found) = self.seen.get(above) {
                return Some(found);
            }
            rest = above;
        }
        None
    }
}
