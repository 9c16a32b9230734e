//! Configuration of the resolver Unbound: `conf.d/<zone>.conf` says where the zones of the warehouse are answered, and
//! `local.d/<service>.conf` is what the service pallet says below `service.unbound.server`, to be included in a `server:` clause.

use super::network::is_local_zone;
use super::reader::interfaces;
use super::zones::{Zone, zones};
use super::{Export, Provenance, Reader, check, text_file};
use crate::{Native, Node, PalletId, Snapshot};
use std::collections::HashMap;
use std::fmt::Write;

const SETTINGS: &str = "service.unbound.server";

/// The files of a service.
pub fn export(snap: &Snapshot, made: &Provenance, service: PalletId) -> Export {
    let (zones, findings) = zones(snap);
    let mut reader = Reader::new(snap);
    let header = made.header("##");
    let mut files = Vec::new();
    let hosts = hosts(snap);
    for zone in &zones {
        files.push(text_file(format!("conf.d/{}.conf", zone.name), header.clone(), stub(zone, &hosts)));
    }
    let name = snap.pallet(service).leaf_name();
    if check::is_file_name(name) {
        let text = settings(&mut reader, service);
        files.push(text_file(format!("local.d/{name}.conf"), header, text));
    } else {
        reader.unfit(service, "the name", name, "a file's name");
    }
    Export { files, findings: [findings, reader.findings].concat() }
}

/// Addresses by whole name in small letters.
fn hosts(snap: &Snapshot) -> HashMap<String, Vec<String>> {
    let ids = ["ipv4_interface", "ipv6_interface"].into_iter().flat_map(|k| snap.of_kind(k)).copied();
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    // Their faults are told with the zones.
    for member in interfaces(&mut Reader::new(snap), ids) {
        if let Some(fqdn) = member.fqdn {
            all.entry(fqdn.to_ascii_lowercase()).or_default().push(member.address.to_string());
        }
    }
    all
}

fn stub(zone: &Zone, hosts: &HashMap<String, Vec<String>>) -> String {
    let mut out = format!("\nstub-zone:\n  name: {}\n", zone.name);
    for server in &zone.servers {
        let name = match server.strip_suffix('.') {
            Some(absolute) => absolute.to_owned(),
            None => format!("{server}.{}", zone.name),
        };
        match hosts.get(&name.to_ascii_lowercase()) {
            Some(addresses) => {
                for address in addresses {
                    let _ = writeln!(out, "  stub-addr: {address}");
                }
            }
            // It is not of this warehouse: the resolver looks it up.
            None => {
                let _ = writeln!(out, "  stub-host: {name}");
            }
        }
    }
    if zone.reverse && is_local_zone(&zone.name) {
        let _ = write!(out, "\nserver:\n  local-zone: \"{}\" transparent\n", zone.name);
    }
    out
}

/// Lines `key: value`, as many of a key as are said.
fn settings(reader: &mut Reader<'_>, service: PalletId) -> String {
    let mut out = String::new();
    for item in reader.items(service, SETTINGS) {
        let Node::Map(map) = item else {
            reader.unfit(service, SETTINGS, item.str().unwrap_or("a list"), "a list of mappings");
            continue;
        };
        for (key, value) in map.iter() {
            let is_key = !key.is_empty()
                && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !is_key {
                reader.unfit(service, SETTINGS, key, "an option's name");
            }
            let values: Vec<&Node> = match value {
                Node::List(values) => values.items().iter().collect(),
                one => vec![one],
            };
            for value in values {
                match text(value).filter(|t| is_value(t)) {
                    Some(text) if is_key => {
                        let _ = writeln!(out, "{key}: {text}");
                    }
                    Some(_) => {}
                    None => {
                        let what = "one line with its quotes closed";
                        reader.unfit(service, SETTINGS, value.str().unwrap_or("a list or mapping"), what);
                    }
                }
            }
        }
    }
    out
}

/// The text of a value. Yes and no are words of Unbound's, which YAML takes for truth values.
fn text(value: &Node) -> Option<&str> {
    let scalar = value.scalar()?;
    Some(match scalar.native() {
        Native::Bool(true) => "yes",
        Native::Bool(false) => "no",
        _ => scalar.text(),
    })
}

/// What Unbound takes for the value of one option and not for more: one line, in which quotes are closed.
fn is_value(text: &str) -> bool {
    check::is_line(text)
        && text.matches('"').count().is_multiple_of(2)
        && text.matches('\'').count().is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_on_their_line() {
        for fine in ["0.0.0.0", "192.168.0.0/24 allow", "\"example.com\"", ""] {
            assert!(is_value(fine), "{fine}");
        }
        for wrong in ["a\ninclude: /etc/shadow", "\"open", "it's", "a\r"] {
            assert!(!is_value(wrong), "{wrong}");
        }
    }
}
