//! Results: what states may give back, and what a run adds to it.

use brine_core::clock::Clock;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When something began.
pub(crate) struct Began {
    day: SystemTime,
    at: Instant,
}

impl Began {
    /// Now.
    pub(crate) fn now() -> Self {
        Self { day: SystemTime::now(), at: Instant::now() }
    }

    /// The time of day, as Python's `isoformat` writes it.
    pub(crate) fn time(&self) -> String {
        let since = self.day.duration_since(UNIX_EPOCH).unwrap_or_default();
        let Clock { hour, minute, second, .. } = Clock::local(since.as_secs() as i64);
        match since.subsec_micros() {
            0 => format!("{hour:02}:{minute:02}:{second:02}"),
            micros => format!("{hour:02}:{minute:02}:{second:02}.{micros:06}"),
        }
    }

    /// Says in a result when it began and how long it took.
    pub(crate) fn stamp(&self, ret: &mut Map) {
        ret.insert("start_time", self.time());
        ret.insert("duration", milliseconds(self.at.elapsed()));
    }
}

/// Milliseconds to three places.
pub(crate) fn milliseconds(length: Duration) -> f64 {
    length.as_micros() as f64 / 1000.0
}

/// The time now and no duration, for states that are not run.
pub(crate) fn no_time(ret: &mut Map) {
    ret.insert("duration", 0.0);
    ret.insert("start_time", Began::now().time());
}

/// A result that stands for a failure.
pub(crate) fn failure(name: Value, comment: impl Into<Value>) -> Map {
    map! {"result" => false, "name" => name, "changes" => Map::new(), "comment" => comment}
}

/// What is wrong with a result, and a result made one that readers know: text for a list of comments, truth for any result.
pub(crate) fn unified(ret: Value) -> Map {
    let mut ret = match checked(ret) {
        Ok(ret) => ret,
        Err(wrong) => failure("later".into(), format!("An exception occurred in this state: {wrong}")),
    };
    if let Some(Value::List(lines)) = ret.get("comment") {
        let lines: Vec<String> = lines.iter().map(python_str).collect();
        ret.insert("comment", lines.join("\n"));
    }
    if let Some(result) = ret.get_mut("result")
        && !result.is_nil()
    {
        *result = result.truthy().into();
    }
    if let Some(Value::List(parts)) = ret.get("sub_state_run") {
        let parts: Vec<Value> = parts.iter().map(|part| Value::Map(unified(part.clone()))).collect();
        ret.insert("sub_state_run", parts);
    }
    ret
}

/// Makes the name, the comment and the changes of a result unreadable (`no_log`).
pub(crate) fn mask(ret: &mut Map) {
    for key in ["name", "comment", "changes"] {
        if let Some(value) = ret.get_mut(key) {
            *value = masked(value);
        }
    }
}

fn masked(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            map.iter().map(|(key, value)| (key.clone(), masked(value))).collect::<Map>().into()
        }
        Value::List(list) => list.iter().map(masked).collect(),
        Value::Bytes(bytes) if !bytes.is_empty() => Value::Bytes(b"**********".to_vec()),
        Value::Nil => Value::Nil,
        leaf if leaf.truthy() => "**********".into(),
        leaf => leaf.clone(),
    }
}

fn checked(ret: Value) -> Result<Map, String> {
    let Value::Map(ret) = ret else {
        return Err("Malformed state return. Data must be a dictionary type.".into());
    };
    if !matches!(ret.get("changes"), Some(Value::Map(_))) {
        return Err("'Changes' should be a dictionary.".into());
    }
    let missing: Vec<&str> =
        ["name", "result", "changes", "comment"].into_iter().filter(|key| !ret.contains(key)).collect();
    if !missing.is_empty() {
        return Err(format!(
            "The following keys were not present in the state return: {}.",
            missing.join(", ")
        ));
    }
    if let Some(Value::List(parts)) = ret.get("sub_state_run") {
        for part in parts {
            checked(part.clone())?;
        }
    }
    Ok(ret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_other_shapes_are_failures() {
        let comment = |ret: Value| unified(ret).get("comment").cloned().unwrap();
        let with = |text: &str| Value::from(format!("An exception occurred in this state: {text}"));
        assert_eq!(comment(5.into()), with("Malformed state return. Data must be a dictionary type."));
        assert_eq!(comment(map! {"changes" => 1}.into()), with("'Changes' should be a dictionary."));
        assert_eq!(
            comment(map! {"changes" => Map::new(), "name" => "x"}.into()),
            with("The following keys were not present in the state return: result, comment.")
        );
        let good = unified(
            map! {"name" => "x", "changes" => Map::new(), "result" => "yes", "comment" => vec!["a", "b"]}
                .into(),
        );
        assert_eq!(good.get("result"), Some(&true.into()));
        assert_eq!(good.get("comment"), Some(&"a\nb".into()));
    }
}
