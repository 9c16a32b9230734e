//! What was seen before, in bounded memory: nonces of requests, protocol versions of minions.
//!
//! Stock remembers neither, so a captured request could be sent again while its session lives.

use crate::crypt::Nonce;
use crate::ids::MinionId;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet, VecDeque};

/// Remembers (id, nonce) pairs for a while. Memory is at most about 60 bytes times the capacity.
#[derive(Debug)]
pub struct ReplayWindow {
    seen: HashSet<[u8; 16]>,
    order: VecDeque<([u8; 16], u64)>,
    capacity: usize,
    seconds: u64,
}

impl ReplayWindow {
    /// A window of `seconds`, holding at most `capacity` pairs; the oldest go first when it is full.
    pub fn new(capacity: usize, seconds: u64) -> Self {
        Self { seen: HashSet::new(), order: VecDeque::new(), capacity: capacity.max(1), seconds }
    }

    /// Notes a pair at time `now` (seconds, any steady origin). False when it was there already.
    pub fn fresh(&mut self, id: &MinionId, nonce: &Nonce, now: u64) -> bool {
        while self.order.front().is_some_and(|(_, at)| now.saturating_sub(*at) > self.seconds) {
            let Some((old, _)) = self.order.pop_front() else { break };
            self.seen.remove(&old);
        }
        let mut hash = Sha256::new();
        hash.update(nonce.as_str().to_ascii_lowercase());
        hash.update(id.as_str());
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        let fresh = self.seen.insert(key);
        if fresh {
            self.push(key, now);
        }
        fresh
    }

    /// What it holds of the pair noted last, and when that was.
    pub fn newest(&self) -> Option<([u8; 16], u64)> {
        self.order.back().copied()
    }

    /// What it holds, oldest first, to be kept elsewhere.
    pub fn held(&self) -> impl Iterator<Item = ([u8; 16], u64)> {
        self.order.iter().copied()
    }

    /// Takes back what was [`held`](Self::held) before, in that order.
    pub fn restore(&mut self, key: [u8; 16], at: u64) {
        if self.seen.insert(key) {
            self.push(key, at);
        }
    }

    fn push(&mut self, key: [u8; 16], at: u64) {
        self.order.push_back((key, at));
        while self.order.len() > self.capacity {
            let Some((old, _)) = self.order.pop_front() else { break };
            self.seen.remove(&old);
        }
    }

    /// How many pairs are held.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Default for ReplayWindow {
    /// A day's session, up to 65,536 requests (about 4 MB when full).
    fn default() -> Self {
        Self::new(1 << 16, 86_400)
    }
}

/// The highest protocol version each minion proved itself with; it never goes down.
///
/// Only ids with an accepted key are noted, so its size is bounded by the key store.
#[derive(Debug, Default)]
pub struct VersionRatchet(HashMap<MinionId, u8>);

impl VersionRatchet {
    /// What this minion spoke at best, 0 if it is new.
    pub fn seen(&self, id: &MinionId) -> u8 {
        self.0.get(id).copied().unwrap_or(0)
    }

    /// Notes a version proved by an authenticated message.
    pub fn note(&mut self, id: &MinionId, version: u8) {
        match self.0.get_mut(id) {
            Some(seen) => *seen = version.max(*seen),
            None => drop(self.0.insert(id.clone(), version)),
        }
    }

    /// Forgets a minion whose key was deleted.
    pub fn forget(&mut self, id: &MinionId) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_seen_once_and_memory_is_bounded() {
        let mut window = ReplayWindow::new(3, 10);
        let id = MinionId::parse("m").unwrap();
        let nonces: Vec<Nonce> = (0..5).map(|_| Nonce::generate().unwrap()).collect();
        assert!(window.is_empty());
        assert!(window.fresh(&id, &nonces[0], 0));
        assert!(!window.fresh(&id, &nonces[0], 1));
        let upper = Nonce::parse(&nonces[0].as_str().to_ascii_uppercase()).unwrap();
        assert!(!window.fresh(&id, &upper, 1));
        assert!(window.fresh(&MinionId::parse("n").unwrap(), &nonces[0], 1));
        for n in &nonces[1..] {
            assert!(window.fresh(&id, n, 2));
            assert!(window.len() <= 3);
        }
        assert!(!window.fresh(&id, &nonces[4], 12));
        assert!(window.fresh(&id, &nonces[4], 13));
        assert_eq!(window.len(), 1);
    }

    #[test]
    fn what_was_held_is_held_again() {
        let id = MinionId::parse("m").unwrap();
        let nonces: Vec<Nonce> = (0..4).map(|_| Nonce::generate().unwrap()).collect();
        let mut window = ReplayWindow::new(10, 10);
        nonces.iter().for_each(|n| assert!(window.fresh(&id, n, 5)));
        assert_eq!(window.newest(), window.held().last());
        let mut again = ReplayWindow::new(3, 10);
        window.held().for_each(|(key, at)| again.restore(key, at));
        assert_eq!(again.len(), 3);
        assert!(nonces[1..].iter().all(|n| !again.fresh(&id, n, 6)) && again.fresh(&id, &nonces[0], 6));
        assert!(again.fresh(&id, &nonces[1], 16), "and no longer than before");
    }

    #[test]
    fn versions_only_rise() {
        let (mut ratchet, id) = (VersionRatchet::default(), MinionId::parse("m").unwrap());
        assert_eq!(ratchet.seen(&id), 0);
        ratchet.note(&id, 3);
        ratchet.note(&id, 2);
        assert_eq!(ratchet.seen(&id), 3);
        ratchet.forget(&id);
        assert_eq!(ratchet.seen(&id), 0);
    }
}
