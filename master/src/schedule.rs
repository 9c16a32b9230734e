//! The master's own schedule: runners that run by the clock, from the option `schedule`. What is due when is decided in
//! `brine_core::schedule`; the master sleeps until then.
//!
//! What a job returns is shown on the event bus under `__schedule_return`, and kept nowhere, as in stock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use brine_core::call::{Args, CallError, Cx, JobContext};
use brine_core::schedule::{Due, Moment, Schedule, World};
use brine_core::{Map, Opts, Value, map};
use brine_net::WallTimer;
use brine_runners::Kind;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::master::Master;

/// How many jobs of a name run now.
type Running = Arc<Mutex<HashMap<String, i64>>>;

/// Serves the schedule for ever; ends at once if there is none.
pub async fn run(master: Arc<Master>) {
    let opts = &master.config.opts;
    let mut schedule = match opts.get("schedule") {
        Some(Value::Map(jobs)) if !jobs.is_empty() => Schedule::new(jobs.clone()),
        Some(other) if other.truthy() => {
            tracing::error!("Schedule must be of type dict.");
            return;
        }
        _ => return,
    };
    let beside = opts.get("run_schedule_jobs_in_background").is_none_or(Value::truthy);
    let running = Running::default();
    let timer = WallTimer::new();
    loop {
        let (due, next) = look(&mut schedule, &master, &running);
        for job in due {
            let over = start(&master, &running, job);
            if !beside {
                // The sender is dropped where the job did not run.
                let _ = over.await;
            }
        }
        timer.until(next).await;
    }
}

/// The jobs that are due, and when to look again (microseconds after 1970).
fn look(schedule: &mut Schedule, master: &Master, running: &Running) -> (Vec<Due>, Option<i64>) {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
    let now = Moment::local(unix);
    let mut world = World {
        loop_interval: master.config.upkeep.interval.as_micros() as i64,
        whens: [None, None],
        running: &|name| running.lock().get(name).copied().unwrap_or(0),
        random: &mut random,
    };
    let due = schedule.eval(now, &mut world);
    let next = schedule.next_look(now, &world);
    (due, next.map(|moment| moment.to_unix(unix)))
}

/// A random number between two, both included. Without random bytes from the system: the lower one.
fn random(low: i64, high: i64) -> i64 {
    let mut bytes = [0; 4];
    let drawn = getrandom::fill(&mut bytes).map_or(0, |()| i64::from(u32::from_le_bytes(bytes)));
    low + drawn % (high - low + 1).max(1)
}

/// A place among the running jobs, given back when it is dropped.
struct Place(Running, String);

impl Place {
    fn take(running: &Running, name: &str) -> Self {
        *running.lock().entry(name.to_owned()).or_default() += 1;
        Self(running.clone(), name.to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(count) = self.0.lock().get_mut(&self.1) {
            *count -= 1;
        }
    }
}

fn start(master: &Arc<Master>, running: &Running, due: Due) -> oneshot::Receiver<()> {
    let (done, over) = oneshot::channel();
    if due.is_dry() {
        tracing::debug!("Job {} has 'dry_run' set to True. Not running it.", due.name);
        return over;
    }
    let jid = master.new_jid().as_str().to_owned();
    due.announce(&jid);
    let place = due.is_listed().then(|| Place::take(running, &due.name));
    let (master, runtime) = (master.clone(), Handle::current());
    tokio::task::spawn_blocking(move || {
        work(&master, runtime, &due, &jid);
        drop(place);
        // Nobody may wait for it.
        let _ = done.send(());
    });
    over
}

fn work(master: &Arc<Master>, runtime: Handle, due: &Due, jid: &str) {
    let opts: &Opts = &master.config.opts;
    let id = match opts.str("id") {
        "" => "master",
        id => id,
    };
    let mut ret = due.begin(id, jid);
    let user = opts.str("user").to_owned();
    let host = crate::runs::host(master, runtime, user.clone());
    let mut cx = Cx::new(master.runs.opts().clone(), master.runs.registry(Kind::Runner).clone(), host);
    let tag = format!("salt/scheduler/{jid}");
    cx.job = Arc::new(JobContext::new(map! { "jid" => jid, "user" => user, "tag" => tag }));
    let outcome = call(&cx, due, &ret);
    let worked = outcome.is_ok();
    due.finish(&mut ret, outcome, cx.job.context("retcode"));
    let returners = due.returners(opts.get("schedule_returner"));
    if worked && !returners.is_empty() {
        due.returner_options(&mut ret);
        if let Err(e) = brine_returners::give_scheduled(&cx, &returners, &due.fun(), &ret) {
            due.returner_failed(&mut ret, &e);
        }
    }
    if let Some(ret) = due.to_give(ret, !returners.is_empty()) {
        let mut load = map! { "cmd" => "_return", "id" => id };
        load.update(ret);
        master.events.fire("__schedule_return", load);
    }
}

fn call(cx: &Cx, due: &Due, ret: &Map) -> Result<Value, CallError> {
    let fun = due.fun();
    let function = cx.registry.get(&fun).copied().ok_or_else(|| cx.registry.missing(&fun))?;
    let args: Args = due.args(&function, ret);
    let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cx.call(&fun, args)));
    called.unwrap_or_else(|_| Err(CallError::exception("RuntimeError", format!("{fun} panicked"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_stay_between() {
        for _ in 0..100 {
            assert!((3..=5).contains(&random(3, 5)));
        }
        assert_eq!(random(4, 4), 4);
    }

    #[test]
    fn a_place_is_given_back() {
        let running = Running::default();
        let place = Place::take(&running, "a");
        assert_eq!(running.lock().get("a"), Some(&1));
        drop(place);
        assert_eq!(running.lock().get("a"), Some(&0));
    }
}
