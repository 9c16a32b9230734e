//! Cases, compiled here and by stock Salt 3006.28 in one process of its Python.

use brine_core::call::{Cx, Registry};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::text::{python_repr, python_str};
use brine_core::{CallError, Map, Opts, Value};
use brine_files::PillarRoots;
use brine_pillar::{Settled, Wish, compile};
use brine_testing::{Stock, map as map_of};
pub(crate) use brine_testing::{number, value};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;

/// One pillar.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) opts: Json,
    pub(crate) extra: Json,
    pub(crate) over: Json,
    pub(crate) ext: Json,
    /// Whether dicts must have the same order.
    pub(crate) ordered: bool,
    /// Whether stock's functions read the options of this case.
    pub(crate) functions: bool,
}

impl Case {
    /// A case with these options, for the minion `web1`.
    pub(crate) fn new(opts: Json) -> Self {
        Self {
            id: "web1",
            opts,
            extra: json!({}),
            over: json!({}),
            ext: Json::Null,
            ordered: true,
            functions: false,
        }
    }

    /// A case of one source.
    pub(crate) fn source(name: &str, args: Json) -> Self {
        Self::new(json!({"ext_pillar": [{name: args}]}))
    }

    /// The same with further options.
    pub(crate) fn with(mut self, opts: Json) -> Self {
        for (key, value) in opts.as_object().unwrap() {
            self.opts[key] = value.clone();
        }
        self
    }

    /// The same where the order in which a folder is read decides that of dicts.
    pub(crate) fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }
}

pub(crate) fn grains() -> Json {
    json!({
        "os": "Debian", "os_family": "Debian", "id": "web1", "ipv4": ["10.1.2.3"], "ipv6": [], "roles": ["a", "b"],
        "n": {"x": "a b/c", "zero": 0}, "num": 7,
    })
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut pairs: Vec<(Value, Value)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            pairs.sort_by_key(|(k, _)| python_repr(k));
            pairs.into_iter().collect::<Map>().into()
        }
        Value::List(list) => Value::List(list.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// An error without the lines around its place, which ours show more often.
fn in_short(error: &Value) -> Value {
    let text = python_str(error);
    text[..text.find("\n\nline ").unwrap_or(text.len())].into()
}

/// The pillar as this program compiles it, as Python shows it; or the error.
pub(crate) fn ours(case: &Case, opts: &Json) -> String {
    let mut all = Daemon::Master.defaults();
    all.insert("id", "here_master");
    all.insert("__role", "master");
    all.update(map_of(opts));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let mut cx = Cx::new(Arc::new(Opts::new(all)), registry, Arc::new(NoHost));
    cx.grains = Arc::new(map_of(&grains()));
    let wish = Wish {
        id: case.id.into(),
        saltenv: Some("base".into()),
        over: value(&case.over).as_map().cloned(),
        ext: Some(value(&case.ext)).filter(|ext| !ext.is_nil()),
        extra: map_of(&case.extra),
        ..Wish::default()
    };
    let settled = Settled::new(&cx.opts, wish);
    let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    match compile(&cx, settled, files) {
        Ok(mut pillar) => {
            if let Some(Value::List(errors)) = pillar.get("_errors").cloned() {
                pillar.insert("_errors", errors.iter().map(in_short).collect::<Vec<_>>());
            }
            python_repr(&if case.ordered { pillar.into() } else { sorted(pillar.into()) })
        }
        Err(CallError::Exception { kind, message }) => format!("{kind}: {message}"),
        Err(CallError::Arguments(text)) => format!("TypeError: {text}"),
        Err(other) => format!("{other:?}"),
    }
}

/// The options of a case, with folders of its own.
pub(crate) fn settled(case: &Case, dir: &Path) -> Json {
    let root = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let mut opts = json!({
        "cachedir": root("cache"), "pki_dir": root("pki"), "extension_modules": root("extmods"), "sock_dir": root("sock"),
        "pillar_roots": {"base": [root("pillar")]}, "file_roots": {"base": [root("files")]}, "key_cache": "",
    });
    for (key, value) in case.opts.as_object().unwrap() {
        opts[key] = value.clone();
    }
    opts
}

/// Compiles all cases on both sides. `dir` is where their folders are.
pub(crate) fn compare(dir: &Path, cases: &[Case]) {
    let mut stock = Stock::start_with(include_str!("../data/stock_ext.py"), |command| {
        command.env("HOME", dir);
    });
    let one = std::env::var("BRINE_CASE").ok().and_then(|n| n.parse::<usize>().ok());
    let mut wrong = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        if one.is_some_and(|one| one != n) {
            continue;
        }
        let opts = settled(case, dir);
        let question = json!({
            "opts": opts, "grains": grains(), "id": case.id, "over": case.over, "ext": case.ext, "extra": case.extra,
            "ordered": case.ordered, "functions": case.functions,
        });
        let answer = stock.ask(&question);
        let own = ours(case, &opts);
        if one.is_some() {
            println!("{opts}\n{own}");
        }
        if answer.as_str() != Some(&own) {
            wrong.push(format!("case {n} {}\n    stock {answer}\n    ours  {own}", case.opts["ext_pillar"]));
        }
    }
    println!("{} cases compared", cases.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(15)].join("\n"));
}
