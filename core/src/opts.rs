//! A daemon's options as merged from its table of defaults, its files and its command line.
//!
//! Modules and peers see the whole map (`config.get`, `_master_opts`); our own code reads it through the typed
//! getters, mostly once, into a small config of its own.

use crate::options::{ignored, ignored_key};
use brine_protocol::{Map, Value};
use std::path::PathBuf;

/// Merged options.
#[derive(Clone, Debug, Default)]
pub struct Opts {
    values: Map,
}

impl Opts {
    /// Options with these values.
    pub fn new(mut values: Map) -> Self {
        if let Some((key, instead)) = ignored_key(&values)
            && values.contains(key)
        {
            match instead {
                Some(default) => values.insert(key, default.clone()),
                None => values.remove(key),
            };
        }
        Self { values }
    }

    /// All values.
    pub fn map(&self) -> &Map {
        &self.values
    }

    /// All values, to change them.
    pub fn map_mut(&mut self) -> &mut Map {
        &mut self.values
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match ignored(key, &self.values) {
            Some(instead) => instead,
            None => self.values.get(key),
        }
    }

    /// Text, or empty text where the option is absent or no text.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// A path, as text that the operator wrote.
    pub fn path(&self, key: &str) -> PathBuf {
        PathBuf::from(self.str(key))
    }

    /// Truth, as Python reads it; absent is false.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(Value::truthy)
    }

    /// An integer; text that holds one counts.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Str(s) => s.trim().parse().ok(),
            Value::Float(x) => Some(*x as i64),
            other => other.as_int(),
        }
    }

    /// Seconds that jobs are kept: `keep_jobs_seconds`, or `keep_jobs` hours when only that was changed.
    pub fn keep_jobs_seconds(&self) -> i64 {
        let seconds = self.int("keep_jobs_seconds").unwrap_or(86400);
        let hours = self.int("keep_jobs").unwrap_or(24);
        if seconds == 86400 && hours != 24 { hours.saturating_mul(3600) } else { seconds }
    }

    /// A number of seconds or the like.
    pub fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Str(s) => s.trim().parse().ok(),
            other => other.as_float(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn hours_count_where_seconds_are_as_they_were() {
        let of = |opts: Map| Opts::new(opts).keep_jobs_seconds();
        assert_eq!(of(Map::new()), 86400);
        assert_eq!(of(map! {"keep_jobs" => 2}), 7200);
        assert_eq!(of(map! {"keep_jobs" => 2, "keep_jobs_seconds" => 5}), 5);
    }
}
