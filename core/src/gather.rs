//! Who has returned, who still works, and when to give up: the waiting for the returns of one job, as a state machine
//! without clock or sockets. What `salt`, runners and the master itself wait with.
//!
//! A minion that has not returned when the timeout ends is asked whether it still works on the job; as long as any
//! says so, everybody is waited for again.

mod watch;

pub use watch::{Heard, Watch};

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait for events until then.
    Wait(Instant),
    /// Ask these minions whether they still work on the job.
    Ask(Vec<String>),
    /// Everybody has returned, or is given up.
    Done,
}

/// The waiting for one job.
pub struct Gather {
    expected: BTreeSet<String>,
    found: BTreeSet<String>,
    /// Minions without a connection, and how long one that comes back has to answer.
    lost: HashMap<String, Instant>,
    /// Per minion: until when its silence is no failure.
    patience: HashMap<String, Instant>,
    timeout: Duration,
    gather_timeout: Duration,
    ask_at: Instant,
    /// Whether a minion has said since the last question that it works on the job.
    running: bool,
}

impl Gather {
    /// Waits for `expected`, from `now` on.
    pub fn new(
        expected: impl IntoIterator<Item = String>,
        timeout: Duration,
        gather_timeout: Duration,
        now: Instant,
    ) -> Self {
        Self {
            expected: expected.into_iter().collect(),
            found: BTreeSet::new(),
            lost: HashMap::new(),
            patience: HashMap::new(),
            timeout,
            gather_timeout,
            ask_at: now + timeout,
            running: true,
        }
    }

    /// These minions have no connection to the master: they are waited for until `until`, and not asked.
    pub fn not_connected(&mut self, ids: &[String], until: Instant) {
        for id in ids {
            self.lost.insert(id.clone(), until);
        }
    }

    /// A minion has returned. False when it had already.
    pub fn returned(&mut self, id: &str) -> bool {
        self.found.insert(id.to_owned())
    }

    /// More minions are expected than the first answer said.
    pub fn expect(&mut self, ids: impl IntoIterator<Item = String>) {
        self.expected.extend(ids);
    }

    /// A minion has answered the question: it works on the job.
    pub fn still_running(&mut self, id: &str, now: Instant) {
        self.expected.insert(id.to_owned());
        self.patience.insert(id.to_owned(), now + self.timeout);
        self.running = true;
    }

    /// A minion cannot be asked: its answer was an error. It is not waited for.
    pub fn unanswerable(&mut self, id: &str) {
        self.expected.remove(id);
    }

    /// The minions that have not returned.
    pub fn missing(&self) -> Vec<String> {
        self.expected.difference(&self.found).cloned().collect()
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: Instant) -> Next {
        let (lost, missing): (Vec<String>, Vec<String>) =
            self.missing().into_iter().partition(|id| self.lost.contains_key(id));
        if missing.is_empty() {
            let patience = lost.iter().filter_map(|id| self.lost.get(id)).max();
            return match patience.filter(|until| **until > now) {
                Some(until) => Next::Wait(*until),
                None => Next::Done,
            };
        }
        for id in &missing {
            self.patience.entry(id.clone()).or_insert(now + self.timeout);
        }
        if now < self.ask_at {
            return Next::Wait(self.ask_at);
        }
        if self.running {
            self.running = false;
            self.ask_at = now + self.gather_timeout;
            return Next::Ask(missing);
        }
        match missing.iter().filter_map(|id| self.patience.get(id)).filter(|until| **until > now).max() {
            Some(until) => Next::Wait(*until),
            None => Next::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn two(now: Instant) -> Gather {
        Gather::new(["a".to_owned(), "b".to_owned()], 5 * S, 10 * S, now)
    }

    #[test]
    fn all_returns_end_the_waiting() {
        let t = Instant::now();
        let mut g = two(t);
        assert_eq!(g.next(t), Next::Wait(t + 5 * S));
        assert!(g.returned("a"));
        assert!(!g.returned("a"));
        assert!(g.returned("b"));
        assert_eq!(g.next(t), Next::Done);
    }

    #[test]
    fn a_silent_minion_is_asked_once_and_given_up() {
        let t = Instant::now();
        let mut g = two(t);
        g.next(t);
        g.returned("a");
        assert_eq!(g.next(t + 5 * S), Next::Ask(vec!["b".into()]));
        assert_eq!(g.next(t + 6 * S), Next::Wait(t + 15 * S));
        assert_eq!(g.next(t + 15 * S), Next::Done);
        assert_eq!(g.missing(), ["b"]);
    }

    #[test]
    fn a_working_minion_is_waited_for() {
        let t = Instant::now();
        let mut g = two(t);
        g.next(t);
        g.returned("a");
        assert_eq!(g.next(t + 5 * S), Next::Ask(vec!["b".into()]));
        g.still_running("b", t + 6 * S);
        assert_eq!(g.next(t + 6 * S), Next::Wait(t + 15 * S));
        assert_eq!(g.next(t + 15 * S), Next::Ask(vec!["b".into()]));
        g.returned("b");
        assert_eq!(g.next(t + 16 * S), Next::Done);
    }

    #[test]
    fn a_minion_without_connection_is_given_up_soon() {
        let t = Instant::now();
        let mut g = two(t);
        g.not_connected(&["b".to_owned()], t + S);
        g.returned("a");
        assert_eq!(g.next(t), Next::Wait(t + S));
        assert_eq!(g.next(t + S), Next::Done);
        assert_eq!(g.missing(), ["b"]);
    }

    #[test]
    fn a_minion_that_cannot_be_asked_is_dropped() {
        let t = Instant::now();
        let mut g = two(t);
        g.returned("a");
        g.unanswerable("b");
        assert_eq!(g.next(t), Next::Done);
        assert!(g.missing().is_empty());
    }
}
