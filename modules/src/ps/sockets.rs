//! The internet sockets of one process, by the inodes of its descriptors.

use super::process::Process;
use crate::grains_core::read;
use crate::network::tcp_endpoint;
use brine_core::Value;
use std::collections::BTreeMap;

/// psutil's names of TCP states, by the kernel's number.
const STATES: [&str; 12] = [
    "NONE",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// Descriptor, family, type, own end, far end and state of each.
pub(super) fn of(p: &Process) -> Option<Vec<Value>> {
    std::fs::read_dir(p.path("fd")).ok()?;
    let mut by_inode: BTreeMap<String, i64> = BTreeMap::new();
    for name in read::names(p.path("fd")) {
        let Ok(target) = std::fs::read_link(p.path(&format!("fd/{name}"))) else { continue };
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|t| t.strip_suffix(']'));
        if let (Some(inode), Ok(fd)) = (inode, name.parse()) {
            by_inode.insert(inode.to_owned(), fd);
        }
    }
    let mut out = Vec::new();
    if by_inode.is_empty() {
        return Some(out);
    }
    // Family and type are the system's numbers: AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM.
    for (table, family, kind) in [("tcp", 2, 1), ("tcp6", 10, 1), ("udp", 2, 2), ("udp6", 10, 2)] {
        let text = p.text(&format!("net/{table}")).unwrap_or_default();
        out.extend(text.lines().skip(1).filter_map(|line| row(line, family, kind, &by_inode)));
    }
    Some(out)
}

fn row(line: &str, family: i64, kind: i64, by_inode: &BTreeMap<String, i64>) -> Option<Value> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let fd = by_inode.get(*words.get(9)?)?;
    let end = |word: &str| -> Option<Value> {
        let (ip, port) = tcp_endpoint(word)?;
        // psutil leaves out an end that has no port.
        Some(if port == 0 {
            Value::List(Vec::new())
        } else {
            Value::List(vec![ip.into(), i64::from(port).into()])
        })
    };
    let state = if kind == 1 {
        usize::from_str_radix(words[3], 16).ok().and_then(|n| STATES.get(n).copied()).unwrap_or("NONE")
    } else {
        "NONE"
    };
    Some(Value::List(vec![
        (*fd).into(),
        family.into(),
        kind.into(),
        end(words[1])?,
        end(words[2])?,
        state.into(),
    ]))
}
