//! What follows from silences: that they stand, that they leave nothing out, that there are many; and what ends with them.

use std::collections::BTreeSet;
use std::time::SystemTime;

use brine_core::map;

use super::{Core, tags};
use crate::config::Builtin;
use crate::signal::{RuleIndex, Signal};
use crate::silence::{Kind, Silence, SilenceChange};
use crate::state::{Alert, Why};
use crate::{Labels, Op};

impl Core {
    /// Looks which silences stand now, and does what follows.
    pub(super) fn silences_changed(&mut self, now: SystemTime) {
        self.silences.tidy(now);
        let before = std::mem::replace(&mut self.standing, self.silences.standing(now));
        self.next_silence = self.silences.next_change(now);
        let gone: Vec<Silence> = before.iter().filter(|s| !self.standing.contains(s)).cloned().collect();
        let new: Vec<Silence> = self.standing.iter().filter(|s| !before.contains(s)).cloned().collect();
        // A silence that is itself an alert is one before it hides anything.
        self.derive(now);
        let touched = |alert: &Alert| {
            let covered = gone.iter().chain(&new).any(|silence| silence.covers(&alert.labels));
            // A silence that ended while no master ran is gone from the list of those that stand.
            covered || alert.hush.iter().any(|why| self.is_gone(why))
        };
        let keys: Vec<String> = self
            .table
            .all()
            .filter(|(_, alert)| alert.is_firing() && touched(alert))
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in keys {
            self.judge(&key, now);
        }
        for silence in gone {
            if !self.standing.iter().any(|standing| standing.id == silence.id) {
                self.ended(&silence);
            }
        }
    }

    fn is_gone(&self, why: &Why) -> bool {
        matches!(why, Why::Silence(id) if !self.standing.iter().any(|silence| silence.id == *id))
    }

    /// Says that a silence is over.
    fn ended(&mut self, silence: &Silence) {
        if !self.ended.remove(&silence.id) {
            self.deliver.silence(&SilenceChange::Expired(silence.id.clone()));
        }
        let count = self.hushed.get(&silence.id).map_or(0, |hushed| hushed.count);
        let data = map! {
            "id" => silence.id.as_str(), "author" => silence.author.as_str(), "scope" => silence.scope(),
            "would_have_paged" => count, "job" => silence.job.clone(),
        };
        self.around.fire(tags::EXPIRED, data);
        self.hushed.retain(|id, _| self.silences.has(id));
    }

    /// The alerts that silences are.
    fn derive(&mut self, now: SystemTime) {
        if let Some(rule) = self.book.index(Builtin::SilenceMatchesAll) {
            let of_all = self.standing.iter().filter(|silence| silence.is_of_everything());
            let signal = |silence: &Silence| {
                let summary = format!("{} silences everything: {}", silence.author, silence.comment);
                Signal::on(rule).label("silence", silence.id.as_str()).note("summary", &summary)
            };
            let wanted: Vec<Signal> = of_all.map(signal).collect();
            self.reconcile(rule, wanted, now);
        }
        if let Some(rule) = self.book.index(Builtin::MaintenanceActive) {
            let places = self.standing.iter().filter(|s| matches!(s.kind, Kind::Place | Kind::Expected));
            let wanted: Vec<Signal> =
                places.map(|silence| maintenance(rule, silence, &self.places)).collect();
            self.reconcile(rule, wanted, now);
        }
        self.silenced_share(now);
    }

    /// Makes the alerts of a rule those that are wanted: ends others, begins what is missing.
    pub(super) fn reconcile(&mut self, rule: RuleIndex, wanted: Vec<Signal>, now: SystemTime) {
        let Some(settings) = self.book.settings(rule) else { return };
        let (name, fixed) = (settings.name.clone(), settings.labels.clone());
        let labels: BTreeSet<&Labels> = wanted.iter().map(|signal| &signal.labels).collect();
        let own = |alert: &Alert| -> Labels {
            let given = |label: &str| matches!(label, "alertname" | "severity") || fixed.contains_key(label);
            alert.labels.iter().filter(|(l, _)| !given(l)).map(|(l, v)| (l.clone(), v.clone())).collect()
        };
        let there: Vec<Labels> =
            self.table.all().filter(|(_, alert)| alert.name() == name).map(|(_, alert)| own(alert)).collect();
        for labels in there.into_iter().filter(|own| !labels.contains(own)) {
            self.signal(&Signal { labels, ..Signal::off(rule) }, now);
        }
        for signal in
            wanted.iter().filter(|signal| !self.table.has_member(&name, &signal.labels)).collect::<Vec<_>>()
        {
            self.signal(signal, now);
        }
    }

    /// How many sites are silenced as a whole.
    pub(super) fn silenced_share(&mut self, now: SystemTime) {
        let Some((rule, conf)) = self.book.builtin(Builtin::TooManySitesSilenced) else { return };
        let (share, least) = (conf.share, conf.count);
        let whole = |labels: &Labels| self.standing.iter().any(|silence| silence.covers(labels));
        let all = self.sites.count().0;
        let silenced = self.sites.all().filter(|(_, labels)| whole(labels)).count();
        let many = silenced >= least && silenced * 100 > share * all;
        let summary = format!("{silenced} of {all} sites are silenced");
        let signal = if many { Signal::on(rule).note("summary", &summary) } else { Signal::off(rule) };
        self.signal(&signal, now);
    }
}

/// The alert that a place is worked on: with the labels that the silence gives one value, and its scope in words. Its kind tells whether it is
/// about the place as a whole, which may hold back what else is there, or about what a job disturbs, which may not.
fn maintenance(rule: RuleIndex, silence: &Silence, places: &[String]) -> Signal {
    let fixed = silence.matchers.iter().filter(|m| m.op == Op::Is && places.contains(&m.name));
    let signal = fixed.fold(Signal::on(rule), |signal, m| signal.label(&m.name, m.value.clone()));
    let summary = format!("{} works here: {}", silence.author, silence.comment);
    signal.label("scope", silence.scope()).label("kind", silence.kind.text()).note("summary", &summary)
}
