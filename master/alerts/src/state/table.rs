//! All alerts that there are, and how signals change them. Time is given; nothing is told from here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;

use super::alert::{Alert, MOST_MEMBERS};
use crate::Labels;
use crate::config::Settings;
use crate::notice::fingerprint;
use crate::signal::Signal;

/// Alerts of all rules that there may be at once.
const MOST: usize = 20_000;

/// What a signal came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Nothing that anybody has to know.
    Nothing,
    /// There is a new alert, by its fingerprint.
    New(String),
    /// An alert has more or fewer members than before.
    Changed(String),
    /// An alert is over and no longer here.
    Over(Box<Alert>),
    /// There are too many of its rule.
    TooMany,
}

/// The alerts.
#[derive(Debug, Default)]
pub struct Table {
    alerts: BTreeMap<String, Alert>,
    /// In which alert a member is; by the fingerprint of the rule's own labels, which no change of an inventory touches.
    members: HashMap<String, String>,
    by_name: HashMap<String, usize>,
    /// When each has to be looked at, or earlier.
    due: BTreeSet<(SystemTime, String)>,
}

impl Table {
    /// All, by fingerprint.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Alert)> {
        self.alerts.iter().map(|(key, alert)| (key.as_str(), alert))
    }

    /// One.
    pub fn get(&self, key: &str) -> Option<&Alert> {
        self.alerts.get(key)
    }

    /// One, to change what was told of it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Alert> {
        self.alerts.get_mut(key)
    }

    /// Puts in what a journal had.
    pub fn restore(&mut self, alert: Alert, settings: Option<&Settings>) {
        let key = alert.fingerprint();
        for member in alert.members.keys() {
            self.members.insert(member.clone(), key.clone());
        }
        *self.by_name.entry(alert.name().to_owned()).or_default() += 1;
        look_again(&mut self.due, &key, &alert, settings);
        self.alerts.insert(key, alert);
    }

    /// Whether something with these labels of a rule's own is so.
    pub fn has_member(&self, name: &str, own: &Labels) -> bool {
        self.members.contains_key(&member_of(name, own))
    }

    /// Takes a signal. `inventory` gives the labels of the minion that it is about; it is asked for new ones only.
    pub fn signal(
        &mut self,
        signal: &Signal,
        settings: &Settings,
        inventory: impl FnOnce(&str) -> Labels,
        now: SystemTime,
    ) -> Taken {
        let member = member_of(&settings.name, &signal.labels);
        match (self.members.get(&member).cloned(), signal.on) {
            (Some(key), true) => self.again(&key, &member, signal, now),
            (Some(key), false) => self.less(&key, &member),
            (None, false) => Taken::Nothing,
            (None, true) => {
                let place = signal.minion.as_deref().map(inventory).unwrap_or_default();
                self.more(member, signal, settings, place, now)
            }
        }
    }

    /// The time of its end only moves away by this: that is found out when the old one comes.
    fn again(&mut self, key: &str, member: &str, signal: &Signal, now: SystemTime) -> Taken {
        let Some(alert) = self.alerts.get_mut(key) else { return Taken::Nothing };
        alert.last = now;
        alert.count += 1;
        alert.annotations.extend(signal.annotations.clone());
        if let Some((_, at)) = alert.members.get_mut(member) {
            *at = now;
        }
        Taken::Nothing
    }

    fn more(
        &mut self,
        member: String,
        signal: &Signal,
        settings: &Settings,
        place: Labels,
        now: SystemTime,
    ) -> Taken {
        let mut labels = place;
        labels.extend(signal.place.clone());
        labels.extend(settings.labels.clone());
        labels.extend(signal.labels.clone());
        labels.retain(|_, value| !value.is_empty());
        let mut name = String::new();
        if let Some(group) = &settings.group {
            let shown = |labels: &Labels| labels.values().cloned().collect::<Vec<_>>().join(" ");
            name = labels.get("minion").cloned().unwrap_or_else(|| shown(&signal.labels));
            let fixed = &settings.labels;
            labels.retain(|label, _| group.contains(label) || fixed.contains_key(label));
        }
        labels.insert("alertname".into(), settings.name.clone());
        labels.insert("severity".into(), settings.severity.clone());
        let key = fingerprint(&labels);
        if let Some(alert) = self.alerts.get_mut(&key) {
            alert.last = now;
            alert.count += 1;
            if alert.members.len() < MOST_MEMBERS {
                alert.members.insert(member.clone(), (name, now));
                self.members.insert(member, key.clone());
            }
            return Taken::Changed(key);
        }
        let count = self.by_name.entry(settings.name.clone()).or_default();
        if *count >= settings.limit || self.alerts.len() >= MOST {
            return Taken::TooMany;
        }
        *count += 1;
        let alert = Alert {
            labels,
            annotations: signal.annotations.clone(),
            since: now,
            pending: (!settings.hold.is_zero()).then(|| now + settings.hold),
            last: now,
            count: 1,
            members: BTreeMap::from([(member.clone(), (name, now))]),
            told: false,
            hush: Vec::new(),
        };
        self.members.insert(member, key.clone());
        look_again(&mut self.due, &key, &alert, Some(settings));
        self.alerts.insert(key.clone(), alert);
        Taken::New(key)
    }

    fn less(&mut self, key: &str, member: &str) -> Taken {
        self.members.remove(member);
        let Some(alert) = self.alerts.get_mut(key) else { return Taken::Nothing };
        alert.members.remove(member);
        if alert.members.is_empty() {
            return self.remove(key).map_or(Taken::Nothing, |alert| Taken::Over(Box::new(alert)));
        }
        Taken::Changed(key.to_owned())
    }

    /// Takes an alert away, as it is over.
    pub fn remove(&mut self, key: &str) -> Option<Alert> {
        let alert = self.alerts.remove(key)?;
        for member in alert.members.keys() {
            self.members.remove(member);
        }
        if let Some(count) = self.by_name.get_mut(alert.name()) {
            *count = count.saturating_sub(1);
        }
        Some(alert)
    }

    /// When something is due.
    pub fn next_due(&self) -> Option<SystemTime> {
        self.due.first().map(|(at, _)| *at)
    }

    /// What is due by now: alerts that count from now on, by fingerprint, and alerts that are over, which are gone.
    pub fn due<'a>(
        &mut self,
        now: SystemTime,
        settings: impl Fn(&str) -> Option<&'a Settings>,
    ) -> (Vec<String>, Vec<Alert>) {
        let (mut firing, mut over) = (Vec::new(), Vec::new());
        while let Some((at, _)) = self.due.first()
            && *at <= now
        {
            let Some((_, key)) = self.due.pop_first() else { break };
            let Some(alert) = self.alerts.get_mut(&key) else { continue };
            let settings = settings(alert.name());
            if alert.pending.is_some_and(|until| until <= now) {
                alert.pending = None;
                firing.push(key.clone());
            }
            if let Some(after) = settings.and_then(|s| s.resolve_after) {
                let old: Vec<String> = alert
                    .members
                    .iter()
                    .filter(|(_, (_, at))| *at + after <= now)
                    .map(|(member, _)| member.clone())
                    .collect();
                for member in old {
                    if let Taken::Over(alert) = self.less(&key, &member) {
                        over.push(*alert);
                    }
                }
            }
            if let Some(alert) = self.alerts.get(&key) {
                look_again(&mut self.due, &key, alert, settings);
            }
        }
        firing.retain(|key| self.alerts.contains_key(key));
        (firing, over)
    }
}

/// Notes when an alert has to be looked at next.
fn look_again(
    due: &mut BTreeSet<(SystemTime, String)>,
    key: &str,
    alert: &Alert,
    settings: Option<&Settings>,
) {
    if let Some(until) = alert.pending {
        due.insert((until, key.to_owned()));
    }
    if let Some(after) = settings.and_then(|s| s.resolve_after)
        && let Some(first) = alert.members.values().map(|(_, at)| *at).min()
    {
        due.insert((first + after, key.to_owned()));
    }
}

/// What is one thing to a rule: its name and its own labels.
fn member_of(name: &str, own: &Labels) -> String {
    let mut labels = own.clone();
    labels.insert("alertname".into(), name.to_owned());
    fingerprint(&labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(n: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(n)
    }

    fn site(minion: &str) -> Labels {
        Labels::from([("site".to_owned(), minion[..1].to_owned())])
    }

    #[test]
    fn an_alert_waits_fires_and_ends() {
        let mut settings = Settings::new("A", "warning");
        settings.hold = Duration::from_secs(10);
        settings.resolve_after = Some(Duration::from_secs(100));
        let mut table = Table::default();
        let on = Signal::on(0).about("a1");
        let Taken::New(key) = table.signal(&on, &settings, site, at(0)) else { panic!() };
        assert_eq!(table.signal(&on, &settings, |_| panic!(), at(50)), Taken::Nothing);
        assert_eq!(table.next_due(), Some(at(10)));
        let find = |_: &str| Some(&settings);
        assert_eq!(table.due(at(9), find), (vec![], vec![]));
        assert_eq!(table.due(at(10), find), (vec![key.clone()], vec![]));
        assert_eq!(table.due(at(149), find), (vec![], vec![]));
        let (firing, over) = table.due(at(150), find);
        assert!(firing.is_empty() && over.len() == 1 && over[0].count == 2);
        assert_eq!((table.all().count(), table.next_due()), (0, None));
        // What is no longer so before its time never was.
        table.signal(&on, &settings, site, at(200));
        let off = Signal::off(0).about("a1");
        assert!(
            matches!(table.signal(&off, &settings, site, at(205)), Taken::Over(alert) if !alert.is_firing())
        );
    }

    #[test]
    fn what_is_grouped_ends_with_its_last_member_whatever_becomes_of_the_inventory() {
        let mut settings = Settings::new("A", "warning");
        settings.group = Some(vec!["site".into()]);
        let mut table = Table::default();
        let mut take = |on: bool, minion: &str, site: &str| {
            let signal = if on { Signal::on(0) } else { Signal::off(0) }.about(minion);
            let place = Labels::from([("site".to_owned(), site.to_owned())]);
            table.signal(&signal, &settings, |_| place, at(0))
        };
        let Taken::New(akl) = take(true, "m1", "akl") else { panic!() };
        assert_eq!(take(true, "m2", "akl"), Taken::Changed(akl.clone()));
        let Taken::New(wlg) = take(true, "m3", "wlg") else { panic!() };
        assert_ne!(akl, wlg);
        assert_eq!(take(false, "m1", "moved"), Taken::Changed(akl.clone()));
        assert!(matches!(take(false, "m2", "moved"), Taken::Over(alert) if alert.labels["site"] == "akl"));
        assert_eq!(take(false, "m2", "akl"), Taken::Nothing);
    }

    #[test]
    fn a_rule_has_no_more_alerts_than_its_limit() {
        let mut settings = Settings::new("A", "warning");
        settings.limit = 3;
        let mut table = Table::default();
        let taken: Vec<Taken> = (0..5)
            .map(|n| {
                table.signal(&Signal::on(0).about(&format!("m{n}")), &settings, |_| Labels::new(), at(0))
            })
            .collect();
        assert!(taken[..3].iter().all(|t| matches!(t, Taken::New(_))));
        assert_eq!(taken[3..], [Taken::TooMany, Taken::TooMany]);
        table.signal(&Signal::off(0).about("m0"), &settings, |_| Labels::new(), at(1));
        let again = table.signal(&Signal::on(0).about("m4"), &settings, |_| Labels::new(), at(1));
        assert!(matches!(again, Taken::New(_)));
    }
}
