//! The addresses from which minions have proved themselves, kept over a restart: at once after it, a minion may hand over
//! a large return that it could not deliver meanwhile. Only what the request port buffers depends on them, nothing that
//! anybody may do.

use std::net::IpAddr;

use brine_net::Vouch;

use crate::fs::Dir;

/// In `cachedir`, one address a line.
const FILE: &str = "known_addresses";
/// More than the port remembers.
const LONGEST: u64 = 4 << 20;

/// The addresses that were known when the master stopped.
pub fn restore(cachedir: &Dir) -> Vec<IpAddr> {
    let text = cachedir.read(FILE, LONGEST).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Writes down the addresses known now, if there are any.
pub fn keep(cachedir: &Dir, vouch: &Vouch) {
    let known = vouch.known();
    if known.is_empty() {
        return;
    }
    let text: String = known.iter().map(|addr| format!("{addr}\n")).collect();
    if let Err(e) = cachedir.write(FILE, text.as_bytes(), 0o600) {
        tracing::warn!("cannot write {FILE}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_net::{ReqServer, ReqServerOptions};

    #[tokio::test]
    async fn they_outlive_a_restart() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::at(tmp.path());
        let server = ReqServer::bind(&[([127, 0, 0, 1], 0).into()], ReqServerOptions::default()).unwrap();
        let vouch = server.vouching();
        keep(&dir, &vouch);
        assert_eq!(restore(&dir), Vec::<IpAddr>::new());
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        vouch.vouch(a);
        vouch.vouch(b);
        keep(&dir, &vouch);
        let mut known = restore(&dir);
        known.sort_unstable();
        assert_eq!(known, [a, "2001:db8::".parse().unwrap()]);
    }
}
