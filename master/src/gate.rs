//! How much unauthenticated work is done at once, and for whom.
//!
//! Answering an `_auth` costs private RSA operations, and anyone may ask. So each address has a rate, waits when it is
//! above it and is turned away when it would wait too long; refusals of all addresses together have another rate; and
//! only a few replies are computed at a time, so that the rest of the machine stays free for jobs.

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use brine_protocol::ids::MinionId;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Authentications per second and address, after a burst.
const PER_ADDRESS: f64 = 30.0;
/// The burst: a site behind one address comes back together.
const ADDRESS_BURST: f64 = 300.0;
/// Refusals and pending answers per second, all addresses together.
const REFUSALS: f64 = 60.0;
/// The burst of those.
const REFUSAL_BURST: f64 = 200.0;
/// A peer gives up after 5 s (`auth_timeout`), so a longer wait would be for nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// Answers with keys per second for one minion at one address, and their burst: a minion's own scripts start many `salt-call` at once.
const AGAIN: f64 = 5.0;
const AGAIN_BURST: f64 = 50.0;
/// The burst of other refused requests of one address.
const REFUSED_BURST: f64 = 100.0;
/// A refused request counts once, and once more for so many bytes.
const REFUSED_BYTES: usize = 8 << 10;
/// Addresses remembered of each kind. When there are more, those that are within their rate are forgotten.
const REMEMBERED: usize = 4096;

/// How long a count of the pending keys is good, with those added since.
const RECOUNT: Duration = Duration::from_secs(5);

/// A rate, as the time at which everything taken so far has been paid for.
#[derive(Clone, Copy, Debug)]
struct Rate {
    paid: Instant,
}

impl Rate {
    /// Takes `n`; how long to wait before using them, or None when that is too long (then nothing is taken).
    fn take(&mut self, n: u32, now: Instant, per_second: f64, burst: f64) -> Option<Duration> {
        let burst = Duration::from_secs_f64(burst / per_second);
        let paid = self.paid.max(now) + Duration::from_secs_f64(f64::from(n) / per_second);
        let wait = paid.saturating_duration_since(now).saturating_sub(burst);
        if wait > LONGEST_WAIT {
            return None;
        }
        self.paid = paid;
        Some(wait)
    }
}

/// Rates by whatever is counted; bounded.
#[derive(Debug)]
struct Rates<K>(Mutex<HashMap<K, Rate>>);

impl<K: Eq + Hash> Rates<K> {
    /// Takes `n`; see [`Rate::take`]. Those within their rate are forgotten when there are too many; if there still are,
    /// new ones are turned away.
    fn take(&self, key: K, n: u32, now: Instant, per_second: f64, burst: f64) -> Option<Duration> {
        let mut rates = self.0.lock();
        if rates.len() >= REMEMBERED && !rates.contains_key(&key) {
            rates.retain(|_, rate| rate.paid > now);
            if rates.len() >= REMEMBERED {
                return None;
            }
        }
        rates.entry(key).or_insert(Rate { paid: now }).take(n, now, per_second, burst)
    }
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// The gate before `_auth`, and behind what is refused.
#[derive(Debug)]
pub struct AuthGate {
    addresses: Rates<IpAddr>,
    again: Rates<(IpAddr, MinionId)>,
    refused: Rates<IpAddr>,
    refusals: Mutex<Rate>,
    pending: Mutex<Option<(Instant, usize)>>,
    slots: Semaphore,
}

impl AuthGate {
    /// A gate that lets `slots` replies be computed at once.
    pub fn new(slots: usize) -> Self {
        Self {
            addresses: Rates::default(),
            again: Rates::default(),
            refused: Rates::default(),
            refusals: Mutex::new(Rate { paid: Instant::now() }),
            pending: Mutex::new(None),
            slots: Semaphore::new(slots.max(1)),
        }
    }

    /// How long an `_auth` from this address has to wait; None: it is turned away.
    pub fn admit(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        self.addresses.take(network(from), 1, now, PER_ADDRESS, ADDRESS_BURST)
    }

    /// How long the keys for this minion have to wait; None: they are not sent. Whoever knows a public key may ask, and
    /// each answer costs as much as a true minion's. Counted for each address, so that nobody can use up another's.
    pub fn admit_again(&self, from: IpAddr, id: &MinionId, now: Instant) -> Option<Duration> {
        self.again.take((network(from), id.clone()), 1, now, AGAIN, AGAIN_BURST)
    }

    /// How long the answer to any other request of `len` bytes that was refused has to wait; None: there is none.
    pub fn admit_refused(&self, from: IpAddr, len: usize, now: Instant) -> Option<Duration> {
        let n = u32::try_from(1 + len / REFUSED_BYTES).unwrap_or(u32::MAX);
        self.refused.take(network(from), n, now, PER_ADDRESS, REFUSED_BURST)
    }

    /// How long a refusal has to wait; None: it is not answered at all.
    pub fn admit_refusal(&self, now: Instant) -> Option<Duration> {
        self.refusals.lock().take(1, now, REFUSALS, REFUSAL_BURST)
    }

    /// Whether one more pending key may be stored where there may be `most`. They are counted anew every few seconds:
    /// listing a full directory for each request would cost more than all the rest.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub fn admit_pending(
        &self,
        now: Instant,
        most: usize,
        count: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<bool> {
        let mut pending = self.pending.lock();
        let (at, known) = match *pending {
            Some((at, known)) if now.saturating_duration_since(at) < RECOUNT => (at, known),
            _ => (now, count()?),
        };
        let room = known < most;
        *pending = Some((at, known + usize::from(room)));
        Ok(room)
    }

    /// Waits for the right to compute one reply.
    pub async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }
}

/// What counts as one address: a whole /64 in IPv6, where a host has as many addresses as it likes.
fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_waits_then_is_turned_away_and_others_are_not() {
        let gate = AuthGate::new(1);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = Instant::now();
        let taken: Vec<_> = (0..1000).map_while(|_| gate.admit(a, now)).collect();
        assert!(taken[..299].iter().all(Duration::is_zero));
        assert!(!taken.last().unwrap().is_zero());
        assert!((400..=430).contains(&taken.len()), "{}", taken.len());
        assert_eq!(gate.admit(b, now), Some(Duration::ZERO));
        assert!(gate.admit(a, now + Duration::from_secs(1)).is_some());
    }

    #[test]
    fn networks_of_ipv6_count_as_one_and_memory_is_bounded() {
        let gate = AuthGate::new(1);
        let now = Instant::now();
        for n in 0..2000u32 {
            let _ = gate.admit(format!("2001:db8::{n:x}").parse().unwrap(), now);
        }
        assert_eq!(gate.addresses.0.lock().len(), 1);
        for n in 0..10_000u32 {
            let _ = gate.admit(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(gate.addresses.0.lock().len() <= REMEMBERED);
        let first = (0..10_000u32)
            .map(|n| IpAddr::from(n.to_be_bytes()))
            .find(|a| gate.addresses.0.lock().contains_key(a));
        assert!(gate.admit(first.unwrap(), now).is_some(), "those already known go on");
        let later = now + Duration::from_secs(60);
        assert!(gate.admit("198.51.100.1".parse().unwrap(), later).is_some());
    }

    #[test]
    fn pending_keys_are_counted_now_and_then_and_never_exceed_the_most() {
        let (gate, now) = (AuthGate::new(1), Instant::now());
        let counts = std::cell::Cell::new(0);
        let admit = |at, there| {
            gate.admit_pending(at, 5, || {
                counts.set(counts.get() + 1);
                Ok(there)
            })
            .unwrap()
        };
        assert_eq!((0..10).filter(|_| admit(now, 3)).count(), 2);
        assert_eq!(counts.get(), 1);
        assert!(admit(now + RECOUNT, 4) && !admit(now + RECOUNT, 4));
        assert_eq!(counts.get(), 2);
    }

    #[test]
    fn one_minion_at_one_address_signs_in_now_and_then_and_large_refusals_cost_more() {
        let (gate, now) = (AuthGate::new(1), Instant::now());
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let id = MinionId::parse("m1").unwrap();
        let times = |from| (0..100).filter(|_| gate.admit_again(from, &id, now).is_some()).count();
        assert_eq!((times(a), times(a), times(b)), (70, 0, 70));
        let refused = |from, len| (0..1000).filter(|_| gate.admit_refused(from, len, now).is_some()).count();
        assert_eq!((refused(a, 10), refused(b, 100 << 10)), (220, 16));
    }

    #[test]
    fn refusals_share_one_rate() {
        let gate = AuthGate::new(1);
        let now = Instant::now();
        let answered = (0..5000).filter(|_| gate.admit_refusal(now).is_some()).count();
        assert!((430..=450).contains(&answered), "{answered}");
    }
}
