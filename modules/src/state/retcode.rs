//! The return code that goes with the results of a state run.

use super::{COMPILER_ERROR, STATE_FAILURE};
use brine_core::call::Cx;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Sets it: 1 for faults, 2 for a state that failed and that no `onfail` (with `onfail_stop: False`) saved. `high` is asked
/// for high data when something failed.
pub(super) fn set(cx: &Cx, ret: &Value, high: impl Fn() -> Option<Map>) {
    cx.set_retcode(match ret {
        Value::List(_) => COMPILER_ERROR,
        Value::Map(results) if is_fine(results, false, &high) => 0,
        _ => STATE_FAILURE,
    });
}

/// Whether results, and those within them, are fine. What is no result is not.
fn is_fine(results: &Map, within: bool, high: &dyn Fn() -> Option<Map>) -> bool {
    if results.is_empty() {
        return false;
    }
    for (tag, ret) in results {
        let tag = python_str(tag);
        let mut fine = match ret {
            Value::Map(_) => true,
            Value::List(_) if tag == "__extend__" => true,
            _ => within,
        };
        if let (true, Value::Map(ret)) = (fine, ret) {
            fine = match ret.get("result") {
                Some(Value::Bool(false)) => false,
                Some(_) => true,
                None => is_fine(ret, true, high),
            };
        }
        let saved = || ret.truthy() && high().is_some_and(|high| is_saved(&tag, results, &high));
        if !fine && !saved() {
            return false;
        }
    }
    true
}

/// The kind of state and the id in a tag.
fn parts(tag: &str) -> (Option<&str>, &str) {
    let mut parts = tag.split("_|-");
    match (parts.next(), parts.next()) {
        (Some(state), Some(id)) => (Some(state), id),
        _ => (None, tag),
    }
}

/// Whether a state failed for which others were there, which did not fail.
fn is_saved(tag: &str, results: &Map, high: &Map) -> bool {
    let (state, id) = parts(tag);
    let mut saved = None;
    for (saver, kinds) in high {
        let (Some(saver), Value::Map(kinds)) = (saver.as_str(), kinds) else { continue };
        if saver == id {
            continue;
        }
        for (kind, run) in kinds {
            let (Some(kind), Value::List(run)) = (kind.as_str(), run) else { continue };
            if kind.starts_with("__") || !saves(run, state, id) {
                continue;
            }
            for (other, ret) in results {
                if parts(other.as_str().unwrap_or_default()) != (Some(kind), saver) {
                    continue;
                }
                if let Some(Value::Bool(result)) = ret.as_map().and_then(|ret| ret.get("result")) {
                    saved = Some(*result);
                    if !result {
                        break;
                    }
                }
            }
            saved = saved.or(Some(false));
        }
    }
    saved == Some(true)
}

/// Whether a declaration has `onfail` on that state, and `onfail_stop: False`.
fn saves(run: &[Value], state: Option<&str>, id: &str) -> bool {
    let args = || run.iter().filter_map(Value::as_map);
    if !args().any(|arg| arg.get("onfail_stop") == Some(&Value::Bool(false))) {
        return false;
    }
    let named = args().filter_map(|arg| arg.get("onfail").and_then(Value::as_list)).flatten().filter_map(Value::as_map);
    let mut pairs = named.flat_map(Map::iter);
    pairs.any(|(kind, name)| name.as_str() == Some(id) && state.is_none_or(|state| kind.as_str() == Some(state)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_failure_counts_unless_an_onfail_took_it() {
        let ret = |result: bool| map! {"result" => result};
        let results = map! {"test_|-a_|-a_|-f" => ret(false), "test_|-b_|-b_|-nop" => ret(true)};
        assert!(!is_fine(&results, false, &|| None));
        let saver = |stop: bool| {
            let onfail = vec![Value::from(map! {"test" => "a"})];
            let run = vec![Value::from("nop"), map! {"onfail" => onfail}.into(), map! {"onfail_stop" => stop}.into()];
            map! {"b" => map! {"test" => run, "__sls__" => "x"}}
        };
        assert!(is_fine(&results, false, &|| Some(saver(false))));
        assert!(!is_fine(&results, false, &|| Some(saver(true))));
        let worse = map! {"test_|-a_|-a_|-f" => ret(false), "test_|-b_|-b_|-nop" => ret(false)};
        assert!(!is_fine(&worse, false, &|| Some(saver(false))));
    }

    #[test]
    fn what_is_no_result_is_not_fine() {
        assert!(!is_fine(&Map::new(), false, &|| None));
        assert!(!is_fine(&map! {"a" => "text"}, false, &|| None));
        assert!(is_fine(&map! {"a" => map! {"result" => Value::Nil}}, false, &|| None));
        assert!(is_fine(&map! {"a" => map! {"b" => map! {"result" => true}}}, false, &|| None));
    }
}
