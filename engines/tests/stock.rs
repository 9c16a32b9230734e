//! Reactor files, real ones in kind and ones made up at random, compiled and read here and by stock's own reactor: the same low
//! data, the same calls, the same words in the log.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more; `BRINE_REACTOR_FILES` is a folder of more files to compare.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::options::Daemon;
use brine_core::{Map, Opts};
use brine_engines::reactor::call::{Call, Kind, read};
use brine_files::Client;
use brine_states::Reactions;
use brine_testing::{Around, Random, Stock, json, map, number};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What the log said as errors.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }
}

/// Texts up to where stock and we tell of a failure in our own ways.
fn words(said: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in said {
        let own = ["Exception encountered while compiling reactions", "Failed to render \""];
        let cut = if let Some(begin) = own.iter().find(|begin| line.starts_with(**begin)) {
            (*begin).to_owned()
        } else if line.starts_with("Reactor '")
            && !line.contains("Incorrect argument")
            && !line.contains("not available")
        {
            line.split(": ").next().unwrap_or(line).to_owned()
        } else if line.starts_with("ReactWrap")
            || line.starts_with("Reactor")
            || line.starts_with("Unable")
            || line.starts_with("Can not")
        {
            line.clone()
        } else {
            continue;
        };
        all.push(cut);
    }
    all.sort();
    all
}

struct Ours {
    registry: Arc<Registry>,
    runners: Registry,
    wheel: Registry,
}

impl Ours {
    fn new() -> Self {
        Self {
            registry: Arc::new(Registry::new(brine_modules::ALL.iter().copied())),
            runners: brine_runners::Kind::Runner.registry(),
            wheel: brine_runners::Kind::Wheel.registry(),
        }
    }

    fn react(&self, home: &Path, question: &Json) -> Json {
        let mut all = Daemon::Minion.defaults();
        all.update(Daemon::Master.defaults());
        all.update(map(&json!({"id": "m", "file_client": "local", "cachedir": home.to_string_lossy()})));
        let opts = Opts::new(all);
        let files = Arc::new(Client::of_this_machine(&opts));
        let mut cx = Cx::new(Arc::new(opts), self.registry.clone(), Arc::new(Around::files(files)));
        cx.grains = Arc::new(map(&json!({"os": "Debian", "id": "m"})));
        let said = Said::default();
        let subscriber = tracing_subscriber::registry().with(said.clone());
        let (low, calls) = tracing::subscriber::with_default(subscriber, || {
            let text = |value: &Json| value.as_str().unwrap().to_owned();
            let files: Vec<String> = question["files"].as_array().unwrap().iter().map(text).collect();
            let data: Map = map(&question["data"]);
            let low = Reactions::new(&cx, question["tag"].as_str().unwrap(), &data).chunks(&files);
            let calls: Vec<Json> = low.iter().filter_map(|chunk| self.call(chunk)).collect();
            (low, calls)
        });
        let low: Vec<Json> = low.into_iter().map(|chunk| json(&chunk.into())).collect();
        let said = said.0.lock().unwrap().clone();
        json!({"low": low, "calls": calls, "said": said})
    }

    fn call(&self, chunk: &Map) -> Option<Json> {
        let functions = |kind| match kind {
            Kind::Runner => Some(&self.runners),
            Kind::Wheel => Some(&self.wheel),
        };
        match read(chunk, functions) {
            Ok(Call::Local(load)) => Some(json!(["local", json(&load.into())])),
            Ok(Call::Master(kind, fun, args)) => {
                let kind = if kind == Kind::Runner { "runner" } else { "wheel" };
                Some(json!([kind, fun, json(&args.positional.into()), json(&args.keyword.into())]))
            }
            Ok(Call::Caller(fun, args)) => {
                Some(json!(["caller", fun, json(&args.positional.into()), json(&args.keyword.into())]))
            }
            Err(e) => {
                tracing::error!("{e}");
                None
            }
        }
    }
}

/// Both of a question, if they differ.
fn differ(stock: &mut Stock, ours: &Ours, home: &Path, question: &Json) -> (Json, Option<String>) {
    let (want, got) = (stock.ask(question), ours.react(home, question));
    let texts = |all: &Json| -> Vec<String> { serde_json::from_value(all["said"].clone()).unwrap() };
    let same = want["low"] == got["low"]
        && want["calls"] == got["calls"]
        && words(&texts(&want)) == words(&texts(&got));
    let shown = (!same).then(|| format!("    stock {want}\n    ours  {got}"));
    (want, shown)
}

/// Files of every kind, as they stand in the documentation and in trees of many years.
const FILES: &[&str] = &[
    "clean_tmp:\n  local.cmd.run:\n    - tgt: '*'\n    - arg:\n      - rm -rf /tmp/*\n",
    "clean_tmp:\n  local.cmd.run:\n    - tgt: {{ data['id'] }}\n    - args:\n      - cmd: echo {{ data['data']['x'] }}\n",
    "{% if data['result'] == False and data['id'].startswith('ink') %}\nmaster:\n  local.cmd.run:\n    - tgt: m\n    - arg: [a, 5]\n{% endif %}\n",
    "{% if 'act' in data and data['act'] == 'pend' and data['id'].startswith('web') %}\nminion_add:\n  wheel.key.accept:\n    - match: {{ data['id'] }}\n{% endif %}\n",
    "minion_add:\n  wheel.key.accept:\n    - args:\n      - match: {{ data['id'] }}\n",
    "highstate_run:\n  local.state.apply:\n    - tgt: {{ data['id'] }}\n    - ret: smtp\n    - kwarg: {queue: true}\n    - metadata: {why: start}\n",
    "highstate_run:\n  cmd.state.highstate:\n    - tgt: 'G@role:web'\n    - tgt_type: compound\n    - timeout: 30\n",
    "orch:\n  runner.state.orchestrate:\n    - args:\n      - mods: orchestrate.x\n      - pillar: {event_tag: {{ tag }}, event_data: {{ data|json }}}\n",
    "orch:\n  runner.state.orchestrate:\n    - mods: orchestrate.x\n    - pillar:\n        event_tag: {{ tag }}\n",
    "orch:\n  runner.state.orch:\n    - kwarg:\n        mods: orchestrate.x\n    - arg: []\n",
    "up:\n  runner.manage.up: []\ndown:\n  runner.manage.down:\n    - removekeys: true\n",
    "gone:\n  runner.no.such:\n    - a: 1\nthere:\n  runner.no.such:\n    - args: {a: 1}\n",
    "new_file:\n  caller.file.touch:\n    - args:\n      - name: /tmp/x\n",
    "old_file:\n  caller.file.touch:\n    - args:\n      - /tmp/x\n      - atime\n",
    "old_file:\n  caller.file.touch:\n    - arg: [/tmp/x]\n    - kwarg: {atime: 1}\n",
    "b:\n  local.test.arg:\n    - tgt: x\n    - order: 2\na:\n  local.test.arg:\n    - tgt: x\n    - order: 1\nc:\n  local.test.arg:\n    - tgt: x\n    - order: last\n",
    "many:\n  local.test.arg:\n    - tgt: x\n    - names: [n2, n1, {n3: [{arg: [q]}]}]\n",
    "two:\n  local:\n    - test.ping\n    - test.version\n    - tgt: x\n",
    "two:\n  local.test.ping:\n    - tgt: x\n  local.test.version:\n    - tgt: y\n",
    "kinds:\n  local.test.ping:\n    - tgt: x\n  runner.jobs.active: []\n  wheel.key.list_all: []\n",
    "short: local.test.ping\n",
    "short: text\n",
    "nothing:\n  local:\n    - tgt: x\n",
    "5:\n  local.test.ping:\n    - tgt: x\n",
    "a:\n  local.test.ping:\n    - tgt: x\n    - require: no\n",
    "a:\n  local.test.ping: {tgt: x}\n",
    "a:\n  other.test.ping:\n    - tgt: x\n",
    "a:\n  local.test.ping: []\n",
    "a:\n  local.test.ping:\n    - tgt: x\n    - args: []\nb:\n  local.test.ping:\n    - tgt: x\n    - args: text\n",
    "a:\n  local.test.arg:\n    - tgt: x\n    - args: '- a: 1'\n",
    "a:\n  local.test.arg:\n    - tgt: x\n    - arg: text\n    - kwarg: [a]\n",
    "a:\n  local.test.arg:\n    - tgt: [a, b]\n    - tgt_type: list\n    - jid: '20260101000000000000'\n    - arg: ['20260101000000000000', 7]\n",
    "#!yaml\na:\n  runner.cache.grains:\n    - tgt: x\n    - nonsense: 1\nb:\n  runner.cache.grains:\n    - one: 1\n    - two: 2\n",
    "a:\n  runner.test.arg:\n    - x: 1\n    - y: [2]\nb:\n  wheel.key.finger: []\n",
    "a: [1]\n",
    "- a\n",
    "{{ broken\n",
    "   \n",
    "a:\n  local.test.ping:\n  - tgt: x\n  - state: wheel\n",
    "{% for n in range(3) %}\nping_{{ n }}:\n  local.test.ping:\n    - tgt: '{{ grains.os }}-{{ n }}'\n{% endfor %}\n",
    "{% set payload = data.get('post', {}) %}\nhook:\n  local.event.send:\n    - tgt: x\n    - kwarg: {tag: t, data: {{ payload|tojson }}}\n",
];

fn question(files: Vec<String>) -> Json {
    json!({
        "tag": "salt/minion/web1/start", "files": files,
        "data": {"id": "web1", "act": "pend", "result": false, "name": "web1", "config": "default", "change": "IN_CLOSE_WRITE", "post": {"event": "success", "n": [1, null]}, "data": {"x": "y z", "primary_node": "p1", "scope": "s", "changes": [{"a": 1}]}, "_stamp": "2026-01-01T00:00:00"},
    })
}

#[test]
fn files_of_every_kind_react_as_with_stock() {
    let dir = tempfile::tempdir().unwrap();
    let (mut stock, ours) = (Stock::start(include_str!("data/react.py")), Ours::new());
    let (mut wrong, mut called) = (Vec::new(), 0);
    let mut questions: Vec<Vec<String>> = Vec::new();
    for (n, text) in FILES.iter().enumerate() {
        let path = dir.path().join(format!("{n:03}.sls"));
        fs::write(&path, text).unwrap();
        questions.push(vec![path.to_string_lossy().into_owned()]);
    }
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    questions.push(vec![path("001.sls"), path("000.sls"), path("015.sls")]);
    questions.push(vec![path("00[137].sls")]);
    questions.push(vec![path("none.sls"), path("005.sls"), path("036.sls")]);
    questions.push(vec![path("023.sls"), path("005.sls")]);
    if let Ok(more) = std::env::var("BRINE_REACTOR_FILES") {
        let mut more: Vec<String> =
            fs::read_dir(more).unwrap().map(|e| e.unwrap().path().to_string_lossy().into_owned()).collect();
        more.sort();
        questions.extend(more.into_iter().map(|one| vec![one]));
    }
    for files in questions {
        let (want, shown) = differ(&mut stock, &ours, dir.path(), &question(files.clone()));
        called += want["calls"].as_array().unwrap().len();
        if let Some(shown) = shown {
            let text = fs::read_to_string(&files[0]).unwrap_or_default();
            wrong.push(format!("{files:?}\n{text}{shown}"));
        }
    }
    println!("{called} calls compared");
    assert!(called > 40, "{called}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn value(r: &mut Random, depth: usize) -> Json {
    match r.below(if depth > 2 { 6 } else { 9 }) {
        0 => json!(null),
        1 => json!(r.below(5)),
        2 => json!(r.once_in(2)),
        3 => json!(1.5),
        4 | 5 => json!(r.pick(&["a", "x=y", "two words", "", "web1"])),
        6 => (0..r.below(3)).map(|_| value(r, depth + 1)).collect(),
        7 => (0..r.below(3)).map(|_| json!({r.pick(&["a", "b", "tgt"]): value(r, depth + 1)})).collect(),
        _ => json!({r.pick(&["a", "b"]): value(r, depth + 1)}),
    }
}

fn argument(r: &mut Random, out: &mut Vec<Json>) {
    let key = r.pick(&[
        "arg", "kwarg", "args", "args", "arg", "ret", "order", "order", "name", "names", "tgt_type",
        "metadata", "jid", "match", "mods", "timeout", "require", "fun", "state", "key", "pillar", "a b",
    ]);
    let given = match (key, r.below(5)) {
        ("arg", 0..4) => json!([value(r, 1), value(r, 1)]),
        // Elsewhere than in jobs, what is no dict is refused before the run, not within it.
        ("kwarg", _) => json!({"k": value(r, 1)}),
        ("args", 0..2) => json!([{"k": value(r, 1)}, {"l": 1}]),
        ("args", 2..4) => json!({"k": value(r, 1)}),
        ("order", _) => r
            .pick(&[
                &json!(1),
                &json!(-1),
                &json!("last"),
                &json!("first"),
                &json!(2.5),
                &json!("odd"),
                &json!(7),
            ])
            .clone(),
        ("names", _) => json!(["n1", "n0", {"n2": [{"ret": "r"}]}]),
        ("tgt_type", _) => json!(r.pick(&["list", "compound", "glob"])),
        ("name" | "ret" | "jid" | "match" | "mods" | "fun", _) => json!(r.pick(&["x", "y"])),
        ("state", _) => json!("local"),
        ("timeout", _) => json!(5),
        ("require", _) => json!([{"local": r.pick(&["i1", "i2"])}]),
        _ => value(r, 1),
    };
    out.push(json!({ key: given }));
}

fn file(r: &mut Random) -> Json {
    let mut all = serde_json::Map::new();
    for _ in 0..1 + r.below(3) {
        let mut body = serde_json::Map::new();
        for _ in 0..if r.once_in(6) { 2 } else { 1 } {
            let kind = r.pick(&["local", "local", "local", "cmd", "runner", "runner", "wheel", "caller"]);
            let fun = match kind {
                "runner" => r.pick(&["state.orchestrate", "manage.up", "test.arg", "jobs.active", "no.such"]),
                "wheel" => r.pick(&["key.accept", "key.delete", "key.list_all", "no.such"]),
                _ => r.pick(&["test.ping", "test.arg", "state.apply"]),
            };
            let mut run = Vec::new();
            if matches!(kind, "local" | "cmd") && !r.once_in(15) {
                run.push(json!({"tgt": r.pick(&["web1", "*", "a,b"])}));
            }
            for _ in 0..r.below(4) {
                argument(r, &mut run);
            }
            if r.once_in(25) {
                run.push(json!(r.pick(&["other.fun", "with space"])));
            }
            if r.once_in(8) {
                run.insert(0, json!(fun));
                body.insert(kind.to_owned(), run.into());
            } else {
                body.insert(format!("{kind}.{fun}"), run.into());
            }
        }
        let id = r.pick(&["i1", "i2", "i3", "i4", "with space"]);
        let whole: Json = if r.once_in(30) { json!("local.test.ping") } else { body.into() };
        all.insert(id.to_owned(), whole);
    }
    all.into()
}

#[test]
fn files_made_up_at_random_react_as_with_stock() {
    let dir = tempfile::tempdir().unwrap();
    let (seed, cases) = (number("BRINE_SEED", 8), number("BRINE_CASES", 300));
    let (mut stock, ours) = (Stock::start(include_str!("data/react.py")), Ours::new());
    let mut random = Random::new(seed);
    let (mut wrong, mut called) = (Vec::new(), 0);
    for n in 0..cases {
        let mut files = Vec::new();
        for part in 0..1 + random.below(5) / 4 {
            let path = dir.path().join(format!("{n}-{part}.sls"));
            // What JSON says, YAML says too.
            fs::write(&path, format!("{:#}\n", file(&mut random))).unwrap();
            files.push(path.to_string_lossy().into_owned());
        }
        let (want, shown) = differ(&mut stock, &ours, dir.path(), &question(files.clone()));
        called += want["calls"].as_array().unwrap().len();
        if let Some(shown) = shown {
            wrong.push(format!("case {n}\n{}{shown}", fs::read_to_string(&files[0]).unwrap()));
        }
    }
    println!("seed {seed}: {cases} files, {called} calls compared");
    assert!(called * 2 > cases as usize, "{called}");
    let shown = wrong[..wrong.len().min(6)].join("\n");
    assert!(wrong.is_empty(), "seed {seed}: {} differ:\n{shown}", wrong.len());
}
