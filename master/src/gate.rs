//! How much unauthenticated work is done at once, and for whom.
//!
//! Answering an `_auth` costs private RSA operations, and anyone may ask. So each address has a rate, waits when it is
//! above it and is turned away when it would wait too long; refusals of all addresses together have another rate; and
//! only a few replies are computed at a time, so that the rest of the machine stays free for jobs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

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
/// Addresses remembered. When there are more, those that are within their rate are forgotten.
const ADDRESSES: usize = 4096;

/// A rate, as the time at which everything taken so far has been paid for.
#[derive(Clone, Copy, Debug)]
struct Rate {
    paid: Instant,
}

impl Rate {
    /// Takes one; how long to wait before using it, or None when that is too long (then nothing is taken).
    fn take(&mut self, now: Instant, per_second: f64, burst: f64) -> Option<Duration> {
        let burst = Duration::from_secs_f64(burst / per_second);
        let paid = self.paid.max(now) + Duration::from_secs_f64(1.0 / per_second);
        let wait = paid.saturating_duration_since(now).saturating_sub(burst);
        if wait > LONGEST_WAIT {
            return None;
        }
        self.paid = paid;
        Some(wait)
    }
}

/// The gate before `_auth`.
#[derive(Debug)]
pub struct AuthGate {
    addresses: Mutex<HashMap<IpAddr, Rate>>,
    refusals: Mutex<Rate>,
    slots: Semaphore,
}

impl AuthGate {
    /// A gate that lets `slots` replies be computed at once.
    pub fn new(slots: usize) -> Self {
        Self {
            addresses: Mutex::default(),
            refusals: Mutex::new(Rate { paid: Instant::now() }),
            slots: Semaphore::new(slots.max(1)),
        }
    }

    /// How long a request from this address has to wait; None: it is turned away.
    pub fn admit(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let mut addresses = self.addresses.lock();
        if addresses.len() >= ADDRESSES {
            addresses.retain(|_, rate| rate.paid > now);
            if addresses.len() >= ADDRESSES {
                return None;
            }
        }
        addresses.entry(network(from)).or_insert(Rate { paid: now }).take(now, PER_ADDRESS, ADDRESS_BURST)
    }

    /// How long a refusal has to wait; None: it is not answered at all.
    pub fn admit_refusal(&self, now: Instant) -> Option<Duration> {
        self.refusals.lock().take(now, REFUSALS, REFUSAL_BURST)
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
        assert_eq!(gate.addresses.lock().len(), 1);
        for n in 0..10_000u32 {
            let _ = gate.admit(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(gate.addresses.lock().len() <= ADDRESSES);
        let later = now + Duration::from_secs(60);
        assert!(gate.admit("198.51.100.1".parse().unwrap(), later).is_some());
    }

    #[test]
    fn refusals_share_one_rate() {
        let gate = AuthGate::new(1);
        let now = Instant::now();
        let answered = (0..5000).filter(|_| gate.admit_refusal(now).is_some()).count();
        assert!((430..=450).contains(&answered), "{answered}");
    }
}
