//! Zones of the domain name system: one for each domain, and the reverse zones of the networks that domains are linked with. As
//! records, for whoever compares them, and as files for Knot DNS and its like.
//!
//! A domain may have several networks, of either family: those that it is linked with, as in Pallet Jack, and those that are linked with
//! it. Of the latter an interface does not inherit by its domain, so each has the values of its own network. An address is told about by the zone of the smallest network that it is of;
//! a reverse zone above another one of these delegates to it (RFC 2317 where the border is none of octets).

mod records;
mod reverse;

use super::reader::interfaces;
use super::{Cidr, Export, Provenance, Reader, check, text_file};
use crate::{Finding, PalletId, Severity, Snapshot};
use records::{NAME, addresses, cnames, mail, services, texts};
use reverse::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// One zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name, without the dot at the end.
    pub name: String,
    /// Whether it is one of addresses.
    pub reverse: bool,
    /// The domain it is of.
    pub domain: PalletId,
    /// Name server of its SOA record, absolute.
    pub primary: String,
    /// Contact of its SOA record, absolute.
    pub contact: String,
    /// `$TTL`, if it is said.
    pub ttl: Option<String>,
    /// Its name servers as its NS records have them.
    pub servers: Vec<String>,
    /// All other records, in groups with a blank line between them.
    pub groups: Vec<Vec<Record>>,
    /// What whoever has the zone above must add, for a zone of RFC 2317 whose parent is elsewhere.
    pub wanted: Vec<Record>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its name as in the file: absolute with a dot at its end, else relative to the zone.
    pub owner: String,
    /// Its type and all that follows, as in the file.
    pub data: String,
}

impl Record {
    fn new(owner: impl Into<String>, data: impl Into<String>) -> Self {
        Self { owner: owner.into(), data: data.into() }
    }

    /// Its line.
    pub fn line(&self) -> String {
        format!("{} IN {}", self.owner, self.data)
    }

    /// The absolute name.
    fn name(&self, zone: &str) -> String {
        absolute(&self.owner, zone).to_ascii_lowercase()
    }
}

impl Zone {
    /// The records that are not its SOA, NS first, in the file's order.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let apex = format!("{}.", self.name);
        let servers = self.servers.iter().map(move |s| Record::new(apex.clone(), format!("NS {s}")));
        servers.chain(self.groups.iter().flatten().cloned())
    }

    /// The file's text behind its header.
    pub fn text(&self, serial: u32) -> String {
        let mut out = String::new();
        if let Some(ttl) = &self.ttl {
            let _ = writeln!(out, "$TTL {ttl}");
        }
        let (name, primary, contact) = (&self.name, &self.primary, &self.contact);
        let _ = writeln!(out, "{name}. IN SOA {primary} {contact} ( {serial} 3h 15m 4w 30m )");
        let servers: Vec<Record> = self.records().take(self.servers.len()).collect();
        for group in std::iter::once(&servers).chain(&self.groups).filter(|g| !g.is_empty()) {
            out.push('\n');
            for record in group {
                let _ = writeln!(out, "{}", record.line());
            }
        }
        if !self.wanted.is_empty() {
            out.push_str("\n;; For the zone above, which is not of this warehouse:\n");
            for record in &self.wanted {
                let _ = writeln!(out, ";; {}", record.line());
            }
        }
        out
    }
}

/// All zones of a snapshot, those of domains first, each followed by those of its networks; and what is wrong with their data.
pub fn zones(snap: &Snapshot) -> (Vec<Zone>, Vec<Finding>) {
    let mut reader = Reader::new(snap);
    let mut all = Vec::new();
    let mut reverse = Reverse::default();
    for &domain in snap.of_kind("domain") {
        let Some(zone) = forward(&mut reader, domain) else { continue };
        let of = all.len();
        let networks = networks(&mut reader, domain);
        for name in networks.iter().flat_map(Cidr::zones) {
            if reverse.seen.insert(name.clone()) {
                all.push(Some(reverse_zone(&zone, name)));
            }
        }
        all.insert(of, Some(zone));
        reverse.networks.extend(networks);
    }
    let mut all: Vec<Zone> = all.into_iter().flatten().collect();
    reverse.fill(&mut reader, &mut all);
    for zone in &all {
        aliases_stand_alone(&mut reader, zone);
    }
    (all, reader.findings)
}

/// Which format the list of zones has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knot {
    /// That of Knot DNS 1.
    One,
    /// That of Knot DNS 2 and later.
    Two,
}

/// `zones/<zone>.zone` for each zone and `zones.conf`, the list of them. `serial` is asked for each zone's serial number.
pub fn export(
    snap: &Snapshot,
    made: &Provenance,
    format: Knot,
    serial: &mut dyn FnMut(&Zone) -> u32,
) -> Export {
    let (zones, findings) = zones(snap);
    let listed = zones.iter().map(|z| match format {
        Knot::One => format!("\n{} {{\n  file \"zones/{}.zone\";\n}}\n", z.name, z.name),
        Knot::Two => format!("\nzone:\n  - domain: {}\n", z.name),
    });
    let mut files = vec![text_file("zones.conf", made.header("##"), listed.collect())];
    let header = made.header(";;");
    for zone in &zones {
        files.push(text_file(format!("zones/{}.zone", zone.name), header.clone(), zone.text(serial(zone))));
    }
    Export { files, findings }
}

/// The name with the zone's behind it, if it is relative; with a dot at its end.
fn absolute(name: &str, zone: &str) -> String {
    match name {
        "@" => format!("{zone}."),
        _ if name.ends_with('.') => name.to_owned(),
        _ => format!("{name}.{zone}."),
    }
}

/// The networks that a domain is linked with, in the links' order, then those that are linked with it.
fn networks(reader: &mut Reader<'_>, domain: PalletId) -> Vec<Cidr> {
    let snap = reader.snap;
    let mut all = Vec::new();
    for &id in snap.parents(domain).iter().chain(snap.children(domain)) {
        if let Some(cidr) = network(reader, id).filter(|c| !all.contains(c)) {
            all.push(cidr);
        }
    }
    all
}

/// What network a pallet is. None where it is of another kind, or after a finding.
pub(crate) fn network(reader: &mut Reader<'_>, id: PalletId) -> Option<Cidr> {
    let (key, v4) = match reader.snap.pallet(id).kind() {
        "ipv4_network" => ("net.ipv4.cidr", true),
        "ipv6_network" => ("net.ipv6.cidr", false),
        _ => return None,
    };
    let (path, text) = match reader.text(id, key) {
        Some(text) => (key, text),
        None => ("the name", reader.snap.pallet(id).leaf_name()),
    };
    let cidr = Cidr::parse(text).filter(|c| c.first().is_ipv4() == v4);
    if cidr.is_none() {
        reader.unfit(
            id,
            path,
            text,
            "a network of this kind (address/length, no bits set behind the length)",
        );
    }
    cidr
}

/// The zone of a domain; None if it says nothing of one, or, with a finding, too little.
fn forward(reader: &mut Reader<'_>, domain: PalletId) -> Option<Zone> {
    // The name is one of a file, too.
    let is_zone = |name: &str| check::is_name(name) && !name.contains('*');
    let name = match reader.fit(domain, "net.dns.domain", NAME, |t| is_zone(t).then_some(t)) {
        Some(name) => name.trim_end_matches('.'),
        None => {
            let name = reader.snap.pallet(domain).leaf_name();
            if !is_zone(name) {
                reader.unfit(domain, "the name", name, "a domain name");
                return None;
            }
            name
        }
    };
    let said = |reader: &Reader<'_>, key: &str| reader.text(domain, key).is_some();
    let missing: Vec<&str> =
        ["net.dns.soa-ns", "net.dns.soa-contact"].into_iter().filter(|k| !said(reader, k)).collect();
    if missing.len() == 2 && reader.items(domain, "net.dns.ns").is_empty() {
        // Its zone is somebody else's, or nothing of it is filled in yet.
        return None;
    }
    if !missing.is_empty() {
        let message = format!("there is no zone of it: {} not said", missing.join(" and "));
        reader.say("no-soa", Severity::Warning, domain, "", message);
        return None;
    }
    let primary = absolute(reader.name(domain, "net.dns.soa-ns")?, name);
    let contact = reader.fit(domain, "net.dns.soa-contact", "an address of mail", check::contact)?;
    let ttl = reader.fit(domain, "net.dns.ttl", "a time", |t| check::is_ttl(t).then(|| t.to_owned()));
    let servers = reader.texts(domain, "net.dns.ns", "a domain name", check::is_name);
    if servers.is_empty() {
        reader.say(
            "no-name-server",
            Severity::Error,
            domain,
            "net.dns.ns",
            "its zone has no name server: net.dns.ns".into(),
        );
    }
    let members: Vec<PalletId> = reader.snap.children(domain).to_vec();
    let members = interfaces(reader, members);
    let mut groups = vec![mail(reader, domain, name), texts(reader, domain, name)];
    groups.push(addresses(reader, &members));
    groups.push(cnames(reader, domain, &members));
    groups.push(services(reader, domain));
    Some(Zone {
        name: name.to_owned(),
        reverse: false,
        domain,
        primary,
        contact,
        ttl,
        servers: servers.into_iter().map(str::to_owned).collect(),
        groups,
        wanted: Vec::new(),
    })
}

/// A reverse zone of a domain, still empty. Its name servers are those of the domain, absolute: what is relative there would
/// be relative to another zone here.
fn reverse_zone(of: &Zone, name: String) -> Zone {
    let servers = of.servers.iter().map(|s| absolute(s, &of.name)).collect();
    Zone { name, reverse: true, servers, groups: Vec::new(), ..of.clone() }
}

/// An alias is the only record of its name, or servers refuse the zone.
fn aliases_stand_alone(reader: &mut Reader<'_>, zone: &Zone) {
    let mut counts: HashMap<String, (u32, u32)> = HashMap::new();
    for record in zone.records() {
        let (all, aliases) = counts.entry(record.name(&zone.name)).or_default();
        *all += 1;
        *aliases += u32::from(record.data.starts_with("CNAME "));
    }
    let wrong: BTreeSet<&String> =
        counts.iter().filter(|(_, (all, aliases))| *aliases > 0 && *all > 1).map(|(name, _)| name).collect();
    for name in wrong {
        let message = format!("{name} is an alias, and has other records in the zone {}", zone.name);
        reader.say("alias-not-alone", Severity::Error, zone.domain, "net.dns.cname", message);
    }
}
