//! The numbers of a master. Rooms count here where things happen, in steps that cost next to nothing; [`page`] makes the text of
//! `/metrics` of it, and of what is there at that moment, when somebody asks. Nothing is computed in between.
//!
//! Labels have few values, whatever minions send: neither ids nor functions are among them.

mod jobs;
mod kinds;
mod number;
mod page;
mod shown;
mod system;
mod text;

use std::time::{Duration, Instant};

use brine_protocol::{Map, Value};

pub use number::{Counter, Histogram};
pub use page::{Beside, page};
pub use shown::Shown;

use jobs::Running;

/// Who asks at port 4506.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Anybody who signs in.
    Auth,
    /// A local user.
    Client,
    /// A minion.
    Minion,
}

impl Asks {
    const NAMES: [&str; 3] = ["auth", "client", "minion"];
}

/// What came of an authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It is in.
    Accepted,
    /// Its key waits.
    Pending,
    /// It is not let in.
    Refused,
}

impl Signed {
    const NAMES: [&str; 3] = ["accepted", "pending", "refused"];
}

/// What became of a state.
const STATES: [&str; 4] = ["unchanged", "changed", "failed", "would_change"];

/// The numbers.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    events: [Counter; kinds::KINDS.len()],
    requests: [Histogram; Asks::NAMES.len()],
    signed: [Counter; Signed::NAMES.len()],
    jobs: Counter,
    targets: Counter,
    good: Counter,
    failed: Counter,
    answers: Histogram,
    states: [Counter; STATES.len()],
    runs: [Counter; 2],
    running: Running,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            events: Default::default(),
            requests: Default::default(),
            signed: Default::default(),
            jobs: Counter::default(),
            targets: Counter::default(),
            good: Counter::default(),
            failed: Counter::default(),
            answers: Histogram::default(),
            states: Default::default(),
            runs: Default::default(),
            running: Running::default(),
        }
    }
}

impl Metrics {
    /// An event went over the bus.
    pub fn event(&self, tag: &str) {
        self.events[kinds::of(tag)].one();
    }

    /// A request was answered, or was not worth an answer.
    pub fn request(&self, asks: Asks, took: Duration) {
        self.requests[asks as usize].note(took);
    }

    /// Somebody signed in, or did not get in.
    pub fn signed(&self, signed: Signed) {
        self.signed[signed as usize].one();
    }

    /// A job goes out to so many minions.
    pub fn published(&self, jid: &str, minions: usize) {
        self.jobs.one();
        self.targets.add(minions as u64);
        self.running.begin(jid, minions, Instant::now());
    }

    /// A minion returns.
    pub fn returned(&self, jid: &str, load: &Map) {
        if let Some(took) = self.running.answer(jid, Instant::now()) {
            self.answers.note(took);
        }
        let good =
            !load.get("retcode").is_some_and(Value::truthy) && load.get("success").is_none_or(Value::truthy);
        if good {
            self.good.one()
        } else {
            self.failed.one()
        }
        let fun = load.get_str("fun").unwrap_or_default();
        let (Some(fun), Some(ret)) = (fun.strip_prefix("state."), load.get("return")) else { return };
        if !matches!(
            fun,
            "apply"
                | "highstate"
                | "sls"
                | "sls_id"
                | "single"
                | "high"
                | "low"
                | "template"
                | "template_str"
                | "top"
        ) {
            return;
        }
        self.runs[usize::from(!good)].one();
        for state in ret.as_map().into_iter().flat_map(Map::values).filter_map(Value::as_map) {
            let changed = state.get("changes").is_some_and(Value::truthy);
            let class = match state.get("result") {
                Some(Value::Nil) => 3,
                Some(result) if !result.truthy() => 2,
                Some(_) if changed => 1,
                Some(_) => 0,
                None => continue,
            };
            self.states[class].one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn returns_are_counted_with_their_states() {
        let metrics = Metrics::default();
        metrics.published("1", 2);
        let state = |result: Value, changes: Map| map! {"result" => result, "changes" => changes};
        let ret = map! {
            "a" => state(true.into(), map! {}), "b" => state(true.into(), map! {"x" => 1}),
            "c" => state(false.into(), map! {}), "d" => state(Value::Nil, map! {"x" => 1}),
        };
        metrics.returned("1", &map! {"fun" => "state.apply", "retcode" => 2, "return" => ret});
        metrics
            .returned("1", &map! {"fun" => "test.ping", "retcode" => 0, "success" => true, "return" => true});
        metrics.returned("2", &map! {"fun" => "test.ping", "success" => false, "return" => "no"});
        // What a minion sends need not make sense.
        metrics.returned("2", &map! {"fun" => "state.apply", "return" => vec!["broken"]});
        let states = metrics.states.each_ref().map(Counter::get);
        assert_eq!(states, [1, 1, 1, 1]);
        assert_eq!((metrics.good.get(), metrics.failed.get()), (2, 2));
        assert_eq!(metrics.runs.each_ref().map(Counter::get), [1, 1]);
        assert_eq!(metrics.answers.get().0[number::BOUNDS.len()], 2);
        assert_eq!(metrics.running.count(Instant::now()), (0, 0));
    }
}
