//! What the modules ask of the program around them, seen by a host that writes it down.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use brine_core::call::{Args, CallError, Cx, JobContext, Registry, Result};
use brine_core::host::{Host, Refresh};
use brine_core::{Map, Opts, Value, map};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Notes {
    asked: Mutex<Vec<String>>,
    loads: Mutex<Vec<Map>>,
    answers: Mutex<Vec<Result<Value>>>,
}

impl Host for Notes {
    fn master_request(&self, load: Map, _: Duration) -> Result<Value> {
        self.loads.lock().unwrap().push(load);
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { Ok(true.into()) } else { answers.remove(0) }
    }

    fn fire_local(&self, tag: &str, _: Map) -> Result<()> {
        self.asked.lock().unwrap().push(format!("event {tag}"));
        Ok(())
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        self.asked.lock().unwrap().push(format!("{what:?} {}", wait.map_or(0, |wait| wait.as_secs())));
        Ok(())
    }

    fn compile_pillar(&self, _: Option<&str>, _: Option<&str>, _: Option<Map>) -> Result<Map> {
        Ok(Map::new())
    }

    fn running(&self) -> Vec<Map> {
        let job = |jid: &str, fun: &str| map! { "jid" => jid, "fun" => fun, "pid" => 7 };
        vec![job("1", "state.apply"), job("2", "cmd.run"), job("3", "saltutil.running")]
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        format!("Signal {signal} sent to job {jid} at pid 7").into()
    }

    fn master(&self) -> Option<String> {
        Some("tcp://127.0.0.1:4506".into())
    }
}

fn cx(answers: Vec<Result<Value>>) -> (Cx, Arc<Notes>) {
    let notes = Arc::new(Notes { answers: Mutex::new(answers), ..Notes::default() });
    let opts = Opts::new(map! { "id" => "m1", "file_client" => "remote" });
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), notes.clone());
    cx.job = Arc::new(JobContext::new(map! { "jid" => "3" }));
    (cx, notes)
}

#[test]
fn jobs_are_found_and_signalled_but_never_the_one_that_asks() {
    let (cx, _) = cx(vec![]);
    let call = |fun: &str, args| cx.call(fun, args).unwrap();
    let jids = |value: Value| -> Vec<String> {
        value
            .as_list()
            .unwrap()
            .iter()
            .map(|job| job.get("jid").unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(jids(call("saltutil.running", Args::none())), ["1", "2"]);
    assert_eq!(jids(call("saltutil.is_running", Args::positional(["state.*"]))), ["1"]);
    assert_eq!(call("saltutil.find_job", Args::positional([2])).get("fun"), Some(&"cmd.run".into()));
    assert_eq!(call("saltutil.find_job", Args::positional(["3"])), Map::new().into());
    assert_eq!(call("saltutil.term_job", Args::positional(["1"])), "Signal 15 sent to job 1 at pid 7".into());
    assert_eq!(call("saltutil.kill_job", Args::positional(["9"])), "".into());
    assert_eq!(call("saltutil.kill_all_jobs", Args::none()).as_list().unwrap().len(), 2);
}

#[test]
fn refreshes_reach_the_daemon() {
    let (cx, notes) = cx(vec![]);
    for (fun, args) in [
        ("saltutil.refresh_pillar", Args::none().with("wait", true).with("timeout", 5)),
        ("saltutil.pillar_refresh", Args::none().with("clean_cache", false)),
        ("saltutil.refresh_modules", Args::none().with("async", false)),
        ("saltutil.refresh_grains", Args::none().with("refresh_pillar", false)),
        ("saltutil.refresh_grains", Args::none().with("clean_pillar_cache", true)),
        ("saltutil.refresh_beacons", Args::none()),
        ("saltutil.refresh_matchers", Args::none()),
        ("event.fire", Args::positional([Value::from(Map::new()), "my/tag".into()])),
    ] {
        assert_eq!(cx.call(fun, args).unwrap(), true.into(), "{fun}");
    }
    assert_eq!(cx.call("saltutil.sync_all", Args::none()).unwrap().as_map().unwrap().len(), 17);
    let asked = notes.asked.lock().unwrap().join(", ");
    assert_eq!(
        asked,
        [
            "Pillar { clean_cache: true } 5, Pillar { clean_cache: false } 0, Modules 30, Grains 0, Modules 0, Grains 0, ",
            "Pillar { clean_cache: true } 0, Beacons 0, Matchers 0, event my/tag, Pillar { clean_cache: false } 0",
        ]
        .concat()
    );
}

#[test]
fn the_master_is_told_and_its_silence_is_false() {
    let silent = || Err(CallError::Client("no answer".into()));
    let (cx, notes) =
        cx(vec![Ok(true.into()), silent(), Ok(true.into()), silent(), Ok(Value::Nil), silent()]);
    let call = |fun: &str, args| cx.call(fun, args).unwrap();
    let event = || Args::positional([Value::from("my/tag"), map! { "a" => 1 }.into()]).with("b", 2);
    assert_eq!(call("event.send", event()), true.into());
    assert_eq!(call("event.send", event()), false.into());
    assert_eq!(call("mine.send", Args::positional(["test.ping"])), true.into());
    assert_eq!(call("mine.send", Args::positional(["test.ping"])), false.into());
    assert_eq!(call("saltutil.revoke_auth", Args::none()), true.into());
    assert_eq!(call("saltutil.revoke_auth", Args::none()), false.into());
    let loads = notes.loads.lock().unwrap();
    let expected = map! { "id" => "m1", "tag" => "my/tag", "data" => map! { "b" => 2, "a" => 1 }, "cmd" => "_minion_event" };
    assert_eq!(loads[0], expected);
    let expected =
        map! { "cmd" => "_mine", "data" => map! { "test.ping" => true }, "id" => "m1", "clear" => false };
    assert_eq!(loads[2], expected);
}

#[test]
fn published_jobs_are_waited_for() {
    let ret = |ids: &[&str]| -> Result<Value> {
        Ok(ids.iter().map(|id| (*id, map! { "ret" => true, "out" => "nested" })).collect::<Map>().into())
    };
    let published: Result<Value> = Ok(map! { "jid" => "77", "minions" => vec!["a", "b"] }.into());
    let (cx, notes) = cx(vec![published, ret(&["a"]), ret(&["a", "b"])]);
    let args = Args::positional(["*", "test.echo", "[1, two]"]);
    assert_eq!(cx.call("publish.publish", args).unwrap(), map! { "a" => true, "b" => true }.into());
    let loads = notes.loads.lock().unwrap();
    assert_eq!(loads[0].get("arg"), Some(&vec![Value::from(1), "two".into()].into()));
    assert_eq!(loads[0].get("tmo"), Some(&5.into()));
    assert_eq!(loads[2], map! { "cmd" => "pub_ret", "id" => "m1", "jid" => "77" });
}

#[test]
fn publishing_is_never_passed_on_and_master_side_calls_are_refused_elsewhere() {
    let (cx, notes) = cx(vec![]);
    let args = Args::positional(["*", "publish.publish"]);
    assert_eq!(cx.call("publish.publish", args).unwrap(), Map::new().into());
    assert!(notes.loads.lock().unwrap().is_empty());
    let refused = cx.call("saltutil.wheel", Args::positional(["key.list_all"])).unwrap_err();
    let text = "This command can only be executed on a minion that is located on the master.";
    assert!(matches!(refused, CallError::Execution(t) if t == text));
}

#[test]
fn the_environment_of_a_job_is_its_own() {
    let (first, _) = cx(vec![]);
    let (second, _) = cx(vec![]);
    first.call("environ.setval", Args::positional(["BRT_OWN", "x"])).unwrap();
    let get = |cx: &Cx, name: &str| cx.call("environ.get", Args::positional([name])).unwrap();
    assert_eq!(get(&first, "BRT_OWN"), "x".into());
    assert_eq!(get(&second, "BRT_OWN"), "".into());
    let all = Args::positional([Value::from(map! { "BRT_ALL" => "y" })]).with("update_minion", true);
    first.call("environ.setenv", all).unwrap();
    assert_eq!(get(&second, "BRT_ALL"), "y".into());
    let shell = Args::positional(["echo $BRT_OWN$BRT_ALL"]).with("python_shell", true).with("cwd", "/tmp");
    assert_eq!(first.call("cmd.run", shell).unwrap(), "xy".into());
}
