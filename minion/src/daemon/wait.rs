//! Growing waits, and the time as people write it.

use crate::chance;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Waits that double up to a bound, each somewhat random.
pub(super) struct Growing {
    next: Duration,
    most: Duration,
}

impl Growing {
    /// Begins with `first`.
    pub(super) fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.most);
        chance::between(wait / 2, wait)
    }
}

/// C's `asctime` of a moment, in UTC: `Wed Nov 25 13:33:41 2026`.
pub(super) fn asctime(at: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // YYYYMMDDHHMMSS and microseconds.
    let jid = brine_core::jid::gen_jid(at);
    let part = |range: std::ops::Range<usize>| jid[range].parse::<usize>().unwrap_or(0);
    let days = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        DAYS[days as usize % 7],
        MONTHS[part(4..6).clamp(1, 12) - 1],
        part(6..8),
        part(8..10),
        part(10..12),
        part(12..14),
        part(0..4)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_reads_as_c_writes_it() {
        let at = UNIX_EPOCH + Duration::from_secs(1_795_613_621);
        assert_eq!(asctime(at), "Wed Nov 25 13:33:41 2026");
        assert_eq!(asctime(UNIX_EPOCH), "Thu Jan  1 00:00:00 1970");
    }

    #[test]
    fn waits_grow_to_the_bound() {
        let mut growing = Growing::new(Duration::from_secs(1), Duration::from_secs(3));
        let waits: Vec<Duration> = (0..4).map(|_| growing.next()).collect();
        for (wait, most) in waits.iter().zip([1, 2, 3, 3]) {
            assert!(*wait <= Duration::from_secs(most) && *wait >= Duration::from_secs(most) / 2);
        }
    }
}
