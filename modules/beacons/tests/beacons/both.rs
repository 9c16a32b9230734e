//! One question put to a beacon and to stock's of the same name.

use brine_beacons::{Kept, find};
use brine_core::call::{Args, CallError, Cx, Function, Module, Param, ParamKind, Result};
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_testing::{Stock, json, value};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) const SCRIPT: &str = include_str!("stock.py");

/// The functions that beacons call, answered from a table in the options.
const FUNCTIONS: &[&str] = &[
    "service.status",
    "group.info",
    "pkg.version",
    "pkg.latest_version",
    "pkg.upgrade_available",
    "status.loadavg",
    "status.time",
    "status.w",
    "status.meminfo",
    "status.uptime",
    "cmd.shells",
    "status.procs",
    "test.ping",
    "test.echo",
];

const PARAMS: &[Param] =
    &[Param { name: "args", kind: ParamKind::VarArgs }, Param { name: "kwargs", kind: ParamKind::KwArgs }];

macro_rules! answered {
    ($($name:literal),* $(,)?) => {
        [$((Function { name: "", doc: "", params: PARAMS, run: |cx, args| answer(cx, $name, &args) }, $name)),*]
    };
}

fn answer(cx: &Cx, name: &str, args: &Args) -> Result {
    let answers = cx.opts.get("answers").cloned().unwrap_or_default();
    let mut answer = answers.get(name).cloned().unwrap_or_default();
    if let Some(by) = answer.get("by") {
        let first = args.positional.first().map(brine_core::text::python_str).unwrap_or_default();
        answer = by.get(&first).cloned().unwrap_or_default();
    }
    match answer.get("fails") {
        Some(text) => Err(CallError::execution(brine_core::text::python_str(text))),
        None => Ok(answer),
    }
}

/// A context in which those functions are there that have answers.
pub(crate) fn cx(answers: &Json) -> Cx {
    let known = answered!(
        "service.status",
        "group.info",
        "pkg.version",
        "pkg.latest_version",
        "pkg.upgrade_available",
        "status.loadavg",
        "status.time",
        "status.w",
        "status.meminfo",
        "status.uptime",
        "cmd.shells",
        "status.procs",
        "test.ping",
        "test.echo",
    );
    assert_eq!(known.len(), FUNCTIONS.len());
    let mut registry = Registry::default();
    for (function, name) in known {
        if answers.get(name).is_some() {
            let (module, short) = name.split_once('.').unwrap();
            let functions = Vec::leak(vec![Function { name: short, ..function }]);
            registry.add(module, &Module { name: "", functions });
        }
    }
    let opts = map! { "id" => "m1", "answers" => value(answers) };
    Cx::new(Arc::new(Opts::new(opts)), Arc::new(registry), Arc::new(NoHost))
}

/// Both, each with what it keeps.
pub(crate) struct Both {
    pub(crate) stock: Stock,
    kept: HashMap<String, Kept>,
}

impl Both {
    pub(crate) fn start() -> Self {
        Self { stock: Stock::start(SCRIPT), kept: HashMap::new() }
    }

    /// A turn of ours, as stock's would answer.
    pub(crate) fn ours(&mut self, question: &Json) -> Json {
        let kind = question["beacon"].as_str().unwrap();
        let name = question["name"].as_str().unwrap_or(kind);
        let cx = cx(question.get("answers").unwrap_or(&json!({})));
        let config = value(&question["config"]);
        let kept = self.kept.entry(name.to_owned()).or_default();
        match (find(kind).unwrap().look)(&cx, config.as_list().unwrap(), kept) {
            Ok(told) => json!({ "told": told.into_iter().map(|event| shown(&event)).collect::<Vec<_>>() }),
            Err(e) => json!({ "raised": e.text() }),
        }
    }

    /// A turn of both; they say the same. Returns what they say.
    pub(crate) fn agree(&mut self, question: Json) -> Json {
        let stock = self.stock.ask(&question);
        let ours = self.ours(&question);
        assert_eq!(ours, stock, "{question}");
        ours
    }
}

pub(crate) fn shown(event: &Map) -> Json {
    json(&Value::Map(event.clone()))
}

/// Whether ours takes a configuration, in the form of stock's answer.
pub(crate) fn validated(kind: &str, config: &Json, answers: &Json) -> Json {
    let valid = if kind == "salt_monitor" { "valid config" } else { "Valid beacon configuration" };
    match (find(kind).unwrap().validate)(&cx(answers), &value(config)) {
        Ok(()) => json!({ "valid": true, "text": valid }),
        Err(CallError::Exception { message, .. }) => json!({ "raised": message }),
        Err(e) => json!({ "valid": false, "text": e.text() }),
    }
}
