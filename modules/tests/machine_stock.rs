//! The modules that look at the machine against stock Salt 3006.28 on the same machine, live: every call of
//! `machine_stock.json` returns the same, or raises the same with the same text. Where numbers change from one moment
//! to the next (`"compare": "shape"`), keys and types are the same. The grains file ends up with the same bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/json.rs"]
mod json;
#[path = "common/stock.rs"]
mod stock;

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::text::python_str;
use brine_core::{Opts, Value, map};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CALLS: &str = include_str!("machine_stock.json");
const PROGRAM: &str = include_str!("machine_stock.py");

/// A sleeping child, ended with the test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn error_of(e: &CallError) -> Value {
    let (kind, text) = match e {
        CallError::Execution(t) => ("CommandExecutionError", t.clone()),
        CallError::Invocation(t) => ("SaltInvocationError", t.clone()),
        CallError::CommandNotFound(t) => ("CommandNotFoundError", t.clone()),
        CallError::Arguments(t) => ("TypeError", t.clone()),
        CallError::Exception { kind, message } => (*kind, message.clone()),
        other => ("other", other.to_string()),
    };
    map! {"error" => vec![kind.to_owned(), text]}.into()
}

/// What JSON makes of a value: keys are text.
fn as_json(value: Value) -> Value {
    match value {
        Value::Map(m) => Value::Map(m.into_iter().map(|(k, v)| (python_str(&k), as_json(v))).collect()),
        Value::List(l) => l.into_iter().map(as_json).collect(),
        other => other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Map(_) => "map",
        Value::List(_) => "list",
        Value::Str(_) => "text",
        Value::Int(_) => "integer",
        Value::Float(_) => "float",
        Value::Bool(_) => "truth",
        _ => "nothing",
    }
}

/// Same types, same keys; of lists, the first members.
fn same_shape(a: &Value, b: &Value, any_keys: bool) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) if any_keys => match (a.values().next(), b.values().next()) {
            (Some(a), Some(b)) => same_shape(a, b, false),
            _ => true,
        },
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(k, v)| {
                    // The words of a program, or the name of a kernel thread: which process it is, is chance.
                    let command = |v: &Value| k.as_str() == Some("cmd") && matches!(kind(v), "list" | "text");
                    b.get_key(k).is_some_and(|w| same_shape(v, w, false) || (command(v) && command(w)))
                })
        }
        (Value::List(a), Value::List(b)) => {
            a.first().zip(b.first()).is_none_or(|(a, b)| kind(a) != "map" || same_shape(a, b, false))
        }
        (a, b) => kind(a) == kind(b),
    }
}

fn compare(call: &Value, mut theirs: Value, mut ours: Value) -> Option<String> {
    for name in call.get("except").and_then(Value::as_list).unwrap_or_default() {
        for side in [&mut theirs, &mut ours] {
            if let Some(Value::Map(ret)) = side.as_map_mut().and_then(|m| m.get_mut("ret")) {
                ret.remove(name.as_str().unwrap());
            }
        }
    }
    let same = match (call.get("compare"), theirs.get("ret"), ours.get("ret")) {
        (Some(_), Some(a), Some(b)) => same_shape(a, b, call.get("keys").is_some()),
        (_, Some(Value::List(a)), Some(Value::List(b))) if call.get("ordered").is_some() => {
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| stock::same(Some(x), Some(y))))
        }
        _ => stock::same(Some(&theirs), Some(&ours)),
    };
    if same {
        return None;
    }
    // Of two maps only what differs.
    if let (Some(Value::Map(a)), Some(Value::Map(b))) =
        (theirs.as_map_mut().and_then(|m| m.get_mut("ret")), ours.as_map_mut().and_then(|m| m.get_mut("ret")))
    {
        let (whole_a, whole_b) = (a.clone(), b.clone());
        a.retain(|k, v| whole_b.get_key(k) != Some(v));
        b.retain(|k, v| whole_a.get_key(k) != Some(v));
    }
    Some(format!("{call:?}\n  stock {theirs:?}\n  ours  {ours:?}"))
}

fn context(conf: &Path, root: &Path) -> Cx {
    let opts = Opts::new(map! {
        "id" => "stockm",
        "master" => "salt",
        "conf_file" => conf.to_string_lossy().into_owned(),
        "cachedir" => root.to_string_lossy().into_owned(),
        "local" => true,
    });
    let grains = brine_modules::grains(&opts);
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), Arc::new(NoHost));
    cx.grains = Arc::new(grains);
    cx
}

/// The machine may change between the two (an interface comes, a disk is mounted): what differs in every of three
/// runs is what differs.
#[test]
fn every_call_answers_as_stocks() {
    let mut wrong = differences();
    for _ in 0..2 {
        if !wrong.is_empty() {
            let again = differences();
            wrong.retain(|(n, _)| again.iter().any(|(m, _)| m == n));
        }
    }
    let texts: Vec<&str> = wrong.iter().map(|(_, text)| text.as_str()).collect();
    assert!(wrong.is_empty(), "{} calls differ:\n{}", wrong.len(), texts.join("\n"));
}

/// The calls that differ, by number.
fn differences() -> Vec<(usize, String)> {
    let seconds = "90001.0625";
    let child = Child(std::process::Command::new("sleep").arg(seconds).spawn().unwrap());
    let cmdline = format!("/proc/{}/cmdline", child.0.id());
    let deadline = Instant::now() + Duration::from_secs(10);
    while !std::fs::read_to_string(&cmdline).unwrap().contains(seconds) && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let calls = CALLS.replace("\"{pid}\"", &child.0.id().to_string()).replace("{seconds}", seconds);
    let (theirs_dir, ours_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = theirs_dir.path().join("calls.json");
    std::fs::write(&file, &calls).unwrap();
    let conf = stock::configuration(theirs_dir.path(), "local: True\n");
    std::fs::create_dir_all(theirs_dir.path().join("root/var/cache/salt/minion")).unwrap();
    let theirs = stock::python(PROGRAM, &[&file.to_string_lossy(), &conf.to_string_lossy()]);
    let calls = json::parse(&calls).unwrap();
    let cx = context(&stock::configuration(ours_dir.path(), ""), ours_dir.path());
    let mut wrong = Vec::new();
    for (number, (call, theirs)) in calls.as_list().unwrap().iter().zip(theirs.as_list().unwrap()).enumerate()
    {
        let args = Args {
            positional: call.get("arg").and_then(Value::as_list).unwrap_or_default().to_vec(),
            keyword: call.get("kwarg").and_then(Value::as_map).cloned().unwrap_or_default(),
        };
        let ours = match cx.call(call.get("fun").and_then(Value::as_str).unwrap(), args) {
            Ok(ret) => map! {"ret" => as_json(ret)}.into(),
            Err(e) => error_of(&e),
        };
        wrong.extend(compare(call, theirs.clone(), ours).map(|text| (number, text)));
    }
    let grains = |dir: &Path| std::fs::read_to_string(dir.join("grains")).unwrap();
    assert_eq!(grains(ours_dir.path()), grains(theirs_dir.path()));
    wrong
}
