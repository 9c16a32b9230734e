//! Arithmetic on IP addresses and networks, and lists of this machine's: no questions to the kernel.

use super::interfaces::Link;
use std::net::{IpAddr, Ipv4Addr};

/// The machine's addresses of a family, sorted by number, each once.
pub(crate) fn of(links: &[Link], family: &str, loopback: bool) -> Vec<String> {
    let mut all: Vec<IpAddr> = links
        .iter()
        .flat_map(|l| &l.addresses)
        .filter(|a| a.family == family)
        .filter_map(|a| a.address.parse().ok())
        .filter(|ip: &IpAddr| loopback || !ip.is_loopback())
        .collect();
    all.sort();
    all.dedup();
    all.iter().map(ToString::to_string).collect()
}

/// The dotted mask of a prefix length.
pub(crate) fn netmask(prefix: u8) -> String {
    mask4(prefix).to_string()
}

fn mask4(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0))
}

/// A `sortlist` entry as `network/mask`: without a mask of its own it has that of its class.
pub(crate) fn natural_network(text: &str) -> Option<String> {
    let (ip, mask) = match text.split_once('/') {
        Some((ip, mask)) => (ip, Some(mask)),
        None => (text, None),
    };
    let ip: Ipv4Addr = ip.parse().ok()?;
    let mask = match mask {
        Some(m) => match m.parse::<u8>() {
            Ok(bits) if bits <= 32 => mask4(bits),
            _ => m.parse().ok()?,
        },
        None => mask4(match ip.octets()[0] {
            0..=127 => 8,
            128..=191 => 16,
            _ => 24,
        }),
    };
    let net = Ipv4Addr::from(u32::from(ip) & u32::from(mask));
    Some(format!("{net}/{mask}"))
}
