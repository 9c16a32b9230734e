//! `dns_check`: a name's address that answers, or the first one.

use super::bracket;
use brine_jinja::State;
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, index, str, truth};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a connection is waited for.
const WAIT: Duration = Duration::from_secs(2);

pub(super) fn dns_check(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("dns_check", 0, &["addr", "port", "safe", "ipv6"], 2);
    let a = SIG.bind(args)?;
    let (addr, port) = (a.at(0), a.at(1));
    let Some(name) = addr.as_str() else {
        let text =
            format!("Attempt to resolve address '{}' failed. Invalid or unresolveable address", str(addr)?);
        return Err(PyErr::new(Kind::Other("SaltSystemExit"), text));
    };
    let port = match port.as_str() {
        Some(text) => text.parse().ok(),
        None => u16::try_from(index(port)?).ok(),
    };
    let wanted = match a.get(3) {
        Some(flag) if truth(flag)? => Some(true),
        Some(Obj::Bool(false)) => Some(false),
        _ => None,
    };
    let mut found = port.map(|port| resolve(name, port, wanted)).unwrap_or_default();
    if found.is_empty() && wanted == Some(true) {
        // The name may be one of version 4 only.
        found = port.map(|port| resolve(name, port, Some(false))).unwrap_or_default();
    }
    match found.first() {
        Some(ip) => bracket(&Obj::from(ip.to_string())),
        None if a.truth(2, false)? => {
            tracing::error!("DNS lookup or connection check of '{name}' failed.");
            Err(PyErr::new(Kind::Other("SaltClientError"), ""))
        }
        None => Err(PyErr::new(
            Kind::Other("SaltSystemExit"),
            format!("DNS lookup or connection check of '{name}' failed."),
        )),
    }
}

/// The one address that takes a connection, or all.
fn resolve(name: &str, port: u16, v6: Option<bool>) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = Vec::new();
    for addr in (name, port).to_socket_addrs().into_iter().flatten() {
        let ip = addr.ip();
        if v6.is_some_and(|v6| v6 != ip.is_ipv6()) || all.contains(&ip) {
            continue;
        }
        if TcpStream::connect_timeout(&SocketAddr::new(ip, port), WAIT).is_ok() {
            return vec![ip];
        }
        all.push(ip);
    }
    all
}
