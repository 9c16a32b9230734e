//! `profile`: the durations of states as a table.

use super::python::{fixed, float, len};
use super::{CannotPrint, Style, table};
use brine_core::Opts;
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};

type Result<T> = std::result::Result<T, CannotPrint>;

/// The time that each state took.
pub(super) fn output(data: &Value, opts: &Opts, style: &Style) -> Result<String> {
    let labels: Value = ["name", "mod.fun", "duration (ms)"].into_iter().collect();
    let page: Value = map! {"labels" => labels, "rows" => durations(data)?}.into();
    table::show(&page, Some(&"rows".into()), Some(&"labels".into()), opts, style)
}

/// Rows of name, function and duration, shortest first.
fn durations(data: &Value) -> Result<Value> {
    let mut rows: Vec<(f64, String, String)> = Vec::new();
    for host in children(data)? {
        let states = data.as_map().and_then(|map| map.get_key(&host)).ok_or(CannotPrint::Data)?;
        for state in children(states)? {
            // A number names a member of a list; nothing else does.
            let number = || match &state {
                Value::Int(_) | Value::Bool(_) => float(&state).map(|at| at as i64),
                _ => None,
            };
            let own = match (states, number()) {
                (Value::Map(map), _) => map.get_key(&state).cloned(),
                (Value::List(items), Some(at)) => Some(member(items, at)?.clone()),
                (Value::Bytes(bytes), Some(at)) => Some((*member(bytes, at)?).into()),
                _ => Some(Map::new().into()),
            };
            let id = python_str(&state);
            let info = match own {
                Some(Value::Map(info)) => info,
                _ => map! {"name" => id.as_str()},
            };
            let duration = info.get("duration").map_or(Some(-1.0), float).ok_or(CannotPrint::Data)?;
            let name = match info.get("name").or_else(|| info.get("__id__")) {
                None | Some(Value::Nil) => "<>",
                Some(name) => name.as_str().ok_or(CannotPrint::Data)?,
            };
            let name = if len(name) > 60 {
                format!("{}...", name.chars().take(57).collect::<String>())
            } else {
                name.to_owned()
            };
            let mut parts = id.split("_|-");
            let module = parts.next().unwrap_or_default();
            let function = parts.last().unwrap_or(module);
            rows.push((duration, name, format!("{module}.{function}")));
        }
    }
    let fixed: Vec<String> = rows.iter().map(|row| fixed(row.0, 4)).collect();
    let width = fixed.iter().map(String::len).max().unwrap_or(0).max("duration (ms)".len());
    let mut rows: Vec<[String; 3]> = rows
        .into_iter()
        .zip(fixed)
        .map(|((_, name, function), fixed)| [format!("{fixed:>width$}"), name, function])
        .collect();
    rows.sort();
    let row = |[fixed, name, function]: [String; 3]| [name, function, fixed].into_iter().collect::<Value>();
    Ok(rows.into_iter().map(row).collect())
}

/// `items[at]`.
fn member<T>(items: &[T], at: i64) -> Result<&T> {
    let at = if at < 0 { at + items.len() as i64 } else { at };
    usize::try_from(at).ok().and_then(|at| items.get(at)).ok_or(CannotPrint::Data)
}

/// `for x in value`.
fn children(value: &Value) -> Result<Vec<Value>> {
    Ok(match value {
        Value::Map(map) => map.keys().cloned().collect(),
        Value::List(items) => items.clone(),
        Value::Str(text) => text.chars().map(|c| c.to_string().into()).collect(),
        Value::Bytes(bytes) => bytes.iter().map(|b| (*b).into()).collect(),
        _ => return Err(CannotPrint::Data),
    })
}
