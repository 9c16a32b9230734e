//! Where a client connects to and from. Not resolved here: a name is looked up anew at each attempt.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::error::NetError;

/// A remote host and port, and the local address to dial from.
///
/// Text form: `host:port`, `[v6]:port`, each with an optional `tcp://` before it and an optional `source:port;` as in
/// ZeroMQ (`tcp://192.0.2.1:0;master:4506`; source port 0 = any).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Local address to dial from (`source_address`).
    pub source: Option<IpAddr>,
    /// Local port to dial from (`source_ret_port`, `source_publish_port`), 0 for any.
    pub source_port: u16,
}

impl Endpoint {
    /// An endpoint dialled from any local address.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, source: None, source_port: 0 }
    }

    /// The same endpoint, dialled from this address and port (0 = any port).
    #[must_use]
    pub fn from_source(mut self, source: Option<IpAddr>, source_port: u16) -> Self {
        self.source = source;
        self.source_port = source_port;
        self
    }
}

fn host_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.strip_suffix(']')?;
            // A zone (`fe80::1%eth0`) is legal here and left to the resolver.
            inner.split('%').next()?.parse::<Ipv6Addr>().ok()?;
            inner
        }
        // A bare IPv6 address cannot be told from host:port.
        None if host.contains(':') => return None,
        None => host,
    };
    if host.is_empty() || host.bytes().any(|b| b <= b' ' || b == b'/') {
        return None;
    }
    // `u16::from_str` takes a plus sign, which no peer of ours writes.
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((host, port.parse().ok()?))
}

impl FromStr for Endpoint {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        let bad = || NetError::BadEndpoint(text.to_owned());
        let rest = text.strip_prefix("tcp://").unwrap_or(text);
        let (source, dest) = match rest.split_once(';') {
            Some((s, d)) => (Some(s), d),
            None => (None, rest),
        };
        let (host, port) = host_port(dest).ok_or_else(bad)?;
        let endpoint = Self::new(host, port);
        let Some(source) = source else { return Ok(endpoint) };
        let (addr, source_port) = host_port(source).ok_or_else(bad)?;
        let addr = addr.parse().map_err(|_| bad())?;
        Ok(endpoint.from_source(Some(addr), source_port))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let e: Endpoint = "master:4506".parse().unwrap();
        assert_eq!(e, Endpoint::new("master", 4506));
        let e: Endpoint = "tcp://[2001:db8::1]:4505".parse().unwrap();
        assert_eq!((e.host.as_str(), e.port), ("2001:db8::1", 4505));
        assert_eq!(e.to_string(), "[2001:db8::1]:4505");
        let e: Endpoint = "tcp://[::1]:7;[::1]:9".parse().unwrap();
        assert_eq!((e.source, e.source_port, e.port), (Some("::1".parse().unwrap()), 7, 9));
        let e: Endpoint = "tcp://192.0.2.1:0;master:4506".parse().unwrap();
        assert_eq!(e.source, Some("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for bad in [
            "",
            ":1",
            "host",
            "host:",
            "host:x",
            "host:+1",
            "host:65536",
            "::1:4506",
            "[::1]",
            "[x]:1",
            "a b:1",
            "n;h:1",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
