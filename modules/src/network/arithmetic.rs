//! Functions of `network` that only calculate.

use super::addresses::{self, Net, parse};
use super::interfaces;
use brine_core::call::{CallError, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Return the network, netmask and broadcast of a CIDR notation.
///
/// CLI Example: salt '*' network.convert_cidr 172.31.0.0/16
#[exec]
fn convert_cidr(cidr: String) -> Result<Map> {
    let net = Net::parse(&cidr, false)?;
    Ok(map! {
        "network" => net.first.to_string(),
        "netmask" => net.mask(),
        "broadcast" => net.last().to_string(),
    })
}

/// Returns the CIDR of a subnet based on an IP address (CIDR notation supported) and optional netmask.
///
/// CLI Example: salt '*' network.calc_net 172.17.0.5 255.255.255.240
#[exec]
fn calc_net(ip_addr: String, netmask: Option<String>) -> Result<String> {
    let text = netmask.map_or_else(|| ip_addr.clone(), |mask| format!("{ip_addr}/{mask}"));
    Ok(Net::parse(&text, false)?.to_string())
}

/// Check if the given IP address is a private address.
///
/// CLI Example: salt '*' network.is_private 10.0.0.3
#[exec]
fn is_private(ip_addr: String) -> Result<bool> {
    Ok(addresses::is_private(parse(&ip_addr)?))
}

/// Check if the given IP address is a loopback address.
///
/// CLI Example: salt '*' network.is_loopback 127.0.0.1
#[exec]
fn is_loopback(ip_addr: String) -> Result<bool> {
    Ok(parse(&ip_addr)?.is_loopback())
}

/// Returns the reversed IP address.
///
/// CLI Example: salt '*' network.reverse_ip 172.17.0.4
#[exec]
fn reverse_ip(ip_addr: String) -> Result<String> {
    Ok(addresses::reverse_pointer(parse(&ip_addr)?))
}

/// Retrieve the hexadecimal representation of an IP address.
///
/// CLI Example: salt '*' network.iphexval 10.0.0.1
#[exec]
fn iphexval(ip: String) -> Result<String> {
    ip.split('.')
        .map(|part| {
            let n: i64 = part.trim().parse().map_err(|_| {
                CallError::exception(
                    "ValueError",
                    format!("invalid literal for int() with base 10: '{part}'"),
                )
            })?;
            Ok(format!("{n:02X}"))
        })
        .collect()
}

/// Whether any of these addresses is in the network; a network that is none holds nothing.
pub(super) fn any_in(cidr: &str, ips: &[String]) -> Result<bool> {
    let Ok(net) = Net::parse(cidr, true) else {
        tracing::error!("invalid CIDR '{cidr}'");
        return Ok(false);
    };
    for ip in ips {
        if net.contains(parse(ip)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns True if host is within specified subnet, otherwise False.
///
/// CLI Example: salt '*' network.in_subnet 10.0.0.0/16
#[exec]
fn in_subnet(cidr: String) -> Result<bool> {
    let links = interfaces::all();
    let mut own = addresses::of(&links, "inet", false);
    own.extend(addresses::of(&links, "inet6", false));
    any_in(&cidr, &own)
}

/// Returns True if given IP is within specified subnet, otherwise False.
///
/// CLI Example: salt '*' network.ip_in_subnet 172.17.0.4 172.16.0.0/12
#[exec]
fn ip_in_subnet(ip_addr: Value, cidr: String) -> Result<bool> {
    let ips = match ip_addr {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => vec![python_str(&one)],
    };
    any_in(&cidr, &ips)
}
