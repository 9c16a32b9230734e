//! Reading and writing one job's data: moments, numbers, texts, with the words stock uses for what is wrong.

use super::moment::{Moment, SECOND};
use super::{dates, strptime};
use crate::text::python_str;
use brine_protocol::{Map, Value};

/// The format of times without one.
pub(super) const ISO: &str = "%Y-%m-%dT%H:%M:%S";

/// A moment that the data hold as such.
pub(super) fn moment(data: &Map, key: &str) -> Option<Moment> {
    match data.get(key) {
        Some(Value::DateTime(d)) => Some((*d).into()),
        _ => None,
    }
}

/// Puts a moment, or that there is none.
pub(super) fn set_moment(data: &mut Map, key: &str, moment: Option<Moment>) {
    data.insert(key, moment.map_or(Value::Nil, |m| Value::DateTime(m.into())));
}

pub(super) fn flag(data: &Map, key: &str) -> bool {
    data.get(key).is_some_and(Value::truthy)
}

/// A date that a person wrote, or one that YAML knew for a date.
pub(super) fn date(value: &Value, now: Moment) -> Option<Moment> {
    match value {
        Value::DateTime(d) => Some((*d).into()),
        Value::Str(text) => dates::parse(text, now),
        _ => None,
    }
}

/// A time of `skip_explicit` or `run_explicit`: a date, or `time` in the format `time_fmt`.
pub(super) fn explicit(value: &Value) -> Option<Moment> {
    match value {
        Value::DateTime(d) => Some((*d).into()),
        Value::Map(map) => {
            let format = map.get_str("time_fmt").unwrap_or(ISO);
            match map.get("time")? {
                Value::DateTime(d) => Some((*d).into()),
                other => strptime::strptime(&python_str(other), format),
            }
        }
        _ => None,
    }
}

/// The times under a key, in order; those that cannot be read are left out.
pub(super) fn explicits(data: &Map, key: &str) -> Vec<Moment> {
    data.get(key).and_then(Value::as_list).unwrap_or_default().iter().filter_map(explicit).collect()
}

/// Python's `int()`.
pub(super) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Str(text) => text.trim().parse().ok(),
        Value::Float(x) if x.is_finite() => Some(*x as i64),
        Value::Bool(b) => Some((*b).into()),
        other => other.as_int(),
    }
}

/// `seconds`, `minutes`, `hours` and `days` together, in seconds; None: one of them is no number.
pub(super) fn interval(data: &Map) -> Option<i64> {
    let mut sum = 0i64;
    for (key, unit) in TIME_ELEMENTS {
        if let Some(value) = data.get(key) {
            sum = sum.saturating_add(int(value)?.saturating_mul(unit));
        }
    }
    Some(sum)
}

/// Keys that say how often, with their seconds.
pub(super) const TIME_ELEMENTS: [(&str, i64); 4] =
    [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400)];

/// Whether a job has more than one of the keys that name a time.
pub(super) fn is_ambiguous(data: &Map) -> bool {
    ["when", "cron", "once"].iter().filter(|k| data.contains(k)).count() > 1
}

/// Seconds as microseconds.
pub(super) fn micros(seconds: i64) -> i64 {
    seconds.saturating_mul(SECOND)
}

/// The function a job calls.
pub(super) fn function(data: &Map) -> Option<String> {
    ["function", "func", "fun"].iter().find_map(|key| data.get(key)).filter(|f| !f.is_nil()).map(python_str)
}

/// Notes what is wrong with a job, for the log and for `schedule.job_status`.
pub(super) fn fail(data: &mut Map, text: String) {
    tracing::error!("{text}");
    data.insert("_error", text);
}

/// Notes that a job is skipped, and why.
pub(super) fn skip(data: &mut Map, reason: &str, now: Moment) {
    data.insert("_skip_reason", reason);
    set_moment(data, "_skipped_time", Some(now));
    data.insert("_skipped", true);
}
