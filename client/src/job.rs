//! One published job and the waiting for it: which event means what. Several can be waited for at once.

use crate::{Error, Event, Link, Published, Result};
use brine_core::gather::{Gather, Heard, Next, Watch};
use brine_core::{Map, Value};
use std::time::{Duration, Instant};

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until minions are asked whether they still work on the job.
    pub timeout: Duration,
    /// Until they must have said so.
    pub gather_timeout: Duration,
}

/// A published job.
pub struct Job {
    /// How many minions the master expects to answer.
    pub expected: usize,
    watch: Watch,
    /// Listed minions that have no key: they cannot return.
    absent: Vec<String>,
    /// Those without a connection when the job was sent; None if the master does not know.
    not_connected: Option<Vec<String>>,
}

impl Job {
    /// The waiting for a job that has just been published.
    pub fn new(published: Published, patience: Patience) -> Self {
        let now = Instant::now();
        let expected = published.minions.len();
        let gather = Gather::new(published.minions, patience.timeout, patience.gather_timeout, now);
        let mut watch = Watch::new(&published.jid, gather);
        watch.not_connected(published.not_connected.as_deref().unwrap_or_default(), now);
        Self { expected, watch, absent: published.missing, not_connected: published.not_connected }
    }

    /// What to do now; a due question is asked. None: the waiting is over.
    ///
    /// # Errors
    /// When the master does not answer, or refuses.
    pub async fn step(&mut self, link: &mut Link) -> Result<Option<Instant>> {
        loop {
            match self.watch.next(Instant::now()) {
                Next::Done => return Ok(None),
                Next::Wait(until) => return Ok(Some(until)),
                Next::Ask(ids) => {
                    let asked = link.ask(self.watch.question(ids)).await?;
                    self.watch.asked(asked.as_ref().map(|p| p.jid.as_str()));
                }
            }
        }
    }

    /// What an event of the bus means for this job: the minion that returns by it, if it is one that has not been seen.
    pub fn event(&mut self, event: &Event) -> Option<String> {
        match self.watch.event(&event.tag, &event.data, Instant::now()) {
            Heard::Return(id) => {
                self.absent.retain(|a| *a != id);
                return Some(id);
            }
            Heard::Announced => {
                if let Some(Value::List(missing)) = event.data.get("missing") {
                    self.absent = missing.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
                }
            }
            Heard::Other => {}
        }
        None
    }

    /// The minions that were expected and have not returned.
    pub fn missing(&self) -> Vec<String> {
        self.watch.missing()
    }

    /// Names of a list target that have no key and have not returned either.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// Whether a minion had no connection when the job was sent; None if the master does not know.
    pub fn was_connected(&self, id: &str) -> Option<bool> {
        self.not_connected.as_ref().map(|list| !list.iter().any(|i| i == id))
    }
}

/// Waits for one job to its end; `each` sees the data of every return as it comes.
///
/// # Errors
/// When the master refuses or goes away, and what `each` fails with.
pub async fn wait<E: From<Error>>(
    link: &mut Link,
    job: &mut Job,
    mut each: impl FnMut(&str, Map) -> Result<(), E>,
) -> Result<(), E> {
    while let Some(until) = job.step(link).await? {
        let Some(event) = link.event_until(until).await? else { continue };
        if let Some(id) = job.event(&event) {
            each(&id, event.data)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn waiting(ids: &[&str]) -> Job {
        let s = Duration::from_secs(1);
        let published = Published {
            jid: "1".into(),
            minions: ids.iter().map(|i| (*i).to_owned()).collect(),
            ..Published::default()
        };
        let mut job = Job::new(published, Patience { timeout: s, gather_timeout: s });
        job.watch.asked(Some("2"));
        job
    }

    fn event(tag: &str, data: Map) -> Event {
        Event { tag: tag.into(), data }
    }

    #[test]
    fn only_a_non_empty_answer_counts_as_running() {
        let mut w = waiting(&["a"]);
        let answer =
            |ret: Value| event("salt/job/2/ret/b", map! {"id" => "b", "return" => ret, "retcode" => 0});
        w.event(&answer(Map::new().into()));
        assert_eq!(w.missing(), ["a"]);
        w.event(&answer(map! {"jid" => "1"}.into()));
        assert_eq!(w.missing(), ["a", "b"]);
        w.event(&event("salt/job/2/ret/b", map! {"id" => "b", "return" => "x", "retcode" => 1}));
        assert_eq!(w.missing(), ["a"]);
    }

    #[test]
    fn a_return_counts_once_and_for_its_job_only() {
        let mut w = waiting(&["a"]);
        let ret = map! {"id" => "a", "return" => true, "retcode" => 0, "jid" => "1"};
        assert_eq!(w.event(&event("salt/job/9/ret/a", ret.clone())), None);
        assert_eq!(w.event(&event("salt/job/1/ret/a", ret.clone())).as_deref(), Some("a"));
        assert_eq!(w.event(&event("salt/job/1/ret/a", ret)), None);
        assert!(w.missing().is_empty());
    }

    #[test]
    fn who_was_connected_is_known_only_if_the_master_says_so() {
        assert_eq!(waiting(&["a"]).was_connected("a"), None);
        let published = Published {
            minions: vec!["a".into()],
            not_connected: Some(vec!["b".into()]),
            ..Published::default()
        };
        let s = Duration::from_secs(1);
        let job = Job::new(published, Patience { timeout: s, gather_timeout: s });
        assert_eq!((job.was_connected("a"), job.was_connected("b")), (Some(true), Some(false)));
    }
}
