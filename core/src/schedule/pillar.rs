//! Jobs from the pillar: a pillar that is read anew changes only what it says anew.

use super::Schedule;
use brine_protocol::{Map, Value};

impl Schedule {
    /// Takes the pillar's `schedule`. A job whose definition is as before keeps its state; jobs that are not there any
    /// more are gone. Returns whether anything changed.
    pub fn set_pillar(&mut self, schedule: Map) -> bool {
        if schedule == self.given {
            return false;
        }
        let before = std::mem::take(&mut self.pillar);
        for (name, definition) in schedule.iter() {
            let same = self.given.get_key(name) == Some(definition);
            let kept = before.get_key(name).filter(|_| same);
            self.pillar.insert(name.clone(), kept.unwrap_or(definition).clone());
        }
        self.given = schedule;
        true
    }

    /// Whether a job of the options or of the pillar has this name.
    pub(super) fn in_opts(&self, name: &str) -> bool {
        self.opts.contains(name)
    }

    pub(super) fn in_pillar(&self, name: &str) -> bool {
        self.pillar.get(name).is_some_and(|v| matches!(v, Value::Map(_)))
    }
}
