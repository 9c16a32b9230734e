//! The thread of a sink: takes what is due from its queue, has it sent, and notes what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use super::bell::Heard;
use super::{Outcome, Room, Sink};
use crate::queue::{Item, Queue, QueueError, Taken, chance};

/// How long a sink that fails lets everything rest, at most; its notices wait for themselves beside that.
const REST: Duration = Duration::from_secs(30);
/// After so many failures in a row, the first success is the end of an outage: all that waits is tried at once.
const OUTAGE: u32 = 5;
/// How long nothing is tried after the queue itself failed.
const BROKEN: Duration = Duration::from_secs(5);

struct Worker<'a> {
    sink: Box<dyn Sink>,
    queue: &'a Queue,
    room: &'a Room,
    /// Failures in a row.
    failures: u32,
    /// Nothing is sent before.
    rests_until: Option<Instant>,
}

/// Works until the bell is closed.
pub(super) fn run(sink: Box<dyn Sink>, queue: &Queue, room: &Room) {
    let mut rate = room.settings.rate.clone();
    let mut worker = Worker { sink, queue, room, failures: 0, rests_until: None };
    let mut upkeep = worker.upkeep();
    loop {
        let now = Instant::now();
        let mut wake = upkeep;
        let mut at = |when: Instant| wake = Some(wake.map_or(when, |other| other.min(when)));
        if let Some(rests) = worker.rests_until.filter(|rests| *rests > now) {
            at(rests);
        } else {
            match worker.take() {
                Ok(Taken::Items(items)) => match rate.as_mut().map_or(Ok(()), |rate| rate.take(now)) {
                    Err(wait) => {
                        // Whoever rings before cannot make it sooner.
                        worker.rests_until = Some(now + wait);
                        continue;
                    }
                    Ok(()) => {
                        if let Err(e) = worker.tell(&items) {
                            worker.broken(&e);
                        }
                        if room.bell.is_closed() {
                            return;
                        }
                        // What was sent may be something to look after.
                        upkeep = worker.upkeep();
                        continue;
                    }
                },
                Ok(Taken::Later(when)) => {
                    at(now + when.duration_since(SystemTime::now()).unwrap_or_default());
                }
                Ok(Taken::Nothing) => {}
                Err(e) => {
                    worker.broken(&e);
                    continue;
                }
            }
        }
        match room.bell.wait(wake) {
            Heard::End => return,
            Heard::Time if upkeep.is_none_or(|due| due > Instant::now()) => {}
            Heard::Time | Heard::Ring => upkeep = worker.upkeep(),
        }
    }
}

impl Worker<'_> {
    fn upkeep(&mut self) -> Option<Instant> {
        let sink = &mut self.sink;
        match catch_unwind(AssertUnwindSafe(|| sink.upkeep())) {
            Ok(next) => next.map(|next| Instant::now() + next),
            // It has said so; a sink that panics is not asked too often.
            Err(_) => Some(Instant::now() + REST),
        }
    }

    fn take(&self) -> Result<Taken, QueueError> {
        let settings = &self.room.settings;
        let longest = settings.backoff.most.max(settings.waiting.group_wait).max(settings.backoff.first);
        // Receivers may ask for more time than we would take.
        self.queue.take(&self.room.name, &settings.waiting, longest.max(RETRY_AFTER), SystemTime::now())
    }

    fn broken(&mut self, e: &QueueError) {
        tracing::error!("sink {}: {e}", self.room.name);
        self.rests_until = Some(Instant::now() + BROKEN);
    }

    fn send(&mut self, items: &[Item]) -> Outcome {
        let sink = &mut self.sink;
        catch_unwind(AssertUnwindSafe(|| sink.send(items)))
            .unwrap_or_else(|_| Outcome::Retry(None, "the sink panicked; the log has more".into()))
    }

    fn tell(&mut self, items: &[Item]) -> Result<(), QueueError> {
        let outcome = self.send(items);
        match outcome {
            // One of several may be what was refused.
            Outcome::Refused(_) if items.len() > 1 && self.room.settings.waiting.group_by.is_none() => {
                for item in items {
                    let one = std::slice::from_ref(item);
                    let outcome = self.send(one);
                    let waits = matches!(outcome, Outcome::Retry(..));
                    self.settle(one, outcome)?;
                    // The others would overtake it.
                    if waits {
                        break;
                    }
                }
                Ok(())
            }
            outcome => self.settle(items, outcome),
        }
    }

    fn settle(&mut self, items: &[Item], outcome: Outcome) -> Result<(), QueueError> {
        let (name, now) = (self.room.name.as_str(), SystemTime::now());
        match outcome {
            Outcome::Delivered => {
                let outage = self.failures >= OUTAGE;
                (self.failures, self.rests_until) = (0, None);
                self.queue.delivered(name, items, now)?;
                if outage { self.queue.hurry(name, now) } else { Ok(()) }
            }
            Outcome::Refused(why) => {
                tracing::error!("sink {name}: {} notices are given up: {why}", items.len());
                self.queue.dead(name, items, &why, now)
            }
            Outcome::Retry(after, why) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    tracing::warn!("sink {name}: {why}; it will be tried again");
                }
                let backoff = &self.room.settings.backoff;
                let after = after.map(|after| after.min(RETRY_AFTER));
                let tries = items.iter().map(|item| item.tries).max().unwrap_or(0);
                let wait = backoff.after(tries.saturating_add(1), chance()).max(after.unwrap_or_default());
                let rest = backoff.after(self.failures, chance()).min(REST).max(after.unwrap_or_default());
                self.rests_until = Some(Instant::now() + rest);
                let old = |item: &Item| {
                    now.duration_since(item.put_at).is_ok_and(|age| age + wait > backoff.give_up)
                };
                let (old, young): (Vec<_>, Vec<_>) = items.iter().cloned().partition(old);
                if !young.is_empty() {
                    self.queue.later(name, &young, now + wait, &why, now)?;
                }
                if !old.is_empty() {
                    tracing::error!("sink {name}: {} notices are given up: {why}", old.len());
                    self.queue.dead(name, &old, &format!("given up after its time: {why}"), now)?;
                }
                Ok(())
            }
        }
    }
}

/// More time than this is not given to a receiver that asks for it.
const RETRY_AFTER: Duration = Duration::from_secs(3600);
