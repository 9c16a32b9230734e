//! Whether a run of states was fine, by what it returned.

use brine_protocol::Value;

/// Salt's `check_result` without high data: whether results are there and none of them failed. `within` is for results that may
/// lie deeper, as a dict of minions has them; outermost, what is no result counts as a failure.
pub fn check_result(results: &Value, within: bool) -> bool {
    let Some(results) = results.as_map().filter(|results| !results.is_empty()) else { return false };
    results.iter().all(|(tag, result)| match result {
        Value::Map(fields) => match fields.get("result") {
            Some(Value::Bool(fine)) => *fine,
            Some(_) => true,
            None => check_result(result, true),
        },
        Value::List(_) => within || tag.as_str() == Some("__extend__"),
        _ => within,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::{Map, map};

    #[test]
    fn results_decide_and_what_is_none_fails_outermost() {
        let of = |data: Map| check_result(&data.into(), false);
        let state = |result: Value| Value::from(map! {"result" => result, "changes" => Map::new()});
        assert!(of(map! {"m1" => map! {"a" => state(true.into()), "b" => state(Value::Nil)}}));
        assert!(!of(map! {"m1" => map! {"a" => state(true.into()), "b" => state(false.into())}}));
        assert!(!of(Map::new()) && !of(map! {"m1" => "error"}) && !check_result(&"x".into(), false));
        assert!(of(map! {"__extend__" => Value::List(vec![]), "a" => state(true.into())}));
        assert!(!of(map! {"a" => Value::List(vec![])}));
        assert!(check_result(&map! {"a" => Value::List(vec![]), "b" => 1}.into(), true));
    }
}
