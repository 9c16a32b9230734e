//! The alerts that are built in and look at events: each takes an event and says what is so.
//!
//! What is known otherwise (connections, sites, disks, silences) is not here.

mod jobs;
mod keys;

use std::collections::BTreeMap;

use crate::config::{Builtin, Builtins, Conf, Settings};
use crate::event::Event;
use crate::glob::Glob;
use crate::signal::{RuleIndex, Signal};

/// What holds of each rule's alerts, by its index, and which index each built-in one has.
#[derive(Clone, Debug)]
pub struct Book {
    settings: Vec<Settings>,
    builtin: BTreeMap<Builtin, (RuleIndex, Conf)>,
}

impl Book {
    /// Of what is switched on, and the operator's own.
    pub fn new(builtin: &Builtins, own: impl IntoIterator<Item = Settings>) -> Self {
        let mut settings = Vec::new();
        let mut by_name = BTreeMap::new();
        for (one, conf) in builtin.all() {
            by_name.insert(one, (settings.len(), conf.clone()));
            settings.push(conf.settings.clone());
        }
        settings.extend(own);
        Self { settings, builtin: by_name }
    }

    /// Of a rule.
    pub fn settings(&self, rule: RuleIndex) -> Option<&Settings> {
        self.settings.get(rule)
    }

    /// The index of the rule of this name.
    pub fn find(&self, name: &str) -> Option<RuleIndex> {
        self.settings.iter().position(|settings| settings.name == name)
    }

    /// A built-in one, unless it is switched off.
    pub fn builtin(&self, one: Builtin) -> Option<(RuleIndex, &Conf)> {
        self.builtin.get(&one).map(|(index, conf)| (*index, conf))
    }

    /// The index of a built-in one, unless it is switched off.
    pub fn index(&self, one: Builtin) -> Option<RuleIndex> {
        self.builtin(one).map(|(index, _)| index)
    }

    /// The first index of the operator's own.
    pub fn first_own(&self) -> RuleIndex {
        self.builtin.len()
    }
}

/// The tags that built-in alerts look at.
pub fn tags(book: &Book) -> Vec<Glob> {
    let table: [(&str, &[Builtin]); 4] = [
        ("salt/job/*/ret/*", &[Builtin::JobFailed, Builtin::StateFailed, Builtin::Drift]),
        (
            "salt/auth",
            &[
                Builtin::KeyPending,
                Builtin::KeyDenied,
                Builtin::AuthFlood,
                Builtin::MinionDown,
                Builtin::SiteDown,
            ],
        ),
        ("salt/key", &[Builtin::KeyPending, Builtin::KeyDenied, Builtin::MinionDown, Builtin::SiteDown]),
        ("salt/minion/*/spool", &[Builtin::SpoolGrowing]),
    ];
    let wanted = |of: &[Builtin]| of.iter().any(|one| book.builtin(*one).is_some());
    table.into_iter().filter(|(_, of)| wanted(of)).map(|(tag, _)| Glob::new(tag)).collect()
}

/// Those that look at events.
#[derive(Debug)]
pub struct Watchers {
    flood: keys::Flood,
}

impl Watchers {
    /// As the book says.
    pub fn new(book: &Book) -> Self {
        Self { flood: keys::Flood::new(book.builtin(Builtin::AuthFlood).map(|(_, conf)| conf)) }
    }

    /// What they say of an event.
    pub fn event(&mut self, book: &Book, event: &Event) -> Vec<Signal> {
        let mut parts = event.tag.split('/');
        let kind = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        match kind {
            (Some("salt"), Some("job"), Some(_), Some("ret"), Some(id)) => jobs::returned(book, event, id),
            (Some("salt"), Some("auth"), None, ..) => {
                let mut signals = keys::auth(book, event);
                if let Some(index) = book.index(Builtin::AuthFlood) {
                    signals.extend(self.flood.event(index, event));
                }
                signals
            }
            (Some("salt"), Some("key"), None, ..) => keys::key(book, event),
            (Some("salt"), Some("minion"), Some(id), Some("spool"), None) => spool(book, event, id),
            _ => Vec::new(),
        }
    }
}

/// `salt/minion/ID/spool`: how much of its spool a minion has filled, `bytes` of `most`.
fn spool(book: &Book, event: &Event, id: &str) -> Vec<Signal> {
    let Some((index, conf)) = book.builtin(Builtin::SpoolGrowing) else { return Vec::new() };
    let number = |key: &str| event.data.get(key).and_then(brine_core::Value::as_int).filter(|n| *n >= 0);
    let (Some(bytes), Some(most)) = (number("bytes"), number("most").filter(|most| *most > 0)) else {
        return Vec::new();
    };
    let percent = (i128::from(bytes) * 100 / i128::from(most)).min(100);
    if percent < i128::try_from(conf.share).unwrap_or(100) {
        return vec![Signal::off(index).about(id)];
    }
    let returns = number("returns").unwrap_or(0);
    let summary =
        format!("{id} keeps {returns} returns that no master took, {percent} % of what its spool holds");
    vec![Signal::on(index).about(id).note("summary", &summary)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Map, map};
    use std::time::SystemTime;

    /// The names of what is so (`+`) or is no more (`-`), with the labels but `minion`.
    pub(super) fn said(tag: &str, data: Map) -> Vec<String> {
        let book = Book::new(&Builtins::default(), []);
        let event = Event { tag: tag.into(), data, at: SystemTime::UNIX_EPOCH };
        let signals = Watchers::new(&book).event(&book, &event);
        let shown = |signal: &Signal| {
            let labels = signal.labels.iter().filter(|(name, _)| *name != "minion");
            let labels: String = labels.map(|(name, value)| format!(" {name}={value}")).collect();
            let name = &book.settings(signal.rule).unwrap().name;
            format!("{}{name}{labels}", if signal.on { '+' } else { '-' })
        };
        signals.iter().map(shown).collect()
    }

    #[test]
    fn a_spool_is_growing_from_its_share_on() {
        let spool = |bytes: i64| said("salt/minion/m1/spool", map! {"bytes" => bytes, "most" => 1000});
        assert_eq!(spool(249), ["-SpoolGrowing"]);
        assert_eq!(spool(250), ["+SpoolGrowing"]);
        assert!(said("salt/minion/m1/spool", map! {"bytes" => 1, "most" => 0}).is_empty());
    }

    #[test]
    fn what_is_switched_off_looks_at_nothing() {
        let off = Builtin::ALL.iter().filter(|one| **one != Builtin::SilenceMatchesAll);
        let conf: Map = off.map(|one| (one.name(), brine_core::Value::Bool(false))).collect();
        let value = brine_core::Value::Map(conf);
        let book = Book::new(&Builtins::read(Some(&value), "x").unwrap(), []);
        assert!(tags(&book).is_empty());
        let data = map! {"fun" => "test.false", "retcode" => 1, "id" => "m1"};
        let event = Event { tag: "salt/job/1/ret/m1".into(), data, at: SystemTime::UNIX_EPOCH };
        assert!(Watchers::new(&book).event(&book, &event).is_empty());
    }
}
