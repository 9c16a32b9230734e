//! Networks of addresses, and the names of the zones that look their addresses up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    first: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// `192.168.0.0/24`, or as pallets are named, with `_` for the slash. None for anything else, also where the address has bits
    /// set behind the prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once(['/', '_'])?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let (first, prefix): (IpAddr, u8) = (address.parse().ok()?, prefix.parse().ok().filter(|_| digits)?);
        let found = Self { first, prefix };
        (prefix <= found.width() && bits(first) & !found.mask() == 0).then_some(found)
    }

    /// The network with a prefix of this length that an address is of. None for a longer prefix than addresses have.
    pub fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let any = Self { first: address, prefix };
        let first = (prefix <= any.width()).then(|| self::address(address, bits(address) & any.mask()))?;
        Some(Self { first, prefix })
    }

    /// The first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// How many bits all of its addresses share.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether an address is of this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && bits(address) & self.mask() == bits(self.first)
    }

    /// Whether every address of the other is of this network, too.
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.first)
    }

    /// Whether zones of whole octets cannot tell this network from others: its reverse zone is one of RFC 2317.
    pub fn is_classless(&self) -> bool {
        self.first.is_ipv4() && self.prefix > 24
    }

    /// The zones that hold its reverse names: one, or as many as it needs on the next border of octets (of nibbles for IPv6).
    pub fn zones(&self) -> Vec<String> {
        if self.is_classless() {
            return vec![self.zone_of(self.first)];
        }
        let border = self.border();
        let step = 1u128 << (self.width() - border).min(127);
        let count = 1u128 << (border - self.prefix);
        (0..count).map(|i| self.zone_of(address(self.first, bits(self.first) + i * step))).collect()
    }

    /// The zone that holds the reverse name of an address of this network.
    pub fn zone_of(&self, address: IpAddr) -> String {
        let name = reverse_name(address);
        if self.is_classless() {
            let parent = name.split_once('.').map_or("", |(_, rest)| rest);
            let last = bits(self.first) & 0xff;
            return format!("{last}-{}.{parent}", self.prefix);
        }
        let digits = usize::from((self.width() - self.border()) / self.digit());
        name.splitn(digits + 1, '.').last().unwrap_or_default().to_owned()
    }

    /// The name of an address in the zone that holds it.
    pub fn name_of(&self, address: IpAddr) -> String {
        let name = reverse_name(address);
        match name.split_once('.') {
            Some((last, _)) if self.is_classless() => format!("{last}.{}", self.zone_of(address)),
            _ => name,
        }
    }

    fn width(&self) -> u8 {
        if self.first.is_ipv4() { 32 } else { 128 }
    }

    /// Bits in one label of a reverse name.
    fn digit(&self) -> u8 {
        if self.first.is_ipv4() { 8 } else { 4 }
    }

    fn border(&self) -> u8 {
        self.prefix.div_ceil(self.digit()) * self.digit()
    }

    fn mask(&self) -> u128 {
        let all = if self.first.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX };
        let rest = u32::from(self.width() - self.prefix);
        all & u128::MAX.checked_shl(rest).unwrap_or(0)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => a.to_bits().into(),
        IpAddr::V6(a) => a.to_bits(),
    }
}

/// An address of the family of another one.
fn address(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

/// The name that an address is looked up by: `1.0.168.192.in-addr.arpa`.
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(a) => {
            let [a, b, c, d] = a.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(a) => {
            let nibbles = a.octets().into_iter().flat_map(|o| [o >> 4, o & 15]).rev();
            let digits: String = nibbles.map(|n| format!("{n:x}.")).collect();
            format!("{digits}ip6.arpa")
        }
    }
}

/// Whether resolvers by themselves say that there is nothing in this reverse zone, since its addresses are nobody's in particular.
pub(crate) fn is_local_zone(zone: &str) -> bool {
    const LOCAL: [&str; 7] = [
        "10.in-addr.arpa",
        "168.192.in-addr.arpa",
        "254.169.in-addr.arpa",
        "127.in-addr.arpa",
        "d.f.ip6.arpa",
        "8.e.f.ip6.arpa",
        "8.b.d.0.1.0.0.2.ip6.arpa",
    ];
    let below = |border: &str| zone == border || zone.strip_suffix(border).is_some_and(|z| z.ends_with('.'));
    let numbered = |second: &str, numbers: std::ops::RangeInclusive<u8>| {
        numbers.into_iter().any(|n| below(&format!("{n}.{second}.in-addr.arpa")))
    };
    LOCAL.into_iter().any(below) || numbered("172", 16..=31) || numbered("100", 64..=127)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn networks_are_read_strictly() {
        assert_eq!(cidr("192.168.0.0_24").to_string(), "192.168.0.0/24");
        assert_eq!(cidr("2001:db8::/32").to_string(), "2001:db8::/32");
        assert_eq!(
            (cidr("0.0.0.0/0").prefix(), cidr("::/0").prefix(), cidr("::1/128").prefix()),
            (0, 0, 128)
        );
        for wrong in [
            "192.168.0.1/24",
            "192.168.0.0/33",
            "192.168.0.0",
            "192.168.0.0/+4",
            "x/1",
            "2001:db8::/16",
            "1.2.3/8",
            "",
        ] {
            assert_eq!(Cidr::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_are_told_apart() {
        let net = cidr("10.1.0.0/22");
        for (address, inside) in
            [("10.1.3.255", true), ("10.1.4.0", false), ("10.0.255.255", false), ("::a01:1", false)]
        {
            assert_eq!(net.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(net.covers(&cidr("10.1.2.0/24")) && net.covers(&net) && !net.covers(&cidr("10.0.0.0/8")));
        assert!(
            cidr("::/0").contains("::1".parse().unwrap())
                && !cidr("::/0").contains("1.1.1.1".parse().unwrap())
        );
    }

    #[test]
    fn reverse_zones_are_those_of_the_next_border() {
        assert_eq!(cidr("192.168.0.0/24").zones(), ["0.168.192.in-addr.arpa"]);
        assert_eq!(cidr("10.0.0.0/8").zones(), ["10.in-addr.arpa"]);
        assert_eq!(cidr("0.0.0.0/0").zones(), ["in-addr.arpa"]);
        assert_eq!(cidr("10.1.2.0/23").zones(), ["2.1.10.in-addr.arpa", "3.1.10.in-addr.arpa"]);
        assert_eq!(cidr("172.16.0.0/12").zones().len(), 16);
        assert_eq!(cidr("2001:db8::/32").zones(), ["8.b.d.0.1.0.0.2.ip6.arpa"]);
        assert_eq!(cidr("2001:db8:4::/47").zones().len(), 2);
        assert_eq!(cidr("::/0").zones(), ["ip6.arpa"]);
        assert_eq!(cidr("::/1").zones().len(), 8);
    }

    #[test]
    fn smaller_networks_have_zones_of_their_own() {
        let net = cidr("192.168.0.64/26");
        let address = "192.168.0.65".parse().unwrap();
        assert_eq!(net.zones(), ["64-26.0.168.192.in-addr.arpa"]);
        assert_eq!(net.name_of(address), "65.64-26.0.168.192.in-addr.arpa");
        assert_eq!(cidr("192.168.0.0/24").name_of(address), "65.0.168.192.in-addr.arpa");
    }

    #[test]
    fn every_address_is_below_its_zone() {
        let mut random = brine_testing::Random::new(7);
        for _ in 0..2000 {
            let v6 = random.below(2) == 1;
            let width = if v6 { 128 } else { 32 };
            let prefix = u8::try_from(random.below(width + 1)).unwrap();
            let any: u128 =
                (0..4).fold(0, |n, _| n << 32 | u128::from(u32::try_from(random.below(1 << 32)).unwrap()));
            let host = if v6 {
                IpAddr::V6(Ipv6Addr::from_bits(any))
            } else {
                IpAddr::V4(Ipv4Addr::from_bits(any as u32))
            };
            let mask = Cidr { first: host, prefix }.mask();
            let net = Cidr { first: address(host, bits(host) & mask), prefix };
            assert_eq!(Cidr::around(host, prefix), Some(net));
            assert_eq!(Cidr::parse(&net.to_string()), Some(net));
            assert!(net.contains(host));
            let zone = net.zone_of(host);
            assert!(
                net.name_of(host).ends_with(&format!(".{zone}")) || net.name_of(host) == zone,
                "{net} {host}"
            );
            if net.border() - prefix < 5 {
                assert!(net.zones().contains(&zone), "{net} {host} {zone}");
            }
        }
    }

    #[test]
    fn zones_of_private_addresses_are_known() {
        for (zone, local) in [
            ("0.168.192.in-addr.arpa", true),
            ("168.192.in-addr.arpa", true),
            ("8.10.in-addr.arpa", true),
            ("5.17.172.in-addr.arpa", true),
            ("5.33.172.in-addr.arpa", false),
            ("110.in-addr.arpa", false),
            ("100.in-addr.arpa", false),
            ("0.0.d.f.ip6.arpa", true),
            ("8.in-addr.arpa", false),
        ] {
            assert_eq!(is_local_zone(zone), local, "{zone}");
        }
    }
}
