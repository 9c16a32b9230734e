//! Numbers of the machine, of the functions of the module `status`: all that they say, or parts of it.

use crate::config::{int, key_error, list, shown};
use crate::{Beacon, Kept, always, config};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::clock::unix_now;
use brine_core::schedule::{Moment, SECOND};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};

pub(crate) static BEACON: Beacon =
    Beacon { name: "status", unavailable: always, validate, look, lets_go: false };

/// What is told without further words.
const ALL: [&str; 5] = ["loadavg", "cpustats", "meminfo", "vmstats", "time"];

fn validate(_: &Cx, config: &Value) -> Result<()> {
    list("status", config).map(drop)
}

fn look(cx: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let now = Moment::from_micros((unix_now() * SECOND as f64) as i64);
    let micros = if now.micro() == 0 { String::new() } else { format!(".{:06}", now.micro()) };
    let tag = format!("{}{micros}", now.strftime("%Y-%m-%dT%H:%M:%S"));
    let default: Value = ALL.iter().map(|name| (*name, Value::from(vec!["all"]))).collect::<Map>().into();
    let mut entries = shown(config)?;
    if entries.is_empty() {
        entries.push(&default);
    }
    let mut all = Map::new();
    for (function, wanted) in entries.into_iter().map(config::map).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        let name = format!("status.{}", python_str(function));
        if cx.registry.get(&name).is_none() {
            return Err(key_error(&name.into()));
        }
        all.insert(function.clone(), Map::new());
        let data = match cx.call(&name, Args::none()) {
            Err(e) if e.is_execution() => {
                tracing::debug!("Status beacon attempted to process function {name} but encountered error: {e}");
                continue;
            }
            data => data?,
        };
        let wanted = match wanted {
            Value::List(list) => list.clone(),
            one => vec![one.clone()],
        };
        all.insert(function.clone(), parts(data, &wanted)?);
    }
    Ok(vec![map! { "tag" => tag, "data" => all }])
}

/// Those parts of what a function gave.
fn parts(data: Value, wanted: &[Value]) -> Result<Value> {
    let mut all = Value::Map(Map::new());
    for item in wanted {
        if item.as_str() == Some("all") {
            all = data.clone();
            continue;
        }
        let part = match &data {
            Value::Map(map) => map.get_key(item).cloned().ok_or_else(|| key_error(item)),
            Value::List(list) => {
                let at = int(item)?;
                let at = if at < 0 { at + list.len() as i128 } else { at };
                let found = usize::try_from(at).ok().and_then(|at| list.get(at));
                Ok(found.cloned().ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?)
            }
            Value::Str(text) => {
                let found = usize::try_from(int(item)?).ok().and_then(|at| text.chars().nth(at));
                let gone = || CallError::exception("IndexError", "string index out of range");
                Ok(found.ok_or_else(gone)?.to_string().into())
            }
            other => {
                int(item)?;
                let text = format!("'{}' object is not subscriptable", python_type(other));
                return Err(CallError::exception("TypeError", text));
            }
        };
        match (part, &mut all) {
            (Ok(part), Value::Map(map)) => drop(map.insert(item.clone(), part)),
            (Ok(_), _) => drop(int(item)?),
            (Err(e), _) => all = format!("Status beacon is incorrectly configured: {}", e.text()).into(),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_dicts_lists_and_texts() {
        let dict = Value::from(map! {"1-min" => 0.5, "5-min" => 0.25});
        assert_eq!(parts(dict.clone(), &["1-min".into()]).unwrap(), map! {"1-min" => 0.5}.into());
        assert_eq!(parts(dict.clone(), &["all".into()]).unwrap(), dict);
        assert_eq!(
            parts(dict, &["no".into()]).unwrap(),
            "Status beacon is incorrectly configured: 'no'".into()
        );
        let list = Value::from(vec!["a", "b"]);
        let second: Map = [(Value::from("1"), Value::from("b"))].into_iter().collect();
        assert_eq!(parts(list.clone(), &["1".into()]).unwrap(), second.into());
        assert_eq!(parts(list, &[2.into()]).unwrap_err().text(), "list index out of range");
    }
}
