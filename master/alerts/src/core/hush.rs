//! Who is told of an alert: nobody while a silence or another alert holds it back; and what is said when that ends.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use serde_json::json;

use super::{Core, tags, told};
use crate::Matcher;
use crate::config::Inhibit;
use crate::silence::{Kind, SilenceId};
use crate::state::{Alert, Count, Why};

/// Alerts that fire and can hold others back, by what they have to have in common with those.
#[derive(Debug)]
pub struct Sources {
    rules: Vec<Inhibit>,
    firing: Vec<HashMap<Vec<String>, BTreeSet<String>>>,
}

fn fits(matchers: &[Matcher], alert: &Alert) -> bool {
    matchers.iter().all(|matcher| matcher.holds(&alert.labels))
}

fn common(rule: &Inhibit, alert: &Alert) -> Vec<String> {
    rule.equal.iter().map(|label| alert.labels.get(label).cloned().unwrap_or_default()).collect()
}

impl Sources {
    /// Of these rules; nothing fires yet.
    pub fn new(rules: Vec<Inhibit>) -> Self {
        let firing = rules.iter().map(|_| HashMap::new()).collect();
        Self { rules, firing }
    }

    /// Notes an alert that fires; whether it holds others back.
    pub fn begin(&mut self, alert: &Alert) -> bool {
        let mut any = false;
        for (rule, firing) in self.rules.iter().zip(&mut self.firing) {
            if fits(&rule.source, alert) {
                firing.entry(common(rule, alert)).or_default().insert(alert.fingerprint());
                any = true;
            }
        }
        any
    }

    /// Notes that an alert is over; whether it held others back.
    pub fn end(&mut self, alert: &Alert) -> bool {
        let mut any = false;
        for (rule, firing) in self.rules.iter().zip(&mut self.firing) {
            let key = common(rule, alert);
            if let Some(alerts) = firing.get_mut(&key) {
                any |= alerts.remove(&alert.fingerprint());
                if alerts.is_empty() {
                    firing.remove(&key);
                }
            }
        }
        any
    }

    /// What holds an alert back.
    fn over(&self, alert: &Alert) -> Option<String> {
        let own = alert.fingerprint();
        let rules = self.rules.iter().zip(&self.firing).filter(|(rule, _)| fits(&rule.target, alert));
        rules
            .filter_map(|(rule, firing)| firing.get(&common(rule, alert)))
            .flatten()
            .find(|key| **key != own)
            .cloned()
    }

    /// Whether an alert may be held back by another of these labels.
    fn concerns(&self, source: &Alert, target: &Alert) -> bool {
        self.rules.iter().any(|rule| {
            fits(&rule.source, source)
                && fits(&rule.target, target)
                && common(rule, source) == common(rule, target)
        })
    }
}

impl Core {
    /// An alert counts from now on.
    pub(super) fn fires(&mut self, key: &str, now: SystemTime) {
        let Some(alert) = self.table.get(key).cloned() else { return };
        self.count(&alert, now, Count { fired: 1, ..Count::default() });
        self.judge(key, now);
        let places: Vec<&str> = self.places.iter().map(String::as_str).collect();
        if let Some(row) = self.kinds.note(&alert.labels, &places, now) {
            self.lines.push(json!({"kind": row}));
        }
        if self.sources.begin(&alert) {
            self.judge_others(&alert, now);
        }
    }

    /// An alert is over, and no longer in the table.
    pub(super) fn over(&mut self, alert: &Alert, now: SystemTime) {
        self.lines.push(json!({"over": alert.fingerprint()}));
        if !alert.is_firing() {
            return;
        }
        let seconds = now.duration_since(alert.since).map_or(0, |d| d.as_secs());
        self.count(alert, now, Count { seconds, ..Count::default() });
        if alert.told {
            self.deliver.put(&alert.notice(Some(now)));
            self.around.fire(tags::RESOLVED, told(alert));
        }
        if self.sources.end(alert) {
            self.judge_others(alert, now);
        }
    }

    /// Looks again at those that an alert may hold back.
    fn judge_others(&mut self, source: &Alert, now: SystemTime) {
        let concerned = |(key, alert): (&str, &Alert)| {
            (alert.is_firing() && self.sources.concerns(source, alert)).then(|| key.to_owned())
        };
        let keys: Vec<String> = self.table.all().filter_map(concerned).collect();
        for key in keys {
            self.judge(&key, now);
        }
    }

    /// What holds an alert back now.
    fn why(&self, alert: &Alert) -> Vec<Why> {
        let settings = self.book.find(alert.name()).and_then(|rule| self.book.settings(rule));
        if settings.is_some_and(|settings| !settings.hushable) {
            return Vec::new();
        }
        let covering = self.standing.iter().filter(|silence| silence.covers(&alert.labels));
        let counts = covering.filter(|s| s.kind != Kind::Place || self.kinds.knows(alert.name(), s));
        let mut why: Vec<Why> = counts.map(|silence| Why::Silence(silence.id.clone())).collect();
        why.extend(self.sources.over(alert).map(Why::Inhibited));
        why
    }

    /// Decides whether an alert that fires is told, and tells it where it was not, or where it was held back until now.
    pub(super) fn judge(&mut self, key: &str, now: SystemTime) {
        let Some(alert) = self.table.get(key).filter(|alert| alert.is_firing()) else { return };
        let why = self.why(alert);
        if alert.told && alert.hush == why {
            return;
        }
        let silence = |why: &Why| match why {
            Why::Silence(id) => Some(id.clone()),
            Why::Inhibited(_) => None,
        };
        let before: Vec<SilenceId> = alert.hush.iter().filter_map(silence).collect();
        let new: Vec<SilenceId> = why.iter().filter_map(silence).filter(|id| !before.contains(id)).collect();
        let (was_told, was_hushed) = (alert.told, !alert.hush.is_empty());
        let tell = why.is_empty() && (!was_told || !before.is_empty());
        let Some(alert) = self.table.get_mut(key) else { return };
        alert.hush = why;
        alert.told |= tell;
        let alert = alert.clone();
        if tell {
            self.tell(&alert, &before);
            self.count(&alert, now, Count { told: 1, ..Count::default() });
        } else if !alert.hush.is_empty() && !was_hushed && !was_told {
            self.count(&alert, now, Count { hushed: 1, ..Count::default() });
        }
        if !was_told {
            let text = shown(&alert);
            for id in new {
                let line = self.hushed.entry(id.clone()).or_default().note(&id, &text);
                self.lines.push(line);
            }
        }
        self.keep(key);
    }

    /// Tells sinks and bus. `silenced` are the silences that held it back until now.
    fn tell(&mut self, alert: &Alert, silenced: &[SilenceId]) {
        let mut notice = alert.notice(None);
        if !silenced.is_empty() {
            let by = |id: &SilenceId| match self.silences.get(id) {
                Some(silence) => format!("{id} by {} ({})", silence.author, silence.scope()),
                None => id.to_string(),
            };
            let text = silenced.iter().map(by).collect::<Vec<_>>().join(", ");
            notice.annotations.insert("refired".into(), format!("still firing as its silence ended: {text}"));
        }
        self.deliver.put(&notice);
        self.around.fire(tags::FIRING, told(alert));
    }
}

/// An alert in a line.
pub(super) fn shown(alert: &Alert) -> String {
    let labels = alert.labels.iter().filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"));
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}{{{}}}", alert.name(), labels.join(", "))
}
