//! Rules of several chunks, set in one.

use brine_core::call::{Cx, Result};
use brine_core::state::tag;
use brine_core::{Map, Value};
use std::sync::Arc;

/// The chunk with its own rule and those of all others that did not run, do the same and are no part of another.
pub(super) fn mod_aggregate(_cx: &Cx, mut low: Map, chunks: &mut [Arc<Map>], running: &Map) -> Result<Map> {
    if !matches!(low.get_str("fun"), Some("append" | "insert")) {
        return Ok(low);
    }
    let mut others: Vec<Value> = Vec::new();
    for chunk in chunks {
        let taken = running.contains(&tag(chunk))
            || chunk.get_str("state") != Some("iptables")
            || chunk.contains("__agg__")
            || chunk.get("fun") != low.get("fun");
        let rule = Value::Map((**chunk).clone());
        if !taken && !others.contains(&rule) {
            others.push(rule);
            Arc::make_mut(chunk).insert("__agg__", true);
        }
    }
    if !others.is_empty() {
        let own = low.clone();
        match low.get_mut("rules") {
            Some(Value::List(rules)) => rules.extend(others),
            _ => {
                others.insert(0, own.into());
                low.insert("rules", others);
            }
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::Registry;
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};

    #[test]
    fn rules_of_one_kind_are_set_in_one() {
        let chunk = |name: &str, fun: &str| {
            Arc::new(map! {"state" => "iptables", "__id__" => name, "name" => name, "fun" => fun, "chain" => "INPUT"})
        };
        let mut chunks = vec![chunk("a", "append"), chunk("b", "append"), chunk("c", "insert")];
        Arc::make_mut(&mut chunks[0]).insert("__agg__", true);
        let cx = Cx::new(Arc::new(Opts::default()), Arc::new(Registry::default()), Arc::new(NoHost));
        let low = mod_aggregate(&cx, (*chunks[0]).clone(), &mut chunks, &Map::new()).unwrap();
        let rules = low.get("rules").unwrap().as_list().unwrap();
        let names: Vec<&str> = rules.iter().filter_map(|rule| rule.get("name")?.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(chunks[1].contains("__agg__") && !chunks[2].contains("__agg__"));
    }
}
