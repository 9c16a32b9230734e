//! Which events were taken already: what a minion sends twice counts once. Bounded: the oldest are forgotten.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

/// How many are remembered.
const MOST: usize = 65_536;

/// The events that were taken, by a hash.
#[derive(Debug, Default)]
pub struct Seen {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Seen {
    /// The hash of a rule's look at an event. The same after a restart.
    pub fn hash(rule: &str, event: &str) -> u64 {
        let mut hash = Sha256::new();
        hash.update(rule.as_bytes());
        hash.update([0xff]);
        hash.update(event.as_bytes());
        let digest = hash.finalize();
        digest[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    /// Notes one; false where it is known.
    pub fn note(&mut self, hash: u64) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// All that are remembered, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.order.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let mut seen = Seen::default();
        let n = MOST as u64;
        assert!((0..n + 5).all(|hash| seen.note(hash)));
        assert!((5..n + 5).all(|hash| !seen.note(hash)));
        assert!((0..5).all(|hash| seen.note(hash)));
        assert_eq!((seen.order.len(), seen.known.len()), (MOST, MOST));
        assert_ne!(Seen::hash("a", "bc"), Seen::hash("ab", "c"));
    }
}
