//! Jobs of crontabs, as the execution module and the states both know them.

use crate::text::{python_eq, python_str};
use crate::{Map, Value};

/// What stands for no identifier.
pub const NO_IDENTIFIER: &str = "NO ID SET";

/// What a job is known by.
pub fn id(job: &Map) -> String {
    job.get("identifier").filter(|id| id.truthy()).map_or_else(|| NO_IDENTIFIER.into(), python_str)
}

/// Whether a job is the one with this identifier; where neither has one, with this command.
pub fn is_match(job: &Map, cmd: &Value, identifier: &Value) -> bool {
    let own = id(job);
    let wanted = if identifier.truthy() { python_str(identifier) } else { NO_IDENTIFIER.into() };
    match job.get("cmd") == Some(cmd) {
        true => own == NO_IDENTIFIER || own == wanted,
        false => own == wanted && own != NO_IDENTIFIER,
    }
}

/// Whether a wish asks for something else than what is there.
pub fn needs_change(old: &Value, new: &Value) -> bool {
    if python_eq(old, new) {
        return false;
    }
    match new.as_str() {
        // A time drawn by lot stays.
        Some("random") => old.as_str() == Some("*"),
        _ => !new.is_nil(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn jobs_are_known_by_identifier_then_by_command() {
        let job = |id: Value, cmd: &str| map! {"identifier" => id, "cmd" => cmd};
        let fits = |job: &Map, cmd: &str, id: &str| {
            is_match(job, &cmd.into(), &if id.is_empty() { Value::Nil } else { id.into() })
        };
        assert!(fits(&job(Value::Nil, "a"), "a", "new id") && fits(&job("x".into(), "a"), "b", "x"));
        assert!(!fits(&job(Value::Nil, "a"), "b", "") && !fits(&job("x".into(), "a"), "a", "y"));
        assert!(!fits(&job("x".into(), "a"), "a", ""));
    }

    #[test]
    fn a_time_by_lot_stays() {
        assert!(needs_change(&"*".into(), &"random".into()));
        assert!(!needs_change(&"5".into(), &"random".into()));
        assert!(!needs_change(&"5".into(), &Value::Nil) && needs_change(&Value::Nil, &"5".into()));
    }
}
