//! The schedule of this minion: sleeps until a job is due, runs it, and does what the functions of the module `schedule` ask
//! for. What is due when is decided in `brine_core::schedule`.

pub(super) mod host;
mod run;

use super::bus;
use super::state::Minion;
use crate::chance;
use brine_core::jid::JidSource;
use brine_core::schedule::{Due, Moment, SECOND, Schedule, World};
use brine_core::{Map, Opts, Value, map};
use brine_net::WallTimer;
use brine_render::schedule_conf;
use parking_lot::Mutex;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// Jobs that stock adds to see whether masters are there, and leaves in the file. This minion sees that otherwise.
const OF_STOCK: [&str; 2] = ["__master_alive", "__master_failback"];
/// The mine's own job.
const MINE: &str = "__mine_interval";

/// The schedule, and what is needed to serve it.
pub struct Scheduler {
    jobs: Mutex<Schedule>,
    pillar: Mutex<OfPillar>,
    changed: Notify,
    ready: Notify,
    jids: JidSource,
}

/// The pillar in use, and the master it came from.
#[derive(Default)]
struct OfPillar {
    master: Option<String>,
    pillar: Arc<Map>,
}

impl Scheduler {
    /// The schedule of the options.
    pub fn new(opts: &Opts) -> Self {
        let jobs = match opts.get("schedule") {
            Some(Value::Map(jobs)) => jobs.clone(),
            Some(Value::Nil) | None => Map::new(),
            Some(_) => {
                tracing::error!("Schedule must be of type dict.");
                Map::new()
            }
        };
        let mut jobs = Schedule::new(jobs);
        for prefix in OF_STOCK {
            jobs.delete_prefix(prefix);
        }
        let minutes = opts.float("grains_refresh_every").map_or(0.0, f64::abs);
        if minutes > 0.0 && !jobs.merged().contains("__update_grains") {
            jobs.add(map! { "__update_grains" => map! {
                "function" => "event.fire", "args" => vec![Value::from(Map::new()), "grains_refresh".into()],
                "minutes" => minutes as i64,
            }});
        }
        Self {
            jobs: Mutex::new(jobs),
            pillar: Mutex::default(),
            changed: Notify::new(),
            ready: Notify::new(),
            jids: JidSource::default(),
        }
    }

    /// The pillar that the schedule goes by.
    fn pillar(&self) -> Arc<Map> {
        self.pillar.lock().pillar.clone()
    }

    /// Takes a pillar that a master gave. Where several masters are in use, that of the first one counts; whether it is that.
    pub fn set_pillar(&self, minion: &Minion, master: &str, pillar: &Arc<Map>) -> bool {
        {
            let mut of = self.pillar.lock();
            let other = of.master.as_deref().filter(|m| *m != master);
            if other.is_some_and(|m| minion.attached().iter().any(|a| a.link.name() == m)) {
                return false;
            }
            *of = OfPillar { master: Some(master.to_owned()), pillar: pillar.clone() };
        }
        let jobs = match pillar.get("schedule") {
            Some(Value::Map(jobs)) => jobs.clone(),
            Some(Value::Nil) | None => Map::new(),
            Some(_) => {
                tracing::error!("Schedule must be of type dict.");
                return true;
            }
        };
        self.jobs.lock().set_pillar(jobs);
        // `whens` may have changed too.
        self.changed.notify_one();
        true
    }

    /// A master is ready for the first time: the schedule begins, and the mine is brought there.
    pub fn greet(&self, minion: &Arc<Minion>) {
        let opts = &minion.opts;
        let wanted = opts.get("mine_enabled").is_none_or(Value::truthy);
        let request = if wanted && minion.registry().get("mine.update").is_some() {
            let job = map! {
                "function" => "mine.update", "minutes" => opts.get("mine_interval").cloned().unwrap_or_else(|| 60.into()),
                "jid_include" => true, "maxrunning" => 2, "run_on_start" => true,
                "return_job" => opts.get("mine_return_job").cloned().unwrap_or_else(|| false.into()),
            };
            map! { "func" => "add", "name" => MINE, "schedule" => map! { MINE => job }, "persist" => true }
        } else {
            map! { "func" => "delete", "name" => MINE, "persist" => true }
        };
        manage(minion, &request);
        self.begin();
    }

    /// Jobs run from now on.
    pub fn begin(&self) {
        self.ready.notify_one();
    }

    /// The jobs that are due, and when to look again (microseconds after 1970).
    fn look(&self, minion: &Minion) -> (Vec<Due>, Option<i64>) {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
        let now = Moment::local(unix);
        let (pillar, grains) = (self.pillar(), minion.grains());
        let running = OnceCell::new();
        let count = |name: &str| {
            let list = running.get_or_init(|| minion.table.list());
            list.iter().filter(|job| job.get_str("schedule") == Some(name)).count() as i64
        };
        let mut world = World {
            loop_interval: loop_interval(&minion.opts),
            whens: [pillar.get("whens"), grains.get("whens")],
            running: &count,
            random: &mut chance::whole,
        };
        let mut jobs = self.jobs.lock();
        let due = jobs.eval(now, &mut world);
        let next = jobs.next_look(now, &world);
        (due, next.map(|moment| moment.to_unix(unix)))
    }
}

/// `loop_interval`, in microseconds: how late a job may be noticed.
fn loop_interval(opts: &Opts) -> i64 {
    (loop_seconds(opts) * SECOND as f64) as i64
}

/// `loop_interval`, in seconds.
pub(super) fn loop_seconds(opts: &Opts) -> f64 {
    opts.float("loop_interval").filter(|s| *s > 0.0 && *s < 86_400.0).unwrap_or(1.0)
}

/// Does what a request asks for, and fires the events that tell of it; returns the data of the one that answers.
pub(super) fn manage(minion: &Arc<Minion>, request: &Map) -> Option<Map> {
    let this = &minion.schedule;
    let (asked, to_save) = {
        let mut jobs = this.jobs.lock();
        let asked = jobs.manage(request);
        let to_save = asked.save.then(|| jobs.to_save());
        (asked, to_save)
    };
    if let Some(to_save) = to_save {
        let path = schedule_conf::path(&minion.opts);
        if let Err(e) = schedule_conf::write(&path, &to_save, true) {
            tracing::error!("Failed to persist the updated schedule in {}: {e}", path.display());
        }
    }
    for (tag, data) in &asked.events {
        bus::tell(minion, tag, data.clone());
    }
    if let Some(due) = asked.run {
        run_now(minion, due);
    }
    if asked.changed {
        this.changed.notify_one();
    }
    asked.events.into_iter().last().map(|(_, data)| data)
}

/// `schedule.run_job`: not by the clock, but not more often at once than the job allows either.
fn run_now(minion: &Arc<Minion>, due: Due) {
    let most = due.data.get("maxrunning").and_then(Value::as_int).unwrap_or(1);
    let list = minion.table.list();
    let running = list.iter().filter(|job| job.get_str("schedule") == Some(&due.name)).count() as i64;
    if running > 0 && running >= most && due.data.get("jid_include").is_none_or(Value::truthy) {
        tracing::info!("The scheduled job {} was not started, {most} already running", due.name);
        return;
    }
    drop(run::start(minion, due));
}

/// Serves the schedule for ever.
pub(super) async fn serve(minion: Arc<Minion>) {
    let this = &minion.schedule;
    this.ready.notified().await;
    let timer = WallTimer::new();
    let beside = minion.opts.get("run_schedule_jobs_in_background").is_none_or(Value::truthy);
    loop {
        let (due, next) = this.look(&minion);
        for job in due {
            let over = run::start(&minion, job);
            if !beside {
                // The sender is dropped where the job could not be started.
                let _ = over.await;
            }
        }
        tokio::select! {
            () = this.changed.notified() => {}
            () = timer.until(next) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_noticed_within_the_loop_interval() {
        assert_eq!(loop_interval(&Opts::new(map! {"loop_interval" => 7})), 7 * SECOND);
        assert_eq!(loop_interval(&Opts::new(map! {"loop_interval" => 0})), SECOND);
    }
}
