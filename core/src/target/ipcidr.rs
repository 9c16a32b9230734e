//! Targets that are an address or a network, held against the grains `ipv4` and `ipv6`.

use crate::text::python_str;
use brine_protocol::{Map, Value};
use std::net::IpAddr;

/// A parsed target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ipcidr {
    Address(IpAddr),
    Network(IpAddr, u32),
}

impl Ipcidr {
    /// An address, or a network without host bits; the mask as prefix length, netmask or host mask.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let (address, mask) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match mask.parse::<u32>() {
            Ok(n) if mask.bytes().all(|b| b.is_ascii_digit()) => n,
            _ if address.is_ipv4() => dotted_mask(mask)?,
            _ => return None,
        };
        (prefix <= width && bits(address) & host_mask(width, prefix) == 0)
            .then_some(Self::Network(address, prefix))
    }

    fn holds(self, item: IpAddr) -> bool {
        match self {
            Self::Address(own) => own == item,
            Self::Network(network, prefix) => {
                let width = if network.is_ipv4() { 32 } else { 128 };
                network.is_ipv4() == item.is_ipv4()
                    && (bits(item) & !host_mask(width, prefix)) == bits(network)
            }
        }
    }

    /// Whether grains hold the address, or any address of the network.
    pub(super) fn matches(self, grains: &Map) -> bool {
        let (Self::Address(version) | Self::Network(version, _)) = self;
        let grain = grains.get(if version.is_ipv4() { "ipv4" } else { "ipv6" });
        match (self, grain) {
            (_, None) => false,
            // The text of an address: a list has it as member, text contains it.
            (Self::Address(a), Some(Value::List(list))) => {
                list.iter().any(|v| python_str(v) == a.to_string())
            }
            (Self::Address(a), Some(Value::Str(text))) => text.contains(&a.to_string()),
            (Self::Network(..), Some(Value::List(list))) => {
                list.iter().filter_map(|v| v.as_str()?.parse().ok()).any(|a| self.holds(a))
            }
            (Self::Network(..), Some(Value::Str(text))) => text.parse().is_ok_and(|a| self.holds(a)),
            _ => false,
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u32::from(a).into(),
        IpAddr::V6(a) => a.into(),
    }
}

fn host_mask(width: u32, prefix: u32) -> u128 {
    let host = width - prefix;
    if host == 128 { u128::MAX } else { (1 << host) - 1 }
}

/// `255.255.0.0`, or `0.0.255.255` for the same.
fn dotted_mask(text: &str) -> Option<u32> {
    let mask = u32::from(text.parse::<std::net::Ipv4Addr>().ok()?);
    if mask.leading_ones() + mask.trailing_zeros() == 32 || mask == 0 {
        // All zeros is the netmask of everything.
        return Some(mask.leading_ones());
    }
    (mask.leading_zeros() + mask.trailing_ones() == 32).then(|| mask.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn addresses_and_networks() {
        let grains = map! {"ipv4" => vec!["127.0.0.1", "10.1.2.3"], "ipv6" => vec!["fe80::1", "::1"]};
        for hit in [
            "10.1.2.3",
            "10.0.0.0/8",
            "10.1.2.0/255.255.255.0",
            "10.1.0.0/0.0.255.255",
            "fe80::/10",
            "::1",
            "0.0.0.0/0",
            "::/0",
        ] {
            assert!(Ipcidr::parse(hit).unwrap().matches(&grains), "{hit}");
        }
        for miss in ["10.1.2.4", "192.168.0.0/16", "fd00::/8"] {
            assert!(!Ipcidr::parse(miss).unwrap().matches(&grains), "{miss}");
        }
        for bad in ["10.1.2.3/8", "10.0.0.0/33", "x", "", "10.0.0.0/", "010.0.0.1", "10.0.0.0/255.0.255.0"] {
            assert_eq!(Ipcidr::parse(bad), None, "{bad}");
        }
    }
}
