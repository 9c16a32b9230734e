//! Functions of `network` about this machine's interfaces and their addresses.

use super::addresses::{self, Net};
use super::interfaces::{self, Link};
use crate::network::arithmetic::any_in;
use brine_core::call::{Result, exec};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

/// Return a dictionary of information about all the interfaces on the minion.
///
/// CLI Example: salt '*' network.interfaces
#[exec]
fn interfaces() -> Result<Map> {
    Ok(interfaces::to_map(&interfaces::all()))
}

/// A field of one interface, or stock's text about a name that is none.
fn of_interface(iface: &str, field: &str) -> Value {
    let all = interfaces::to_map(&interfaces::all());
    match all.get(iface) {
        Some(data) => data.get(field).cloned().unwrap_or_else(|| "".into()),
        None => {
            let names: Vec<String> = all.keys().map(python_str).collect();
            let text =
                format!("Interface \"{iface}\" not in available interfaces: \"{}\"", names.join("\", \""));
            tracing::error!("{text}");
            text.into()
        }
    }
}

/// Return the hardware address (a.k.a. MAC address) for a given interface.
///
/// CLI Example: salt '*' network.hw_addr eth0
#[exec]
fn hw_addr(iface: String) -> Result {
    Ok(of_interface(&iface, "hwaddr"))
}

/// Return the inet addresses of a given interface.
///
/// CLI Example: salt '*' network.interface eth0
#[exec]
fn interface(iface: String) -> Result {
    Ok(of_interface(&iface, "inet"))
}

/// Return the inet address for a given interface.
///
/// CLI Example: salt '*' network.interface_ip eth0
#[exec]
fn interface_ip(iface: String) -> Result {
    Ok(match of_interface(&iface, "inet") {
        Value::List(all) => all.first().and_then(|a| a.get("address").cloned()).unwrap_or_else(|| "".into()),
        text => text,
    })
}

/// The interfaces an `interface=` argument selects: all, or those that match one of its globs.
fn selected(wanted: Option<&Value>) -> Vec<Link> {
    let patterns: Option<Vec<String>> = wanted.filter(|w| !w.is_nil()).map(|w| match w {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => python_str(one).split(',').map(|p| p.trim().to_owned()).collect(),
    });
    let mut links = interfaces::all();
    if let Some(patterns) = patterns {
        links.retain(|l| patterns.iter().any(|p| fnmatch(&l.name, p)));
    }
    links
}

fn list_subnets(family: &str, wanted: Option<&Value>) -> Vec<String> {
    let names: Option<Vec<String>> = wanted.filter(|w| !w.is_nil()).map(|w| match w {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => vec![python_str(one)],
    });
    let all: BTreeSet<Net> = interfaces::all()
        .iter()
        .filter(|l| names.as_ref().is_none_or(|n| n.contains(&l.name)))
        .flat_map(|l| &l.addresses)
        .filter(|a| a.family == family)
        .filter_map(|a| Some((a.address.parse::<std::net::IpAddr>().ok()?, a.shown_prefix())))
        .filter(|(ip, _)| !ip.is_loopback())
        .map(|(ip, prefix)| Net::of(ip, prefix))
        .collect();
    all.iter().map(ToString::to_string).collect()
}

/// Returns a list of IPv4 subnets to which the host belongs.
///
/// CLI Example: salt '*' network.subnets interfaces=eth1
#[exec]
fn subnets(interfaces: Option<Value>) -> Result<Vec<String>> {
    Ok(list_subnets("inet", interfaces.as_ref()))
}

/// Returns a list of IPv6 subnets to which the host belongs.
///
/// CLI Example: salt '*' network.subnets6
#[exec]
fn subnets6() -> Result<Vec<String>> {
    Ok(list_subnets("inet6", None))
}

fn keep(all: Vec<String>, mut wanted: impl FnMut(&str) -> Result<bool>) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for ip in all {
        if wanted(&ip)? {
            out.push(ip);
        }
    }
    Ok(out)
}

/// Returns a list of IPv4 addresses assigned to the host, restricted by interface, network, or `type` (`public` or
/// `private`).
///
/// CLI Example: salt '*' network.ip_addrs cidr=10.0.0.0/8
#[exec]
fn ip_addrs(
    interface: Option<Value>,
    #[default(false)] include_loopback: Value,
    cidr: Option<String>,
    r#type: Option<String>,
) -> Result<Vec<String>> {
    let all = addresses::of(&selected(interface.as_ref()), "inet", include_loopback.truthy());
    if let Some(cidr) = cidr.filter(|c| !c.is_empty()) {
        return keep(all, |ip| any_in(&cidr, &[ip.to_owned()]));
    }
    match r#type.as_deref() {
        Some("public") => keep(all, |ip| Ok(!addresses::is_private(addresses::parse(ip)?))),
        Some("private") => keep(all, |ip| Ok(addresses::is_private(addresses::parse(ip)?))),
        _ => Ok(all),
    }
}

/// Returns a list of IPv6 addresses assigned to the host, restricted by interface or network.
///
/// CLI Example: salt '*' network.ip_addrs6 cidr=2000::/3
#[exec]
fn ip_addrs6(
    interface: Option<Value>,
    #[default(false)] include_loopback: Value,
    cidr: Option<String>,
) -> Result<Vec<String>> {
    let all = addresses::of(&selected(interface.as_ref()), "inet6", include_loopback.truthy());
    match cidr.filter(|c| !c.is_empty()) {
        Some(cidr) => keep(all, |ip| any_in(&cidr, &[ip.to_owned()])),
        None => Ok(all),
    }
}

fn networks(family: &str, interface: Option<&Value>, loopback: bool, verbose: bool) -> Value {
    let all: BTreeSet<Net> = selected(interface)
        .iter()
        .flat_map(|l| &l.addresses)
        .filter(|a| a.family == family)
        .filter_map(|a| Some(Net::of(a.address.parse().ok()?, a.shown_prefix())))
        .filter(|net| loopback || !net.is_loopback())
        .collect();
    if !verbose {
        return all.iter().map(ToString::to_string).collect();
    }
    let shown: Map = all
        .iter()
        .map(|net| {
            let data = map! {
                "address" => net.first.to_string(),
                "netmask" => net.mask(),
                "num_addresses" => net.size(),
                "prefixlen" => net.prefix,
            };
            (net.to_string(), data)
        })
        .collect();
    shown.into()
}

/// Returns a list of IPv4 networks to which the minion belongs.
///
/// CLI Example: salt '*' network.ip_networks interface=eth*
#[exec]
fn ip_networks(
    interface: Option<Value>,
    #[default(false)] include_loopback: Value,
    #[default(false)] verbose: Value,
) -> Result {
    Ok(networks("inet", interface.as_ref(), include_loopback.truthy(), verbose.truthy()))
}

/// Returns a list of IPv6 networks to which the minion belongs.
///
/// CLI Example: salt '*' network.ip_networks6 interface=eth*
#[exec]
fn ip_networks6(
    interface: Option<Value>,
    #[default(false)] include_loopback: Value,
    #[default(false)] verbose: Value,
) -> Result {
    Ok(networks("inet6", interface.as_ref(), include_loopback.truthy(), verbose.truthy()))
}

/// Retrieve the interface names whose address starts with a text.
///
/// CLI Example: salt '*' network.ifacestartswith 10.0
#[exec]
fn ifacestartswith(cidr: String) -> Result<Vec<String>> {
    Ok(interfaces::all()
        .iter()
        .flat_map(|l| l.primary4().map(move |a| (l, a)))
        .filter(|(_, a)| a.address.starts_with(&cidr))
        .map(|(l, a)| a.label(&l.name).to_owned())
        .collect())
}
