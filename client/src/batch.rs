//! A job for some minions at a time: a minion that is done, or given up, makes place for the next.

use crate::{Event, Job, Link, Patience, Published, Result};
use brine_core::Map;
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// One job of the run and those of its minions that have not returned.
struct Running {
    job: Job,
    minions: Vec<String>,
}

/// What happens next in a run.
pub enum Turn {
    /// It is these minions' turn: publish a job for them, and say so with [`Batch::started`].
    Go(Vec<String>),
    /// A minion has returned; the data of its event.
    Return(String, Map),
    /// A minion is given up.
    Lost(String),
}

/// The state of a run.
pub struct Batch {
    slots: Slots,
    running: Vec<Running>,
    patience: Patience,
    happened: VecDeque<Turn>,
}

impl Batch {
    /// So many of these minions at once; each place is free again some time after its minion is done.
    pub fn new(minions: Vec<String>, size: usize, wait: Duration, patience: Patience) -> Self {
        let slots = Slots::new(minions, size, wait);
        Self { slots, running: Vec::new(), patience, happened: VecDeque::new() }
    }

    /// What came of the publish for these minions. None: nobody was meant, so they are given up.
    pub fn started(&mut self, minions: Vec<String>, published: Option<Published>) {
        match published {
            Some(published) => {
                self.running.push(Running { job: Job::new(published, self.patience), minions })
            }
            None => minions.into_iter().for_each(|id| self.lose(id)),
        }
    }

    /// Waits for the next turn; None at the end of the run.
    ///
    /// # Errors
    /// When the master refuses or goes away.
    pub async fn next(&mut self, link: &mut Link) -> Result<Option<Turn>> {
        loop {
            if let Some(turn) = self.happened.pop_front() {
                return Ok(Some(turn));
            }
            if self.slots.queue.is_empty() && self.running.iter().all(|r| r.minions.is_empty()) {
                return Ok(None);
            }
            let next = self.slots.next(Instant::now());
            if !next.is_empty() {
                return Ok(Some(Turn::Go(next)));
            }
            self.look(link).await?;
        }
    }

    /// Waits for something to happen to the jobs that run.
    async fn look(&mut self, link: &mut Link) -> Result<()> {
        let mut until = self.slots.free_at();
        let mut over = Vec::new();
        for (at, running) in self.running.iter_mut().enumerate() {
            match running.job.step(link).await? {
                Some(deadline) => until = Some(until.map_or(deadline, |u| u.min(deadline))),
                None => over.push(at),
            }
        }
        if !over.is_empty() {
            for at in over.into_iter().rev() {
                self.running.remove(at).minions.into_iter().for_each(|id| self.lose(id));
            }
            return Ok(());
        }
        let Some(until) = until else { return Ok(()) };
        if let Some(event) = link.event_until(until).await? {
            self.heard(&event);
        }
        Ok(())
    }

    fn heard(&mut self, event: &Event) {
        for running in &mut self.running {
            if let Some(id) = running.job.event(event) {
                running.minions.retain(|m| *m != id);
                self.slots.done(&id, Instant::now());
                self.happened.push_back(Turn::Return(id, event.data.clone()));
            }
        }
    }

    fn lose(&mut self, id: String) {
        self.slots.done(&id, Instant::now());
        self.happened.push_back(Turn::Lost(id));
    }
}

/// Who may work.
struct Slots {
    queue: VecDeque<String>,
    active: Vec<String>,
    /// When places of minions that are done get free.
    resting: Vec<Instant>,
    size: usize,
    wait: Duration,
}

impl Slots {
    fn new(minions: Vec<String>, size: usize, wait: Duration) -> Self {
        Self { queue: minions.into(), active: Vec::new(), resting: Vec::new(), size, wait }
    }

    /// The minions whose turn it is now.
    fn next(&mut self, now: Instant) -> Vec<String> {
        self.resting.retain(|free| *free > now);
        let places = self.size.saturating_sub(self.active.len() + self.resting.len());
        let next: Vec<String> = self.queue.drain(..places.min(self.queue.len())).collect();
        self.active.extend(next.iter().cloned());
        next
    }

    fn done(&mut self, id: &str, now: Instant) {
        let before = self.active.len();
        self.active.retain(|a| a != id);
        if self.active.len() < before && !self.wait.is_zero() {
            self.resting.push(now + self.wait);
        }
    }

    /// When the next place gets free, if somebody waits for one.
    fn free_at(&self) -> Option<Instant> {
        self.resting.iter().min().copied().filter(|_| !self.queue.is_empty())
    }
}

/// How many minions a batch size means of so many: at least one. None: it is no size.
pub fn batch_size(text: &str, of: usize) -> Option<usize> {
    let size = if text.contains('%') {
        let part: f64 = text.trim_matches('%').trim().parse().ok()?;
        let size = part / 100.0 * of as f64;
        if size < 1.0 { size.ceil() } else { size.trunc() }
    } else {
        text.trim().parse::<u32>().ok()?.into()
    };
    // Stock would wait for ever for a batch of nobody.
    (size >= 1.0).then_some(size as usize)
}

/// A random order; chance is good enough that a subset is not always the same.
pub fn shuffle(list: &mut [String]) {
    let chance = RandomState::new();
    let key = |text: &String| {
        let mut hasher = chance.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish()
    };
    list.sort_by_cached_key(key);
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn ids(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn sizes_are_numbers_or_parts() {
        for (text, of, want) in [
            ("3", 10, Some(3)),
            ("50%", 10, Some(5)),
            ("%10", 10, Some(1)),
            ("1%", 10, Some(1)),
            ("25%", 10, Some(2)),
            ("200%", 10, Some(20)),
            ("x", 10, None),
            ("0", 10, None),
            ("-1", 10, None),
            ("0%", 10, None),
        ] {
            assert_eq!(batch_size(text, of), want, "{text}");
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_minion_is_done_and_rested() {
        let t = Instant::now();
        let s = Duration::from_secs(1);
        let mut slots = Slots::new(ids(&["a", "b", "c", "d"]), 2, s);
        assert_eq!(slots.next(t), ids(&["a", "b"]));
        assert_eq!(slots.next(t), ids(&[]));
        slots.done("a", t);
        assert_eq!((slots.next(t), slots.free_at()), (ids(&[]), Some(t + s)));
        assert_eq!(slots.next(t + s), ids(&["c"]));
        slots.done("a", t + s);
        assert_eq!(slots.next(t + s * 3), ids(&[]));
    }

    #[test]
    fn a_return_makes_place_and_so_does_a_job_for_nobody() {
        let s = Duration::from_secs(1);
        let patience = Patience { timeout: s, gather_timeout: s };
        let mut batch = Batch::new(ids(&["a", "b", "c"]), 1, Duration::ZERO, patience);
        let now = Instant::now();
        assert_eq!(batch.slots.next(now), ids(&["a"]));
        let published = Published { jid: "1".into(), minions: ids(&["a"]), ..Published::default() };
        batch.started(ids(&["a"]), Some(published));
        let data = map! {"id" => "a", "return" => true, "retcode" => 0, "jid" => "1"};
        batch.heard(&Event { tag: "salt/job/1/ret/a".into(), data });
        assert!(matches!(batch.happened.pop_front(), Some(Turn::Return(id, _)) if id == "a"));
        assert_eq!(batch.slots.next(now), ids(&["b"]));
        batch.started(ids(&["b"]), None);
        assert!(matches!(batch.happened.pop_front(), Some(Turn::Lost(id)) if id == "b"));
        assert_eq!(batch.slots.next(now), ids(&["c"]));
    }
}
