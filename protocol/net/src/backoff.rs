//! How long to wait before connecting again. Keeps no clock.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::options::Backoff;

/// The waits of one client.
#[derive(Debug)]
pub(crate) struct Waits {
    options: Backoff,
    attempt: u32,
}

impl Waits {
    pub(crate) fn new(options: Backoff) -> Self {
        Self { options, attempt: 0 }
    }

    /// The next wait, after an attempt that took so long itself. Against a dead path an attempt takes its whole timeout,
    /// and then the path's return must not wait for a long pause on top.
    pub(crate) fn after(&mut self, attempt: Duration) -> Duration {
        self.next().saturating_sub(attempt).max(self.options.min)
    }

    fn next(&mut self) -> Duration {
        let Backoff { min, max, random } = self.options;
        let max = max.max(min);
        let top = min.max(Duration::from_millis(1)).saturating_mul(1 << self.attempt.min(20)).min(max);
        self.attempt = self.attempt.saturating_add(1);
        min + top.saturating_sub(min).mul_f64(if random { random_fraction() } else { 1.0 })
    }

    /// A connection came about: start over.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// Between 0 and 1. Spreads a fleet; nothing secret hangs on it, so std's randomly seeded hasher will do.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_are_not_random_double() {
        let (min, max) = (Duration::from_millis(100), Duration::from_millis(900));
        let mut waits = Waits::new(Backoff { min, max, random: false });
        let millis: Vec<u128> = (0..6).map(|_| waits.next().as_millis()).collect();
        assert_eq!(millis, [100, 200, 400, 800, 900, 900]);
    }

    #[test]
    fn waits_grow_to_the_maximum_and_start_over() {
        let (min, max) = (Duration::from_millis(100), Duration::from_millis(900));
        let mut waits = Waits::new(Backoff { min, max, random: true });
        assert_eq!(waits.next(), min);
        assert!(waits.next() <= 2 * min);
        let later: Vec<_> = (0..200).map(|_| waits.next()).collect();
        assert!(later.iter().all(|w| (min..=max).contains(w)));
        let spread = *later.iter().max().unwrap() - *later.iter().min().unwrap();
        assert!(spread > Duration::from_millis(200), "no spread: {spread:?}");
        waits.reset();
        assert_eq!(waits.next(), min);
    }

    #[test]
    fn a_long_attempt_counts_as_waiting() {
        let (min, max) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut waits = Waits::new(Backoff { min, max, random: true });
        assert!((0..50).all(|_| waits.after(max) == min));
        assert!((0..50).any(|_| waits.after(Duration::ZERO) > min));
    }

    #[test]
    fn a_maximum_below_the_minimum_is_the_minimum() {
        let min = Duration::from_secs(2);
        let mut waits = Waits::new(Backoff { min, max: Duration::ZERO, random: true });
        assert!((0..50).all(|_| waits.next() == min));
    }
}
