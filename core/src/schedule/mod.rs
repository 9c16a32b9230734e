//! Jobs that run by the clock, as data: what is due at a moment, and when to look again. Knows no threads, no files and no
//! clock of its own; a daemon tells it the time and runs what is due.
//!
//! The state of a job stands in its definition under names that begin with an underscore, as in stock, where
//! `schedule.job_status` shows it.

mod cron;
mod dates;
mod eval;
mod job;
mod limits;
mod load;
mod manage;
mod moment;
mod pillar;
mod strptime;
mod times;
mod wake;

pub use cron::Cron;
pub use dates::{DateError, Written, parse as parse_date, read as read_date};
pub use eval::{Due, World};
pub use manage::{Asked, reply_tag};
pub use moment::{DAY, Moment, SECOND};
pub use strptime::strptime;

use brine_protocol::{Map, Value};

/// Keys of a schedule that are no jobs.
const SETTINGS: [&str; 4] = ["enabled", "skip_function", "skip_during_range", "splay"];

/// Every job of one daemon.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// Jobs from the options and by `schedule.add`, and settings of the whole.
    opts: Map,
    /// Jobs from the pillar. One that is in both is taken from the options.
    pillar: Map,
    /// The pillar's as it was given, without state.
    given: Map,
    /// Settings last seen; they outlive their entries, as in stock.
    settings: Settings,
}

/// Settings of the whole schedule.
#[derive(Clone, Debug)]
struct Settings {
    enabled: bool,
    splay: Value,
    skip_function: Value,
    skip_during_range: Value,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, splay: Value::Nil, skip_function: Value::Nil, skip_during_range: Value::Nil }
    }
}

impl Schedule {
    /// The schedule of the options.
    pub fn new(opts: Map) -> Self {
        Self { opts, ..Self::default() }
    }

    /// All jobs and settings.
    pub fn merged(&self) -> Map {
        let mut all = self.pillar.clone();
        all.update(self.opts.clone());
        all
    }

    /// Those of the options, without the state of jobs: what is written to `_schedule.conf`.
    pub fn to_save(&self) -> Map {
        let mut all = self.opts.clone();
        for (_, data) in all.iter_mut() {
            if let Value::Map(data) = data {
                data.retain(|key, _| !key.as_str().is_some_and(|k| k.starts_with('_')));
            }
        }
        all
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.opts.is_empty() && self.pillar.is_empty()
    }

    fn note_settings(&mut self) {
        let find = |key: &str| self.opts.get(key).or_else(|| self.pillar.get(key));
        let mut settings = self.settings.clone();
        if let Some(enabled) = find("enabled") {
            settings.enabled = enabled.truthy();
        }
        for (key, place) in [
            ("splay", &mut settings.splay),
            ("skip_function", &mut settings.skip_function),
            ("skip_during_range", &mut settings.skip_during_range),
        ] {
            if let Some(value) = find(key) {
                *place = value.clone();
            }
        }
        self.settings = settings;
    }

    /// The names of all jobs, those of the pillar first.
    fn names(&self) -> Vec<Value> {
        let mut names: Vec<Value> = self.pillar.keys().cloned().collect();
        names.extend(self.opts.keys().filter(|k| self.pillar.get_key(k).is_none()).cloned());
        names.retain(|name| !name.as_str().is_some_and(|n| SETTINGS.contains(&n)));
        names
    }

    fn data_mut(&mut self, name: &Value) -> Option<&mut Map> {
        let place = match self.opts.get_key_mut(name) {
            Some(value) => value,
            None => self.pillar.get_key_mut(name)?,
        };
        place.as_map_mut()
    }
}
