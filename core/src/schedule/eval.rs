//! One look at every job: which are due now.

use super::job::{self, TIME_ELEMENTS};
use super::moment::{Moment, SECOND};
use super::{Schedule, Settings, limits, times};
use crate::text::python_str;
use brine_protocol::{Map, Value};

/// What evaluation is told of the world around it.
pub struct World<'a> {
    /// How late a job may be noticed, in microseconds: the option `loop_interval`.
    pub loop_interval: i64,
    /// Names for times that `when` may use: `whens` of pillar and of grains.
    pub whens: [Option<&'a Value>; 2],
    /// How many jobs of that scheduled name run now.
    pub running: &'a dyn Fn(&str) -> i64,
    /// A random number between two, both included.
    pub random: &'a mut dyn FnMut(i64, i64) -> i64,
}

/// A job that is to run now.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Its name.
    pub name: String,
    /// The function it calls; None where the job names none.
    pub function: Option<String>,
    /// Its definition and state.
    pub data: Map,
    /// Seconds it is late; 0 or less if it is not.
    pub late: i64,
}

/// The look at one job.
pub(super) struct Turn<'a> {
    pub(super) now: Moment,
    pub(super) loop_interval: i64,
    pub(super) settings: &'a Settings,
    pub(super) run: bool,
    pub(super) function: Option<String>,
}

/// State of the last look only.
const CLEARED: [&str; 6] = ["_continue", "_error", "_enabled", "_skipped", "_skip_reason", "_skipped_time"];

impl Schedule {
    /// The jobs that are due at a moment. Their state is brought up to it.
    pub fn eval(&mut self, now: Moment, world: &mut World<'_>) -> Vec<Due> {
        self.note_settings();
        let settings = self.settings.clone();
        let mut due = Vec::new();
        for key in self.names() {
            let name = python_str(&key);
            let Some(data) = self.data_mut(&key) else {
                tracing::error!("Scheduled job \"{name}\" should have a dict value");
                continue;
            };
            let mut turn = Turn {
                now,
                loop_interval: world.loop_interval,
                settings: &settings,
                run: false,
                function: None,
            };
            due.extend(look(data, &name, &mut turn, world));
        }
        due
    }
}

fn look(data: &mut Map, key: &str, turn: &mut Turn<'_>, world: &mut World<'_>) -> Option<Due> {
    for item in CLEARED {
        data.remove(item);
    }
    let name = python_str(data.entry_or("name", || key.into()));
    turn.function = job::function(data);
    data.entry_or("_next_fire_time", || Value::Nil);
    data.entry_or("_splay", || Value::Nil);
    if job::flag(data, "run_on_start") && !data.contains("_run_on_start") {
        data.insert("_run_on_start", true);
    }
    if job::is_ambiguous(data) {
        tracing::error!("Unable to use \"when\", \"cron\", \"once\" options together. Ignoring.");
        return None;
    }
    if data.contains("run_explicit") {
        times::run_explicit(data, turn);
    }
    if TIME_ELEMENTS.iter().any(|(k, _)| data.contains(k)) {
        times::time_elements(data, &name, turn.now);
    } else if data.contains("once") {
        times::once(data, &name, turn);
    } else if data.contains("when") {
        times::when(data, &name, turn, world);
    } else if data.contains("cron") {
        times::cron(data, &name, turn.now);
    } else {
        return None;
    }
    if job::flag(data, "_continue") || job::flag(data, "_error") {
        return None;
    }
    let late = is_due(data, turn, world)?;
    if job::flag(data, "_run_on_start") {
        turn.run = true;
        data.insert("_run_on_start", false);
    } else if turn.run {
        limits::ask(data, &name, turn).ok()?;
    }
    if !turn.settings.enabled || data.get("enabled").is_some_and(|v| !v.truthy()) {
        tracing::trace!("Job: {name} is disabled");
        job::skip(data, "disabled", turn.now);
        turn.run = false;
    }
    if turn.run {
        turn.run = is_free(data, &name, turn.now, world);
    }
    let due = turn.run.then(|| Due { name, function: turn.function.take(), data: data.clone(), late });
    settle(data, turn);
    due
}

/// Seconds that the job is late (negative: early), with `turn.run` set if it is its time.
fn is_due(data: &mut Map, turn: &mut Turn<'_>, world: &mut World<'_>) -> Option<i64> {
    let now = turn.now;
    let next = job::moment(data, "_next_fire_time")?;
    let mut left = (next.whole().micros() - now.whole().micros()) / SECOND;
    data.entry_or("splay", || turn.settings.splay.clone());
    if job::flag(data, "splay") {
        left = splay(data, left, next, turn, world);
    }
    let next = job::moment(data, "_next_fire_time")?;
    let within = next <= now && now <= next.plus(turn.loop_interval);
    // A look may come twice within one second; a time must not.
    let fresh = job::moment(data, "_last_run").is_none_or(|last| last < next);
    if data.contains("_seconds") {
        turn.run |= left <= 0;
    } else if data.contains("when") && job::flag(data, "_run") {
        if within {
            data.insert("_run", false);
            turn.run = true;
        }
    } else if data.contains("cron") {
        if left <= 0 {
            data.insert("_next_fire_time", Value::Nil);
            turn.run = true;
        }
    } else if data.contains("once") {
        turn.run |= within && fresh;
    } else if left == 0 && next <= now && fresh {
        turn.run = true;
    }
    Some(-left)
}

/// Puts a time off by a random number of seconds; returns the seconds left.
fn splay(data: &mut Map, mut left: i64, next: Moment, turn: &mut Turn<'_>, world: &mut World<'_>) -> i64 {
    if job::moment(data, "_splay").is_none() {
        let Some(seconds) = data.get("splay").and_then(|s| draw(s, world)) else {
            tracing::error!(
                "schedule.handle_func: Invalid Splay, end must be larger than start. Ignoring splay."
            );
            return left;
        };
        let put_off = next.plus(job::micros(seconds));
        if turn.now < put_off {
            job::set_moment(data, "_splay", Some(put_off));
            if data.contains("when") {
                data.insert("_run", true);
            }
        } else {
            turn.run = true;
        }
    }
    if let Some(put_off) = job::moment(data, "_splay") {
        // Rounded away from zero, so that zero is the very moment and not the second around it.
        let micros = put_off.micros() - turn.now.micros();
        left = if micros > 0 { (micros + SECOND - 1) / SECOND } else { micros / SECOND };
        if data.contains("when") {
            job::set_moment(data, "_next_fire_time", Some(put_off));
        }
    }
    left
}

fn draw(splay: &Value, world: &mut World<'_>) -> Option<i64> {
    let (start, end) = match splay {
        Value::Map(map) => (job::int(map.get("start")?)?, job::int(map.get("end")?)?),
        other => (1, job::int(other)?),
    };
    (start <= end).then(|| (world.random)(start, end))
}

/// Whether fewer than `maxrunning` of this job run.
fn is_free(data: &mut Map, name: &str, now: Moment, world: &World<'_>) -> bool {
    data.insert("run", true);
    if data.get("jid_include").is_some_and(|v| !v.truthy()) {
        return true;
    }
    data.insert("jid_include", true);
    let most = job::int(data.entry_or("maxrunning", || 1.into())).unwrap_or(1);
    let running = (world.running)(name);
    if running == 0 || running < most {
        return true;
    }
    tracing::debug!("schedule.handle_func: The scheduled job {name} was not started, {most} already running");
    job::skip(data, "maxrunning", now);
    data.insert("run", false);
    false
}

/// What a run, or that it was skipped, means for the next time.
fn settle(data: &mut Map, turn: &Turn<'_>) {
    if turn.run {
        job::set_moment(data, "_last_run", Some(turn.now));
        data.insert("_splay", Value::Nil);
    }
    let Some(seconds) = data.get("_seconds").and_then(job::int) else { return };
    let over = job::moment(data, "_next_fire_time").is_none_or(|next| next <= turn.now);
    let again = if job::flag(data, "_skipped") { over } else { turn.run };
    if again {
        job::set_moment(data, "_next_fire_time", Some(turn.now.plus(job::micros(seconds))));
    }
}
