//! Requests to change or show the schedule, as the functions of the module `schedule` send them on the daemon's event bus
//! under the tag `manage_schedule`: `func`, `name` and what it needs.

use super::job::{self, ISO};
use super::{Due, Schedule};
use brine_protocol::{Map, Value, map};

/// What is to be done after a request.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// Events to fire: tag and data. The last one is the answer.
    pub events: Vec<(&'static str, Map)>,
    /// The schedule is to be written to `_schedule.conf`.
    pub save: bool,
    /// A job to run now.
    pub run: Option<Due>,
    /// Jobs have changed.
    pub changed: bool,
}

const DELETED: &str = "/salt/minion/minion_schedule_delete_complete";

/// The tag of the event that answers a request; None for those that are not answered.
pub fn reply_tag(func: &str) -> Option<&'static str> {
    Some(match func {
        "delete" => DELETED,
        "add" => "/salt/minion/minion_schedule_add_complete",
        "enable" => "/salt/minion/minion_schedule_enabled_complete",
        "disable" => "/salt/minion/minion_schedule_disabled_complete",
        "enable_job" => "/salt/minion/minion_schedule_enabled_job_complete",
        "disable_job" => "/salt/minion/minion_schedule_disabled_job_complete",
        "postpone_job" => "/salt/minion/minion_schedule_postpone_job_complete",
        "skip_job" => "/salt/minion/minion_schedule_skip_job_complete",
        "list" => "/salt/minion/minion_schedule_list_complete",
        "save_schedule" => "/salt/minion/minion_schedule_saved",
        "get_next_fire_time" => "/salt/minion/minion_schedule_next_fire_time_complete",
        "job_status" => "/salt/minion/minion_schedule_job_status_complete",
        _ => return None,
    })
}

impl Schedule {
    /// Does what a request asks for. What a request cannot mean is logged and changes nothing.
    pub fn manage(&mut self, request: &Map) -> Asked {
        let func = request.get_str("func").unwrap_or("");
        let name = request.get_str("name").unwrap_or("");
        let schedule = request.get("schedule").and_then(Value::as_map);
        let mut asked = Asked { save: job::flag(request, "persist"), changed: true, ..Asked::default() };
        match (func, schedule) {
            ("add", Some(schedule)) => {
                if !self.add(schedule.clone()) {
                    return Asked::default();
                }
            }
            ("delete", _) => self.delete(name),
            ("modify", Some(schedule)) => {
                if !self.modify(name, schedule.clone(), &mut asked) {
                    return Asked::default();
                }
            }
            ("enable" | "disable", _) => drop(self.opts.insert("enabled", func == "enable")),
            ("enable_job" | "disable_job", _) => {
                self.change(name, |data| drop(data.insert("enabled", func == "enable_job")));
            }
            ("postpone_job" | "skip_job", _) => self.put_off(name, request),
            ("reload", Some(schedule)) => {
                let inner = schedule.get("schedule").and_then(Value::as_map).unwrap_or(schedule);
                self.opts.update(inner.clone());
                asked.save = false;
            }
            ("run_job", _) => {
                asked = Asked { run: Some(self.run_now(name)), ..Asked::default() };
            }
            ("save_schedule", _) => asked = Asked { save: true, ..Asked::default() },
            ("list" | "get_next_fire_time" | "job_status", _) => asked = Asked::default(),
            _ => {
                tracing::error!("Function \"{func}\" is unavailable in salt.utils.scheduler");
                return Asked::default();
            }
        }
        if let Some(tag) = reply_tag(func) {
            asked.events.push((tag, self.answer(func, name, request)));
        }
        asked
    }

    fn answer(&self, func: &str, name: &str, request: &Map) -> Map {
        let job = || self.opts.get(name).or_else(|| self.pillar.get(name)).and_then(Value::as_map);
        match func {
            "save_schedule" => map! { "complete" => true },
            "get_next_fire_time" => {
                let next = job().and_then(|data| job::moment(data, "_next_fire_time"));
                map! { "complete" => true, "next_fire_time" => next.map(|m| m.strftime(ISO)) }
            }
            "job_status" => map! { "complete" => true, "data" => job().cloned().unwrap_or_default() },
            "list" => {
                let schedule = match request.get_str("where") {
                    Some("pillar") => self.pillar.clone(),
                    Some("opts") => self.opts.clone(),
                    _ => self.merged(),
                };
                map! { "complete" => true, "schedule" => schedule }
            }
            _ => map! { "complete" => true, "schedule" => self.merged() },
        }
    }

    /// Adds one job, or replaces it. False: that is none.
    pub fn add(&mut self, mut job: Map) -> bool {
        let Some(name) =
            job.keys().next().and_then(Value::as_str).map(str::to_owned).filter(|_| job.len() == 1)
        else {
            tracing::error!("You can only schedule one new job at a time.");
            return false;
        };
        let Some(Value::Map(data)) = job.get_mut(&name) else {
            tracing::error!("Scheduled jobs have to be of type dict.");
            return false;
        };
        data.entry_or("enabled", || true.into());
        if self.in_pillar(&name) {
            tracing::warn!("Cannot update job {name}, it's in the pillar!");
        } else {
            tracing::info!("Added new job {name} to scheduler");
            self.opts.update(job);
        }
        true
    }

    fn delete(&mut self, name: &str) {
        if self.opts.remove(name).is_none() && self.in_pillar(name) {
            tracing::warn!("Cannot delete job {name}, it's in the pillar!");
        }
    }

    /// Removes every job of the options whose name begins so. Returns whether there was any.
    pub fn delete_prefix(&mut self, prefix: &str) -> bool {
        let before = self.opts.len();
        self.opts.retain(|name, _| !name.as_str().is_some_and(|n| n.starts_with(prefix)));
        self.opts.len() < before
    }

    fn modify(&mut self, name: &str, definition: Map, asked: &mut Asked) -> bool {
        if self.in_opts(name) {
            self.delete(name);
            asked.events.push((DELETED, map! { "complete" => true, "schedule" => self.merged() }));
        } else if self.in_pillar(name) {
            tracing::warn!("Cannot modify job {name}, it's in the pillar!");
            return false;
        }
        self.opts.insert(name, definition);
        true
    }

    /// Changes one job of the options.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Map)) {
        let in_pillar = self.in_pillar(name);
        match self.opts.get_mut(name) {
            Some(Value::Map(data)) => change(data),
            _ if in_pillar => tracing::warn!("Cannot modify job {name}, it's in the pillar!"),
            _ => {}
        }
    }

    /// A job is skipped at a time; where there is a new time, it runs then.
    fn put_off(&mut self, name: &str, request: &Map) {
        let format = request.get("time_fmt").cloned().unwrap_or_else(|| ISO.into());
        let entry =
            |time: &Value| -> Value { map! { "time" => time.clone(), "time_fmt" => format.clone() }.into() };
        let add = |data: &mut Map, key: &str, time: Option<&Value>| {
            if let Some(time) = time
                && let Value::List(list) = data.entry_or(key, || Value::List(Vec::new()))
            {
                list.push(entry(time));
            }
        };
        let postponed = request.get_str("func") == Some("postpone_job");
        self.change(name, |data| {
            add(data, "skip_explicit", request.get("time"));
            if postponed {
                add(data, "run_explicit", request.get("new_time"));
            }
        });
    }

    /// A job at once, whatever its time.
    fn run_now(&mut self, name: &str) -> Due {
        let mut nothing = Map::new();
        let data = self.data_mut(&name.into()).unwrap_or(&mut nothing);
        data.entry_or("name", || name.into());
        data.entry_or("run", || true.into());
        Due { name: name.to_owned(), function: job::function(data), data: data.clone(), late: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str) -> Map {
        map! { "func" => "add", "name" => name, "persist" => true,
        "schedule" => map! { name => map! { "function" => "test.ping", "seconds" => 5 } } }
    }

    fn ask(schedule: &mut Schedule, func: &str, name: &str) -> Asked {
        schedule.manage(&map! { "func" => func, "name" => name, "persist" => true })
    }

    #[test]
    fn jobs_come_and_go() {
        let mut schedule = Schedule::default();
        let asked = schedule.manage(&add("a"));
        assert!(asked.save && asked.changed);
        let (tag, data) = &asked.events[0];
        assert_eq!(*tag, "/salt/minion/minion_schedule_add_complete");
        let job = data.get("schedule").and_then(|s| s.get("a")).unwrap();
        assert_eq!(job.get("enabled"), Some(&true.into()));
        ask(&mut schedule, "disable_job", "a");
        assert_eq!(schedule.merged().get("a").unwrap().get("enabled"), Some(&false.into()));
        ask(&mut schedule, "disable", "");
        assert_eq!(schedule.merged().get("enabled"), Some(&false.into()));
        let asked =
            schedule.manage(&map! { "func" => "modify", "name" => "a", "schedule" => map! { "hours" => 1 } });
        assert!(!asked.save);
        assert_eq!(asked.events[0].0, DELETED);
        assert_eq!(schedule.merged().get("a"), Some(&map! { "hours" => 1 }.into()));
        ask(&mut schedule, "delete", "a");
        assert!(!schedule.merged().contains("a"));
        assert_eq!(ask(&mut schedule, "no_such", "a"), Asked::default());
        assert_eq!(schedule.manage(&map! { "func" => "add", "schedule" => Map::new() }), Asked::default());
    }

    #[test]
    fn the_pillar_s_jobs_are_the_pillar_s() {
        let mut schedule = Schedule::default();
        let pillar = |seconds: i64| map! { "p" => map! { "function" => "f", "seconds" => seconds } };
        assert!(schedule.set_pillar(pillar(5)));
        assert!(!schedule.set_pillar(pillar(5)));
        schedule.pillar.get_mut("p").and_then(Value::as_map_mut).unwrap().insert("_seconds", 5);
        for func in ["delete", "disable_job", "modify"] {
            ask(&mut schedule, func, "p");
        }
        schedule.manage(&add("p"));
        assert!(schedule.opts.is_empty());
        let mut more = pillar(5);
        more.insert("q", map! { "hours" => 1 });
        schedule.set_pillar(more);
        assert!(schedule.merged().get("p").unwrap().get("_seconds").is_some(), "state is kept");
        schedule.set_pillar(pillar(6));
        assert!(schedule.merged().get("p").unwrap().get("_seconds").is_none());
        assert!(!schedule.merged().contains("q"));
    }

    #[test]
    fn what_is_saved_has_no_state() {
        let mut schedule =
            Schedule::new(map! { "a" => map! { "hours" => 1, "_seconds" => 3600 }, "enabled" => true });
        schedule.set_pillar(map! { "p" => map! { "hours" => 1 } });
        assert_eq!(schedule.to_save(), map! { "a" => map! { "hours" => 1 }, "enabled" => true });
    }

    #[test]
    fn a_postponed_job_has_both_times() {
        let mut schedule = Schedule::new(map! { "a" => map! { "hours" => 1 } });
        schedule.manage(&map! { "func" => "postpone_job", "name" => "a", "time" => "1", "new_time" => "2", "time_fmt" => "%H" });
        let merged = schedule.merged();
        let entry = |time: &str| Value::List(vec![map! { "time" => time, "time_fmt" => "%H" }.into()]);
        assert_eq!(merged.get("a").unwrap().get("skip_explicit"), Some(&entry("1")));
        assert_eq!(merged.get("a").unwrap().get("run_explicit"), Some(&entry("2")));
    }
}
