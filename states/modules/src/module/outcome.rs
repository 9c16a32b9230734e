//! Whether what an execution function returned is a success.

use brine_core::Value;

/// Anything is, but `False` and dicts that say otherwise.
pub(super) fn succeeded(done: &Value) -> bool {
    match done {
        Value::Bool(done) => *done,
        Value::Map(_) => says_so(done),
        _ => true,
    }
}

/// Whether no `result` in there is false and no `retcode` other than 0.
fn says_so(node: &Value) -> bool {
    let Value::Map(node) = node else { return true };
    node.iter().all(|(key, value)| match (key.as_str(), value) {
        (Some("result"), Value::Bool(false)) => false,
        (Some("retcode"), value) if !matches!(value, Value::Int(0) | Value::Bool(false)) && *value != Value::Float(0.0) => false,
        (_, value) => says_so(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn what_says_that_it_failed_has_failed() {
        for (done, expected) in [
            (Value::Nil, true),
            (false.into(), false),
            ("False".into(), true),
            (map! {"retcode" => 1}.into(), false),
            (map! {"retcode" => 0, "result" => Value::Nil}.into(), true),
            (map! {"a" => map! {"b" => map! {"result" => false}}}.into(), false),
            (map! {"a" => vec![Value::from(map! {"result" => false})]}.into(), true),
        ] {
            assert_eq!(succeeded(&done), expected, "{done:?}");
        }
    }
}
