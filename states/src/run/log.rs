//! What a result says in the log: `format_log`.

use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Says in the log what a state did.
pub(super) fn result(ret: &Map) {
    let is_error = !matches!(ret.get("result"), Some(Value::Bool(true) | Value::Nil));
    if is_error {
        tracing::error!("{}", said(ret));
    } else if tracing::enabled!(tracing::Level::INFO) {
        tracing::info!("{}", said(ret));
    }
}

fn said(ret: &Map) -> String {
    let Some(Value::Map(changes)) = ret.get("changes") else {
        return ret.get("changes").map(python_str).unwrap_or_default();
    };
    if changes.is_empty() {
        return match ret.get("comment").filter(|comment| comment.truthy()) {
            Some(comment) => python_str(comment),
            None => format!("No changes made for {}", ret.get("name").map(python_str).unwrap_or_default()),
        };
    }
    let pairs: Option<Vec<_>> =
        changes.iter().map(|(key, change)| Some((key, change.get("old")?, change.get("new")?))).collect();
    if let Some(pairs) = pairs {
        let side = |value: &Value| match value {
            Value::Bool(false) | Value::Nil => python_str(value),
            value if !value.truthy() => "absent".to_owned(),
            value => python_str(value),
        };
        let line = |(key, old, new): &(&Value, &Value, &Value)| {
            format!("'{}' changed from '{}' to '{}'\n", python_str(key), side(old), side(new))
        };
        return format!("Made the following changes:\n{}", pairs.iter().map(line).collect::<String>());
    }
    match changes.get_str("diff") {
        Some(diff) => format!("File changed:\n{diff}"),
        None => python_str(&Value::Map(changes.clone())),
    }
}
