//! Tests of the way to people: an alert that says that it is a test, what becomes of it at each sink, and that somebody has seen it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use brine_core::{Value, map};

use super::{Core, tags};
use crate::config::Builtin;
use crate::event::Event;
use crate::signal::Signal;
use crate::state::Alert;
use crate::{Deliver, Notice};

/// How often a test is looked after.
const LOOK: Duration = Duration::from_millis(250);
/// For how long.
const PATIENCE: Duration = Duration::from_secs(600);
/// Tests at once.
const MOST: usize = 16;

/// A test on its way.
#[derive(Debug)]
pub(super) struct Drill {
    test: String,
    fingerprint: String,
    waiting: BTreeSet<String>,
    next: SystemTime,
    until: SystemTime,
}

impl Core {
    /// Somebody wants a test.
    pub(super) fn drill(&mut self, event: &Event) {
        let (Some(rule), Some(test)) = (self.book.index(Builtin::AlertTest), event.data.get_str("test"))
        else {
            return;
        };
        let known = self.drills.iter().any(|drill| drill.test == test);
        if (self.drills.len() >= MOST && !known) || test.is_empty() || test.len() > 64 {
            return;
        }
        let now = event.at;
        let author = event.data.get_str("author").unwrap_or("somebody");
        let summary = format!("A test by {author}. Confirm it with: salt-run alerts.confirm {test}");
        let mut signal = Signal::on(rule).label("test", test).note("summary", &summary);
        for (name, value) in event.data.get("labels").and_then(Value::as_map).into_iter().flatten() {
            if let (Some(name), Some(value)) = (name.as_str(), value.as_str())
                && crate::is_label(name)
                && !matches!(name, "alertname" | "severity" | "test")
            {
                signal = signal.label(name, value);
            }
        }
        self.signal(&signal, now);
        let Some((key, alert)) = self.test(test) else { return };
        let (fingerprint, hushed, notice) = (key.to_owned(), !alert.hush.is_empty(), alert.notice(None));
        let sinks = meant(self.deliver.as_ref(), &notice, hushed);
        let names: Value = sinks.iter().map(String::as_str).collect();
        let data = map! {
            "test" => test, "fingerprint" => fingerprint.as_str(), "sinks" => names, "suppressed" => hushed,
        };
        self.around.fire(tags::SENT, data);
        // Asked again, it is the same test.
        self.drills.retain(|drill| drill.test != test);
        self.drills.push(Drill {
            test: test.to_owned(),
            fingerprint,
            waiting: sinks,
            next: now,
            until: now + PATIENCE,
        });
    }

    /// The alert that a test is.
    fn test(&self, test: &str) -> Option<(&str, &Alert)> {
        let name = Builtin::AlertTest.name();
        self.table.all().find(|(_, a)| a.name() == name && a.labels.get("test").is_some_and(|t| t == test))
    }

    /// Somebody has seen a test, or takes it back.
    pub(super) fn confirm(&mut self, event: &Event) {
        let Some(test) = event.data.get_str("test") else { return };
        let Some(key) = self.test(test).map(|(key, _)| key.to_owned()) else { return };
        self.drills.retain(|drill| drill.test != test);
        if let Some(alert) = self.table.remove(&key) {
            self.over(&alert, event.at);
        }
    }

    /// Says what has become of tests since the last time.
    pub(super) fn follow_drills(&mut self, now: SystemTime) {
        let mut news = Vec::new();
        for drill in self.drills.iter_mut().filter(|drill| drill.next <= now) {
            drill.next = now + LOOK;
            for delivery in self.deliver.deliveries(&drill.fingerprint) {
                if drill.waiting.remove(&delivery.sink) {
                    let (delivered, why) = match delivery.outcome {
                        Ok(()) => (true, None),
                        Err(why) => (false, Some(why)),
                    };
                    news.push(map! {
                        "test" => drill.test.as_str(), "sink" => delivery.sink, "delivered" => delivered, "why" => why,
                    });
                }
            }
        }
        self.drills.retain(|drill| !drill.waiting.is_empty() && now < drill.until);
        for data in news {
            self.around.fire(tags::DELIVERED, data);
        }
    }

    pub(super) fn next_drill(&self) -> Option<SystemTime> {
        self.drills.iter().map(|drill| drill.next).min()
    }
}

fn meant(deliver: &dyn Deliver, notice: &Notice, hushed: bool) -> BTreeSet<String> {
    if hushed { BTreeSet::new() } else { deliver.meant(notice).into_iter().collect() }
}
