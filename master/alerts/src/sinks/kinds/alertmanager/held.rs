//! The alerts that an Alertmanager has to go on hearing of: those that fire, and those that have ended where it may not know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Ends, WATCHDOG};
use crate::queue::{Queue, QueueError, body_of, notice_of};
use crate::sinks::text::{date, label};
use crate::{Notice, Status};

/// What the names of alerts begin with among what a sink keeps.
const NAMES: &str = "alert:";
/// How long an end is told to those that do not answer; the alert has long ended by itself then.
const TELL_END: Duration = Duration::from_secs(2 * 86_400);

/// An alert, and who has not heard its last word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct One {
    pub(super) notice: Notice,
    owed: BTreeSet<usize>,
}

/// All of them, kept over restarts.
pub(super) struct Held {
    queue: Arc<Queue>,
    sink: String,
    all: BTreeMap<String, One>,
}

impl Held {
    pub(super) fn open(queue: &Arc<Queue>, sink: &str) -> Result<Self, QueueError> {
        let kept = queue.kept(sink)?.into_iter().filter_map(|(name, body)| {
            let notice = notice_of(&body)?;
            // After a restart nobody is known to have heard of it.
            Some((name.strip_prefix(NAMES)?.to_owned(), One { notice, owed: BTreeSet::new() }))
        });
        Ok(Self { queue: Arc::clone(queue), sink: sink.to_owned(), all: kept.collect() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &One> {
        self.all.values()
    }

    /// Takes notices in, the last of each alert; those are given back. They outlive this process.
    pub(super) fn take(&mut self, notices: &[&Notice], urls: usize) -> Result<Vec<One>, QueueError> {
        let last: BTreeMap<String, &Notice> =
            notices.iter().map(|notice| (notice.fingerprint(), *notice)).collect();
        let rows: Vec<_> =
            last.iter().map(|(name, notice)| (format!("{NAMES}{name}"), Some(body_of(notice)))).collect();
        self.queue.keep(&self.sink, &rows)?;
        let taken = last.into_iter().map(|(name, notice)| {
            let one = One { notice: notice.clone(), owed: (0..urls).collect() };
            self.all.insert(name, one.clone());
            one
        });
        Ok(taken.collect())
    }

    /// One Alertmanager has heard these. What has ended, and all have heard of, is forgotten.
    pub(super) fn heard(&mut self, url: usize, what: &[One]) {
        let mut over = Vec::new();
        for one in what {
            let name = one.notice.fingerprint();
            // It may have become another meanwhile.
            let Some(held) = self.all.get_mut(&name).filter(|held| held.notice == one.notice) else {
                continue;
            };
            held.owed.remove(&url);
            if held.owed.is_empty() && held.notice.status == Status::Resolved {
                over.push(name);
            }
        }
        self.forget(over);
    }

    /// What ended long ago is forgotten, whoever has heard of it.
    pub(super) fn forget_old(&mut self, now: SystemTime) {
        let old = |one: &One| {
            one.notice.status == Status::Resolved
                && one
                    .notice
                    .ends_at
                    .is_none_or(|end| now.duration_since(end).is_ok_and(|age| age > TELL_END))
        };
        let over: Vec<_> =
            self.all.iter().filter(|(_, one)| old(one)).map(|(name, _)| name.clone()).collect();
        self.forget(over);
    }

    /// What no Alertmanager takes is not said again.
    pub(super) fn drop_refused(&mut self, notice: &Notice) {
        self.forget(vec![notice.fingerprint()]);
    }

    fn forget(&mut self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        for name in &names {
            self.all.remove(name);
        }
        let rows: Vec<_> = names.into_iter().map(|name| (format!("{NAMES}{name}"), None)).collect();
        if let Err(e) = self.queue.keep(&self.sink, &rows) {
            // It is said once more after a restart, which does no harm.
            tracing::warn!("sink {}: {e}", self.sink);
        }
    }
}

/// What the API takes.
pub(super) fn body(all: &[One], ends: Ends, now: SystemTime) -> Value {
    let one = |one: &One| {
        let notice = &one.notice;
        let end = match (notice.status, notice.ends_at) {
            (Status::Resolved, end) => end.unwrap_or(now),
            (Status::Firing, _) if label(notice, "alertname") == WATCHDOG => now + ends.soon,
            (Status::Firing, _) => now + ends.far,
        };
        // The API refuses an end before the start; clocks may say so.
        let start = notice.starts_at.min(end);
        json!({
            "labels": notice.labels, "annotations": notice.annotations,
            "startsAt": date(start), "endsAt": date(end),
        })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::text::tests::item;

    fn notice(status: Status, name: &str) -> Notice {
        item(1, status, &[("alertname", name)]).notice
    }

    #[test]
    fn what_fires_is_held_over_restarts_and_what_has_ended_until_all_know() {
        let dir = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(dir.path()).unwrap());
        let names = |held: &Held| {
            held.all().map(|one| label(&one.notice, "alertname").to_owned()).collect::<Vec<_>>()
        };
        let mut held = Held::open(&queue, "s").unwrap();
        let (a, b) = (notice(Status::Firing, "A"), notice(Status::Firing, "B"));
        let taken = held.take(&[&a, &b], 2).unwrap();
        held.heard(0, &taken);
        held.heard(1, &taken);
        let mut held = Held::open(&queue, "s").unwrap();
        assert_eq!(names(&held).len(), 2);
        let over = notice(Status::Resolved, "A");
        let taken = held.take(&[&a, &over], 2).unwrap();
        assert_eq!(taken.len(), 1, "the last word counts");
        held.heard(0, &taken);
        assert_eq!(names(&held).len(), 2);
        held.heard(1, &taken);
        assert_eq!(names(&held), ["B"]);
        assert_eq!(names(&Held::open(&queue, "s").unwrap()), ["B"]);
    }

    #[test]
    fn an_end_nobody_asks_for_is_forgotten_at_last() {
        let dir = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(dir.path()).unwrap());
        let mut held = Held::open(&queue, "s").unwrap();
        let (over, fires) = (notice(Status::Resolved, "A"), notice(Status::Firing, "B"));
        held.take(&[&over, &fires], 2).unwrap();
        let end = over.ends_at.unwrap();
        held.forget_old(end + TELL_END);
        assert_eq!(held.all().count(), 2);
        held.forget_old(end + TELL_END + Duration::from_secs(1));
        assert_eq!(held.all().count(), 1);
    }

    #[test]
    fn only_the_watchdog_ends_soon() {
        let ends = Ends { soon: Duration::from_secs(240), far: Duration::from_secs(86_400) };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let one = |status, name| One { notice: notice(status, name), owed: BTreeSet::new() };
        let all = [one(Status::Firing, "A"), one(Status::Firing, "Watchdog"), one(Status::Resolved, "A")];
        let body = body(&all, ends, now);
        let end = |n: usize| body[n]["endsAt"].as_str().unwrap().to_owned();
        assert_eq!(end(0), date(now + ends.far));
        assert_eq!(end(1), date(now + ends.soon));
        assert_eq!(end(2), "2023-11-14T22:14:20Z");
    }
}
