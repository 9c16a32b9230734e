//! Configuration of the Kea DHCP server: what the service pallet says below `service.kea_v4` (`service.kea_v6` for IPv6), and a subnet
//! with its reservations for each network that the service is for.
//!
//! The data is Kea's own, so values have the types that they have in the warehouse's YAML: Kea takes no `"4000"` for a number. A few
//! of its parameters are texts whatever they look like (`TEXTS`).

use super::reader::{Interface, interfaces};
use super::zones::network;
use super::{Cidr, Export, Provenance, Reader, check, text_file};
use crate::{Native, Node, PalletId, Severity, Snapshot};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Which of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `kea-dhcp4`.
    V4,
    /// `kea-dhcp6`.
    V6,
}

/// Kea's words for one of them.
struct Words {
    top: &'static str,
    settings: &'static str,
    subnets: &'static str,
    space: &'static str,
    network: &'static str,
    interface: &'static str,
}

impl Family {
    fn words(self) -> Words {
        match self {
            Self::V4 => Words {
                top: "Dhcp4",
                settings: "service.kea_v4",
                subnets: "subnet4",
                space: "dhcp4",
                network: "ipv4_network",
                interface: "ipv4_interface",
            },
            Self::V6 => Words {
                top: "Dhcp6",
                settings: "service.kea_v6",
                subnets: "subnet6",
                space: "dhcp6",
                network: "ipv6_network",
                interface: "ipv6_interface",
            },
        }
    }
}

/// The key of a network that gives its subnet a fixed id.
const SUBNET_ID: &str = "net.dhcp.subnet-id";

/// Parameters of Kea's that are texts, also where their text is a number's or `true`.
const TEXTS: [&str; 24] = [
    "boot-file-name",
    "circuit-id",
    "client-class",
    "client-id",
    "data",
    "ddns-generated-prefix",
    "ddns-qualifying-suffix",
    "duid",
    "flex-id",
    "host",
    "hostname",
    "hostname-char-replacement",
    "identifier",
    "interface",
    "interface-id",
    "name",
    "parameters",
    "password",
    "server-hostname",
    "server-tag",
    "socket-name",
    "test",
    "user",
    "value",
];

/// The file of a service, in the one path `name`.
pub fn export(snap: &Snapshot, made: &Provenance, service: PalletId, family: Family, name: &str) -> Export {
    let mut reader = Reader::new(snap);
    let config = config(&mut reader, service, family);
    let text = serde_json::to_string_pretty(&config).unwrap_or_default() + "\n";
    Export { files: vec![text_file(name, made.header("##"), text)], findings: reader.findings }
}

/// One lease that is reserved, for whoever compares them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    /// The network.
    pub subnet: String,
    /// The address.
    pub address: String,
    /// The hardware address.
    pub mac: String,
    /// The whole name; empty if there is none.
    pub hostname: String,
}

/// All reservations that a service has.
pub fn leases(snap: &Snapshot, service: PalletId, family: Family) -> Vec<Lease> {
    let mut reader = Reader::new(snap);
    let mut all = Vec::new();
    for (id, cidr) in networks(&mut reader, service, family) {
        for member in members(&mut reader, id, &cidr, family) {
            all.push(Lease {
                subnet: cidr.to_string(),
                address: member.address.to_string(),
                mac: member.mac.unwrap_or_default(),
                hostname: member.fqdn.unwrap_or_default().to_owned(),
            });
        }
    }
    all
}

fn config(reader: &mut Reader<'_>, service: PalletId, family: Family) -> Value {
    let words = family.words();
    let mut settings = match reader.snap.view(service).get(words.settings) {
        Some(node @ Node::Map(_)) => match typed(node, false) {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        _ => {
            let message = format!("it has no mapping {}", words.settings);
            reader.say("no-settings", Severity::Error, service, words.settings, message);
            Map::new()
        }
    };
    let mut subnets = match settings.remove(words.subnets) {
        Some(Value::Array(own)) => own,
        _ => Vec::new(),
    };
    for (id, cidr) in networks(reader, service, family) {
        subnets.push(subnet(reader, id, &cidr, family));
    }
    settings.insert(words.subnets.into(), Value::Array(subnets));
    json!({ words.top: settings })
}

/// The networks below a service.
fn networks(reader: &mut Reader<'_>, service: PalletId, family: Family) -> Vec<(PalletId, Cidr)> {
    let kind = family.words().network;
    let mut all: Vec<(PalletId, Cidr)> = Vec::new();
    for id in reader.snap.descendants(service) {
        if reader.snap.pallet(id).kind() == kind
            && let Some(cidr) = network(reader, id)
        {
            all.push((id, cidr));
        }
    }
    all.sort_by_key(|(_, cidr)| *cidr);
    // Kea takes neither a network nor an id twice.
    for two in all.windows(2).filter(|two| two[0].1 == two[1].1) {
        let message = format!("{} is the network {}, too", reader.snap.pallet(two[0].0).path(), two[0].1);
        reader.say("duplicate-network", Severity::Error, two[1].0, "", message);
    }
    let mut ids: HashMap<&str, PalletId> = HashMap::new();
    for (id, _) in &all {
        if let Some(number) = reader.text(*id, SUBNET_ID)
            && let Some(first) = ids.insert(number, *id)
        {
            let message = format!("{SUBNET_ID} of {} is {number}, too", reader.snap.pallet(first).path());
            reader.say("duplicate-subnet-id", Severity::Error, *id, SUBNET_ID, message);
        }
    }
    all
}

/// The interfaces of a network that a lease is reserved for.
fn members<'s>(
    reader: &mut Reader<'s>,
    network: PalletId,
    cidr: &Cidr,
    family: Family,
) -> Vec<Interface<'s>> {
    let kind = family.words().interface;
    let snap = reader.snap;
    let children = snap.children(network).iter().copied().filter(|id| snap.pallet(*id).kind() == kind);
    let mut all = interfaces(reader, children.collect::<Vec<_>>());
    let mut seen = HashSet::new();
    all.retain(|member| {
        let Some(mac) = &member.mac else { return false };
        if !cidr.contains(member.address) {
            let message = format!("{} is no address of {cidr}, which it is linked with", member.address);
            reader.say("address-outside-network", Severity::Error, member.id, "", message);
            return false;
        }
        // Kea takes one reservation of a hardware address in a subnet.
        let first = seen.insert(mac.clone());
        if !first {
            let message = format!("{mac} has an address of {cidr} already, so DHCP gives it no other");
            reader.say("second-address", Severity::Warning, member.id, "", message);
        }
        first
    });
    all
}

fn subnet(reader: &mut Reader<'_>, id: PalletId, cidr: &Cidr, family: Family) -> Value {
    let mut out = Map::new();
    // Without one Kea counts, and a network that is added or taken away moves the leases of others.
    if let Some(number) = reader.fit(id, SUBNET_ID, "a number", |t| check::number(t, u32::MAX - 1)) {
        out.insert("id".into(), number.into());
    }
    out.insert("subnet".into(), cidr.to_string().into());
    let members = members(reader, id, cidr, family);
    let reservations = members.iter().map(|m| reservation(reader, m, family)).collect();
    out.insert("reservations".into(), Value::Array(reservations));
    let mut options = Vec::new();
    let mut next_server = None;
    let v4 = family == Family::V4;
    let address = |text: &str| check::address(text).is_some_and(|a| a.is_ipv4() == v4);
    let resolvers =
        reader.texts(id, "net.dns.resolver", "an address of a resolver", |t| check::address(t).is_some());
    let resolvers: Vec<&str> = resolvers.into_iter().filter(|t| address(t)).collect();
    if v4 {
        let what = "an IPv4 address";
        let gateway = reader.fit(id, "net.ipv4.gateway", what, |t| address(t).then_some(t));
        options.extend(gateway.map(|g| option(3, "routers", "dhcp4", g)));
    }
    if !resolvers.is_empty() {
        let (code, name) = if v4 { (6, "domain-name-servers") } else { (23, "dns-servers") };
        options.push(option(code, name, family.words().space, &resolvers.join(", ")));
    }
    if v4 {
        let what = "a name or address of a server";
        let server = reader.fit(id, "net.dhcp.tftp-server", what, |t| check::is_name(t).then_some(t));
        if let Some(server) = server {
            options.push(option(66, "tftp-server-name", "dhcp4", server));
            // Kea takes an address here, and nothing else.
            next_server = Some(server).filter(|s| address(s));
        }
        let file = reader.fit(id, "net.dhcp.boot-file", "one line", |t| check::is_line(t).then_some(t));
        options.extend(file.map(|f| option(67, "boot-file-name", "dhcp4", &data(f))));
    }
    out.insert("option-data".into(), Value::Array(options));
    if let Some(server) = next_server {
        out.insert("next-server".into(), server.into());
    }
    Value::Object(out)
}

fn reservation(reader: &mut Reader<'_>, member: &Interface<'_>, family: Family) -> Value {
    let mut out = Map::new();
    out.insert("hw-address".into(), member.mac.clone().into());
    let address = member.address.to_string();
    match family {
        Family::V4 => out.insert("ip-address".into(), address.into()),
        Family::V6 => out.insert("ip-addresses".into(), json!([address])),
    };
    if let Some(name) = member.fqdn {
        out.insert("hostname".into(), name.into());
    }
    let domain = reader.name(member.id, "net.dns.domain").map(|d| d.trim_end_matches('.'));
    if let (Some(domain), Family::V4) = (domain, family) {
        out.insert("option-data".into(), json!([option(15, "domain-name", "dhcp4", domain)]));
    }
    Value::Object(out)
}

fn option(code: u32, name: &str, space: &str, data: &str) -> Value {
    json!({"code": code, "name": name, "space": space, "csv-format": true, "data": data})
}

/// One text within the data of an option, where commas part texts.
fn data(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,")
}

/// A value with its type of YAML.
fn typed(node: &Node, text: bool) -> Value {
    match node {
        Node::Map(map) => {
            let entry = |(key, value): (&std::sync::Arc<str>, &Node)| {
                (key.to_string(), typed(value, TEXTS.contains(&&**key)))
            };
            Value::Object(map.iter().map(entry).collect())
        }
        Node::List(list) => list.items().iter().map(|n| typed(n, text)).collect(),
        // As it stands there: a password of digits is one with all of them.
        Node::Scalar(scalar) if text => scalar.written().into(),
        Node::Scalar(scalar) => match scalar.native() {
            Native::Null => Value::Null,
            Native::Bool(b) => b.into(),
            Native::Int(n) => n.into(),
            Native::Float(x) => x.into(),
            _ => scalar.text().into(),
        },
    }
}
