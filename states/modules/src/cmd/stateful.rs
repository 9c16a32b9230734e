//! Commands that say themselves what they changed: one JSON object, or words `name=value` on the last line.

use brine_core::call::{CallError, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, shlex};

/// The result of a state, made of what the command printed.
pub(super) fn reinterpreted(mut state: Map) -> Result<Map> {
    let Some(Value::Map(done)) = state.insert("changes", Map::new()) else { return Ok(state) };
    state.insert("comment", "");
    let Some(out) = done.get("stdout").filter(|out| out.truthy()).map(python_str) else {
        if let Some(errors) = done.get("stderr").filter(|errors| errors.truthy()) {
            state.insert("comment", errors.clone());
        }
        return Ok(state);
    };
    let json = brine_render::json::loads(&out).ok().and_then(|data| brine_python::to_value(&data).ok());
    let mut before = None;
    let mut data = match json.clone() {
        Some(Value::Map(data)) => data,
        Some(_) => return Ok(failed(state, "script JSON output must be a JSON object (e.g., {})!")),
        None => {
            let kept = out.trim_end_matches(brine_python::is_space);
            before = kept.rfind('\n');
            match words(&out[before.map_or(0, |at| at + 1)..]) {
                Ok(data) => data,
                Err(_) => {
                    let comment = "Failed parsing script output! Stdout must be JSON or a line of name=value pairs.";
                    let mut state = failed(state, comment);
                    state.insert("changes", done);
                    return Ok(state);
                }
            }
        }
    };
    let changed = is_true(data.get("changed").unwrap_or(&"no".into()))?;
    if let Some(comment) = data.remove("comment") {
        state.insert("comment", comment);
    }
    if changed {
        for (key, value) in done {
            data.entry_or(key, || value);
        }
        let said = match (json, data.get("stdout")) {
            (Some(_), _) => String::new(),
            // Everything before the last line; stock cuts one character off where there is one line only.
            (None, Some(Value::Str(said))) => match before {
                Some(at) => said.get(..at.min(said.len())).unwrap_or_default().to_owned(),
                None => {
                    let mut said = said.clone();
                    said.pop();
                    said
                }
            },
            (None, _) => String::new(),
        };
        data.insert("stdout", said);
        state.insert("changes", data);
    }
    Ok(state)
}

fn failed(mut state: Map, comment: &str) -> Map {
    state.insert("comment", comment);
    state.insert("result", false);
    state
}

fn words(line: &str) -> Result<Map> {
    let mut data = Map::new();
    for word in shlex::split(line)? {
        match word.split('=').collect::<Vec<_>>()[..] {
            [key, value] => drop(data.insert(key, value)),
            _ => return Err(CallError::exception("ValueError", "not a pair")),
        }
    }
    Ok(data)
}

fn is_true(value: &Value) -> Result<bool> {
    let text = python_str(value);
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" if value.truthy() => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(CallError::exception("ValueError", format!("Failed parsing boolean value: {text}"))),
    }
}
