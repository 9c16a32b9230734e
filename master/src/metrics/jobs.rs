//! Jobs that run: who has yet to answer, and how long answers take.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Jobs that are followed at once; of more, the oldest are not any more.
const MOST: usize = 4096;
/// How long a job is followed whose minions do not all answer.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Debug)]
struct Job {
    since: Instant,
    waits_for: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<String, Job>,
    order: VecDeque<(Instant, String)>,
}

/// The jobs.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<State>);

impl Running {
    /// A job goes out to so many.
    pub(super) fn begin(&self, jid: &str, minions: usize, now: Instant) {
        let mut state = self.0.lock();
        state.forget(now);
        if minions > 0 {
            state.jobs.insert(jid.to_owned(), Job { since: now, waits_for: minions });
            state.order.push_back((now, jid.to_owned()));
        }
    }

    /// One of them answers; how long that took, of a job that is followed.
    pub(super) fn answer(&self, jid: &str, now: Instant) -> Option<Duration> {
        let mut state = self.0.lock();
        let job = state.jobs.get_mut(jid)?;
        job.waits_for -= 1;
        let took = now.saturating_duration_since(job.since);
        if job.waits_for == 0 {
            state.jobs.remove(jid);
        }
        Some(took)
    }

    /// How many jobs have not been answered by all, and how many answers they wait for.
    pub(super) fn count(&self, now: Instant) -> (usize, usize) {
        let mut state = self.0.lock();
        state.forget(now);
        (state.jobs.len(), state.jobs.values().map(|job| job.waits_for).sum())
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        if self.order.len() > 2 * MOST {
            // Answered ones behind one that is not.
            self.order.retain(|(since, jid)| self.jobs.get(jid).is_some_and(|job| job.since == *since));
        }
        while let Some((since, jid)) = self.order.front() {
            let same = self.jobs.get(jid).is_some_and(|job| job.since == *since);
            if same && self.jobs.len() < MOST && now.saturating_duration_since(*since) < LONG {
                return;
            }
            if same {
                self.jobs.remove(jid);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_runs_until_all_have_answered_or_nobody_waits_any_more() {
        let (running, now) = (Running::default(), Instant::now());
        running.begin("1", 2, now);
        running.begin("2", 1, now);
        running.begin("nobody", 0, now);
        assert_eq!(running.count(now), (2, 3));
        let second = Duration::from_secs(1);
        assert_eq!(running.answer("1", now + second), Some(second));
        assert_eq!(running.answer("2", now), Some(Duration::ZERO));
        assert_eq!(running.answer("2", now), None);
        assert_eq!(running.count(now), (1, 1));
        assert_eq!(running.count(now + LONG), (0, 0));
        for n in 0..MOST + 10 {
            running.begin(&format!("j{n}"), 1, now);
        }
        assert!(running.count(now).0 <= MOST);
        assert!(running.0.lock().order.len() <= MOST + 1);
    }
}
