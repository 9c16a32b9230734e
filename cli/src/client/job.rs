//! One published job and the waiting for it: which event means what. Several can be waited for at once.

use super::Part;
use crate::bus::Event;
use crate::exit::Result;
use crate::link::{Link, Published};
use brine_core::gather::{Gather, Heard, Next, Watch};
use brine_protocol::Value;
use std::time::{Duration, Instant};

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until minions are asked whether they still work on the job.
    pub(crate) timeout: Duration,
    /// Until they must have said so.
    pub(crate) gather_timeout: Duration,
}

/// A published job.
pub(crate) struct Job {
    /// How many minions the master expects to answer.
    pub(crate) expected: usize,
    watch: Watch,
    /// Listed minions that have no key: they cannot return.
    absent: Vec<String>,
    /// Those without a connection when the job was sent; None if the master does not know.
    not_connected: Option<Vec<String>>,
}

impl Job {
    /// The waiting for a job that has just been published.
    pub(crate) fn new(published: Published, patience: Patience) -> Self {
        let now = Instant::now();
        let expected = published.minions.len();
        let gather = Gather::new(published.minions, patience.timeout, patience.gather_timeout, now);
        let mut watch = Watch::new(&published.jid, gather);
        watch.not_connected(published.not_connected.as_deref().unwrap_or_default(), now);
        Self { expected, watch, absent: published.missing, not_connected: published.not_connected }
    }

    /// What to do now; a due question is asked. None: the waiting is over.
    pub(crate) async fn step(&mut self, link: &mut Link) -> Result<Option<Instant>> {
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

    /// What an event of the bus means for this job: a minion's part, if it is one that has not been seen.
    pub(crate) fn event(&mut self, event: &Event) -> Option<(String, Part)> {
        match self.watch.event(&event.tag, &event.data, Instant::now()) {
            Heard::Return(id) => {
                self.absent.retain(|a| *a != id);
                return Some((id, Part::of_return(&event.data)));
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
    pub(crate) fn missing(&self) -> Vec<String> {
        self.watch.missing()
    }

    /// Names of a list target that have no key and have not returned either.
    pub(crate) fn absent(&self) -> &[String] {
        &self.absent
    }

    /// Whether a minion had no connection when the job was sent; None if the master does not know.
    pub(crate) fn was_connected(&self, id: &str) -> Option<bool> {
        self.not_connected.as_ref().map(|list| !list.iter().any(|i| i == id))
    }
}

/// Waits for one job to its end; `each` sees every part as it comes.
pub(crate) async fn wait(
    link: &mut Link,
    job: &mut Job,
    mut each: impl FnMut(&str, Part) -> Result,
) -> Result {
    while let Some(until) = job.step(link).await? {
        let Some(event) = link.event_until(until).await? else { continue };
        if let Some((id, part)) = job.event(&event) {
            each(&id, part)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::{Map, map};

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
        assert!(
            w.event(&event("salt/job/1/ret/a", ret.clone())).is_some_and(|(id, p)| id == "a" && p.returned())
        );
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
