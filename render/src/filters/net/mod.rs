//! Filters on network addresses.

mod addr;
mod dns;
mod kind;

use crate::filters::kinds::{is_mapping, pairs};
use addr::{Addr, Prefixed, no_filter};
use brine_jinja::{State, Table};
use brine_python::{
    Args, Dict, Kind, Obj, Op, PyErr, R, Signature, binary, call_method, eq, getitem, int, len, need_items,
    slice, str, truth,
};

pub(super) fn add(table: &mut Table) {
    table.insert("is_ip", |_, args| {
        let a = IS_IP.bind(args)?;
        Ok((is_version(a.at(0), 4, a.get(1))? || is_version(a.at(0), 6, a.get(1))?).into())
    });
    table.insert("is_ipv4", |_, args| {
        let a = IS_IPV4.bind(args)?;
        Ok(is_version(a.at(0), 4, a.get(1))?.into())
    });
    table.insert("is_ipv6", |_, args| {
        let a = IS_IPV6.bind(args)?;
        Ok(is_version(a.at(0), 6, a.get(1))?.into())
    });
    table.insert("ipv4", |_, args| {
        let a = IPV4.bind(args)?;
        of_version(a.at(0), 4, a.get(1))
    });
    table.insert("ipv6", |_, args| {
        let a = IPV6.bind(args)?;
        of_version(a.at(0), 6, a.get(1))
    });
    table.insert("ipaddr", |_, args| {
        let a = IPADDR.bind(args)?;
        ipaddr(a.at(0), a.get(1))
    });
    table.insert("ip_host", |_, args| {
        networks(HOST, args, |ip| Ok(Prefixed::interface(ip)?.to_string().into()))
    });
    table.insert("network_hosts", |_, args| networks(HOSTS, args, hosts));
    table.insert("network_size", |_, args| {
        networks(SIZE, args, |ip| Ok(Prefixed::network(ip, false)?.size()))
    });
    table.insert("filter_by_networks", filter_by_networks);
    table.insert("ipwrap", ipwrap);
    table.insert("mac_str_to_bytes", mac_str_to_bytes);
    table.insert("dns_check", dns::dns_check);
}

const IS_IP: Signature = Signature::new("is_ip_filter", 0, &["ip_addr", "options"], 1);
const IS_IPV4: Signature = Signature::new("is_ipv4_filter", 0, &["ip_addr", "options"], 1);
const IS_IPV6: Signature = Signature::new("is_ipv6_filter", 0, &["ip_addr", "options"], 1);
const IPV4: Signature = Signature::new("ipv4", 0, &["value", "options"], 1);
const IPV6: Signature = Signature::new("ipv6", 0, &["value", "options"], 1);
const IPADDR: Signature = Signature::new("ipaddr", 0, &["value", "options"], 1);
const HOST: Signature = Signature::new("ip_host", 0, &["value", "options", "version"], 1);
const HOSTS: Signature = Signature::new("network_hosts", 0, &["value", "options", "version"], 1);
const SIZE: Signature = Signature::new("network_size", 0, &["value", "options", "version"], 1);

/// `_is_ipv`: the address as Python writes it, if it is one of the version and the options.
fn checked(obj: &Obj, version: u8, options: Option<&Obj>) -> R<Option<String>> {
    let (found, prefix) = match Addr::any(obj) {
        Ok(addr) => (addr, None),
        Err(e) if e.kind() == Kind::ValueError => match Prefixed::interface(obj) {
            Ok(found) => (found.addr, Some(found.prefix)),
            Err(e) if e.kind() == Kind::ValueError => return Ok(None),
            Err(e) => return Err(e),
        },
        Err(e) => return Err(e),
    };
    if found.v6 != (version == 6) {
        return Ok(None);
    }
    if let Some(options) = options
        && truth(options)?
        && !fits(&found, prefix, options)?
    {
        return Ok(None);
    }
    Ok(Some(match prefix {
        Some(prefix) => format!("{found}/{prefix}"),
        None => found.to_string(),
    }))
}

fn fits(addr: &Addr, prefix: Option<u32>, options: &Obj) -> R<bool> {
    for option in call_method(options, "split", &Args::of([Obj::str(",")]))?.items()? {
        let option = call_method(&option, "strip", &Args::default())?;
        let fits = match option.as_str().unwrap_or_default() {
            "global" | "public" => !addr.is_private(),
            "link-local" | "linklocal" | "ll" | "link_local" => addr.is_link_local(),
            "loopback" | "lo" => addr.is_loopback(prefix),
            "multicast" => addr.is_multicast(),
            "private" => addr.is_private(),
            "reserved" => addr.is_reserved(),
            "site-local" | "sl" | "site_local" => addr.is_site_local(),
            "unspecified" => addr.is_unspecified(prefix),
            _ => true,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_version(obj: &Obj, version: u8, options: Option<&Obj>) -> R<bool> {
    Ok(checked(obj, version, options)?.is_some())
}

/// A list, a tuple or a generator.
fn is_many(obj: &Obj) -> bool {
    matches!(obj, Obj::List(_) | Obj::Tuple(_)) || obj.type_name() == "generator"
}

/// `_ipv_filter`.
fn of_version(value: &Obj, version: u8, options: Option<&Obj>) -> R {
    if value.as_str().is_some() || matches!(value, Obj::Bytes(_)) {
        return Ok(checked(value, version, options)?.map_or(Obj::None, Obj::from));
    }
    if !is_many(value) {
        return Ok(Obj::None);
    }
    let mut out = Vec::new();
    let iter = value.iter()?;
    while let Some(item) = iter.next()? {
        out.extend(checked(&item, version, options)?.map(Obj::from));
    }
    Ok(Obj::list(out))
}

fn ipaddr(value: &Obj, options: Option<&Obj>) -> R {
    let (v4, v6) = (of_version(value, 4, options)?, of_version(value, 6, options)?);
    if matches!(v4, Obj::None) || matches!(v6, Obj::None) {
        return Ok(if truth(&v4)? { v4 } else { v6 });
    }
    binary(Op::Add, &v4, &v6)
}

/// What is done to the one address, or to each of many.
fn networks(signature: Signature, args: &Args, each: impl Fn(&Obj) -> R) -> R {
    let a = signature.bind(args)?;
    let (value, options) = (a.at(0), a.get(1));
    let found = match a.get(2) {
        Some(version) if truth(version)? => {
            if eq(version, &Obj::Int(4))? {
                of_version(value, 4, options)?
            } else if eq(version, &Obj::Int(6))? {
                of_version(value, 6, options)?
            } else {
                Obj::None
            }
        }
        _ => ipaddr(value, options)?,
    };
    if !truth(&found)? {
        return Ok(Obj::None);
    }
    let found = match found.sequence() {
        Some(all) => all,
        None => vec![found],
    };
    if !is_many(value) {
        return found.first().map_or(Ok(Obj::None), each);
    }
    Ok(Obj::list(found.iter().map(each).collect::<R<Vec<_>>>()?))
}

fn hosts(ip: &Obj) -> R {
    let network = Prefixed::network(ip, false)?;
    let (first, last) = network.hosts();
    let count = usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX).saturating_add(1);
    need_items(count, size_of::<Obj>() + 32)?;
    brine_python::take_steps(count as u64)?;
    Ok(Obj::list((first..=last).map(|bits| Obj::from(network.host(bits).to_string())).collect()))
}

fn filter_by_networks(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("filter_by_networks", 0, &["values", "networks"], 2);
    let a = SIG.bind(args)?;
    let (values, networks) = (a.at(0), a.at(1));
    if matches!(networks, Obj::None) {
        return Ok(values.clone());
    }
    let mut nets = Vec::new();
    let iter = networks.iter()?;
    while let Some(network) = iter.next()? {
        nets.push(Prefixed::network(&network, true)?);
    }
    let filter = |ips: &Obj| -> R {
        let mut out = Vec::new();
        let iter = ips.iter()?;
        while let Some(ip) = iter.next()? {
            for net in &nets {
                if Addr::any(&ip)?.within(net) {
                    out.push(ip.clone());
                }
            }
        }
        Ok(Obj::list(out))
    };
    if is_mapping(values) {
        let out = Dict::new();
        for (interface, ips) in pairs(values)?.unwrap_or_default() {
            out.set(interface, filter(&ips)?)?;
        }
        return Ok(out.into());
    }
    let sequence = values.as_str().is_some()
        || matches!(values, Obj::List(_) | Obj::Tuple(_) | Obj::Bytes(_) | Obj::Range(_));
    if sequence { filter(values) } else { Err(no_filter(values)) }
}

/// `ip_bracket`.
pub(super) fn bracket(addr: &Obj) -> R {
    let text = str(addr)?;
    let bare = Obj::str(text.trim_start_matches('[').trim_end_matches(']'));
    let addr = Addr::any(&bare)?;
    Ok(if addr.v6 { format!("[{addr}]") } else { addr.to_string() }.into())
}

fn ipwrap(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("ipwrap", 0, &["data"], 1);
    let a = SIG.bind(args)?;
    let wrap = |item: &Obj| {
        if checked(item, 6, None)?.is_some() { bracket(item) } else { Ok(item.clone()) }
    };
    match a.at(0).sequence() {
        Some(items) => Ok(Obj::list(items.iter().map(wrap).collect::<R<Vec<_>>>()?)),
        None => wrap(a.at(0)),
    }
}

fn mac_str_to_bytes(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("mac_str_to_bytes", 0, &["mac_str"], 1);
    let a = SIG.bind(args)?;
    let mut mac = a.at(0).clone();
    match len(&mac)? {
        12 => {}
        17 => {
            let sep = getitem(&mac, &Obj::Int(2))?;
            mac = call_method(&mac, "replace", &Args::of([sep, Obj::str("")]))?;
        }
        _ => return Err(PyErr::value("Invalid MAC address")),
    }
    let mut out = Vec::with_capacity(6);
    for at in (0..12).step_by(2) {
        let pair = slice(&mac, &Obj::Int(at), &Obj::Int(at + 2), &Obj::None)?;
        match int(&pair, Some(&Obj::Int(16)))? {
            Obj::Int(n @ 0..=255) => out.push(n as u8),
            _ => return Err(PyErr::value("bytes must be in range(0, 256)")),
        }
    }
    Ok(out.into())
}
