//! What the kernel says of interfaces, by the names that pyroute2 gives it.

use super::Settings;
use brine_core::netlink::{self, Attributes, GET_ADDR, GET_LINK, GET_NEIGHBOUR, attribute};
use brine_core::{Map, Value, map};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

/// States of an interface, by number.
const STATES: [&str; 7] = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/// Messages of one answer.
const MOST: usize = 100_000;

/// Lengths of the fixed parts of messages.
const LINK: usize = 16;
const ADDRESS: usize = 8;
const NEIGHBOUR: usize = 12;

struct Link {
    index: u32,
    master: Option<u32>,
    settings: Map,
}

/// The settings of all interfaces.
pub(super) fn read() -> io::Result<Settings> {
    let links: Vec<Link> = dump(GET_LINK)?.iter().filter_map(|message| link(message)).collect();
    let mut addresses: HashMap<u32, Vec<Value>> = HashMap::new();
    for message in dump(GET_ADDR)? {
        let (Some(index), Some(length)) = (number(&message, 4), message.get(1)) else { continue };
        if let Some(address) = attribute(&message, ADDRESS, 1).and_then(ip) {
            addresses.entry(index).or_default().push(vec![address, i64::from(*length).into()].into());
        }
    }
    let mut neighbours: HashMap<u32, Vec<Value>> = HashMap::new();
    for message in dump(GET_NEIGHBOUR)? {
        let Some(index) = number(&message, 4) else { continue };
        if let Some(address) = attribute(&message, NEIGHBOUR, 1).and_then(ip) {
            neighbours.entry(index).or_default().push(address);
        }
    }
    let ports = |of: u32| -> Vec<Value> {
        links.iter().filter(|link| link.master == Some(of)).map(|link| i64::from(link.index).into()).collect()
    };
    let mut all = Settings::new();
    for link in &links {
        let mut settings = link.settings.clone();
        settings.insert("ipaddr", addresses.remove(&link.index).unwrap_or_default());
        settings.insert("neighbours", neighbours.remove(&link.index).unwrap_or_default());
        settings.insert("ports", ports(link.index));
        if let Some(name) = settings.get_str("ifname") {
            all.insert(name.to_owned(), settings);
        }
    }
    Ok(all)
}

fn link(message: &[u8]) -> Option<Link> {
    let index = number(message, 4)?;
    let mut settings = map! {
        "family" => i64::from(*message.first()?),
        "ifi_type" => i64::from(u16::from_ne_bytes([*message.get(2)?, *message.get(3)?])),
        "index" => i64::from(index),
        "flags" => i64::from(number(message, 8)?),
        "ipdb_scope" => "system",
        "ipdb_priority" => 0,
        "kind" => Value::Nil,
    };
    for name in ["address", "broadcast", "qdisc"] {
        settings.insert(name, Value::Nil);
    }
    let mut master = None;
    for (kind, bytes) in Attributes(message.get(LINK..).unwrap_or_default()) {
        let (name, value): (&str, Value) = match kind {
            1 => ("address", hardware(bytes)),
            2 => ("broadcast", hardware(bytes)),
            3 => ("ifname", text(bytes)),
            4 => ("mtu", whole(bytes)),
            6 => ("qdisc", text(bytes)),
            10 => {
                master = number(bytes, 0);
                continue;
            }
            13 => ("txqlen", whole(bytes)),
            16 => ("operstate", STATES.get(usize::from(*bytes.first()?)).map_or(Value::Nil, |s| (*s).into())),
            17 => ("linkmode", i64::from(*bytes.first()?).into()),
            18 => match attribute(bytes, 0, 1) {
                Some(name) => ("kind", text(name)),
                None => continue,
            },
            27 => ("group", whole(bytes)),
            30 => ("promiscuity", whole(bytes)),
            31 => ("num_tx_queues", whole(bytes)),
            32 => ("num_rx_queues", whole(bytes)),
            33 => ("carrier", i64::from(*bytes.first()?).into()),
            35 => ("carrier_changes", whole(bytes)),
            _ => continue,
        };
        settings.insert(name, value);
    }
    Some(Link { index, master, settings })
}

/// Every message of a table.
fn dump(what: u16) -> io::Result<Vec<Vec<u8>>> {
    netlink::dump(what, 0, MOST)
}

/// Four bytes as a number.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    netlink::number(bytes.get(at..)?)
}

fn whole(bytes: &[u8]) -> Value {
    number(bytes, 0).map_or(Value::Nil, |n| i64::from(n).into())
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').into()
}

/// `02:fc:00:00:00:01`
fn hardware(bytes: &[u8]) -> Value {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":").into()
}

fn ip(bytes: &[u8]) -> Option<Value> {
    let text = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string(),
        _ => return None,
    };
    Some(text.into())
}
