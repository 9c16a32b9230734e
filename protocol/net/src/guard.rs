//! What all peers of a server together, and each address alone, may take from us: connections, handshakes, failures and
//! buffered bytes. Knows nothing of ZMTP, and nothing of what is authenticated: all peers are strangers here.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::options::Limits;

/// Bytes every connection may hold without asking.
const FREE_BYTES: usize = 8 << 10;
/// Larger holdings are charged in steps of this many bytes, to keep the lock quiet.
const STEP: usize = 16 << 10;
/// Window in which failures of one address add up.
const WINDOW: Duration = Duration::from_secs(10);
/// Addresses remembered before expired ones are looked for.
const PURGE_AT: usize = 4096;
/// Known addresses remembered. They are all forgotten when there are more, which only means that they are vouched for
/// again at their next request.
const KNOWN: usize = 1 << 16;

#[derive(Debug, Default)]
struct PerAddr {
    handshakes: usize,
    connections: usize,
    buffered: usize,
    failures: usize,
    since: Option<Instant>,
    known: bool,
}

impl PerAddr {
    fn failing(&self, now: Instant) -> bool {
        self.since.is_some_and(|at| now.saturating_duration_since(at) < WINDOW)
    }
}

#[derive(Debug, Default)]
struct State {
    connections: usize,
    buffered: usize,
    /// The part of `buffered` that is held by addresses not known.
    strangers: usize,
    addrs: HashMap<IpAddr, PerAddr>,
    known: HashSet<IpAddr>,
}

/// The books of one server.
#[derive(Debug)]
pub(crate) struct Guard {
    limits: Limits,
    state: Mutex<State>,
}

/// Tells a server from where its peers have proved who they are.
#[derive(Clone, Debug)]
pub struct Vouch(Arc<Guard>);

impl Vouch {
    /// Whoever comes from this address may have large messages buffered from now on.
    pub fn vouch(&self, addr: IpAddr) {
        let key = key(addr);
        let mut state = self.0.state.lock();
        if state.known.contains(&key) {
            return;
        }
        if state.known.len() >= KNOWN {
            state.known.clear();
        }
        state.known.insert(key);
        let Some(entry) = state.addrs.get_mut(&key).filter(|entry| !entry.known) else { return };
        entry.known = true;
        let held = entry.buffered;
        state.strangers -= held;
    }
}

impl Vouch {
    /// Whether somebody has vouched for this address.
    #[must_use]
    pub fn knows(&self, addr: IpAddr) -> bool {
        self.0.state.lock().known.contains(&key(addr))
    }

    /// The addresses vouched for so far (of IPv6: their networks), for keeping them over a restart.
    #[must_use]
    pub fn known(&self) -> Vec<IpAddr> {
        self.0.state.lock().known.iter().copied().collect()
    }
}

/// One admitted connection. Gives back what it holds when dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    guard: Arc<Guard>,
    key: IpAddr,
    handshake: bool,
    charged: usize,
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    pub(crate) fn vouching(self: &Arc<Self>) -> Vouch {
        Vouch(Arc::clone(self))
    }

    /// Lets a new connection in, or says why not.
    pub(crate) fn admit(self: &Arc<Self>, addr: IpAddr, now: Instant) -> Result<Admission, &'static str> {
        let key = key(addr);
        let mut state = self.state.lock();
        if state.connections >= self.limits.max_connections {
            return Err("too many connections");
        }
        if state.addrs.len() >= PURGE_AT {
            state.addrs.retain(|_, a| a.connections > 0 || a.failing(now));
        }
        let known = state.known.contains(&key);
        let entry = state.addrs.entry(key).or_insert_with(|| PerAddr { known, ..PerAddr::default() });
        if !entry.failing(now) {
            entry.failures = 0;
            entry.since = None;
        }
        // A known address stays open, or a bad peer could lock out its good neighbours.
        if !entry.known && entry.failures >= self.limits.max_failures_per_addr {
            return Err("too many failed handshakes from this address");
        }
        if entry.connections >= self.limits.max_connections.div_ceil(2) {
            return Err("too many connections from this address");
        }
        if entry.handshakes >= self.limits.max_handshakes_per_addr {
            return Err("too many handshakes at once from this address");
        }
        entry.handshakes += 1;
        entry.connections += 1;
        state.connections += 1;
        Ok(Admission { guard: Arc::clone(self), key, handshake: true, charged: 0 })
    }
}

impl Admission {
    /// The handshake is complete.
    pub(crate) fn handshake_done(&mut self) {
        if std::mem::take(&mut self.handshake) {
            let mut state = self.guard.state.lock();
            if let Some(entry) = state.addrs.get_mut(&self.key) {
                entry.handshakes -= 1;
            }
        }
    }

    /// The peer talked garbage, or nothing, instead of a handshake, or lost its connection by what it did after it.
    pub(crate) fn failed(&mut self, now: Instant) {
        let mut state = self.guard.state.lock();
        if let Some(entry) = state.addrs.get_mut(&self.key) {
            entry.failures += 1;
            entry.since.get_or_insert(now);
        }
    }

    /// Whether a message of so many bytes could ever be held. A stranger's that could not is not even read.
    pub(crate) fn may_announce(&self, bytes: usize) -> bool {
        let most = self.guard.limits.max_buffered_strangers / 2;
        bytes <= most || self.guard.state.lock().addrs.get(&self.key).is_some_and(|entry| entry.known)
    }

    /// Announces that this connection holds `bytes` now, or is about to. False when the limits do not allow it.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(FREE_BYTES).div_ceil(STEP) * STEP;
        if wanted == self.charged {
            return true;
        }
        let mut state = self.guard.state.lock();
        let Limits { max_buffered: max, max_buffered_strangers, .. } = self.guard.limits;
        let all = state.buffered - self.charged + wanted;
        let strangers = state.strangers + wanted;
        let Some(entry) = state.addrs.get_mut(&self.key) else { return false };
        let mine = entry.buffered - self.charged + wanted;
        if wanted > self.charged {
            let (most, total, max) = if entry.known {
                (max / 2, all, max)
            } else {
                let max = max.min(max_buffered_strangers);
                (max / 2, strangers - self.charged, max)
            };
            if mine > most || total > max || all > self.guard.limits.max_buffered {
                return false;
            }
        }
        entry.buffered = mine;
        if !entry.known {
            state.strangers = strangers - self.charged;
        }
        state.buffered = all;
        self.charged = wanted;
        true
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut state = self.guard.state.lock();
        state.connections -= 1;
        state.buffered -= self.charged;
        let mut of_stranger = 0;
        if let Some(entry) = state.addrs.get_mut(&self.key) {
            entry.connections -= 1;
            entry.buffered -= self.charged;
            entry.handshakes -= usize::from(self.handshake);
            if !entry.known {
                of_stranger = self.charged;
            }
            if entry.connections == 0 && entry.since.is_none() {
                state.addrs.remove(&self.key);
            }
        }
        state.strangers -= of_stranger;
    }
}

/// Who counts as one peer: an IPv4 address, or an IPv6 network, since a host has a whole /64 to choose from.
fn key(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const C: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn guard() -> Arc<Guard> {
        Guard::new(Limits {
            max_connections: 4,
            max_handshakes_per_addr: 2,
            max_failures_per_addr: 2,
            max_buffered: 10 * STEP,
            ..Limits::default()
        })
    }

    #[test]
    fn handshakes_per_address_and_connections_in_all_are_bounded() {
        let (guard, now) = (guard(), Instant::now());
        let mut first = guard.admit(A, now).unwrap();
        let _second = guard.admit(A, now).unwrap();
        assert!(guard.admit(A, now).is_err());
        first.handshake_done();
        assert!(guard.admit(A, now).is_err(), "one address may take half of all");
        let third = guard.admit(B, now).unwrap();
        let _fourth = guard.admit(B, now).unwrap();
        assert!(guard.admit(C, now).is_err(), "four in all");
        drop(third);
        assert!(guard.admit(C, now).is_ok());
    }

    #[test]
    fn failures_close_the_door_for_their_address_and_window_only() {
        let (guard, now) = (guard(), Instant::now());
        for _ in 0..2 {
            guard.admit(A, now).unwrap().failed(now);
        }
        assert!(guard.admit(A, now).is_err());
        assert!(guard.admit(B, now).is_ok());
        assert!(guard.admit(A, now + WINDOW).is_ok());
        for _ in 0..9 {
            guard.admit(B, now).map(|mut b| b.failed(now)).ok();
        }
        assert!(guard.admit(B, now).is_err());
        guard.vouching().vouch(B);
        assert!(guard.admit(B, now).is_ok(), "known addresses stay open");
    }

    #[test]
    fn buffered_bytes_are_bounded_and_given_back() {
        let (guard, now) = (guard(), Instant::now());
        let mut a = guard.admit(A, now).unwrap();
        assert!(a.hold(FREE_BYTES));
        assert!(a.hold(FREE_BYTES + 5 * STEP));
        assert!(!a.hold(FREE_BYTES + 6 * STEP), "more than half for one address");
        let mut b = guard.admit(B, now).unwrap();
        assert!(b.hold(FREE_BYTES + 5 * STEP));
        assert!(a.hold(0));
        assert!(!b.hold(FREE_BYTES + 6 * STEP));
        drop(b);
        assert_eq!(guard.state.lock().buffered, 0);
        drop(a);
        assert!(guard.state.lock().addrs.is_empty(), "nothing is remembered of a quiet peer");
    }

    #[test]
    fn strangers_share_a_small_purse_and_known_addresses_the_large_one() {
        let limits =
            Limits { max_buffered: 100 * STEP, max_buffered_strangers: 4 * STEP, ..Limits::default() };
        let (guard, now) = (Guard::new(limits), Instant::now());
        let mut a = guard.admit(A, now).unwrap();
        assert!(a.hold(FREE_BYTES + 2 * STEP));
        assert!(!a.hold(FREE_BYTES + 3 * STEP), "half for one address");
        assert!(a.may_announce(2 * STEP) && !a.may_announce(2 * STEP + 1));
        let mut b = guard.admit(B, now).unwrap();
        assert!(b.hold(FREE_BYTES + 2 * STEP));
        let mut c = guard.admit(C, now).unwrap();
        assert!(!c.hold(FREE_BYTES + STEP), "all together");
        guard.vouching().vouch(A);
        guard.vouching().vouch(A);
        assert!(a.hold(FREE_BYTES + 50 * STEP) && a.may_announce(50 * STEP));
        assert!(c.hold(FREE_BYTES + STEP), "what a known address holds is no stranger's");
        assert!(guard.admit(A, now).unwrap().hold(FREE_BYTES));
        drop((a, b, c));
        let mut again = guard.admit(A, now).unwrap();
        assert!(again.hold(FREE_BYTES + 50 * STEP), "remembered");
        drop(again);
        let state = guard.state.lock();
        assert_eq!((state.buffered, state.strangers), (0, 0));
    }

    #[test]
    fn one_ipv6_network_is_one_peer() {
        assert_eq!(key("2001:db8::1".parse().unwrap()), key("2001:db8::ffff".parse().unwrap()));
        assert_ne!(key("2001:db8::1".parse().unwrap()), key("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(key("::ffff:192.0.2.1".parse().unwrap()), A);
    }
}
