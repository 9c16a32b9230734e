//! Numbers that are counted where things happen: one atomic step each, no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The bounds of [`Histogram`]'s classes, in milliseconds: what is longer than the last is in a class of its own.
pub(super) const BOUNDS: [u64; 12] = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000];

/// How long things took.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// Something took so long.
    pub fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS.iter().position(|bound| micros <= bound * 1000).unwrap_or(BOUNDS.len());
        self.classes[class].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// How many took at most as long as each bound, and in the end how many there were; and seconds in all.
    pub fn get(&self) -> ([u64; BOUNDS.len() + 1], f64) {
        let mut sum = 0;
        let classes = std::array::from_fn(|n| {
            sum += self.classes[n].load(Relaxed);
            sum
        });
        #[allow(clippy::cast_precision_loss, reason = "a sum of hours need not be exact to the microsecond")]
        (classes, self.micros.load(Relaxed) as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_is_in_a_class_for_it() {
        let histogram = Histogram::default();
        for millis in [0, 1, 2, 30, 31, 300_000, 300_001] {
            histogram.note(Duration::from_millis(millis));
        }
        let (classes, seconds) = histogram.get();
        assert_eq!(classes, [2, 3, 3, 4, 5, 5, 5, 5, 5, 5, 5, 6, 7]);
        assert!((seconds - 600.065).abs() < 1e-6, "{seconds}");
    }
}
