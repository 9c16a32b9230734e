//! Makes failures take about the same time, whatever they failed at, so that their time tells nothing.
//!
//! As stock: about a second, or as long as the longest failure so far took, a quarter more or less by chance. A backend's
//! own wish for a delay counts too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The least that is aimed at.
const LEAST: Duration = Duration::from_secs(1);
/// Slow directories must not make every typing error take a minute.
const MOST: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Level {
    longest: AtomicU64,
}

impl Default for Level {
    fn default() -> Self {
        Self { longest: AtomicU64::new(millis(LEAST)) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Level {
    /// When a failure that began at `start` and ended `now` should be told, given a random number and what the backend
    /// wants.
    fn tell_at(&self, start: Instant, now: Instant, wanted: Duration, random: u64) -> Instant {
        let took = now.saturating_duration_since(start).min(MOST);
        let longest = self.longest.fetch_max(millis(took), Ordering::Relaxed).max(millis(took));
        let quarter = longest / 4;
        let aim = longest - quarter + random % (2 * quarter + 1);
        start + Duration::from_millis(aim).max(wanted)
    }

    /// Waits until a failure may be told.
    pub(super) async fn wait(&self, start: Instant, wanted: Duration) {
        let mut random = [0u8; 8];
        // Without randomness the time is still long enough, only constant.
        let _ = getrandom::fill(&mut random);
        let at = self.tell_at(start, Instant::now(), wanted, u64::from_ne_bytes(random));
        tokio::time::sleep_until(at.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_take_about_as_long_as_the_longest() {
        let level = Level::default();
        let start = Instant::now();
        let after = |ms: u64, random: u64, wanted: u64| {
            let now = start + Duration::from_millis(ms);
            level.tell_at(start, now, Duration::from_millis(wanted), random) - start
        };
        assert_eq!(after(0, 0, 0), Duration::from_millis(750));
        assert_eq!(after(0, 500, 0), Duration::from_millis(1250));
        assert_eq!(after(0, 0, 2000), Duration::from_millis(2000));
        assert_eq!(after(2000, 0, 0), Duration::from_millis(1500));
        assert_eq!(after(0, 0, 0), Duration::from_millis(1500));
        assert_eq!(after(600_000, 2500, 0), Duration::from_millis(6250));
    }
}
