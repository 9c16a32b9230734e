//! What several returners need: the job id, ports, JSON, how long jobs are kept.

use crate::loads::loads;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Opts, Value, jid};
use std::time::SystemTime;

/// The id that was passed, else a new one.
pub(crate) fn prep_jid(_: &Cx, _nocache: bool, passed: Option<&str>) -> Result<String> {
    Ok(passed.map_or_else(|| jid::gen_jid(SystemTime::now()), str::to_owned))
}

/// A member that every return has; Python's `KeyError` if it does not.
pub(crate) fn required<'a>(ret: &'a Map, key: &str) -> Result<&'a Value> {
    ret.get(key).ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
}

/// A port as `int()` takes it.
pub(crate) fn port(value: Option<&Value>, default: u16) -> Result<u16> {
    let Some(value) = value.filter(|v| !v.is_nil()) else { return Ok(default) };
    python_str(value)
        .trim()
        .parse()
        .map_err(|_| CallError::exception("ValueError", format!("not a port: {}", python_repr(value))))
}

/// JSON text that must be a map.
pub(crate) fn map_of(text: &str) -> Result<Map> {
    match loads(text)? {
        Value::Map(map) => Ok(map),
        _ => Err(CallError::exception("TypeError", "no map where one is due")),
    }
}

/// `keep_jobs_seconds`, or `keep_jobs` hours when only that was changed.
pub(crate) fn keep_jobs_seconds(opts: &Opts) -> i64 {
    let seconds = opts.int("keep_jobs_seconds").unwrap_or(86400);
    let hours = opts.int("keep_jobs").unwrap_or(24);
    if seconds == 86400 && hours != 24 { hours.saturating_mul(3600) } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn hours_count_where_seconds_are_as_they_were() {
        let of = |opts: Map| keep_jobs_seconds(&Opts::new(opts));
        assert_eq!(of(Map::new()), 86400);
        assert_eq!(of(map! {"keep_jobs" => 2}), 7200);
        assert_eq!(of(map! {"keep_jobs" => 2, "keep_jobs_seconds" => 5}), 5);
    }

    #[test]
    fn ports_are_numbers_or_text() {
        assert_eq!(port(Some(&"15".into()), 1).unwrap(), 15);
        assert_eq!(port(Some(&Value::Nil), 1).unwrap(), 1);
        assert_eq!(port(Some(&"x".into()), 1).unwrap_err().to_string(), "ValueError: not a port: 'x'");
    }
}
