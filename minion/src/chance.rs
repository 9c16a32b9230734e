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
    fn a_shuffled_list_keeps_its_members() {
        let mut list: Vec<u32> = (0..100).collect();
        shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
