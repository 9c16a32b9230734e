//! Arithmetic on IP addresses and networks with Python's `ipaddress` in mind, and lists of this machine's addresses:
//! no questions to the kernel.

use super::interfaces::Link;
use brine_core::call::{CallError, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The machine's addresses of a family, sorted by number, each once.
pub(crate) fn of<'l>(links: impl IntoIterator<Item = &'l Link>, family: &str, loopback: bool) -> Vec<String> {
    let mut all: Vec<IpAddr> = links
        .into_iter()
        .flat_map(|l| &l.addresses)
        .filter(|a| a.family == family)
        .filter_map(|a| a.address.parse().ok())
        .filter(|ip: &IpAddr| loopback || !ip.is_loopback())
        .collect();
    all.sort();
    all.dedup();
    all.iter().map(ToString::to_string).collect()
}

/// An address, or Python's complaint.
pub(super) fn parse(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| {
        CallError::exception("ValueError", format!("'{text}' does not appear to be an IPv4 or IPv6 address"))
    })
}

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Net {
    pub(super) first: IpAddr,
    pub(super) prefix: u8,
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

/// The dotted mask of an IPv4 prefix length.
pub(crate) fn netmask(prefix: u8) -> String {
    Ipv4Addr::from(mask4(prefix)).to_string()
}

/// The prefix length a mask stands for: a number, a dotted mask, or a dotted host mask.
fn prefix_of(mask: &str, four: bool) -> Option<u8> {
    if mask.bytes().all(|b| b.is_ascii_digit()) {
        return mask.parse().ok().filter(|n| *n <= if four { 32 } else { 128 });
    }
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok().filter(|_| four)?);
    let of = |bits: u32| (bits.count_ones() == bits.leading_ones()).then_some(bits.leading_ones() as u8);
    of(bits).or_else(|| of(!bits))
}

impl Net {
    /// The network an address with this prefix length is in.
    pub(super) fn of(ip: IpAddr, prefix: u8) -> Self {
        let first = match ip {
            IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask4(prefix))),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask6(prefix))),
        };
        Self { first, prefix }
    }

    /// Reads `address/mask`; one address is a network of its own. With `strict`, bits beyond the mask are an error.
    pub(super) fn parse(text: &str, strict: bool) -> Result<Self> {
        let wrong = || {
            CallError::exception(
                "ValueError",
                format!("'{text}' does not appear to be an IPv4 or IPv6 network"),
            )
        };
        let (ip, mask) = match text.split_once('/') {
            Some((ip, mask)) => (ip, Some(mask)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        let prefix = match mask {
            Some(mask) => prefix_of(mask, ip.is_ipv4()).ok_or_else(wrong)?,
            None if ip.is_ipv4() => 32,
            None => 128,
        };
        let net = Self::of(ip, prefix);
        if strict && net.first != ip {
            return Err(CallError::exception("ValueError", format!("{text} has host bits set")));
        }
        Ok(net)
    }

    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.first.is_ipv4() && Self::of(ip, self.prefix).first == self.first
    }

    pub(super) fn mask(&self) -> String {
        match self.first {
            IpAddr::V4(_) => netmask(self.prefix),
            IpAddr::V6(_) => Ipv6Addr::from(mask6(self.prefix)).to_string(),
        }
    }

    pub(super) fn last(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip) | !mask4(self.prefix))),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) | !mask6(self.prefix))),
        }
    }

    /// How many addresses it has; all of IPv6 is one more than fits, and counts as what fits.
    pub(super) fn size(&self) -> i128 {
        let bits = if self.first.is_ipv4() { 32 } else { 128 } - u32::from(self.prefix);
        1i128.checked_shl(bits).filter(|n| *n > 0).unwrap_or(i128::MAX)
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.first.is_loopback() && self.last().is_loopback()
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// A `sortlist` entry as `network/mask`: without a mask of its own it has that of its class.
pub(crate) fn natural_network(text: &str) -> Option<String> {
    let net = if text.contains('/') {
        Net::parse(text, true).ok()?
    } else {
        let ip: Ipv4Addr = text.parse().ok()?;
        let prefix = match ip.octets()[0] {
            0..=127 => 8,
            128..=191 => 16,
            _ => 24,
        };
        Net::of(ip.into(), prefix)
    };
    Some(format!("{}/{}", net.first, net.mask()))
}

const PRIVATE: [&str; 23] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

const NOT_PRIVATE: [&str; 8] = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// Python's `is_private`: not for the internet at large.
pub(super) fn is_private(ip: IpAddr) -> bool {
    if let IpAddr::V6(six) = ip
        && let Some(four) = six.to_ipv4_mapped()
    {
        return is_private(four.into());
    }
    let in_any = |list: &[&str]| list.iter().any(|n| Net::parse(n, true).is_ok_and(|n| n.contains(ip)));
    in_any(&PRIVATE) && !in_any(&NOT_PRIVATE)
}

/// The name under which an address is looked up backwards.
pub(super) fn reverse_pointer(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let hex = format!("{:032x}", u128::from(ip));
            let digits: Vec<String> = hex.chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_pythons() {
        let net = Net::parse("192.168.1.77/255.255.255.0", false).unwrap();
        assert_eq!(
            (net.to_string(), net.last().to_string(), net.size()),
            ("192.168.1.0/24".into(), "192.168.1.255".into(), 256)
        );
        assert!(Net::parse("192.168.1.77/24", true).is_err());
        assert_eq!(Net::parse("10.0.0.1", true).unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(Net::parse("::1/0", false).unwrap().size(), i128::MAX);
        assert_eq!(Net::parse("fd00::/64", true).unwrap().mask(), "ffff:ffff:ffff:ffff::");
        assert_eq!(natural_network("130.155.0.0").as_deref(), Some("130.155.0.0/255.255.0.0"));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/255.0.255.0", "::/255.0.0.0"] {
            assert!(Net::parse(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_and_reverse() {
        for (ip, private) in [
            ("10.1.1.1", true),
            ("192.0.0.9", false),
            ("8.8.8.8", false),
            ("fe80::1", true),
            ("2001:20::1", false),
            ("::ffff:8.8.8.8", false),
        ] {
            assert_eq!(is_private(parse(ip).unwrap()), private, "{ip}");
        }
        assert_eq!(reverse_pointer(parse("172.17.0.4").unwrap()), "4.0.17.172.in-addr.arpa");
    }
}
