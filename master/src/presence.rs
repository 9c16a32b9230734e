//! Which minions are connected, from the connections themselves.
//!
//! What a subscriber calls itself is a claim. It counts as that minion when the minion has proved itself from the same
//! address; otherwise it only counts against calling the minion absent. Stock minions do not name themselves at all (their
//! library sends no name for a subscriber), so for them, as in stock, the address alone must do: whoever proved himself
//! from where a nameless subscriber is connected counts as connected. Not here: when events are fired.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use brine_net::{Peer, PeerEvent, PeerId};
use brine_protocol::ids::MinionId;
use parking_lot::Mutex;

/// Claims are short-lived, proofs are bounded by the accepted keys.
#[derive(Debug, Default)]
struct State {
    peers: HashMap<PeerId, (Option<MinionId>, IpAddr)>,
    claims: HashMap<MinionId, Vec<(PeerId, IpAddr)>>,
    nameless: HashMap<IpAddr, usize>,
    proofs: HashMap<MinionId, IpAddr>,
    /// The same by address.
    proved_at: HashMap<IpAddr, BTreeSet<MinionId>>,
    /// Who was connected by name from where he proved himself: no connection without a name is his.
    named: HashSet<MinionId>,
}

/// Whom a change may concern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// These minions may be here or gone now.
    pub minions: Vec<MinionId>,
    /// So may any that has not proved itself since the start.
    pub unproved: bool,
}

/// The connected minions.
#[derive(Debug, Default)]
pub struct Presence {
    state: Mutex<State>,
}

impl State {
    fn add(&mut self, peer: &Peer) -> Moved {
        let addr = peer.addr.ip().to_canonical();
        let id = std::str::from_utf8(&peer.identity).ok().and_then(|t| MinionId::parse(t).ok());
        let moved = match &id {
            Some(id) => {
                self.claims.entry(id.clone()).or_default().push((peer.id, addr));
                Moved { minions: vec![id.clone()], unproved: false }
            }
            None => {
                let count = self.nameless.entry(addr).or_default();
                *count += 1;
                if *count == 1 { self.moved_at(addr) } else { Moved::default() }
            }
        };
        self.peers.insert(peer.id, (id, addr));
        moved
    }

    /// All who can be behind the connections without a name from an address.
    fn moved_at(&self, addr: IpAddr) -> Moved {
        let minions = self.proved_at.get(&addr).into_iter().flatten().cloned().collect();
        Moved { minions, unproved: self.nameless.is_empty() }
    }

    /// Whether a minion that proved itself from an address is connected from there.
    fn is_connected(&self, id: &MinionId, at: &IpAddr) -> bool {
        self.nameless.contains_key(at)
            || self.claims.get(id).is_some_and(|claims| claims.iter().any(|(_, addr)| addr == at))
    }

    fn is_absent(&self, id: &str) -> bool {
        !self.claims.contains_key(id)
            && match self.proofs.get(id) {
                Some(addr) => !self.nameless.contains_key(addr),
                None => self.nameless.is_empty(),
            }
    }

    fn unprove(&mut self, id: &MinionId) {
        if let Some(addr) = self.proofs.remove(id)
            && let Some(ids) = self.proved_at.get_mut(&addr)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.proved_at.remove(&addr);
            }
        }
    }

    fn remove(&mut self, peer: PeerId) -> Moved {
        match self.peers.remove(&peer) {
            Some((Some(id), addr)) => {
                if self.proofs.get(&id) == Some(&addr) {
                    self.named.insert(id.clone());
                }
                if let Some(claims) = self.claims.get_mut(&id) {
                    claims.retain(|(p, _)| *p != peer);
                    if claims.is_empty() {
                        self.claims.remove(&id);
                    }
                }
                Moved { minions: vec![id], unproved: false }
            }
            Some((None, addr)) => {
                if let Some(n) = self.nameless.get_mut(&addr) {
                    *n -= 1;
                    if *n == 0 {
                        self.nameless.remove(&addr);
                        return self.moved_at(addr);
                    }
                }
                Moved::default()
            }
            None => Moved::default(),
        }
    }
}

impl Presence {
    /// Takes a change; whom it may concern.
    pub fn note(&self, event: &PeerEvent) -> Moved {
        let mut state = self.state.lock();
        match event {
            PeerEvent::Connected(peer) if state.peers.contains_key(&peer.id) => Moved::default(),
            PeerEvent::Connected(peer) => state.add(peer),
            PeerEvent::Disconnected(peer) => state.remove(peer.id),
        }
    }

    /// Starts afresh from the full list, after changes were lost.
    pub fn reset(&self, peers: &[Peer]) {
        let mut state = self.state.lock();
        let proofs = std::mem::take(&mut state.proofs);
        let proved_at = std::mem::take(&mut state.proved_at);
        let named = std::mem::take(&mut state.named);
        *state = State { proofs, proved_at, named, ..State::default() };
        peers.iter().for_each(|p| drop(state.add(p)));
    }

    /// Notes that a minion has proved itself from an address; whether that is news.
    pub fn proved(&self, id: &MinionId, from: IpAddr) -> bool {
        let from = from.to_canonical();
        let mut state = self.state.lock();
        if state.named.contains(id) && !state.claims.contains_key(id) && state.nameless.contains_key(&from) {
            // It may be another program now, that names nobody.
            state.named.remove(id);
        }
        if state.proofs.get(id) == Some(&from) {
            return false;
        }
        state.unprove(id);
        state.proofs.insert(id.clone(), from);
        state.proved_at.entry(from).or_default().insert(id.clone());
        true
    }

    /// Forgets a minion whose key is gone.
    pub fn forget(&self, id: &MinionId) {
        let mut state = self.state.lock();
        state.unprove(id);
        state.named.remove(id);
    }

    /// The minions that are connected and have proved themselves.
    pub fn present(&self) -> BTreeSet<MinionId> {
        self.present_at().into_keys().collect()
    }

    /// The minions that are connected and have proved themselves, and from where.
    pub fn present_at(&self) -> BTreeMap<MinionId, IpAddr> {
        let state = self.state.lock();
        let connected = state.proofs.iter().filter(|(id, at)| state.is_connected(id, at));
        connected.map(|(id, at)| (id.clone(), *at)).collect()
    }

    /// How many minions are connected and have proved themselves.
    pub fn up(&self) -> usize {
        let state = self.state.lock();
        state.proofs.iter().filter(|(id, at)| state.is_connected(id, at)).count()
    }

    /// Whether the minion has proved itself since the start.
    pub fn is_proved(&self, id: &str) -> bool {
        self.state.lock().proofs.contains_key(id)
    }

    /// Whether a nameless subscriber is connected from this address.
    pub fn has_nameless(&self, addr: IpAddr) -> bool {
        self.state.lock().nameless.contains_key(&addr)
    }

    /// How many subscribers are connected, whoever they are.
    pub fn connections(&self) -> usize {
        self.state.lock().peers.len()
    }

    /// As [`Presence::is_absent`], but for a minion that has named itself only its name counts: what is connected from its address
    /// without a name is not it.
    pub fn is_gone(&self, id: &str) -> bool {
        let state = self.state.lock();
        (!state.claims.contains_key(id) && state.named.contains(id)) || state.is_absent(id)
    }

    /// Whether no connection can be this minion's: none has its name, and none without a name comes from its address.
    pub fn is_absent(&self, id: &str) -> bool {
        self.state.lock().is_absent(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u64, addr: &str, name: &'static str) -> Peer {
        Peer { id: PeerId(n), addr: format!("{addr}:1").parse().unwrap(), identity: name.into() }
    }

    #[test]
    fn a_name_counts_only_from_where_it_was_proved() {
        let presence = Presence::default();
        let id = MinionId::parse("m1").unwrap();
        presence.proved(&id, "192.0.2.1".parse().unwrap());
        assert!(presence.is_absent("m1"));
        let liar = peer(1, "192.0.2.9", "m1");
        presence.note(&PeerEvent::Connected(liar.clone()));
        assert!(presence.present().is_empty());
        assert!(!presence.is_absent("m1"));
        let own = peer(2, "192.0.2.1", "m1");
        presence.note(&PeerEvent::Connected(own.clone()));
        assert_eq!((presence.present().len(), presence.up()), (1, 1));
        presence.note(&PeerEvent::Disconnected(own.clone()));
        assert!(presence.present().is_empty() && presence.up() == 0);
        presence.note(&PeerEvent::Disconnected(liar));
        assert!(presence.is_absent("m1"));
        presence.reset(std::slice::from_ref(&own));
        presence.note(&PeerEvent::Connected(own));
        assert_eq!((presence.present().len(), presence.connections()), (1, 1));
    }

    #[test]
    fn a_change_names_those_whom_it_may_concern() {
        let presence = Presence::default();
        let (one, two) = (MinionId::parse("m1").unwrap(), MinionId::parse("m2").unwrap());
        let here = "192.0.2.1".parse().unwrap();
        assert!(presence.proved(&one, here) && presence.proved(&two, here));
        assert!(!presence.proved(&one, here));
        let both = vec![one.clone(), two.clone()];
        let (a, b) = (peer(1, "192.0.2.1", ""), peer(2, "192.0.2.1", ""));
        assert_eq!(presence.note(&PeerEvent::Connected(a.clone())).minions, both);
        assert_eq!(presence.note(&PeerEvent::Connected(b.clone())), Moved::default());
        assert_eq!(presence.note(&PeerEvent::Disconnected(a)), Moved::default());
        let moved = presence.note(&PeerEvent::Disconnected(b));
        assert_eq!(moved, Moved { minions: both, unproved: true });
        assert!(presence.proved(&one, "192.0.2.2".parse().unwrap()));
        presence.forget(&two);
        let c = peer(3, "192.0.2.1", "");
        assert!(presence.note(&PeerEvent::Connected(c)).minions.is_empty());
        let named = peer(4, "192.0.2.1", "m2");
        assert_eq!(presence.note(&PeerEvent::Connected(named)).minions, [two]);
    }

    #[test]
    fn who_names_himself_is_gone_whoever_else_is_at_his_address() {
        let presence = Presence::default();
        let (one, here) = (MinionId::parse("m1").unwrap(), "192.0.2.1".parse().unwrap());
        presence.proved(&one, here);
        let (own, other) = (peer(1, "192.0.2.1", "m1"), peer(2, "192.0.2.1", ""));
        presence.note(&PeerEvent::Connected(other));
        assert!(!presence.is_gone("m1"));
        presence.note(&PeerEvent::Connected(own.clone()));
        presence.note(&PeerEvent::Disconnected(own));
        assert!(presence.is_gone("m1") && !presence.is_absent("m1"));
        // It is back, as a program that names nobody.
        presence.proved(&one, here);
        assert!(!presence.is_gone("m1"));
        // A name from elsewhere says nothing.
        let liar = peer(3, "192.0.2.9", "m1");
        presence.note(&PeerEvent::Connected(liar.clone()));
        presence.note(&PeerEvent::Disconnected(liar));
        assert!(!presence.is_gone("m1"));
    }

    #[test]
    fn subscribers_without_a_name_leave_doubt() {
        let presence = Presence::default();
        presence.proved(&MinionId::parse("m1").unwrap(), "192.0.2.1".parse().unwrap());
        let nameless = peer(1, "192.0.2.1", "");
        presence.note(&PeerEvent::Connected(nameless.clone()));
        assert_eq!(presence.present().len(), 1);
        assert!(!presence.is_absent("m1") && !presence.is_absent("never-seen"));
        presence.note(&PeerEvent::Disconnected(nameless));
        assert!(presence.is_absent("m1") && presence.is_absent("never-seen"));
    }
}
