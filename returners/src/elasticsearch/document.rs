//! A return as a document, and the index it belongs to.

use super::Settings;
use brine_core::call::Result;
use brine_core::text::python_str;
use brine_core::{Map, Value, jid, map};
use std::time::SystemTime;

const STATES: [&str; 3] = ["state.apply", "state.highstate", "state.sls"];

/// Index and document.
pub(super) fn of(settings: &Settings, ret: &Map, fun: &str) -> Result<(String, Value)> {
    let is_state = STATES.contains(&fun);
    let single = is_state && settings.flag("states_single_index");
    let name = if single { "state_apply".to_owned() } else { fun.replace('.', "_") };
    let mut index = settings.dated(format!("salt-{name}"));
    let mut returned = ret.get("return").cloned().unwrap_or(Value::Nil);
    let mut counts = Map::new();
    if is_state {
        if settings.flag("states_order_output")
            && let Value::Map(states) = returned
        {
            index = format!("{index}-ordered");
            returned = ordered(states).into();
        } else if returned.as_map().is_none() {
            // An index takes one kind of value under a name: here it is a map.
            returned = map! {"return" => returned}.into();
        }
        if settings.flag("states_count") {
            let failed = |state: &&Value| state.get("result") == Some(&false.into());
            let all = returned.as_map().map_or(0, Map::len);
            let failed = returned.as_map().map_or(0, |states| states.values().filter(failed).count());
            counts = map! {"succeeded" => all - failed, "failed" => failed};
        }
    }
    let retcode = ret.get("retcode").cloned().unwrap_or_else(|| 1.into());
    let document = map! {
        "@timestamp" => now(), "success" => !retcode.truthy(), "retcode" => retcode,
        "minion" => ret.get("id").cloned(), "fun" => fun, "jid" => ret.get("jid").cloned(), "counts" => counts,
        "data" => undotted(returned),
    };
    Ok((index, document.into()))
}

/// The time as Python's `isoformat` of UTC has it.
fn now() -> String {
    let now = jid::utc(SystemTime::now());
    format!("{}+00:00", now.to_string().replace(' ', "T"))
}

/// States with their number before their name, so that they sort.
fn ordered(states: Map) -> Map {
    let width = states.len().to_string().len();
    let mut out = Map::new();
    for (name, mut state) in states {
        let name = python_str(&name);
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            out.insert(name, state);
            continue;
        }
        let module = name.split("_|-").next().unwrap_or_default();
        let function = format!("{module}.{}", name.rsplit("_|-").next().unwrap_or_default());
        let number = python_str(state.get("__run_num__").unwrap_or(&Value::Nil));
        if let Some(state) = state.as_map_mut() {
            state.insert("_func", function);
        }
        out.insert(format!("{number:0>width$}_|-{name}"), state);
    }
    out
}

/// Names with dots mean nested ones to Elasticsearch: they get underscores, and the last that had any is kept beside.
fn undotted(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                let mut key = python_str(&key);
                if key.contains('.') {
                    out.insert("_orig_key", key.as_str());
                    key = key.replace('.', "_");
                }
                out.insert(key, undotted(value));
            }
            out.into()
        }
        Value::List(list) => list.into_iter().map(undotted).collect(),
        other => other,
    }
}
