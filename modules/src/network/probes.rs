//! Functions of `network` that ask other machines.

use super::addresses;
use crate::tools;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// A host name or address without anything a command line could mistake for something else.
fn sanitize_host(host: &str) -> String {
    if host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    // Stock leaves a dash in front, which programs take for an option.
    let name = host.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    name.chars().take(255).filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect()
}

/// Performs an ICMP ping to a host. `timeout` is in seconds; with `return_boolean` the answer is whether it
/// answered.
///
/// CLI Example: salt '*' network.ping archlinux.org return_boolean=True timeout=3
#[exec]
fn ping(
    cx: &Cx,
    host: String,
    #[default(false)] timeout: Value,
    #[default(false)] return_boolean: Value,
) -> Result {
    let host = sanitize_host(&host);
    let wait = python_str(&timeout);
    let words: Vec<&str> = if timeout.truthy() {
        vec!["ping", "-W", &wait, "-c", "4", &host]
    } else {
        vec!["ping", "-c", "4", &host]
    };
    if return_boolean.truthy() {
        return Ok((tools::run_all(cx, &words)?.get("retcode") == Some(&0.into())).into());
    }
    Ok(tools::run(cx, &words)?.into())
}

/// Performs a DNS lookup with dig.
///
/// CLI Example: salt '*' network.dig archlinux.org
#[exec]
fn dig(cx: &Cx, host: String) -> Result<String> {
    tools::require("dig")?;
    tools::run(cx, &["dig", &sanitize_host(&host)])
}

/// Performs a traceroute to a 3rd party host, for two minutes at most.
///
/// CLI Example: salt '*' network.traceroute archlinux.org
#[exec]
fn traceroute(cx: &Cx, host: String) -> Result<Vec<Value>> {
    tools::require("traceroute")?;
    let out = tools::run_for(cx, &["traceroute", &sanitize_host(&host)], 120)?;
    if out.contains("Timed out after") {
        return Ok(Vec::new());
    }
    let modern = modern_traceroute(&tools::run(cx, &["traceroute", "--version"])?);
    Ok(out
        .lines()
        .filter(|l| l.contains(' ') && !l.starts_with("traceroute"))
        .map(|l| hop(l, modern).unwrap_or_default().into())
        .collect())
}

/// Whether this is a version that separates its columns with two spaces: 2.0.14 or later.
fn modern_traceroute(version: &str) -> bool {
    let Some((_, rest)) = version.split_once("ersion ") else { return false };
    let numbers: Vec<u32> = rest
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()
        .unwrap_or("")
        .split('.')
        .filter_map(|n| n.parse().ok())
        .collect();
    let at = |i: usize| numbers.get(i).copied().unwrap_or(0);
    at(0) >= 2 && (at(2) >= 14 || at(1) > 0)
}

fn hop(line: &str, modern: bool) -> Option<Map> {
    if !modern {
        let w: Vec<&str> = line.split_whitespace().collect();
        if w.len() < 9 {
            return None;
        }
        return Some(map! {
            "count" => w[0], "hostname" => w[1], "ip" => w[2], "ms1" => w[4], "ms2" => w[6], "ms3" => w[8],
            "ping1" => w[3], "ping2" => w[5], "ping3" => w[7],
        });
    }
    let columns: Vec<&str> = line.split("  ").collect();
    let count: i64 = columns.first()?.trim().parse().ok()?;
    if columns.get(1) == Some(&"* * *") {
        return Some(map! {"count" => count, "hostname" => "*"});
    }
    let [_, host, one, two, three, ..] = columns.as_slice() else { return None };
    let ms = |c: &str| c.split_whitespace().next()?.parse::<f64>().ok();
    let mut names = host.split_whitespace();
    Some(map! {
        "count" => count,
        "hostname" => names.next()?,
        "ip" => names.next()?.trim_matches(['(', ')']),
        "ms1" => ms(one)?,
        "ms2" => ms(two)?,
        "ms3" => ms(three)?,
    })
}

/// Test connectivity to a host using a particular port from the minion. `proto`, `timeout` (seconds) and `family`
/// (`ipv4` or `ipv6`) are keyword arguments.
///
/// CLI Example: salt '*' network.connect archlinux.org 80 timeout=3 family=ipv4
#[exec]
fn connect(host: Option<String>, port: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    let answer = |result: bool, comment: String| Ok(map! {"result" => result, "comment" => comment});
    let Some(host) = host.filter(|h| !h.is_empty()) else {
        return answer(false, "Required argument, host, is missing.".into());
    };
    let Some(port) = port.filter(Value::truthy) else {
        return answer(false, "Required argument, port, is missing.".into());
    };
    let port = python_str(&port);
    let proto = if kwargs.0.get_str("proto") == Some("udp") { "udp" } else { "tcp" };
    let seconds = kwargs.0.get("timeout").map_or(Some(5.0), |t| python_str(t).parse::<f64>().ok());
    let timeout = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()).filter(|t| !t.is_zero());
    let timeout = timeout.unwrap_or(Duration::from_secs(5));
    let wanted = kwargs.0.get_str("family").map(str::to_owned);
    let Some(address) = resolve(&sanitize_host(&host), &port, wanted.as_deref()) else {
        return answer(false, format!("Unable to resolve host {host} on {proto} port {port}"));
    };
    let ip = address.ip();
    // Stock's probe over UDP fails on a type error of its own whatever the other side does.
    if proto == "udp" || TcpStream::connect_timeout(&address, timeout).is_err() {
        return answer(false, format!("Unable to connect to {host} ({ip}) on {proto} port {port}"));
    }
    answer(true, format!("Successfully connected to {host} ({ip}) on {proto} port {port}"))
}

fn resolve(host: &str, port: &str, family: Option<&str>) -> Option<SocketAddr> {
    let number = port.parse::<u16>().ok().or_else(|| service_port(port))?;
    (host, number).to_socket_addrs().ok()?.find(|a| match family {
        Some("ipv4") => a.is_ipv4(),
        Some("ipv6") => a.is_ipv6(),
        _ => true,
    })
}

fn service_port(name: &str) -> Option<u16> {
    crate::grains_core::read::text("/etc/services")?.lines().find_map(|l| {
        let mut words = l.split_whitespace();
        if words.next() != Some(name) {
            return None;
        }
        words.next()?.split('/').next()?.parse().ok()
    })
}

/// Send Wake On Lan packet to a host.
///
/// CLI Example: salt '*' network.wol 08:00:27:13:69:77 255.255.255.255 7
#[exec]
fn wol(
    mac: String,
    #[default("255.255.255.255")] bcast: String,
    #[default(9)] destport: u16,
) -> Result<bool> {
    let mac = mac_bytes(&mac)?;
    let mut packet = vec![0xff; 6];
    for _ in 0..16 {
        packet.extend_from_slice(&mac);
    }
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_broadcast(true)?;
    socket.send_to(&packet, (addresses::parse(&bcast)?, destport))?;
    Ok(true)
}

fn mac_bytes(text: &str) -> Result<[u8; 6]> {
    let invalid = || CallError::exception("ValueError", "Invalid MAC address");
    let hex: String = match text.chars().count() {
        12 => text.to_owned(),
        17 => {
            let separator = text.chars().nth(2).ok_or_else(invalid)?;
            text.chars().filter(|c| *c != separator).collect()
        }
        _ => return Err(invalid()),
    };
    let mut out = [0; 6];
    for (i, byte) in out.iter_mut().enumerate() {
        let pair = hex.get(i * 2..i * 2 + 2).ok_or_else(invalid)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| {
            CallError::exception("ValueError", format!("invalid literal for int() with base 16: '{pair}'"))
        })?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text from outside reached a shell or a command line (also 2021-3148, 2021-3197, 2021-31607).
    #[test]
    fn cve_2020_28243_a_host_name_is_neither_shell_nor_option() {
        for (given, kept) in [
            ("x.example;id", "x.exampleid"),
            ("$(id)", "id"),
            ("-f/etc/passwd", "fetcpasswd"),
            ("--help", "help"),
            ("_x", "x"),
            ("db-1.example", "db-1.example"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(sanitize_host(given), kept, "{given}");
        }
    }

    #[test]
    fn hosts_are_made_harmless() {
        assert_eq!(sanitize_host("a b;rm -rf $x"), "abrm-rfx");
        assert_eq!(sanitize_host("fe80::1"), "fe80::1");
    }

    #[test]
    fn hops_are_read() {
        let line = " 1  gw.example (192.0.2.1)  0.3 ms  0.4 ms  0.5 ms";
        assert!(modern_traceroute("Modern traceroute for Linux, version 2.1.1, Dec 2022"));
        assert!(!modern_traceroute("version 1.4a12"));
        let got = hop(line, true).unwrap();
        assert_eq!(
            got,
            map! {"count" => 1, "hostname" => "gw.example", "ip" => "192.0.2.1", "ms1" => 0.3, "ms2" => 0.4, "ms3" => 0.5}
        );
        assert_eq!(hop(" 2  * * *", true), Some(map! {"count" => 2, "hostname" => "*"}));
    }

    #[test]
    fn addresses_of_cards_are_read() {
        assert_eq!(mac_bytes("08-00-27-13-69-77").unwrap(), [8, 0, 0x27, 0x13, 0x69, 0x77]);
        assert_eq!(mac_bytes("080027136977").unwrap(), [8, 0, 0x27, 0x13, 0x69, 0x77]);
        assert!(mac_bytes("08").is_err());
    }

    #[test]
    fn a_connection_is_tried() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let call = |port: Value| connect(Some("127.0.0.1".into()), Some(port), KwArgs::default()).unwrap();
        assert_eq!(
            call(port.to_string().into()),
            map! {"result" => true, "comment" => format!("Successfully connected to 127.0.0.1 (127.0.0.1) on tcp port {port}")}
        );
        drop(listener);
        assert_eq!(call(i64::from(port).into()).get("result"), Some(&false.into()));
    }
}
