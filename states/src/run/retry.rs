//! `retry`: how often a state that did not give what was hoped for is run again, and when.

use brine_core::call::{Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What `retry` of a chunk says.
pub(super) struct Retry {
    until: bool,
    /// How often it may be run at all.
    pub(super) attempts: i128,
    interval: i128,
    splay: i128,
}

impl Retry {
    /// As it is written; what makes no sense counts as not written.
    pub(super) fn of(data: &Value) -> Self {
        let mut retry = Self { until: true, attempts: 2, interval: 30, splay: 0 };
        match data {
            Value::Map(data) => {
                let number = |key: &str, default: i128| match data.get(key) {
                    Some(Value::Int(n)) => *n,
                    Some(Value::Bool(b)) => i128::from(*b),
                    None => default,
                    Some(_) => {
                        tracing::warn!(
                            "An invalid value was passed for the retry {key}, using default value '{default}'"
                        );
                        default
                    }
                };
                retry.until = match data.get("until") {
                    Some(Value::Bool(until)) => *until,
                    None => true,
                    Some(_) => {
                        tracing::warn!(
                            "An invalid value was passed for the retry until, using default value 'True'"
                        );
                        true
                    }
                };
                retry.attempts = number("attempts", 2);
                retry.interval = number("interval", 30);
                retry.splay = number("splay", 0);
            }
            Value::Bool(true) => {}
            Value::Bool(false) => retry.attempts = 0,
            _ => tracing::warn!(
                "State is set to retry, but retry: True or a valid dict for retry configuration was not found.  \
                 Using retry defaults"
            ),
        }
        retry
    }

    /// Whether a result is what was waited for.
    pub(super) fn is_reached(&self, ret: &Map) -> bool {
        ret.get("result") == Some(&Value::Bool(self.until))
    }

    /// How long to wait now, in seconds.
    pub(super) fn next_interval(&self) -> f64 {
        let mut interval = self.interval;
        if self.splay > 0 {
            // A splay needs no good chance, only another one on each machine.
            let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
            interval += i128::from(nanos) % (self.splay + 1);
        }
        interval as f64
    }

    /// What a test says of it, after the comment of the state.
    pub(super) fn would(&self, comment: Option<&Value>) -> String {
        format!(
            "{}  The state would be retried every {} seconds (with a splay of up to {} seconds) a maximum of {} \
             times or until a result of {} is returned",
            comment.filter(|comment| comment.truthy()).map(python_str).unwrap_or_default(),
            self.interval,
            self.splay,
            self.attempts,
            python_str(&self.until.into())
        )
    }
}

/// Waits so many seconds, or until the job is killed.
pub(super) fn sleep(cx: &Cx, seconds: f64) -> Result<()> {
    cx.cancel.sleep(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}
