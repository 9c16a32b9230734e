//! Every call of `stock_calls/calls.json` returns here what `stock_calls/measure.py` measured on stock 3006.28; calls
//! marked `differs` return something else, for the reason given there.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Value};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;

fn read(name: &str, tmp: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stock_calls").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap().replace("{tmp}", tmp)).unwrap()
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().map_or_else(|| n.as_f64().unwrap().into(), Value::from),
        Json::String(s) => s.as_str().into(),
        Json::Array(list) => list.iter().map(to_value).collect(),
        Json::Object(_) => to_map(json).into(),
    }
}

fn to_map(json: &Json) -> Map {
    json.as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), to_value(v))).collect()
}

/// As the measuring script writes it: process ids and temporary names masked.
fn to_json(value: &Value, tmp: &str) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => json!(i64::try_from(*i).unwrap()),
        Value::Float(x) => json!(x),
        Value::Str(s) => mask(s, tmp).into(),
        Value::Bytes(b) => json!({"__bytes__": b.iter().map(|b| format!("{b:02x}")).collect::<String>()}),
        Value::List(list) => list.iter().map(|v| to_json(v, tmp)).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(k, v)| {
                let key = mask(&brine_core::text::python_str(k), tmp);
                let value = if key == "pid" && v.truthy() { json!(0) } else { to_json(v, tmp) };
                (key, value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::DateTime(d) => d.to_string().into(),
    }
}

fn mask(text: &str, tmp: &str) -> String {
    const MARK: &str = "__salt.tmp.";
    let text = text.replace(tmp, "{tmp}");
    let mut parts = text.split(MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(MARK);
        out.push('X');
        out.push_str(part.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'));
    }
    out
}

fn error(e: CallError) -> [String; 2] {
    let (kind, text) = match e {
        CallError::Detailed(detailed) => ("CommandExecutionError", detailed.text),
        CallError::Execution(text) => ("CommandExecutionError", text),
        CallError::Invocation(text) => ("SaltInvocationError", text),
        CallError::CommandNotFound(text) => ("CommandNotFoundError", text),
        CallError::Arguments(text) => ("TypeError", text),
        CallError::NotAvailable(text) => ("KeyError", text),
        CallError::Client(text) => ("SaltClientError", text),
        CallError::Exception { kind, message } => (kind, message),
        CallError::Cancelled => ("SystemExit", String::new()),
    };
    [kind.to_owned(), text]
}

fn mask_shell(json: &mut Json, shell: &str) {
    match json {
        Json::String(text) if text == shell => *json = "{shell}".into(),
        Json::Array(list) => list.iter_mut().for_each(|item| mask_shell(item, shell)),
        Json::Object(map) => map.values_mut().for_each(|item| mask_shell(item, shell)),
        _ => {}
    }
}

#[test]
fn every_call_returns_what_stock_returned() {
    let folder = tempfile::tempdir().unwrap();
    let tmp = folder.path().to_str().unwrap();
    let world = read("world.json", tmp);
    for (name, text) in world["files"].as_object().unwrap() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
    let opts = Opts::new(to_map(&world["opts"]));
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), Arc::new(NoHost));
    cx.grains = Arc::new(to_map(&world["grains"]));
    cx.pillar = Arc::new(to_map(&world["pillar"]));
    let (calls, measured) = (read("calls.json", tmp), read("measured.json", "{tmp}"));
    // The default of the parameter `shell` comes from the environment of whoever runs this.
    let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into());
    let (calls, measured) = (calls.as_array().unwrap(), measured.as_array().unwrap());
    assert_eq!(calls.len(), measured.len(), "measure.py is to be run again");
    let root = nix::unistd::geteuid().is_root();
    let mut wrong = Vec::new();
    for (call, stock) in calls.iter().zip(measured) {
        if call["root"] == true && !root {
            continue;
        }
        cx.job.remove_context("retcode");
        let args = Args {
            positional: call["args"].as_array().into_iter().flatten().map(to_value).collect(),
            keyword: to_map(&call["kwargs"]),
        };
        let mut ours = match cx.call(call["fun"].as_str().unwrap(), args) {
            Ok(value) => json!({"ret": to_json(&value, tmp)}),
            Err(e) => json!({"error": error(e).map(|text| mask(&text, tmp))}),
        };
        if let Some(code) = cx.job.context("retcode") {
            ours["retcode"] = to_json(&code, tmp);
        }
        if call["mask"] == "second" && ours["ret"].is_array() {
            ours["ret"][1] = json!(0);
        }
        if call["fun"] == "sys.argspec" {
            mask_shell(&mut ours, &shell);
        }
        if (ours == *stock) != call["differs"].is_null() {
            wrong.push(format!("{call}\n  stock {stock}\n  ours  {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} calls:\n{}", wrong.len(), wrong.join("\n"));
}
