//! Routes: default gateways for the grains, from netlink; and the functions of `network` that show the table, which
//! stock reads out of `netstat` or `ip`.

use super::addresses::Net;
use crate::grains_core::read;
use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::netlink::{self, attribute, number};
use brine_core::{Map, Value, map};
use std::net::{Ipv4Addr, Ipv6Addr};

const ROUTE_PART: usize = 12;
const MAIN_TABLE: u32 = 254;

/// `ip_gw`, `ip4_gw`, `ip6_gw`: an address, or whether there is a default route at all.
pub(crate) fn gateway_grains() -> Map {
    let (four, six) = (gateway(2), gateway(10));
    map! {"ip_gw" => four.truthy() || six.truthy(), "ip4_gw" => four, "ip6_gw" => six}
}

/// The gateway of the first default route of a family.
fn gateway(family: u8) -> Value {
    let routes = netlink::dump(netlink::GET_ROUTE, family, usize::MAX).unwrap_or_default();
    routes.iter().find_map(|m| gateway_of(m, family)).unwrap_or(Value::Bool(false))
}

fn gateway_of(m: &[u8], family: u8) -> Option<Value> {
    let head = m.get(..ROUTE_PART)?;
    let table = attribute(m, ROUTE_PART, 15).and_then(number).unwrap_or_else(|| u32::from(head[4]));
    let cloned = number(&head[8..12])? & 0x200 != 0;
    // Unicast routes to everywhere, in the table that `ip route` shows.
    if head[0] != family || head[1] != 0 || head[7] != 1 || table != MAIN_TABLE || cloned {
        return None;
    }
    Some(match attribute(m, ROUTE_PART, 5) {
        Some(b) if b.len() == 4 => Ipv4Addr::from(<[u8; 4]>::try_from(b).ok()?).to_string().into(),
        Some(b) => Ipv6Addr::from(<[u8; 16]>::try_from(b).ok()?).to_string().into(),
        // An IPv4 route by way of an IPv6 neighbour: stock takes the word after `via`.
        None if attribute(m, ROUTE_PART, 18).is_some() => "inet6".into(),
        None => true.into(),
    })
}

fn route(
    family: &str,
    destination: &str,
    gateway: &str,
    netmask: &str,
    flags: &str,
    interface: &str,
) -> Value {
    map! {
        "addr_family" => family, "destination" => destination, "gateway" => gateway, "netmask" => netmask,
        "flags" => flags, "interface" => interface,
    }
    .into()
}

/// The word after `dev` if that is at this place, as stock looks for it.
fn device<'w>(words: &[&'w str], at: usize) -> &'w str {
    if words.get(at) == Some(&"dev") { words.get(at + 1).copied().unwrap_or("") } else { "" }
}

/// A line of `ip -4 route show table main`.
fn ip4_line(line: &str) -> Result<Option<Value>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words.first() {
        None | Some(&"unreachable") => None,
        Some(&"default") => {
            let via = words.get(2).copied().unwrap_or("");
            Some(route("inet", "0.0.0.0", via, "0.0.0.0", "UG", device(&words, 3)))
        }
        Some(first) => {
            let net = Net::parse(first, false)?;
            Some(route("inet", &net.first.to_string(), "0.0.0.0", &net.mask(), "U", device(&words, 1)))
        }
    })
}

/// A line of `ip -6 route show table all`.
fn ip6_line(line: &str) -> Result<Option<Value>> {
    const SKIPPED: [&str; 9] = [
        "unicast",
        "broadcast",
        "throw",
        "unreachable",
        "prohibit",
        "blackhole",
        "nat",
        "anycast",
        "multicast",
    ];
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words.first() {
        None => None,
        Some(first) if SKIPPED.contains(first) => None,
        Some(&"default") => {
            let via = words.get(2).copied().unwrap_or("");
            Some(route("inet6", "::/0", via, "", "UG", device(&words, 3)))
        }
        Some(&"local") => {
            let own = format!("{}/128", words.get(1).copied().unwrap_or(""));
            Some(route("inet6", &own, "::", "", "U", device(&words, 2)))
        }
        Some(first) => {
            Net::parse(first, false)?;
            Some(route("inet6", first, "::", "", "U", device(&words, 1)))
        }
    })
}

/// A line of `netstat -rn`, below its two headings.
fn netstat_line(family: &str, line: &str) -> Option<Value> {
    let w: Vec<&str> = line.split_whitespace().collect();
    match (family, w.len()) {
        ("inet", 8..) => Some(route(family, w[0], w[1], w[2], w[3], w[7])),
        ("inet6", 6 | 7) => Some(route(family, w[0], w[1], "", w[2], w[w.len() - 1])),
        _ => None,
    }
}

fn table(cx: &Cx, family: Option<&str>) -> Result<Vec<Value>> {
    if !matches!(family, None | Some("inet" | "inet6")) {
        return Err(CallError::execution(format!("Invalid address family {}", family.unwrap_or_default())));
    }
    let mut all = Vec::new();
    if read::which("netstat").is_some() {
        for family in ["inet", "inet6"] {
            let text = tools::run(cx, &["netstat", "-A", family, "-rn"])?;
            all.extend(text.lines().skip(2).filter_map(|l| netstat_line(family, l)));
        }
    } else {
        for line in tools::run(cx, &["ip", "-4", "route", "show", "table", "main"])?.lines() {
            all.extend(ip4_line(line)?);
        }
        for line in tools::run(cx, &["ip", "-6", "route", "show", "table", "all"])?.lines() {
            all.extend(ip6_line(line)?);
        }
    }
    all.retain(|r| family.is_none_or(|f| r.get("addr_family") == Some(&f.into())));
    Ok(all)
}

/// Return currently configured routes from routing table, of one family (`inet` or `inet6`) or of both.
///
/// CLI Example: salt '*' network.routes
#[exec]
fn routes(cx: &Cx, family: Option<String>) -> Result<Vec<Value>> {
    table(cx, family.as_deref())
}

/// Return default route(s) from routing table.
///
/// CLI Example: salt '*' network.default_route
#[exec]
fn default_route(cx: &Cx, family: Option<String>) -> Result<Vec<Value>> {
    let mut all = table(cx, family.as_deref())?;
    let names: &[&str] = match family.as_deref() {
        Some("inet") => &["0.0.0.0", "default"],
        Some(_) => &["::/0", "default"],
        None => &["0.0.0.0", "::/0", "default"],
    };
    all.retain(|r| r.get("destination").and_then(Value::as_str).is_some_and(|d| names.contains(&d)));
    Ok(all)
}

/// Return routing information for given destination ip.
///
/// CLI Example: salt '*' network.get_route 10.10.10.10
#[exec]
fn get_route(cx: &Cx, ip: String) -> Result<Map> {
    let out = tools::run(cx, &["ip", "route", "get", &ip])?;
    let line = out.lines().next().unwrap_or("");
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |name: &str| words.iter().position(|w| *w == name).and_then(|i| words.get(i + 1)).copied();
    match (after("dev"), after("src")) {
        (Some(interface), Some(source)) => Ok(map! {
            "destination" => ip, "gateway" => after("via"), "interface" => interface, "source" => source,
        }),
        _ => Err(CallError::exception("AttributeError", "'NoneType' object has no attribute 'group'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_default_routes_of_the_main_table_count() {
        let mut m = vec![2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        m.extend([8, 0, 5, 0, 192, 0, 2, 1]);
        assert_eq!(gateway_of(&m, 2), Some("192.0.2.1".into()));
        assert_eq!(gateway_of(&m[..12], 2), Some(true.into()));
        assert_eq!(gateway_of(&m, 10), None);
        m[4] = 255;
        assert_eq!(gateway_of(&m, 2), None);
    }

    #[test]
    fn lines_of_the_tools_become_routes() {
        assert_eq!(
            ip4_line("default via 192.0.2.1 dev eth0 proto static").unwrap(),
            Some(route("inet", "0.0.0.0", "192.0.2.1", "0.0.0.0", "UG", "eth0"))
        );
        assert_eq!(
            ip4_line("192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2").unwrap(),
            Some(route("inet", "192.0.2.0", "0.0.0.0", "255.255.255.0", "U", "eth0"))
        );
        assert_eq!(
            ip6_line("local ::1 dev lo table local proto kernel").unwrap(),
            Some(route("inet6", "::1/128", "::", "", "U", "lo"))
        );
        assert_eq!(ip6_line("multicast ff00::/8 dev eth0").unwrap(), None);
        assert_eq!(
            netstat_line(
                "inet6",
                "::/0                           fd00::1                    UGH  1024 1     0 eth0"
            ),
            Some(route("inet6", "::/0", "fd00::1", "", "UGH", "eth0"))
        );
    }
}
