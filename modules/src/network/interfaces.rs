//! The network interfaces with their addresses: what stock reads out of `ip link` and `ip addr`, from netlink.

use brine_core::netlink::{self, attribute, number};
use brine_core::{Map, Value, map};
use std::net::{Ipv4Addr, Ipv6Addr};

/// One address of a link.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// `inet` or `inet6`.
    pub(crate) family: &'static str,
    pub(crate) address: String,
    pub(crate) prefix: u8,
    /// A far end that differs from the address: tools then print no prefix length with it.
    peer: bool,
    broadcast: Option<String>,
    label: Option<String>,
    scope: &'static str,
    secondary: bool,
}

/// One link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) up: bool,
    pub(crate) parent: Option<String>,
    pub(crate) hardware: Option<String>,
    pub(crate) addresses: Vec<Address>,
}

/// All links in the kernel's order. Empty if the kernel does not tell.
pub(crate) fn all() -> Vec<Link> {
    let read = || -> std::io::Result<Vec<Link>> {
        let links = netlink::dump(netlink::GET_LINK, 0, usize::MAX)?;
        let addresses = netlink::dump(netlink::GET_ADDR, 0, usize::MAX)?;
        Ok(assemble(&links, &addresses))
    };
    read().unwrap_or_else(|e| {
        tracing::warn!("network interfaces are unknown: {e}");
        Vec::new()
    })
}

/// Size of the fixed part of a link message, and of an address message.
const LINK_PART: usize = 16;
const ADDRESS_PART: usize = 8;

fn assemble(link_messages: &[Vec<u8>], address_messages: &[Vec<u8>]) -> Vec<Link> {
    let index = |m: &[u8]| m.get(4..8).and_then(number);
    let text = |b: &[u8]| String::from_utf8_lossy(b.split(|c| *c == 0).next().unwrap_or(b)).into_owned();
    let name = |m: &[u8]| attribute(m, LINK_PART, 3).map(text);
    let mut out = Vec::new();
    for m in link_messages {
        let (Some(id), Some(link_name)) = (index(m), name(m)) else { continue };
        let flags = m.get(8..12).and_then(number).unwrap_or(0);
        let far = attribute(m, LINK_PART, 5).and_then(number);
        let elsewhere = attribute(m, LINK_PART, 37).is_some();
        let parent = far.filter(|p| *p != 0 && (*p != id || elsewhere)).map(|p| {
            let here = link_messages.iter().find(|l| !elsewhere && index(l) == Some(p)).and_then(|l| name(l));
            here.unwrap_or_else(|| format!("if{p}"))
        });
        let kind = m.get(2..4).map_or(0, |b| u16::from_ne_bytes([b[0], b[1]]));
        out.push(Link {
            name: link_name,
            up: flags & 1 != 0,
            parent,
            hardware: attribute(m, LINK_PART, 1).and_then(|b| hardware(kind, b)),
            addresses: address_messages
                .iter()
                .filter(|a| index(a) == Some(id))
                .filter_map(|a| address(a))
                .collect(),
        });
    }
    out
}

/// A link address as tools print it: tunnels have IP addresses there.
fn hardware(kind: u16, bytes: &[u8]) -> Option<String> {
    match (kind, bytes.len()) {
        (_, 0) => None,
        (768 | 776 | 778, 4) => ip_text(bytes),
        (769 | 823, 16) => ip_text(bytes),
        _ => Some(bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")),
    }
}

fn ip_text(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string())
}

fn address(m: &[u8]) -> Option<Address> {
    let [family, prefix, flags, scope] = *m.get(..4)?.first_chunk::<4>()?;
    let family = match family {
        2 => "inet",
        10 => "inet6",
        _ => return None,
    };
    let far = attribute(m, ADDRESS_PART, 1).and_then(ip_text);
    let local = attribute(m, ADDRESS_PART, 2).and_then(ip_text);
    let peer = matches!((&local, &far), (Some(l), Some(f)) if l != f);
    let text = |b: &[u8]| String::from_utf8_lossy(b.split(|c| *c == 0).next().unwrap_or(b)).into_owned();
    Some(Address {
        family,
        address: local.or(far)?,
        prefix,
        peer,
        broadcast: attribute(m, ADDRESS_PART, 4).and_then(ip_text),
        label: attribute(m, ADDRESS_PART, 3).map(text),
        scope: match scope {
            0 => "global",
            200 => "site",
            253 => "link",
            254 => "host",
            _ => "nowhere",
        },
        // The bit means "temporary" for IPv6, which tools print as another word.
        secondary: flags & 1 != 0 && family == "inet",
    })
}

impl Address {
    /// The prefix length; 32 where tools print none.
    pub(crate) fn shown_prefix(&self) -> u8 {
        if self.peer { 32 } else { self.prefix }
    }

    /// Its label, which is the link's name unless it was given another.
    pub(crate) fn label<'a>(&'a self, link: &'a str) -> &'a str {
        self.label.as_deref().unwrap_or(link)
    }

    fn prefixlen(&self) -> Value {
        if self.peer { 32.into() } else { self.prefix.to_string().into() }
    }

    fn to_map(&self, link: &str) -> Map {
        if self.family == "inet6" {
            return map! {"address" => &self.address, "prefixlen" => self.prefixlen(), "scope" => self.scope};
        }
        map! {
            "address" => &self.address,
            "netmask" => super::addresses::netmask(self.shown_prefix()),
            "broadcast" => self.broadcast.clone(),
            "label" => self.label(link),
        }
    }
}

impl Link {
    /// The IPv4 addresses that are not secondary.
    pub(crate) fn primary4(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|a| a.family == "inet" && !a.secondary)
    }
}

/// A name that stock's expression for `ip` output takes.
fn named(link: &Link) -> bool {
    !link.name.is_empty() && link.name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

/// The shape of `network.interfaces`.
pub(crate) fn to_map(links: &[Link]) -> Map {
    let mut out = Map::new();
    for link in links.iter().filter(|l| named(l)) {
        let mut data = map! {"up" => link.up};
        if let Some(parent) = &link.parent {
            data.insert("parent", parent);
        }
        if let Some(hardware) = &link.hardware {
            data.insert("hwaddr", hardware);
        }
        for a in &link.addresses {
            let mut entry = a.to_map(&link.name);
            let key = if a.secondary {
                let mut typed = map! {"type" => a.family};
                typed.update(entry);
                entry = typed;
                "secondary"
            } else {
                a.family
            };
            if let Value::List(list) = data.entry_or(key, || Value::List(Vec::new())) {
                list.push(entry.into());
            }
        }
        out.insert(&link.name, data);
    }
    out
}

/// The shape of the `ip_interfaces` grains: addresses by link, of one family or of both.
pub(crate) fn addresses_by_name(links: &[Link], family: Option<&str>) -> Map {
    links
        .iter()
        .filter(|l| named(l))
        .map(|l| {
            let of = |family: &'static str, secondary: bool| {
                l.addresses.iter().filter(move |a| a.family == family && a.secondary == secondary)
            };
            let primary: Vec<&Address> = match family {
                Some("inet") => of("inet", false).collect(),
                Some(_) => of("inet6", false).collect(),
                None => of("inet", false).chain(of("inet6", false)).collect(),
            };
            let second = of("inet", true).filter(|_| family != Some("inet6"));
            let all: Vec<String> = primary.into_iter().chain(second).map(|a| a.address.clone()).collect();
            (l.name.clone(), all)
        })
        .collect()
}

/// The shape of `hwaddr_interfaces`.
pub(crate) fn hardware_addresses(links: &[Link]) -> Map {
    links.iter().filter(|l| named(l)).filter_map(|l| Some((l.name.clone(), l.hardware.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attr(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::from((value.len() as u16 + 4).to_ne_bytes());
        out.extend(kind.to_ne_bytes());
        out.extend(value);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn link(id: u32, kind: u16, attrs: &[Vec<u8>]) -> Vec<u8> {
        let mut m = vec![0, 0];
        m.extend(kind.to_ne_bytes());
        m.extend(id.to_ne_bytes());
        m.extend(1u32.to_ne_bytes());
        m.extend([0; 4]);
        m.extend(attrs.concat());
        m
    }

    fn addr(id: u32, head: [u8; 4], attrs: &[Vec<u8>]) -> Vec<u8> {
        let mut m = Vec::from(head);
        m.extend(id.to_ne_bytes());
        m.extend(attrs.concat());
        m
    }

    #[test]
    fn links_look_as_stock_shows_them() {
        let links = [
            link(2, 1, &[attr(3, b"eth0\0"), attr(1, &[2, 0, 0, 0, 0, 1])]),
            link(3, 1, &[attr(3, b"eth0.5\0"), attr(5, &2u32.to_ne_bytes())]),
            link(4, 65534, &[attr(3, b"tun0\0")]),
        ];
        let addresses = [
            addr(
                2,
                [2, 24, 0, 0],
                &[
                    attr(1, &[10, 0, 0, 2]),
                    attr(2, &[10, 0, 0, 2]),
                    attr(4, &[10, 0, 0, 255]),
                    attr(3, b"eth0\0"),
                ],
            ),
            addr(2, [2, 24, 1, 0], &[attr(1, &[10, 0, 0, 3]), attr(2, &[10, 0, 0, 3]), attr(3, b"eth0:1\0")]),
            addr(4, [2, 24, 0, 0], &[attr(1, &[10, 8, 0, 1]), attr(2, &[10, 8, 0, 2]), attr(3, b"tun0\0")]),
        ];
        let all = assemble(&links, &addresses);
        let shown = to_map(&all);
        assert_eq!(
            shown.get("eth0"),
            Some(&Value::from(map! {
                "up" => true,
                "hwaddr" => "02:00:00:00:00:01",
                "inet" => vec![Value::from(map! {"address" => "10.0.0.2", "netmask" => "255.255.255.0", "broadcast" => "10.0.0.255", "label" => "eth0"})],
                "secondary" => vec![Value::from(map! {"type" => "inet", "address" => "10.0.0.3", "netmask" => "255.255.255.0", "broadcast" => Value::Nil, "label" => "eth0:1"})],
            }))
        );
        assert_eq!(shown.get("eth0.5").and_then(|l| l.get("parent")), Some(&"eth0".into()));
        let tunnel = shown.get("tun0").and_then(|l| l.get("inet")).and_then(|l| l.as_list()).unwrap();
        assert_eq!(tunnel[0].get("netmask"), Some(&"255.255.255.255".into()));
        assert_eq!(addresses_by_name(&all, None).get("eth0"), Some(&vec!["10.0.0.2", "10.0.0.3"].into()));
    }
}
