//! The records of a domain's zone, as its pallet and its interfaces say them.

use super::Record;
use crate::export::reader::Interface;
use crate::export::{Reader, check};
use crate::{Node, PalletId, Severity};

/// A value of an item of a list, which must fit; `default` where it is not there.
fn part<T>(
    reader: &mut Reader<'_>,
    domain: PalletId,
    list: &str,
    item: &Node,
    (key, default): (&str, Option<T>),
    (what, fits): (&str, impl FnOnce(&str) -> Option<T>),
) -> Option<T> {
    let path = format!("{list}.{key}");
    match item.get(key).and_then(Node::str).filter(|t| !t.is_empty()) {
        Some(text) => {
            let found = fits(text);
            if found.is_none() {
                let message = format!("{path} is {}, not {what}", crate::export::reader::shown(text));
                reader.say("unfit-value", Severity::Error, domain, list, message);
            }
            found
        }
        None if default.is_some() => default,
        None => {
            reader.say(
                "unfit-value",
                Severity::Error,
                domain,
                list,
                format!("an item of {list} has no {key}"),
            );
            None
        }
    }
}

pub(super) const NAME: &str = "a domain name";
const NUMBER: &str = "a number up to 65535";

fn name(text: &str) -> Option<String> {
    check::is_name(text).then(|| text.to_owned())
}

fn number(text: &str) -> Option<u32> {
    check::number(text, 65_535)
}

/// MX records of `net.dns.mx`.
pub(super) fn mail(reader: &mut Reader<'_>, domain: PalletId, zone: &str) -> Vec<Record> {
    const LIST: &str = "net.dns.mx";
    let mut all = Vec::new();
    for item in reader.items(domain, LIST) {
        let priority = part(reader, domain, LIST, item, ("priority", Some(0)), (NUMBER, number));
        let server = part(reader, domain, LIST, item, ("server", None), (NAME, name));
        if let (Some(priority), Some(server)) = (priority, server) {
            all.push(Record::new(format!("{zone}."), format!("MX {priority} {server}")));
        }
    }
    all
}

/// TXT records of `net.dns.txt`.
pub(super) fn texts(reader: &mut Reader<'_>, domain: PalletId, zone: &str) -> Vec<Record> {
    const LIST: &str = "net.dns.txt";
    let mut all = Vec::new();
    for item in reader.items(domain, LIST) {
        let label = part(reader, domain, LIST, item, ("label", Some(format!("{zone}."))), (NAME, name));
        let text = part(reader, domain, LIST, item, ("text", None), ("a text", |t| Some(check::quoted(t))));
        if let (Some(label), Some(text)) = (label, text) {
            all.push(Record::new(label, format!("TXT {text}")));
        }
    }
    all
}

/// SRV records of `net.dns.srv`.
pub(super) fn services(reader: &mut Reader<'_>, domain: PalletId) -> Vec<Record> {
    const LIST: &str = "net.dns.srv";
    let mut all = Vec::new();
    for item in reader.items(domain, LIST) {
        let mut get = |key, default, what| part(reader, domain, LIST, item, (key, default), what);
        let service = get("service", None, (NAME, name));
        let protocol = get("protocol", None, (NAME, name));
        let target = get("target", None, (NAME, name));
        let mut get = |key, default| part(reader, domain, LIST, item, (key, default), (NUMBER, number));
        let numbers = (get("priority", Some(0)), get("weight", Some(0)), get("port", None));
        if let (Some(service), Some(protocol), Some(target), (Some(priority), Some(weight), Some(port))) =
            (service, protocol, target, numbers)
        {
            let data = format!("SRV {priority} {weight} {port} {target}");
            all.push(Record::new(format!("_{service}._{protocol}"), data));
        }
    }
    all
}

/// A and AAAA records of interfaces.
pub(super) fn addresses(reader: &mut Reader<'_>, members: &[Interface<'_>]) -> Vec<Record> {
    let mut all = Vec::new();
    for member in members {
        let Some(name) = member.name else {
            let message = "it has no net.dns.name, so no zone tells of it".to_owned();
            reader.say("no-name", Severity::Warning, member.id, "", message);
            continue;
        };
        let kind = if member.address.is_ipv4() { "A" } else { "AAAA" };
        all.push(Record::new(name, format!("{kind} {}", member.address)));
    }
    all
}

/// CNAME records of `net.dns.cname` and of what interfaces are called besides.
pub(super) fn cnames(reader: &mut Reader<'_>, domain: PalletId, members: &[Interface<'_>]) -> Vec<Record> {
    const MAP: &str = "net.dns.cname";
    let mut all = Vec::new();
    match reader.snap.view(domain).get(MAP) {
        Some(Node::Map(map)) => {
            for (alias, target) in map.iter() {
                match target.str().filter(|t| check::is_name(t) && check::is_name(alias)) {
                    Some(target) => all.push(Record::new(&**alias, format!("CNAME {target}"))),
                    None => reader.unfit(domain, MAP, alias, "two domain names, alias and target"),
                }
            }
        }
        None => {}
        Some(other) if other.str() == Some("") => {}
        Some(_) => reader.unfit(domain, MAP, "a list or a text", "a mapping of aliases"),
    }
    for member in members {
        let aliases = reader.texts(member.id, "net.dns.alias", NAME, check::is_name);
        let Some(name) = member.name else { continue };
        // An interface of each family may tell the same alias of the same name.
        let new = aliases.into_iter().map(|alias| Record::new(alias, format!("CNAME {name}")));
        for record in new {
            if !all.contains(&record) {
                all.push(record);
            }
        }
    }
    all
}
