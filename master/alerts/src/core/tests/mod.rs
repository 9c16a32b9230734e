//! The core with a master and sinks that write down what they are told.

mod alerts;
mod places;
mod silences;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_core::{Map, Value, map};
use brine_store::fs::Dir;
use parking_lot::Mutex;

use super::Core;
use crate::conf::Keys;
use crate::config::Config;
use crate::event::Event;
use crate::silence::{Kind, Silence, SilenceChange, Silences, Terms};
use crate::{Around, Deliver, Delivery, Labels, Matcher, Notice, Status};

/// Everything around the core.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) places: Mutex<BTreeMap<String, Labels>>,
    pub(super) absent: Mutex<BTreeSet<String>>,
    pub(super) disk: Mutex<Option<usize>>,
    pub(super) kept: Mutex<Vec<Event>>,
    pub(super) fired: Mutex<Vec<(String, Map)>>,
    pub(super) told: Mutex<Vec<Notice>>,
    pub(super) changes: Mutex<Vec<SilenceChange>>,
    pub(super) delivered: Mutex<Vec<Delivery>>,
}

impl Around for World {
    fn labels(&self, minion: &str) -> Labels {
        self.places.lock().get(minion).cloned().unwrap_or_default()
    }

    fn minions(&self) -> Vec<String> {
        self.places.lock().keys().cloned().collect()
    }

    fn is_accepted(&self, minion: &str) -> bool {
        self.places.lock().contains_key(minion)
    }

    fn is_absent(&self, minion: &str) -> bool {
        self.absent.lock().contains(minion)
    }

    fn disk(&self) -> Option<usize> {
        *self.disk.lock()
    }

    fn job_store(&self) -> Option<usize> {
        None
    }

    fn kept_since(&self, since: SystemTime) -> Vec<Event> {
        self.kept.lock().iter().filter(|event| event.at >= since).cloned().collect()
    }

    fn fire(&self, tag: &str, data: Map) {
        self.fired.lock().push((tag.to_owned(), data));
    }
}

impl Deliver for World {
    fn put(&self, notice: &Notice) {
        self.told.lock().push(notice.clone());
    }

    fn silence(&self, change: &SilenceChange) {
        self.changes.lock().push(change.clone());
    }

    fn deliveries(&self, _: &str) -> Vec<Delivery> {
        self.delivered.lock().clone()
    }

    fn meant(&self, _: &Notice) -> Vec<String> {
        vec!["pager".into(), "mail".into()]
    }
}

/// A core in a directory, and its time.
pub(super) struct Bench {
    pub(super) core: Core,
    pub(super) world: Arc<World>,
    pub(super) silences: Silences,
    pub(super) now: SystemTime,
    config: Config,
    tmp: tempfile::TempDir,
}

impl Bench {
    /// With this configuration of `alerts`, and minions `a1`, `a2`, `w1` and `w2` at the sites `akl` and `wlg`.
    pub(super) fn new(conf: Map) -> Self {
        let world = Arc::new(World::default());
        for minion in ["a1", "a2", "w1", "w2"] {
            let site = if minion.starts_with('a') { "akl" } else { "wlg" };
            let labels = Labels::from([("site".into(), site.into()), ("building".into(), "b".into())]);
            world.places.lock().insert(minion.into(), labels);
        }
        let value = Value::Map(conf);
        let mut keys = Keys::of(&value, "alerts").unwrap();
        let config = Config::read(&mut keys).unwrap();
        keys.end().unwrap();
        let tmp = tempfile::tempdir().unwrap();
        // Silences are set by the clock of the machine, so time begins there.
        let now = SystemTime::now();
        let (core, silences) = open(&config, &tmp, &world, now);
        Self { core, world, silences, now, config, tmp }
    }

    /// As after a restart of the master.
    pub(super) fn restart(&mut self) {
        self.core.flush();
        (self.core, self.silences) = open(&self.config, &self.tmp, &self.world, self.now);
    }

    /// Time passes, and what is due in it is done when it is due.
    pub(super) fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(due) = self.core.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.core.tick(self.now);
        }
        self.now = end;
        self.core.flush();
    }

    pub(super) fn event(&mut self, tag: &str, data: Map) {
        self.core.event(&Event { tag: tag.into(), data, at: self.now });
        self.core.tick(self.now);
        self.core.flush();
    }

    /// A return of `cmd.run`.
    pub(super) fn ret(&mut self, jid: u64, minion: &str, code: i64) {
        let data = map! {"id" => minion, "jid" => jid.to_string(), "fun" => "cmd.run", "retcode" => code, "return" => "x"};
        self.event(&format!("salt/job/{jid}/ret/{minion}"), data);
    }

    pub(super) fn connection(&mut self, minion: &str, absent: bool) {
        if absent {
            self.world.absent.lock().insert(minion.into());
        } else {
            self.world.absent.lock().remove(minion);
        }
        self.core.presence(minion, self.now);
        self.core.tick(self.now);
    }

    /// Sets a silence from now on.
    pub(super) fn silence(&mut self, kind: Kind, matchers: &[&str], seconds: u64) -> Silence {
        let matchers = matchers.iter().map(|text| Matcher::parse(text).unwrap()).collect();
        let mut silence = Silence::new(kind, matchers, Duration::from_secs(seconds), "ann").unwrap();
        silence.starts_at = self.now;
        silence.ends_at = self.now + Duration::from_secs(seconds);
        self.silences.set(silence.clone()).unwrap();
        self.core.silence(&[SilenceChange::Set(silence.clone())], self.now);
        silence
    }

    /// What was told since the last time: `+` or `-`, the name, and labels but `severity` and `building`. Without the watchdog.
    pub(super) fn told(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut *self.world.told.lock());
        told.iter().filter(|notice| notice.labels["alertname"] != "Watchdog").map(shown).collect()
    }
}

fn open(config: &Config, tmp: &tempfile::TempDir, world: &Arc<World>, now: SystemTime) -> (Core, Silences) {
    let dir = Dir::at(tmp.path().join("alerts"));
    let hear = world.clone();
    let told = move |change: &SilenceChange| hear.silence(change);
    let silences = Silences::open(dir.sub("silences").unwrap(), Terms::default(), told).unwrap();
    let core = Core::new(config, &dir, silences.clone(), world.clone(), world.clone(), now).unwrap();
    (core, silences)
}

fn shown(notice: &Notice) -> String {
    let hidden = |name: &str| matches!(name, "alertname" | "severity" | "building");
    let labels = notice.labels.iter().filter(|(name, _)| !hidden(name));
    let labels: String = labels.map(|(name, value)| format!(" {name}={value}")).collect();
    let again = if notice.annotations.contains_key("refired") { "!" } else { "" };
    let sign = if notice.status == Status::Firing { '+' } else { '-' };
    format!("{sign}{again}{}{labels}", notice.labels["alertname"])
}
