//! The returners of mail, Slack and Elasticsearch beside stock Salt 3006.28's own modules: both talk to a listener of the
//! test's, and say the same. Debian has no Elasticsearch, and Slack is not ours to write to.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod elasticsearch;
#[path = "../listeners/mod.rs"]
mod listeners;
mod mail;
mod slack;

use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_returners::{Returner, find};
use common::Stock;
use std::sync::Arc;

const JID: &str = "20261125120000000001";

fn cx(opts: &Map, grains: &Map) -> Cx {
    let mut cx = Cx::new(Arc::new(Opts::new(opts.clone())), Arc::new(Registry::default()), Arc::new(NoHost));
    cx.grains = Arc::new(grains.clone());
    cx
}

fn ours(name: &str) -> &'static Returner {
    find(&Opts::default(), name, "").unwrap()
}

fn ret(fun: &str, value: impl Into<Value>) -> Map {
    map! {
        "success" => true, "return" => value.into(), "retcode" => 0, "jid" => JID, "fun" => fun,
        "fun_args" => vec![Value::from("a'b"), 1.into(), map! {"k" => Value::Nil}.into()], "id" => "m1",
    }
}

/// A state run with two that changed something and one that failed.
fn states() -> Map {
    let state = |number: i64, result: Option<bool>, changes: Map| {
        map! {
            "__id__" => "x", "__run_num__" => number, "__sls__" => "web.conf", "result" => result, "changes" => changes,
            "comment" => "c.d", "duration" => 1234.5, "name.with.dots" => 1,
        }
    };
    map! {
        "file_|-/etc/b.conf_|-/etc/b.conf_|-managed" => state(1, Some(true), map! {"diff" => "New"}),
        "cmd_|-run it_|-true_|-run" => state(0, Some(false), map! {"pid" => 1}),
        "pkg_|-ä_|-ä_|-installed" => state(2, None, Map::new()),
        "test_|-t_|-t_|-nop" => state(3, Some(true), Map::new()),
    }
}

/// Lets stock and us do the same work; answers what each said to the listener.
fn both<T>(
    stock: &mut Stock,
    (name, module, fun): (&str, &str, &str),
    opts: &Map,
    args: &[Value],
    take: impl Fn() -> Vec<T>,
) -> (Vec<T>, Vec<T>) {
    let grains = map! {"id" => "grain_m1", "localhost" => "host", "os" => "Debian"};
    let question = map! {
        "module" => module, "fun" => fun, "args" => args.to_vec(), "opts" => opts.clone(), "grains" => grains.clone(),
    };
    let answer = stock.ask(&[question]).remove(0);
    assert!(answer.get("error").is_none(), "{module} {fun}: {answer:?}");
    let theirs = take();
    let (ours, cx) = (ours(name), cx(opts, &grains));
    match (fun, args) {
        ("returner", [Value::Map(ret)]) => ours.returner.unwrap()(&cx, ret).unwrap(),
        ("event_return", [Value::List(events)]) => ours.event_return.unwrap()(&cx, events).unwrap(),
        ("save_load", [Value::Str(jid), Value::Map(load)]) => {
            ours.save_load.unwrap()(&cx, jid, load, None).unwrap();
        }
        other => panic!("{other:?}"),
    }
    (theirs, take())
}
