//! When each beacon has its turn, and what comes of it.
//!
//! Stock looks at everything each `loop_interval` and counts; here each beacon has a time, and whoever serves them sleeps until the
//! next one. The times are the same: without `interval` each `loop_interval`, else each `interval`, rounded up to whole loops.

use crate::{Beacon, Kept, find, missing};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Every configured beacon with what it keeps.
pub struct Turns {
    held: HashMap<String, Held>,
    tick: Duration,
    /// When the first loop is, or was.
    first: Instant,
}

/// What came of a round of turns.
#[derive(Default)]
pub struct Round {
    /// What happened, as it is sent to the master: `tag`, `data`, `beacon_name`.
    pub events: Vec<Map>,
    /// Beacons that were to run once, and have.
    pub spent: Vec<String>,
    /// When to look again; never, if there is nothing to look at.
    pub next: Option<Instant>,
}

/// One configured beacon.
struct Held {
    config: Value,
    /// Its configuration is to be looked at, whether it is another one or not.
    stale: bool,
    /// None: it cannot run, for reasons that were logged.
    ready: Option<Ready>,
    kept: Kept,
    /// When its interval began.
    since: Instant,
}

struct Ready {
    beacon: &'static Beacon,
    /// The configuration, without what was taken care of.
    config: Vec<Value>,
    every: Option<f64>,
    once: bool,
    not_in_state_runs: bool,
    spent: bool,
}

impl Turns {
    /// Nothing is held yet. The first loop is at this time, then each `loop_interval`.
    pub fn new(first: Instant, loop_interval: Duration) -> Self {
        Self { held: HashMap::new(), tick: loop_interval.max(Duration::from_millis(1)), first }
    }

    /// Every configuration is looked at anew at the next round; what beacons keep stays.
    pub fn refresh(&mut self) {
        for held in self.held.values_mut() {
            held.stale = held.ready.as_ref().is_none_or(|ready| !ready.spent);
        }
    }

    /// Lets go of what is no longer wanted, and gives what is due its turn.
    pub fn round(&mut self, cx: &Cx, config: &Map, now: Instant) -> Round {
        let mut round = Round::default();
        let off = config.get("enabled").is_some_and(|enabled| !enabled.truthy());
        let wanted: Vec<(String, Value)> = config
            .iter()
            .filter(|(name, _)| !off && name.as_str() != Some("enabled"))
            .filter_map(|(name, config)| Some((python_str(name), if_enabled(config)?)))
            .collect();
        self.held.retain(|held, _| wanted.iter().any(|(name, _)| name == held));
        for (name, config) in wanted {
            self.turn(cx, name, config, now, &mut round);
        }
        round
    }

    fn turn(&mut self, cx: &Cx, name: String, config: Value, now: Instant, round: &mut Round) {
        let first = now.max(self.first);
        let tick = self.tick;
        let mut new = false;
        let held = self.held.entry(name.clone()).or_insert_with(|| {
            new = true;
            Held { config: Value::Nil, stale: true, ready: None, kept: Kept::default(), since: first }
        });
        if held.stale || held.config != config {
            let ready = Ready::new(cx, &name, &config);
            let kind = |ready: &Option<Ready>| ready.as_ref().map(|ready| ready.beacon.name);
            if kind(&held.ready) != kind(&ready) {
                held.kept.close();
            }
            if new && ready.as_ref().is_some_and(|ready| ready.every.is_none()) {
                // One without an interval is due at the loop itself.
                held.since = first.checked_sub(tick).unwrap_or(first);
            }
            *held =
                Held { config, stale: false, ready, kept: std::mem::take(&mut held.kept), since: held.since };
        }
        let Some(ready) = held.ready.as_mut().filter(|ready| !ready.spent) else { return };
        let period = period(ready.every, tick);
        let due = held.since + period;
        let next = if now < due {
            due
        } else {
            // One that is late does not have its turns in a burst.
            held.since = if now < due + period { due } else { now };
            held.since + period
        };
        if now >= due {
            ready.go(cx, &name, &mut held.kept, round);
        }
        if !ready.spent {
            round.next = Some(round.next.map_or(next, |earlier| earlier.min(next)));
        }
    }
}

/// How long a beacon waits: its interval, rounded up to whole loops.
fn period(every: Option<f64>, tick: Duration) -> Duration {
    let loops = every.map_or(1.0, |seconds| (seconds / tick.as_secs_f64()).ceil().clamp(1.0, 1e9));
    Duration::try_from_secs_f64(tick.as_secs_f64() * loops).unwrap_or(Duration::MAX / 4)
}

/// The configuration without the word whether it is enabled; `None` if it is not.
fn if_enabled(config: &Value) -> Option<Value> {
    let mut config = config.clone();
    let enabled = match &mut config {
        Value::Map(map) => map.remove("enabled"),
        Value::List(list) => {
            let last = list.iter().rev().find_map(|item| item.get("enabled")).cloned();
            take(list, "enabled");
            last
        }
        _ => None,
    };
    enabled.is_none_or(|enabled| enabled.truthy()).then_some(config)
}

/// Takes the first entry out that has a key.
fn take(list: &mut Vec<Value>, key: &str) {
    if let Some(at) = list.iter().position(|item| item.get(key).is_some()) {
        list.remove(at);
    }
}

/// Checks a configuration by the beacon that it is for.
pub(crate) fn check(cx: &Cx, beacon: &Beacon, config: &Value) -> std::result::Result<(), String> {
    (beacon.validate)(cx, config).map_err(|e| match e {
        CallError::Exception { .. } => e.to_string(),
        other => other.text(),
    })
}

impl Ready {
    fn new(cx: &Cx, name: &str, config: &Value) -> Option<Self> {
        let options = match config {
            Value::List(list) => crate::config::merged(list).unwrap_or_default(),
            Value::Map(map) => map.clone(),
            _ => Map::new(),
        };
        let given = |key: &str| options.get(key).filter(|value| value.truthy());
        let kind = given("beacon_module").and_then(Value::as_str).unwrap_or(name);
        if let Some(why) = missing(cx, kind) {
            tracing::error!("Unable to load {kind} beacon: {why}");
            tracing::warn!("Unable to process beacon {name}");
            return None;
        }
        let beacon = find(kind)?;
        if let Err(comment) = check(cx, beacon, config) {
            tracing::error!("Beacon {name} configuration invalid, not running.\n{comment}");
            return None;
        }
        let every = match given("interval").map(crate::config::float).transpose() {
            Ok(every) => every.filter(|seconds| *seconds > 0.0),
            Err(e) => {
                tracing::error!("Beacon {name} configuration invalid, not running.\ninterval: {}", e.text());
                return None;
            }
        };
        let mut list = config.as_list()?.to_vec();
        list.push(map! { "_beacon_name" => name }.into());
        for option in ["interval", "disable_during_state_run"] {
            if given(option).is_some() {
                take(&mut list, option);
            }
        }
        Some(Self {
            beacon,
            config: list,
            every,
            once: given("run_once").is_some(),
            not_in_state_runs: given("disable_during_state_run").is_some(),
            spent: false,
        })
    }

    fn go(&mut self, cx: &Cx, name: &str, kept: &mut Kept, round: &mut Round) {
        let states_run = || {
            let is_state = |job: &Map| job.get_str("fun").is_some_and(|fun| fun.starts_with("state"));
            cx.host.running().iter().any(is_state)
        };
        if self.not_in_state_runs && states_run() {
            tracing::info!("Skipping beacon {name}. State run in progress.");
            if self.beacon.lets_go {
                kept.close();
            }
            return;
        }
        let told = (self.beacon.look)(cx, &self.config, kept).and_then(|told| {
            told.into_iter().map(|data| event(cx, name, self.beacon.name, data)).collect::<Result<Vec<_>>>()
        });
        match told {
            Ok(events) => {
                round.events.extend(events);
                if self.once {
                    self.spent = true;
                    kept.close();
                    round.spent.push(name.to_owned());
                }
            }
            Err(e) => {
                let error = e.text();
                tracing::error!("Unable to start {name} beacon, {error}");
                round.events.push(map! {
                    "tag" => tag(cx, name, ""), "error" => error, "data" => Map::new(),
                    "beacon_name" => self.beacon.name,
                });
            }
        }
    }
}

fn tag(cx: &Cx, name: &str, more: &str) -> String {
    format!("salt/beacon/{}/{name}/{more}", cx.opts.str("id"))
}

fn event(cx: &Cx, name: &str, kind: &str, mut data: Map) -> Result<Map> {
    let more = match data.remove("tag") {
        None => String::new(),
        Some(Value::Str(more)) => more,
        Some(other) => {
            let text = format!("can only concatenate str (not \"{}\") to str", python_type(&other));
            return Err(CallError::exception("TypeError", text));
        }
    };
    data.entry_or("id", || cx.opts.str("id").into());
    Ok(map! { "tag" => tag(cx, name, &more), "data" => data, "beacon_name" => kind })
}

/// What runs, of the options' beacons and the pillar's: those of the pillar, if it has any, else those of the options, as stock
/// has it.
pub fn in_force(cx: &Cx, opts: Map) -> Map {
    let off = opts.get("enabled").is_some_and(|enabled| !enabled.truthy());
    let args = Args::positional([Value::from("beacons"), opts.into()]).with("omit_opts", true);
    let mut all = match cx.call("config.merge", args) {
        Ok(Value::Map(all)) => all,
        Ok(_) => {
            tracing::error!("Beacons must be of type dict.");
            Map::new()
        }
        Err(e) => {
            tracing::error!("beacons do not run: {e}");
            Map::new()
        }
    };
    // `beacons.disable` is for all of them.
    if off {
        all.insert("enabled", false);
    }
    all
}
