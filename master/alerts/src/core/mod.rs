//! The core: takes what happens, holds it against the rules, and says what follows. One thread has it; time is given, so that tests
//! make their own.
//!
//! What an alert waits for and when it ends is in [`crate::state::Table`]; here is who is told ([`hush`]), what follows from silences
//! ([`derived`]) and from connections ([`minions`]), what is looked at by the clock ([`gauges`]), and tests of the way to people ([`drill`]).

mod derived;
mod drill;
mod gauges;
mod hush;
mod minions;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_store::fs::Dir;
use serde_json::{Value, json};

use crate::builtin::{Book, Watchers};
use crate::config::{Builtin, Config};
use crate::event::Event;
use crate::rules::Rules;
use crate::signal::Signal;
use crate::silence::{Silence, SilenceChange, SilenceId, Silences};
use crate::sites::Sites;
use crate::state::{Alert, Count, Counts, Hushed, Journal, Kept, Kinds, Seen, Table, Taken, read};
use crate::{Around, Deliver, Labels};

pub use hush::Sources;
use words::{described, told};

/// Tags of what is said here.
pub mod tags {
    /// An alert is told.
    pub const FIRING: &str = "brine/alert/firing";
    /// One that was told is over.
    pub const RESOLVED: &str = "brine/alert/resolved";
    /// What became of a test at one sink.
    pub const DELIVERED: &str = "brine/alert/delivered";
    /// A program of the master's host wants a test.
    pub const TEST: &str = "brine/alert/test";
    /// A test is on its way, and to whom.
    pub const SENT: &str = "brine/alert/test/sent";
    /// Somebody has seen a test.
    pub const CONFIRM: &str = "brine/alert/confirm";
    /// A silence was set.
    pub const SET: &str = "brine/silence/set";
    /// A silence is over.
    pub const EXPIRED: &str = "brine/silence/expired";
    /// A program of the master's host has written a silence.
    pub const LOOK: &str = "brine/silence/look";
}

/// How much longer before the last word of a journal there may be what it does not know.
const MARGIN: Duration = Duration::from_secs(30);
/// Labels that are remembered, of minions.
const MOST_LABELS: usize = 200_000;

/// How many alerts there are, by name and state: firing, pending or suppressed.
pub type Numbers = BTreeMap<(String, &'static str), usize>;

/// The core.
pub struct Core {
    book: Book,
    places: Vec<String>,
    rules: Rules,
    watchers: Watchers,
    table: Table,
    seen: Seen,
    counts: Counts,
    kinds: Kinds,
    hushed: BTreeMap<SilenceId, Hushed>,
    journal: Journal,
    /// What the journal is to have at the next [`Core::flush`].
    lines: Vec<Value>,
    /// The alerts, by fingerprint, that it is to have as they are then.
    changed: BTreeSet<String>,
    new_seen: Vec<u64>,
    around: Arc<dyn Around>,
    deliver: Arc<dyn Deliver>,
    silences: Silences,
    standing: Vec<Silence>,
    next_silence: Option<SystemTime>,
    /// Silences whose end sinks know of.
    ended: BTreeSet<SilenceId>,
    sources: Sources,
    labels: HashMap<String, Labels>,
    sites: Sites,
    /// Minions have had time to come back since the start, and were looked for.
    settled: bool,
    sweep_at: Option<SystemTime>,
    watchdog_at: Option<SystemTime>,
    gauges_at: Option<SystemTime>,
    drills: Vec<drill::Drill>,
    failed: bool,
}

impl Core {
    /// The core with what its directory keeps.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub fn new(
        config: &Config,
        dir: &Dir,
        silences: Silences,
        around: Arc<dyn Around>,
        deliver: Arc<dyn Deliver>,
        now: SystemTime,
    ) -> io::Result<Self> {
        let book = Book::new(&config.builtin, config.rules.iter().map(|rule| rule.settings.clone()));
        let before = Journal::written(dir);
        let mut journal = Journal::open(dir.clone())?;
        let Kept { alerts, seen, counts, kinds, hushed } = read(dir)?;
        let mut table = Table::default();
        let mut sources = Sources::new(config.inhibit.clone());
        for alert in alerts.into_values() {
            // What no rule speaks of any more nobody would end.
            let Some(index) = book.find(alert.name()) else { continue };
            if alert.is_firing() {
                sources.begin(&alert);
            }
            table.restore(alert, book.settings(index));
        }
        let lines = snapshot(&table, &seen, &counts, &kinds, &hushed);
        journal.rewrite(lines.into_iter())?;
        let mut core = Self {
            rules: Rules::new(config.rules.clone(), book.first_own()),
            watchers: Watchers::new(&book),
            places: config.labels.iter().map(|(name, _)| name.clone()).collect(),
            table,
            seen,
            counts,
            kinds,
            hushed,
            journal,
            lines: Vec::new(),
            changed: BTreeSet::new(),
            new_seen: Vec::new(),
            around,
            deliver,
            standing: Vec::new(),
            next_silence: None,
            ended: BTreeSet::new(),
            silences,
            sources,
            labels: HashMap::new(),
            sites: Sites::default(),
            settled: false,
            sweep_at: Some(now + config.settle),
            watchdog_at: book.index(Builtin::Watchdog).map(|_| now),
            gauges_at: None,
            drills: Vec::new(),
            failed: false,
            book,
        };
        let gauges = [Builtin::MasterDisk, Builtin::JobStoreFull];
        core.gauges_at = gauges.iter().any(|one| core.book.index(*one).is_some()).then_some(now);
        core.silences_changed(now);
        if let Some(before) = before {
            // Returns that were acknowledged, and not looked at before the master was gone. What was looked at is known.
            let since = before.checked_sub(MARGIN).unwrap_or(before);
            for event in core.around.kept_since(since) {
                core.event(&event);
            }
        }
        core.flush();
        Ok(core)
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event) {
        match event.tag.as_str() {
            tags::TEST => return self.drill(event),
            tags::CONFIRM => return self.confirm(event),
            tags::LOOK => return self.look(event),
            tag if tag.starts_with("brine/alert/") || tag.starts_with("brine/silence/") => return,
            _ => {}
        }
        let now = event.at;
        let mut signals = self.watchers.event(&self.book, event);
        let (labels, around) = (&mut self.labels, &self.around);
        signals.extend(self.rules.event(event, |minion| labels_of(labels, around.as_ref(), minion)));
        for signal in &signals {
            self.signal(signal, now);
        }
        self.minion_event(event);
    }

    /// Another program has written a silence: it counts from now on.
    fn look(&mut self, event: &Event) {
        let Some(id) = event.data.get_str("id").and_then(SilenceId::parse) else { return };
        if let Err(e) = self.silences.look(&id) {
            tracing::error!("silence {id}: {e}");
        }
    }

    /// Takes what a rule says.
    fn signal(&mut self, signal: &Signal, now: SystemTime) {
        let Some(settings) = self.book.settings(signal.rule) else { return };
        if let Some(event) = &signal.event {
            let hash = Seen::hash(&settings.name, event);
            if !self.seen.note(hash) {
                return;
            }
            self.new_seen.push(hash);
        }
        let (labels, around) = (&mut self.labels, &self.around);
        let taken =
            self.table.signal(signal, settings, |minion| labels_of(labels, around.as_ref(), minion), now);
        match taken {
            Taken::Nothing => {}
            Taken::New(key) => {
                self.keep(&key);
                if self.table.get(&key).is_some_and(Alert::is_firing) {
                    self.fires(&key, now);
                }
            }
            Taken::Changed(key) => self.keep(&key),
            Taken::Over(alert) => self.over(&alert, now),
            Taken::TooMany => {
                let (rule, name) = (self.book.index(Builtin::TooManyAlerts), settings.name.clone());
                if let Some(rule) = rule.filter(|rule| *rule != signal.rule) {
                    let summary =
                        format!("{name} has more alerts at once than its limit; the rest is not told");
                    self.signal(&Signal::on(rule).label("rule", name).note("summary", &summary), now);
                }
            }
        }
    }

    /// Events were dropped before anybody could look at them.
    pub fn dropped(&mut self, count: u64, now: SystemTime) {
        if let Some(rule) = self.book.index(Builtin::EventsDropped) {
            let summary = format!("{count} events came too fast to be looked at for alerts");
            self.signal(&Signal::on(rule).note("summary", &summary), now);
        }
    }

    /// Takes changes of the silences.
    pub fn silence(&mut self, changes: &[SilenceChange], now: SystemTime) {
        if changes.is_empty() {
            return;
        }
        for change in changes {
            if let SilenceChange::Expired(id) = change {
                self.ended.insert(id.clone());
            }
        }
        self.silences_changed(now);
        for change in changes {
            if let SilenceChange::Set(silence) = change {
                self.around.fire(tags::SET, described(silence));
            }
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: SystemTime) {
        let book = &self.book;
        let (firing, over) = self.table.due(now, |name| book.settings(book.find(name)?));
        for alert in over {
            self.over(&alert, now);
        }
        for key in firing {
            self.keep(&key);
            self.fires(&key, now);
        }
        if self.next_silence.is_some_and(|at| at <= now) {
            self.silences_changed(now);
        }
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.sweep_at = None;
            self.sweep(now);
        }
        if self.gauges_at.is_some_and(|at| at <= now) {
            self.gauges_at = self.gauges(now);
        }
        if self.watchdog_at.is_some_and(|at| at <= now) {
            self.watchdog_at = self.watchdog(now);
        }
        self.follow_drills(now);
    }

    /// How many alerts there are.
    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::new();
        for (_, alert) in self.table.all() {
            *numbers.entry((alert.name().to_owned(), alert.state())).or_default() += 1;
        }
        numbers
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<SystemTime> {
        let all = [self.next_silence, self.sweep_at, self.gauges_at, self.watchdog_at, self.table.next_due()];
        all.into_iter().flatten().chain(self.next_drill()).min()
    }

    /// Notes an alert for the journal.
    fn keep(&mut self, key: &str) {
        self.changed.insert(key.to_owned());
    }

    fn count(&mut self, alert: &Alert, now: SystemTime, more: Count) {
        let about = ["minion", "site", "test"].iter().find_map(|label| alert.labels.get(*label));
        let row = self.counts.add(now, alert.name(), about.map_or("", String::as_str), more);
        self.lines.push(json!({"count": row}));
    }

    /// Writes down what has changed since the last time. Where that fails it is said, and tried with what follows.
    pub fn flush(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        // After the lines that say what is over: it may be so again.
        let changed = std::mem::take(&mut self.changed);
        let alerts = changed.iter().filter_map(|key| self.table.get(key));
        lines.extend(alerts.map(|alert| json!({"alert": alert.to_json()})));
        if !self.new_seen.is_empty() {
            // Last: an event that is known is not looked at again.
            lines.push(crate::state::seen_line(self.new_seen.drain(..)));
        }
        if lines.is_empty() {
            return;
        }
        let mut done = if self.failed {
            Err(io::Error::other("earlier lines are missing"))
        } else {
            self.journal.append(&lines)
        };
        if done.is_err() || self.journal.is_long() {
            let all = snapshot(&self.table, &self.seen, &self.counts, &self.kinds, &self.hushed);
            done = self.journal.rewrite(all.into_iter());
        }
        match done {
            Err(e) if !self.failed => {
                self.failed = true;
                tracing::error!(
                    "{}: {e}; alerts would be forgotten over a restart",
                    self.journal.path().display()
                );
            }
            done => self.failed = done.is_err(),
        }
    }

    /// Has what was written outlive a loss of power.
    pub fn sync(&mut self) {
        if let Err(e) = self.journal.sync() {
            tracing::error!("{}: {e}", self.journal.path().display());
        }
    }

    /// The labels of a minion's place have changed.
    pub fn labels_changed(&mut self, minion: &str, now: SystemTime) {
        self.labels.remove(minion);
        if self.settled && self.around.is_accepted(minion) {
            self.place(minion, now);
        }
    }

    /// Looks for all minions soon, but not again and again.
    pub fn sweep_soon(&mut self, now: SystemTime) {
        const SOON: Duration = Duration::from_secs(5);
        self.sweep_at.get_or_insert(now + SOON);
    }
}

/// The labels of a minion, asked for once.
fn labels_of(known: &mut HashMap<String, Labels>, around: &dyn Around, minion: &str) -> Labels {
    if let Some(labels) = known.get(minion) {
        return labels.clone();
    }
    let labels = around.labels(minion);
    // Names that no minion has, which strangers make up, are not worth a place.
    if known.len() < MOST_LABELS && around.is_accepted(minion) {
        known.insert(minion.to_owned(), labels.clone());
    }
    labels
}

fn snapshot(
    table: &Table,
    seen: &Seen,
    counts: &Counts,
    kinds: &Kinds,
    hushed: &BTreeMap<SilenceId, Hushed>,
) -> Vec<Value> {
    let mut lines: Vec<Value> = table.all().map(|(_, alert)| json!({"alert": alert.to_json()})).collect();
    lines.push(crate::state::seen_line(seen.all()));
    lines.extend(counts.all().map(|row| json!({"count": row})));
    lines.extend(kinds.all().map(|row| json!({"kind": row})));
    lines.extend(hushed.iter().map(|(id, hushed)| hushed.to_json(id)));
    lines
}
