//! Functions of `network` about connections and neighbours.

use crate::grains_core::read;
use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Return a dict containing information on all of the running TCP connections.
///
/// CLI Example: salt '*' network.active_tcp
#[exec]
fn active_tcp() -> Result<Map> {
    Ok(established(&["/proc/net/tcp", "/proc/net/tcp6"]))
}

/// The established connections of these tables, numbered from nought.
fn established(tables: &[&str]) -> Map {
    let rows = tables.iter().filter_map(read::text).flat_map(|text| {
        text.lines().skip(1).filter_map(|l| tcp_row(l).filter(|r| r.state == 1)).collect::<Vec<_>>()
    });
    rows.enumerate()
        .map(|(n, row)| {
            let data = map! {
                "local_addr" => row.local.0,
                "local_port" => i64::from(row.local.1),
                "remote_addr" => row.remote.0,
                "remote_port" => i64::from(row.remote.1),
            };
            (Value::from(n), data)
        })
        .collect()
}

/// One row of the kernel's table of TCP sockets.
pub(crate) struct TcpRow {
    pub(crate) local: (String, u16),
    pub(crate) remote: (String, u16),
    /// 1 is established, 10 is listening.
    pub(crate) state: u8,
}

pub(crate) fn tcp_row(line: &str) -> Option<TcpRow> {
    let mut words = line.split_whitespace().skip(1);
    let local = endpoint(words.next()?)?;
    let remote = endpoint(words.next()?)?;
    Some(TcpRow { local, remote, state: u8::from_str_radix(words.next()?, 16).ok()? })
}

/// An address with its port as the kernel prints them.
pub(crate) fn endpoint(text: &str) -> Option<(String, u16)> {
    let (ip, port) = text.split_once(':')?;
    Some((hex_ip(ip)?, u16::from_str_radix(port, 16).ok()?))
}

/// An address as the kernel prints it: groups of four bytes in the machine's order.
fn hex_ip(hex: &str) -> Option<String> {
    let word = |from: usize| Some(u32::from_str_radix(hex.get(from..from + 8)?, 16).ok()?.to_ne_bytes());
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).to_string());
    }
    let mut bytes = [0; 16];
    for (i, four) in bytes.chunks_mut(4).enumerate() {
        four.copy_from_slice(&word(i * 8)?);
    }
    let ip = Ipv6Addr::from(bytes);
    Some(ip.to_ipv4_mapped().map_or_else(|| ip.to_string(), |four| four.to_string()))
}

/// Return information on open ports and states, as `netstat` or `ss` tells it.
///
/// CLI Example: salt '*' network.netstat
#[exec]
fn netstat(cx: &Cx) -> Result<Vec<Value>> {
    if read::which("netstat").is_some() {
        let text = tools::run(cx, &["netstat", "-tulpnea"])?;
        return text.lines().filter_map(netstat_row).collect();
    }
    let text = tools::run(cx, &["ss", "-tulpnea"])?;
    text.lines().filter_map(ss_row).collect()
}

fn short(line: &str) -> CallError {
    CallError::exception("IndexError", format!("list index out of range: {line}"))
}

fn netstat_row(line: &str) -> Option<Result<Value>> {
    let tcp = line.starts_with("tcp");
    if !tcp && !line.starts_with("udp") {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let names: &[&str] = if tcp {
        &["proto", "recv-q", "send-q", "local-address", "remote-address", "state", "user", "inode", "program"]
    } else {
        &["proto", "recv-q", "send-q", "local-address", "remote-address", "user", "inode", "program"]
    };
    Some(if words.len() < names.len() {
        Err(short(line))
    } else {
        Ok(Value::Map(names.iter().copied().zip(words).collect()))
    })
}

fn ss_row(line: &str) -> Option<Result<Value>> {
    let tcp = line.starts_with("tcp");
    if !tcp && !line.starts_with("udp") {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let [proto, state, received, sent, local, remote, rest @ ..] = words.as_slice() else {
        return Some(Err(short(line)));
    };
    let (mut user, mut inode, mut program) = (Value::Int(0), Value::Int(0), "");
    // Stock does not look at the last word.
    for word in &rest[..rest.len().saturating_sub(1)] {
        match word.split_once(':') {
            Some(("users", value)) => program = value.split('"').nth(1).unwrap_or(""),
            Some(("uid", value)) => user = value.into(),
            Some(("ino", value)) => inode = value.into(),
            _ => {}
        }
    }
    let mut row = map! {
        "proto" => *proto, "recv-q" => *received, "send-q" => *sent, "local-address" => *local, "remote-address" => *remote,
    };
    if tcp {
        row.insert("state", if *state == "ESTAB" { "ESTABLISHED" } else { state });
    }
    row.update(map! {"user" => user, "inode" => inode, "program" => program});
    Some(Ok(row.into()))
}

/// Return the arp table from the minion.
///
/// CLI Example: salt '*' network.arp
#[exec]
fn arp(cx: &Cx) -> Result<Map> {
    tools::require("arp")?;
    Ok(tools::run(cx, &["arp", "-an"])?
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Some((words.get(3)?.to_string(), words[1].trim_matches(['(', ')']).to_owned()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_addresses_are_read() {
        let row = tcp_row("   0: 0100007F:1F90 0200007F:0016 01 00000000:00000000").unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(
                (row.local, row.remote, row.state),
                (("127.0.0.1".into(), 8080), ("127.0.0.2".into(), 22), 1)
            );
            assert_eq!(hex_ip("0000000000000000FFFF00000100007F").as_deref(), Some("127.0.0.1"));
            assert_eq!(hex_ip("000000FD000000000000000002000000").as_deref(), Some("fd00::2"));
        }
        assert!(tcp_row("  sl  local_address rem_address   st").is_none());
    }

    #[test]
    fn rows_of_the_tools_become_maps() {
        let row = ss_row("tcp   ESTAB 0      0      10.0.0.2:22   10.0.0.1:5000 users:((\"sshd\",pid=1,fd=4)) uid:7 ino:99 sk:1 <->").unwrap().unwrap();
        assert_eq!(row.get("program"), Some(&"sshd".into()));
        assert_eq!((row.get("user"), row.get("inode")), (Some(&"7".into()), Some(&"99".into())));
        assert_eq!(row.get("state"), Some(&"ESTABLISHED".into()));
        let udp = netstat_row("udp        0      0 0.0.0.0:68              0.0.0.0:*                           0          1234       1/x").unwrap().unwrap();
        assert_eq!(udp.get("inode"), Some(&"1234".into()));
        assert!(netstat_row("Proto Recv-Q").is_none());
    }
}
