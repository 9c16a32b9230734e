//! A rate: so many sends in a time, with all of them at once if none came before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// At most `count` sends in any span of `span`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    count: usize,
    span: Duration,
    sent: VecDeque<Instant>,
}

impl Rate {
    /// A rate of so many in a time.
    pub fn new(count: usize, span: Duration) -> Self {
        Self { count: count.max(1), span, sent: VecDeque::new() }
    }

    /// Reads `10/s`, `30/1m`, `5/10s`.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, span) = text.split_once('/')?;
        let span = span.trim();
        let span = match span {
            "s" | "m" | "h" | "d" => crate::conf::duration(&format!("1{span}"))?,
            other => crate::conf::duration(other)?,
        };
        let count: usize = count.trim().parse().ok().filter(|count| (1..=100_000).contains(count))?;
        (!span.is_zero()).then(|| Self::new(count, span))
    }

    /// Takes a place, or says how long there is none.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        while self.sent.front().is_some_and(|at| now.saturating_duration_since(*at) >= self.span) {
            self.sent.pop_front();
        }
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.count => {
                Err((*oldest + self.span).saturating_duration_since(now))
            }
            _ => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_read() {
        assert_eq!(Rate::parse("10/s"), Some(Rate::new(10, Duration::from_secs(1))));
        assert_eq!(Rate::parse("30 / 1m"), Some(Rate::new(30, Duration::from_secs(60))));
        for text in ["", "10", "0/s", "x/s", "1/", "1/0s", "1/x"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_span_has_more_than_the_rate(count in 1usize..5, steps in proptest::collection::vec(0u64..700, 1..80)) {
            let span = Duration::from_millis(1000);
            let (mut rate, mut now, mut sent) = (Rate::new(count, span), Instant::now(), Vec::new());
            for step in steps {
                now += Duration::from_millis(step);
                match rate.take(now) {
                    Ok(()) => sent.push(now),
                    // It is as long as it says, and no longer.
                    Err(wait) => {
                        prop_assert!(wait > Duration::ZERO && wait <= span);
                        prop_assert!(rate.clone().take(now + wait).is_ok());
                    }
                }
            }
            for (n, at) in sent.iter().enumerate() {
                prop_assert!(sent[n..].iter().take_while(|other| **other < *at + span).count() <= count);
            }
        }
    }
}
