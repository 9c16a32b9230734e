//! Which minions have a connection to a master that does not say: stock's own guess, from the addresses at the master's
//! publish port and the addresses in cached grains.

use crate::fleet::DiskFleet;
use brine_core::Opts;
use brine_core::target::Fleet;
use brine_protocol::Value;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Minions that stock would take for connected, and whether a minion has cached data at all.
pub(crate) struct Present {
    fleet: DiskFleet,
    connected: HashSet<String>,
}

impl Present {
    /// Looks at the connections of this host.
    pub(crate) fn now(opts: &Opts) -> Self {
        let fleet = DiskFleet::new(opts);
        let port = opts.int("publish_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4505);
        let table = |name: &str| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        let mut addresses = peers(&table("tcp"), port);
        addresses.extend(peers(&table("tcp6"), port));
        if addresses.iter().any(IpAddr::is_loopback) {
            addresses.extend(own_addresses());
        }
        let connected = fleet.cached().into_iter().filter(|id| {
            let Some(data) = fleet.data(id) else { return false };
            let of = |key: &str| data.grains.get(key).and_then(Value::as_list).unwrap_or_default().to_vec();
            of("ipv4").iter().chain(&of("ipv6")).any(|a| {
                a.as_str()
                    .and_then(|a| a.parse::<IpAddr>().ok())
                    .is_some_and(|a| !a.is_loopback() && addresses.contains(&a))
            })
        });
        let connected = connected.collect();
        Self { fleet, connected }
    }

    /// Whether stock would say of a minion that it is not connected: it is known, others are connected, it is not.
    pub(crate) fn lacks(&self, id: &str) -> bool {
        self.fleet.minion_data_cache()
            && !self.connected.is_empty()
            && !self.connected.contains(id)
            && self.fleet.data(id).is_some()
    }
}

/// The other ends of established connections to a local port, from a table of `/proc/net`.
fn peers(table: &str, port: u16) -> HashSet<IpAddr> {
    const ESTABLISHED: &str = "01";
    let ends = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        let (_, local_port) = local.split_once(':')?;
        let fits = state == ESTABLISHED && u16::from_str_radix(local_port, 16) == Ok(port);
        fits.then(|| address(remote.split_once(':')?.0)).flatten()
    });
    ends.collect()
}

/// An address as the kernel prints it: words of 32 bits in the machine's byte order.
fn address(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<u32>> =
        (0..hex.len() / 8).map(|i| u32::from_str_radix(hex.get(i * 8..i * 8 + 8)?, 16).ok()).collect();
    match words?.as_slice() {
        [word] => Some(Ipv4Addr::from(word.to_ne_bytes()).into()),
        [a, b, c, d] => {
            let mut bytes = [0; 16];
            for (at, word) in [a, b, c, d].into_iter().enumerate() {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word.to_ne_bytes());
            }
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(address.into(), IpAddr::from))
        }
        _ => None,
    }
}

fn own_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let addresses = interfaces.filter_map(|i| {
        let address = i.address?;
        if let Some(v4) = address.as_sockaddr_in() {
            return Some(IpAddr::from(v4.ip()));
        }
        address.as_sockaddr_in6().map(|v6| v6.ip().into())
    });
    addresses.filter(|a| !a.is_loopback()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue\n   0: 00000000:1199 00000000:0000 0A 0\n   \
                     1: 0100007F:1199 0200000A:C001 01 0\n   2: 0100007F:119A 0300000A:C001 01 0\n";
        let want: IpAddr = if cfg!(target_endian = "little") { [10, 0, 0, 2] } else { [2, 0, 0, 10] }.into();
        assert_eq!(peers(table, 4505), HashSet::from([want]));
        assert_eq!(address("nonsense"), None);
        if cfg!(target_endian = "little") {
            assert_eq!(address("0000000000000000FFFF00000100007F"), Some(IpAddr::from([127, 0, 0, 1])));
        }
    }
}
