//! What is looked at by the clock: what fills up, and that there still is somebody who looks.

use std::time::SystemTime;

use super::Core;
use crate::config::Builtin;
use crate::signal::{RuleIndex, Signal};

impl Core {
    /// Says that all is well with what says so, and again; when next.
    pub(super) fn watchdog(&mut self, now: SystemTime) -> Option<SystemTime> {
        let (rule, every) = self.book.builtin(Builtin::Watchdog).map(|(rule, conf)| (rule, conf.every))?;
        let before = self.find(rule);
        let summary = "Always firing: where it stops, alerts do not come through";
        self.signal(&Signal::on(rule).note("summary", summary), now);
        if let Some(alert) = before.and_then(|key| self.table.get(&key)).filter(|alert| alert.told) {
            self.deliver.put(&alert.notice(None));
        }
        Some(now + every)
    }

    /// Looks at what fills up; when next.
    pub(super) fn gauges(&mut self, now: SystemTime) -> Option<SystemTime> {
        let mut next: Option<SystemTime> = None;
        for one in [Builtin::MasterDisk, Builtin::JobStoreFull] {
            let Some((rule, conf)) = self.book.builtin(one) else { continue };
            let (share, every) = (conf.share, conf.every);
            next = Some(next.map_or(now + every, |at| at.min(now + every)));
            let (what, taken) = match one {
                Builtin::MasterDisk => ("The disk of the master's cache", self.around.disk()),
                _ => ("The job store", self.around.job_store()),
            };
            let Some(taken) = taken else { continue };
            let summary = format!("{what} is {taken} % full");
            let signal =
                if taken >= share { Signal::on(rule).note("summary", &summary) } else { Signal::off(rule) };
            self.signal(&signal, now);
        }
        next
    }

    /// The alert of a rule that has one at most.
    fn find(&self, rule: RuleIndex) -> Option<String> {
        let name = &self.book.settings(rule)?.name;
        self.table.all().find(|(_, alert)| alert.name() == name).map(|(key, _)| key.to_owned())
    }
}
