//! When to look again: the next moment at which a look could find something else than the last one did. Nothing is polled.

use super::job::{self, TIME_ELEMENTS};
use super::moment::{DAY, Moment};
use super::times::whens;
use super::{Schedule, World};
use brine_protocol::{Map, Value};

impl Schedule {
    /// The first moment after `now` at which to look again; None as long as nothing is changed.
    pub fn next_look(&self, now: Moment, world: &World<'_>) -> Option<Moment> {
        let mut looks = Looks { now, loop_interval: world.loop_interval, next: None };
        for name in self.names() {
            let place = self.opts.get_key(&name).or_else(|| self.pillar.get_key(&name));
            let Some(data) = place.and_then(Value::as_map) else { continue };
            if !job::flag(data, "_error") {
                looks.of(data, world);
            }
        }
        looks.next
    }
}

struct Looks {
    now: Moment,
    loop_interval: i64,
    next: Option<Moment>,
}

impl Looks {
    fn at(&mut self, moment: Moment) {
        if moment > self.now {
            self.next = Some(self.next.map_or(moment, |next| next.min(moment)));
        }
    }

    /// A moment, and the end of the time in which it counts as now.
    fn around(&mut self, moment: Moment) {
        self.at(moment);
        self.at(moment.plus(self.loop_interval + 1));
    }

    fn of(&mut self, data: &Map, world: &World<'_>) {
        let timed = ["once", "when", "cron"].iter().any(|k| data.contains(k))
            || TIME_ELEMENTS.iter().any(|(k, _)| data.contains(k));
        if !timed || job::is_ambiguous(data) {
            return;
        }
        let next = job::moment(data, "_next_fire_time");
        for moment in [next, job::moment(data, "_splay")].into_iter().flatten() {
            self.around(moment);
        }
        let over = job::flag(data, "_continue");
        let always = data.get("_seconds").and_then(job::int).is_some_and(|s| s <= 0);
        if next.is_none() && !over || always {
            self.at(self.now.plus(self.loop_interval));
        }
        for key in ["run_explicit", "skip_explicit"] {
            for moment in job::explicits(data, key) {
                self.around(moment);
            }
        }
        if data.contains("when") {
            for moment in whens(data, "", self.now, &world.whens).unwrap_or_default() {
                self.around(moment);
            }
        }
        for key in ["range", "skip_during_range"] {
            for end in ["start", "end"] {
                self.date(data.get(key).and_then(|range| range.get(end)));
            }
        }
        self.date(data.get("until"));
        self.date(data.get("after"));
        let by_day = ["when", "range", "skip_during_range", "until", "after"];
        if by_day.iter().any(|k| data.get(k).is_some_and(Value::truthy)) {
            // A time of day is another moment tomorrow.
            self.at(self.now.midnight().plus(DAY));
        }
    }

    fn date(&mut self, value: Option<&Value>) {
        if let Some(moment) = value.and_then(|v| job::date(v, self.now)) {
            self.around(moment);
            // `until` and `after` are over a moment later.
            self.at(moment.plus(1));
        }
    }
}
