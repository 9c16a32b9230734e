//! Random waits, so that a fleet does not act in step. Not for secrets.

use std::time::Duration;

/// A fraction from 0 up to but not including 1. Without random bytes from the system: a half.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

/// A random duration between two.
pub(crate) fn between(low: Duration, high: Duration) -> Duration {
    low + high.saturating_sub(low).mul_f64(fraction())
}

/// A random whole number between two, both included; the lower one where the upper one is below it.
pub(crate) fn whole(low: i64, high: i64) -> i64 {
    let span = high.saturating_sub(low).max(0) as f64 + 1.0;
    low.saturating_add((fraction() * span) as i64).min(high.max(low))
}

/// Puts a list in random order.
pub(crate) fn shuffle<T>(list: &mut [T]) {
    for i in (1..list.len()).rev() {
        list.swap(i, (fraction() * (i as f64 + 1.0)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_between_and_vary() {
        let (low, high) = (Duration::from_secs(5), Duration::from_secs(10));
        let waits: Vec<Duration> = (0..50).map(|_| between(low, high)).collect();
        assert!(waits.iter().all(|w| *w >= low && *w < high));
        assert!(waits.iter().any(|w| *w != waits[0]));
        assert_eq!(between(high, low), high);
    }

    #[test]
    fn whole_numbers_reach_both_ends() {
        let drawn: std::collections::BTreeSet<i64> = (0..500).map(|_| whole(-1, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1, 2]);
        assert_eq!(whole(5, 1), 5);
    }

    #[test]
    fn a_shuffled_list_keeps_its_members() {
        let mut list: Vec<u32> = (0..100).collect();
        shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
