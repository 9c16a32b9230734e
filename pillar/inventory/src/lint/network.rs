//! Addresses and names: given twice, missing, or outside of their network.

use super::about;
use crate::export::{Interface, Reader, interfaces, network};
use crate::{Finding, Node, PalletId, Severity, Snapshot};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) fn check(snap: &Snapshot, out: &mut Vec<Finding>) {
    let ids = ["ipv4_interface", "ipv6_interface"].into_iter().flat_map(|k| snap.of_kind(k)).copied();
    let mut reader = Reader::new(snap);
    let all = interfaces(&mut reader, ids);
    for member in &all {
        within(&mut reader, member, out);
    }
    networks(&mut reader, out);
    out.extend(reader.findings);
    addresses(snap, &all, out);
    names(snap, &all, out);
    systems(snap, out);
}

fn path(snap: &Snapshot, id: PalletId) -> &str {
    snap.pallet(id).path()
}

/// The first of each group of two and more, with the others.
fn twice<K: Ord, T: Copy>(all: impl IntoIterator<Item = (K, T)>) -> Vec<(K, T, Vec<T>)> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for (key, item) in all {
        groups.entry(key).or_default().push(item);
    }
    let more = groups.into_iter().filter(|(_, items)| items.len() > 1);
    more.map(|(key, items)| (key, items[0], items[1..].to_vec())).collect()
}

fn addresses(snap: &Snapshot, all: &[Interface<'_>], out: &mut Vec<Finding>) {
    for (address, first, others) in twice(all.iter().map(|m| (m.address, m.id))) {
        for id in others {
            let message = format!("{} has the address {address}, too", path(snap, first));
            out.push(about(snap, id, "duplicate-address", Severity::Error, None, message));
        }
    }
    // What palletjack2salt files an address by.
    let card = |m: &Interface<'_>| {
        let system = snap.parents(m.id).iter().find(|p| snap.pallet(**p).kind() == "system")?;
        let name = snap.view(m.id).get("net.layer2.name")?.str()?.to_owned();
        Some(((*system, name, m.address.is_ipv6()), m.id))
    };
    for ((system, name, _), first, others) in twice(all.iter().filter_map(card)) {
        for id in others {
            let message = format!(
                "{} is on {name} of {}, too: palletjack2salt keeps only one of them",
                path(snap, first),
                path(snap, system)
            );
            out.push(about(snap, id, "two-addresses", Severity::Warning, None, message));
        }
    }
}

fn names(snap: &Snapshot, all: &[Interface<'_>], out: &mut Vec<Finding>) {
    let system =
        |id: PalletId| snap.parents(id).iter().find(|p| snap.pallet(**p).kind() == "system").copied();
    let named = all.iter().filter_map(|m| Some((m.fqdn?.to_ascii_lowercase(), m.id)));
    for (name, first, others) in twice(named) {
        for id in others.into_iter().filter(|id| system(*id) != system(first)) {
            let message = format!("{} of another system is called {name}, too", path(snap, first));
            let place = snap.story(id, "net.dns.fqdn").map(|s| s.winner.place);
            out.push(about(snap, id, "duplicate-name", Severity::Warning, place, message));
        }
    }
}

fn systems(snap: &Snapshot, out: &mut Vec<Finding>) {
    let fqdn = |id: PalletId| snap.view(id).get("net.dns.fqdn").and_then(Node::str).filter(|t| !t.is_empty());
    let all = snap.of_kind("system");
    for &id in all {
        if fqdn(id).is_none() {
            let message =
                "it has no net.dns.fqdn, so it is no minion: is there a link to its domain?".to_owned();
            out.push(about(snap, id, "no-fqdn", Severity::Warning, None, message));
        }
    }
    for (name, first, others) in
        twice(all.iter().filter_map(|id| Some((fqdn(*id)?.to_ascii_lowercase(), *id))))
    {
        for id in others {
            let message = format!("{} is called {name}, too, so both are one minion", path(snap, first));
            let place = snap.story(id, "net.dns.fqdn").map(|s| s.winner.place);
            out.push(about(snap, id, "duplicate-fqdn", Severity::Error, place, message));
        }
    }
}

/// An address is of the networks that it is linked with.
fn within(reader: &mut Reader<'_>, member: &Interface<'_>, out: &mut Vec<Finding>) {
    let snap = reader.snap;
    let links: Vec<_> = snap.pallet(member.id).links().iter().filter_map(|l| Some((l, l.target?))).collect();
    for (link, target) in links {
        // Its own faults are told of itself.
        let Some(cidr) = network(&mut Reader::new(snap), target) else { continue };
        if cidr.first().is_ipv4() == member.address.is_ipv4() && !cidr.contains(member.address) {
            let message = format!("{} is no address of {cidr}, which it is linked with", member.address);
            let place = Some(link.place.clone());
            out.push(about(snap, member.id, "address-outside-network", Severity::Error, place, message));
        }
    }
}

fn networks(reader: &mut Reader<'_>, out: &mut Vec<Finding>) {
    let snap = reader.snap;
    let ids = ["ipv4_network", "ipv6_network"].into_iter().flat_map(|k| snap.of_kind(k)).copied();
    let all: Vec<_> = ids.filter_map(|id| Some((network(reader, id)?, id))).collect();
    for (cidr, id) in &all {
        let key = if cidr.first().is_ipv4() { "net.ipv4.gateway" } else { "net.ipv6.gateway" };
        let gateway = snap.view(*id).get(key).and_then(Node::str).and_then(|t| t.parse::<IpAddr>().ok());
        // Of IPv6 a gateway has an address of the link, mostly.
        let link_local = |a: &IpAddr| matches!(a, IpAddr::V6(a) if a.is_unicast_link_local());
        if let Some(gateway) = gateway.filter(|g| !cidr.contains(*g) && !link_local(g)) {
            let place = snap.story(*id, key).map(|s| s.winner.place);
            let message = format!("{key} is {gateway}, which is no address of {cidr}");
            out.push(about(snap, *id, "gateway-outside-network", Severity::Warning, place, message));
        }
    }
    for (cidr, first, others) in twice(all) {
        for id in others {
            let message = format!("{} is the network {cidr}, too", path(snap, first));
            out.push(about(snap, id, "duplicate-network", Severity::Error, None, message));
        }
    }
}
