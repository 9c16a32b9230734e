//! What a run of low data does beside giving results: how long it takes, what it tells, what it waits for, and how it ends
//! when it is killed.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::{Map, Opts, Value, map};
use brine_states::Runner;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// States that take time, and can be joined.
mod slow {
    use brine_core::call::{Cx, KwArgs, Result, exec};
    use brine_core::state::{Outcome, state_module};
    use brine_core::{Map, Value, map};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    state_module! { "slow": asleep, skipping; mod_init = init, mod_aggregate = aggregate }

    pub(crate) static INITS: AtomicUsize = AtomicUsize::new(0);

    /// Sleep so many milliseconds.
    #[exec]
    fn asleep(
        cx: &Cx,
        name: Value,
        #[default(0)] length: i64,
        pkgs: Option<Value>,
        kwargs: KwArgs,
    ) -> Result<Outcome> {
        let _unread = kwargs;
        cx.cancel.sleep(Duration::from_millis(length as u64))?;
        let mut outcome = Outcome::ok(name, "slept").with_changes(map! {"slept" => length});
        outcome.more.insert("pkgs", pkgs);
        Ok(outcome)
    }

    /// Change something that counts for nobody.
    #[exec]
    fn skipping(name: Value) -> Result<Outcome> {
        let mut outcome = Outcome::ok(name, "").with_changes(map! {"changed" => true});
        outcome.more.insert("skip_req", true);
        Ok(outcome)
    }

    fn init(_: &Cx, _: &Map) -> Result<bool> {
        INITS.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    fn aggregate(_: &Cx, mut low: Map, chunks: &mut [Arc<Map>], _: &Map) -> Result<Map> {
        let mut names = Vec::new();
        for chunk in chunks.iter_mut().filter(|chunk| chunk.get_str("state") == Some("slow")) {
            names.push(chunk.get("name").cloned().unwrap_or_default());
            Arc::make_mut(chunk).insert("__agg__", true);
        }
        low.insert("pkgs", names);
        Ok(low)
    }
}

/// A master's bus that keeps what it is told.
mod bus {
    use brine_core::Value;
    use brine_core::call::{Cx, Result, exec, module};

    module! { "event": fire_master }

    /// Keep it.
    #[exec]
    fn fire_master(cx: &Cx, data: Value, tag: String, preload: Option<Value>) -> Result<bool> {
        let _unread = preload;
        let mut told = match cx.job.context("told") {
            Some(Value::List(told)) => told,
            _ => Vec::new(),
        };
        told.push(vec![tag.into(), data].into());
        cx.job.set_context("told", told);
        Ok(true)
    }
}

fn cx(opts: Map) -> Cx {
    let mut all = Daemon::Minion.defaults();
    all.update(opts);
    all.insert("id", "m1");
    let modules = brine_modules::ALL.iter().copied().chain([&bus::MODULE]);
    let states = brine_state_modules::ALL.iter().copied().chain([&slow::MODULE]);
    Cx::new(Arc::new(Opts::new(all)), Arc::new(Registry::new(modules).with_states(states)), Arc::new(NoHost))
}

fn low(state: &str, fun: &str, id: &str, more: Map) -> Map {
    let mut low = map! {"state" => state, "fun" => fun, "__id__" => id, "name" => id, "__sls__" => "s", "__env__" => "base"};
    low.update(more);
    low
}

fn requires(id: &str) -> Map {
    map! {"require" => vec![Value::from(map! {"test" => id})]}
}

fn of<'r>(results: &'r Map, id: &str) -> &'r Map {
    results.values().filter_map(Value::as_map).find(|ret| ret.get_str("__id__") == Some(id)).unwrap()
}

#[test]
fn a_chain_of_five_thousand_is_run_from_its_end() {
    let count = 5000;
    let chunk = |at: usize| {
        let more = if at + 1 < count { requires(&format!("id{}", at + 1)) } else { Map::new() };
        low("test", "nop", &format!("id{at}"), more)
    };
    let began = Instant::now();
    let results = Runner::new(&cx(map! {"local" => true})).run((0..count).map(chunk).collect()).unwrap();
    assert_eq!(results.len(), count);
    assert!(results.values().all(|ret| ret.get("result") == Some(&true.into())));
    assert_eq!(of(&results, "id4999").get("__run_num__"), Some(&0.into()));
    // A run whose time grows with the square of the length takes minutes in a test's build.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn parallel_states_run_beside_each_other_and_are_waited_for() {
    let beside = |id: &str| low("slow", "asleep", id, map! {"length" => 400, "parallel" => true});
    let mut chunks: Vec<Map> = ["a", "b", "c", "d"].map(beside).into();
    chunks.push(low("test", "nop", "e", map! {"onchanges" => vec![Value::from(map! {"slow" => "b"})]}));
    let began = Instant::now();
    let results = Runner::new(&cx(map! {"local" => true})).run(chunks).unwrap();
    assert!(began.elapsed() < Duration::from_millis(1400), "{:?}", began.elapsed());
    for id in ["a", "b", "c", "d"] {
        let ret = of(&results, id);
        assert_eq!(ret.get("__parallel__"), Some(&true.into()));
        assert_eq!(ret.get("comment"), Some(&"slept".into()));
        assert!(ret.get("duration").and_then(Value::as_float).unwrap() >= 400.0);
    }
    assert_eq!(of(&results, "e").get("comment"), Some(&"Success!".into()));
}

#[test]
fn parallel_states_that_wait_hold_nobody_up_in_3008() {
    let beside = |id: &str, more: Map| {
        let mut all = map! {"length" => 300, "parallel" => true};
        all.update(more);
        low("slow", "asleep", id, all)
    };
    let run = |semantics: i64| {
        let after = map! {"require" => vec![Value::from(map! {"slow" => "a"})]};
        let chunks = vec![beside("a", Map::new()), beside("b", after), low("test", "nop", "c", Map::new())];
        let results =
            Runner::new(&cx(map! {"local" => true, "state_semantics" => semantics})).run(chunks).unwrap();
        ["a", "b", "c"].map(|id| of(&results, id).get("__run_num__").cloned().unwrap())
    };
    assert_eq!(run(3006), [0.into(), 1.into(), 2.into()]);
    assert_eq!(run(3008), [0.into(), 2.into(), 1.into()]);
}

#[test]
fn changes_that_a_state_does_not_count_are_skipped_in_3008() {
    let run = |semantics: i64| {
        let of_it = |requisite: &str| map! {requisite => vec![Value::from(map! {"slow" => "a"})]};
        let chunks = vec![
            low("slow", "skipping", "a", Map::new()),
            low("test", "nop", "b", of_it("onchanges")),
            low("test", "nop", "c", of_it("watch")),
        ];
        let results =
            Runner::new(&cx(map! {"local" => true, "state_semantics" => semantics})).run(chunks).unwrap();
        ["b", "c"].map(|id| of(&results, id).get_str("comment").unwrap().to_owned())
    };
    assert_eq!(run(3006), ["Success!", "Watch statement fired."]);
    let skipped = [
        "State was not run because requisites were skipped by another state",
        "Success! mod_watch was not run because requisites were skipped by another state",
    ];
    assert_eq!(run(3008), skipped);
}

#[test]
fn a_killed_run_says_what_came_of_each_state() {
    let chunks = vec![
        low("test", "nop", "a", Map::new()),
        low("slow", "asleep", "b", map! {"length" => 60_000}),
        low("test", "nop", "c", requires("a")),
    ];
    let cx = cx(map! {"local" => true});
    let cancel = cx.cancel.clone();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
    let results = Runner::new(&cx).run(chunks).unwrap();
    killer.join().unwrap();
    let said = |id: &str| {
        (of(&results, id).get("result").cloned().unwrap(), of(&results, id).get("comment").cloned().unwrap())
    };
    assert_eq!(said("a"), (true.into(), "Success!".into()));
    assert_eq!(said("b"), (false.into(), "State was not run to its end because the job was killed".into()));
    assert_eq!(said("c"), (false.into(), "State was not run because the job was killed".into()));
}

fn told(cx: &Cx) -> Vec<(String, Value)> {
    let told = cx.job.context("told").unwrap_or_default();
    let pair = |event: &Value| {
        let parts = event.as_list().unwrap();
        (parts[0].as_str().unwrap().to_owned(), parts[1].clone())
    };
    told.as_list().unwrap_or_default().iter().map(pair).collect()
}

#[test]
fn results_are_told_where_state_events_or_the_chunk_wants_it() {
    let run = |events: bool| {
        let cx = cx(map! {"state_events" => events});
        let mut runner = Runner::new(&cx);
        runner.jid("20260101000000000000");
        let chunks = vec![
            low("test", "nop", "a", requires("b")),
            low("test", "nop", "b", map! {"fire_event" => "mine/done"}),
            low("test", "nop", "c", map! {"fire_event" => true}),
        ];
        runner.run(chunks).unwrap();
        told(&cx)
    };
    let tags: Vec<String> = run(false).into_iter().map(|(tag, _)| tag).collect();
    let own = [
        "salt/state_result/20260101000000000000/m1/mine/done",
        "salt/state_result/20260101000000000000/m1/c",
    ];
    assert_eq!(tags, own);
    let all = run(true);
    let (tag, data) = &all[1];
    assert_eq!(tag, "salt/job/20260101000000000000/prog/m1/1");
    assert_eq!(data.get("len"), Some(&3.into()));
    assert_eq!(data.get("ret").and_then(|ret| ret.get("__id__")), Some(&"a".into()));
    assert_eq!(all.len(), 3);
}

#[test]
fn states_are_joined_where_state_aggregate_or_the_chunk_wants_it() {
    let run = |opts: Map, more: Map| {
        let chunks = vec![low("slow", "asleep", "a", more), low("slow", "asleep", "b", Map::new())];
        let results = Runner::new(&cx(opts)).run(chunks).unwrap();
        (of(&results, "a").get("pkgs").cloned().unwrap(), of(&results, "b").get("pkgs").cloned().unwrap())
    };
    let joined: Value = ["a", "b"].into_iter().collect();
    assert_eq!(run(map! {"local" => true}, Map::new()), (Value::Nil, Value::Nil));
    assert_eq!(run(map! {"local" => true}, map! {"aggregate" => true}), (joined.clone(), Value::Nil));
    let wanted = map! {"local" => true, "state_aggregate" => vec!["slow"]};
    assert_eq!(run(wanted.clone(), Map::new()), (joined, Value::Nil));
    assert_eq!(run(wanted, map! {"aggregate" => false}), (Value::Nil, ["a", "b"].into_iter().collect()));
}

#[test]
fn mod_init_is_run_once_in_a_run() {
    let before = slow::INITS.load(std::sync::atomic::Ordering::Relaxed);
    let cx = cx(map! {"local" => true});
    let mut runner = Runner::new(&cx);
    let mut single = Arc::new(low("slow", "asleep", "a", Map::new()));
    runner.single(&mut single).unwrap();
    runner.single(&mut single).unwrap();
    // Other tests run beside this one: of two calls here only one may count.
    assert!(slow::INITS.load(std::sync::atomic::Ordering::Relaxed) > before);
}

#[test]
fn disabled_requisites_have_no_effect() {
    let run = |disabled: &str| {
        let chunks = vec![
            low("test", "nop", "a", requires("b")),
            low("test", "fail_without_changes", "b", Map::new()),
        ];
        let results =
            Runner::new(&cx(map! {"local" => true, "disabled_requisites" => disabled})).run(chunks).unwrap();
        of(&results, "a").get("result").cloned().unwrap()
    };
    assert_eq!(run("require"), true.into());
    assert_eq!(run("watch"), false.into());
}

#[test]
fn states_run_where_the_global_conditions_allow_it() {
    let run = |conditions: Map| {
        let chunks = vec![low("test", "nop", "a", Map::new())];
        let cx = cx(map! {"local" => true, "global_state_conditions" => conditions});
        let results = Runner::new(&cx).run(chunks).unwrap();
        of(&results, "a").get("comment").cloned().unwrap()
    };
    let refused = Value::from("Failed to meet global state conditions. State not called.");
    assert_eq!(run(map! {"test.nop" => "other*"}), refused);
    assert_eq!(run(map! {"*" => vec!["other*", "m1"]}), "Success!".into());
    assert_eq!(run(map! {"file" => "other*"}), "Success!".into());
}

#[test]
fn a_paused_run_waits_and_can_be_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pauses = dir.path().join("state_pause");
    std::fs::create_dir(&pauses).unwrap();
    let chunks = || vec![low("test", "nop", "a", Map::new()), low("test", "nop", "b", Map::new())];
    let run = |jid: &str, data: Map| {
        let bytes = brine_protocol::msgpack::encode_map(&data, brine_protocol::msgpack::Dialect::New);
        std::fs::write(pauses.join(jid), bytes).unwrap();
        let cx = cx(map! {"local" => true, "cachedir" => dir.path().to_str().unwrap()});
        let mut runner = Runner::new(&cx);
        runner.jid(jid);
        let results = runner.run(chunks()).unwrap();
        assert!(!pauses.join(jid).exists());
        results.len()
    };
    assert_eq!(run("1", map! {"b" => map! {"kill" => true}}), 1);
    assert_eq!(run("2", map! {"__all__" => map! {"duration" => 0}}), 2);
    assert_eq!(run("3", map! {"none" => map! {"kill" => true}}), 2);
}

#[test]
fn a_mocked_run_calls_nothing() {
    let mut runner_cx = cx(map! {"local" => true});
    runner_cx.test = false;
    let mut runner = Runner::new(&runner_cx);
    runner.mocked(true);
    let results = runner.run(vec![low("test", "fail_with_changes", "a", Map::new())]).unwrap();
    assert_eq!(of(&results, "a").get("comment"), Some(&"Not called, mocked".into()));
}
