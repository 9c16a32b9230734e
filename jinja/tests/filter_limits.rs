//! What makes much out of little: an error within bounded memory and time, never a process that dies.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_jinja::{Context, Environment, State, Syntax, globals};
use brine_python::{Args, Dict, Kind, Limits, Obj, R, call};
use std::rc::Rc;
use std::time::{Duration, Instant};

fn state() -> State {
    let mut env = Environment::new(Syntax::default());
    env.sandboxed = true;
    State {
        env: Rc::new(env),
        context: Rc::new(Context::new(Rc::new(Dict::new()), None, false)),
        autoescape: false,
    }
}

const LIMITS: Limits = Limits { bytes: 16 << 20, steps: 100_000 };

fn filter(name: &str, args: Vec<Obj>) -> R {
    LIMITS.enter(|| {
        let out = state().call_filter(&name.into(), &Args::of(args))?;
        // What is lazy is asked for all it has.
        if let Obj::Iter(iter) = &out { iter.collect().map(Obj::list) } else { Ok(out) }
    })
}

fn long() -> Obj {
    Obj::str("word ".repeat(1 << 20))
}

fn many() -> Obj {
    Obj::list(vec![Obj::Int(1); 1 << 20])
}

#[test]
fn filters_ask_before_they_take() {
    let huge = || Obj::Int(1 << 40);
    let text = || Obj::from("a b");
    let cases: Vec<(&str, Vec<Obj>)> = vec![
        ("center", vec![text(), huge()]),
        ("indent", vec![text(), huge()]),
        ("indent", vec![Obj::str("a\n".repeat(100_000)), Obj::Int(1000)]),
        ("batch", vec![Obj::list(vec![Obj::None]), huge(), Obj::Int(0)]),
        ("slice", vec![Obj::list(vec![Obj::None]), huge()]),
        ("wordwrap", vec![long(), Obj::Int(1)]),
        ("replace", vec![Obj::str("a".repeat(1 << 20)), "a".into(), Obj::str("b".repeat(1 << 10))]),
        ("tojson", vec![Obj::list(vec![Obj::list(vec![Obj::None])]), huge()]),
        ("sort", vec![many()]),
        ("unique", vec![many()]),
        ("map", vec![many(), "string".into()]),
        ("select", vec![many()]),
        ("list", vec![many()]),
        ("join", vec![many(), long()]),
        ("urlize", vec![long()]),
        ("pprint", vec![many()]),
        ("format", vec!["%*d".into(), huge(), Obj::Int(1)]),
        ("escape", vec![Obj::str("&".repeat(8 << 20))]),
        ("urlencode", vec![Obj::str("&".repeat(8 << 20))]),
    ];
    for (name, args) in cases {
        let started = Instant::now();
        let done = filter(name, args);
        let kind = done.err().map(|e| e.kind());
        assert_eq!(kind, Some(Kind::Limit), "{name}");
        assert!(started.elapsed() < Duration::from_secs(20), "{name}");
    }
}

#[test]
fn long_words_take_no_longer_than_many() {
    let limits = Limits { bytes: 1 << 30, steps: 10_000_000 };
    let long = |text: &str| Obj::str(text.repeat(1 << 17));
    for (name, args) in [
        ("wordwrap", vec![long("a"), Obj::Int(7)]),
        ("wordwrap", vec![long("-"), Obj::Int(7)]),
        ("wordwrap", vec![long("é-"), Obj::Int(70)]),
        ("urlize", vec![Obj::str(format!("a{}b{}", "(".repeat(1 << 17), ")".repeat(1 << 17)))]),
        ("urlize", vec![long("a.")]),
        ("striptags", vec![long("<a>&amp")]),
        ("title", vec![long("a-")]),
        ("pprint", vec![long("a b")]),
    ] {
        let started = Instant::now();
        let done = limits.enter(|| state().call_filter(&name.into(), &Args::of(args)));
        assert!(done.is_ok(), "{name}: {:?}", done.err());
        assert!(started.elapsed() < Duration::from_secs(10), "{name}: {:?}", started.elapsed());
    }
}

#[test]
fn nesting_is_an_error() {
    let mut nested = Obj::list(Vec::new());
    for _ in 0..100_000 {
        nested = Obj::list(vec![nested]);
    }
    for name in ["tojson", "pprint", "string", "unique"] {
        let kind = filter(name, vec![nested.clone()]).err().map(|e| e.kind());
        let wanted = if name == "unique" { Kind::TypeError } else { Kind::RecursionError };
        assert_eq!(kind, Some(wanted), "{name}");
    }
    let own = Obj::list(Vec::new());
    brine_python::call_method(&own, "append", &Args::of([own.clone()])).unwrap();
    assert!(filter("tojson", vec![own.clone()]).is_err());
    assert!(filter("pprint", vec![own]).unwrap().as_str().unwrap().contains("<Recursion on list"));
}

#[test]
fn globals_are_bounded() {
    let run = |name: &str, args: Vec<Obj>| {
        let all = globals();
        let (_, callee) = all.iter().find(|(n, _)| *n == name).unwrap();
        LIMITS.enter(|| call(callee, &Args::of(args)))
    };
    assert_eq!(run("range", vec![Obj::Int(100_001)]).unwrap_err().kind(), Kind::OverflowError);
    assert!(run("range", vec![Obj::Int(100_000)]).is_ok());
    assert_eq!(run("lipsum", vec![Obj::Int(1 << 40)]).unwrap_err().kind(), Kind::Limit);
    let text = run("lipsum", vec![Obj::Int(3), Obj::Bool(false), Obj::Int(5), Obj::Int(6)]).unwrap();
    let text = text.as_str().unwrap().to_owned();
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(paragraphs.len(), 3);
    for paragraph in paragraphs {
        assert_eq!(paragraph.split(' ').count(), 5, "{paragraph}");
        assert!(
            paragraph.starts_with(|c: char| c.is_ascii_uppercase()) && paragraph.ends_with('.'),
            "{paragraph}"
        );
    }
}
