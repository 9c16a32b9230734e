//! The routing table from netlink: default gateways for the grains.

use super::netlink::{self, attribute, number};
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
    let routes = netlink::dump(netlink::GET_ROUTE, family).unwrap_or_default();
    routes.iter().find_map(|m| default_route(m, family)).unwrap_or(Value::Bool(false))
}

fn default_route(m: &[u8], family: u8) -> Option<Value> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_default_routes_of_the_main_table_count() {
        let mut m = vec![2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        m.extend([8, 0, 5, 0, 192, 0, 2, 1]);
        assert_eq!(default_route(&m, 2), Some("192.0.2.1".into()));
        assert_eq!(default_route(&m[..12], 2), Some(true.into()));
        assert_eq!(default_route(&m, 10), None);
        m[4] = 255;
        assert_eq!(default_route(&m, 2), None);
    }
}
