//! Jobs by the clock on a running minion: from its files, its pillar, the module `schedule`, and a `salt-call` beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_protocol::{Map, Value, map};
use common::{FakeMaster, MinionProcess, eventually};
use std::path::Path;
use std::process::Command;

fn start(master: &FakeMaster, conf: &str) -> (MinionProcess, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("conf/minion.d")).unwrap();
    std::fs::write(dir.path().join("conf/minion.d/test.conf"), conf).unwrap();
    let minion = MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", master.port), "");
    (minion, dir)
}

/// The returns of a scheduled job.
fn returns(master: &FakeMaster, job: &str) -> Vec<Map> {
    master.loads("_return").into_iter().filter(|l| l.get_str("schedule") == Some(job)).collect()
}

fn saved(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("conf/minion.d/_schedule.conf")).unwrap_or_default()
}

fn kwarg(pairs: Map) -> Value {
    let mut pairs = pairs;
    pairs.insert("__kwarg__", true);
    pairs.into()
}

async fn run(master: &FakeMaster, fun: &str, args: Vec<Value>) -> Value {
    master.run(fun, args).await.get("return").cloned().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_the_file_returns_as_stocks_do() {
    let master = FakeMaster::start().await;
    let conf = "schedule:\n  hello:\n    function: test.arg\n    args: [a]\n    kwargs: {b: 1}\n    hours: 5\n    \
                run_on_start: true\n    metadata: {who: me}\n  silent: {function: test.ping, hours: 5, run_on_start: true, \
                return_job: false}\n  broken: {function: no.such, hours: 5, run_on_start: true}\n  dry: {function: \
                test.ping, hours: 5, run_on_start: true, dry_run: true}\n  off: {function: test.ping, hours: 5, \
                run_on_start: true, enabled: false}\n  unlisted: {function: test.ping, hours: 5, run_on_start: true, \
                jid_include: false, return_job: nocache}\n";
    let (_minion, _dir) = start(&master, conf);
    let ret = eventually("the return", || returns(&master, "hello").pop()).await;
    let keys: Vec<_> = ret.keys().filter_map(Value::as_str).filter(|k| *k != "ts").collect();
    assert_eq!(
        keys,
        [
            "cmd", "id", "fun", "fun_args", "schedule", "jid", "metadata", "pid", "return", "retcode",
            "success"
        ]
    );
    assert_eq!(ret.get_str("jid"), Some("req"));
    assert_eq!(ret.get("fun_args"), Some(&vec![Value::from("a"), map! { "b" => 1 }.into()].into()));
    let got = ret.get("return").unwrap();
    assert_eq!(got.get("args"), Some(&vec!["a"].into()));
    let kwargs = got.get("kwargs").and_then(Value::as_map).unwrap();
    assert_eq!((kwargs.get("b"), kwargs.get_str("__pub_schedule")), (Some(&1.into()), Some("hello")));
    assert_eq!(ret.get("metadata").and_then(|m| m.get("who")), Some(&"me".into()));
    assert!(ret.get("metadata").and_then(|m| m.get("_TT")).is_some());
    let broken = eventually("the return", || returns(&master, "broken").pop()).await;
    assert_eq!(broken.get_str("return"), Some("'no.such' is not available."));
    assert_eq!((broken.get("retcode"), broken.get("success")), (Some(&254.into()), Some(&false.into())));
    let unlisted = eventually("the return", || returns(&master, "unlisted").pop()).await;
    assert_eq!(unlisted.get_str("jid"), Some("nocache"));
    // A job's return comes after those that began with it.
    run(&master, "test.sleep", vec![1.into()]).await;
    for job in ["silent", "dry", "off"] {
        assert!(returns(&master, job).is_empty(), "{job}");
    }
    assert_eq!(returns(&master, "hello").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_added_runs_and_outlives_a_restart() {
    let master = FakeMaster::start().await;
    let (mut minion, dir) = start(&master, "");
    master.listened_to().await;
    let how =
        map! { "function" => "test.echo", "job_args" => vec!["tick"], "seconds" => 1, "maxrunning" => 2 };
    let added = run(&master, "schedule.add", vec!["tick".into(), kwarg(how)]).await;
    let want = map! { "comment" => "Added job: tick to schedule.", "result" => true, "changes" => map! { "tick" => "added" } };
    assert_eq!(added, want.into());
    eventually("two runs", || (returns(&master, "tick").len() > 1).then_some(())).await;
    assert_eq!(
        saved(dir.path()),
        "schedule:\n  tick:\n    args: [tick]\n    enabled: true\n    function: test.echo\n    jid_include: true\n    \
         maxrunning: 2\n    name: tick\n    seconds: 1\n"
    );
    let status = run(&master, "schedule.job_status", vec!["tick".into()]).await;
    assert_eq!(status.get("_seconds"), Some(&1.into()));
    let next = run(&master, "schedule.show_next_fire_time", vec!["tick".into()]).await;
    assert!(next.get("next_fire_time").and_then(Value::as_str).unwrap().starts_with("20"), "{next:?}");
    minion.kill();
    let before = returns(&master, "tick").len();
    minion.launch();
    eventually("a run after the restart", || (returns(&master, "tick").len() > before).then_some(())).await;
    master.listened_to().await;
    let gone = run(&master, "schedule.purge", vec![]).await;
    assert_eq!(gone.get("changes"), Some(&map! { "tick" => "removed" }.into()));
    assert_eq!(saved(dir.path()), "schedule: {}\n");
    assert_eq!(run(&master, "schedule.list", vec![]).await, "schedule: {}\n".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pillar_s_jobs_follow_the_pillar() {
    let master = FakeMaster::start().await;
    let job = |text: &str| {
        map! { "schedule" => map! { "p" => map! { "function" => "test.echo", "args" => vec![text], "hours" => 5,
        "run_on_start" => true } } }
    };
    master.memory.lock().unwrap().pillar = job("one");
    let (_minion, dir) = start(&master, "");
    eventually("the first", || returns(&master, "p").pop()).await;
    run(&master, "saltutil.refresh_pillar", vec![kwarg(map! { "wait" => true })]).await;
    master.memory.lock().unwrap().pillar = job("two");
    run(&master, "saltutil.refresh_pillar", vec![kwarg(map! { "wait" => true })]).await;
    let second = eventually("the second", || returns(&master, "p").into_iter().nth(1)).await;
    assert_eq!(second.get_str("return"), Some("two"), "a pillar that is the same changes nothing");
    let deleted = run(&master, "schedule.delete", vec!["p".into()]).await;
    assert_eq!(deleted.get("result"), Some(&false.into()));
    assert!(!saved(dir.path()).contains("test.echo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_fire_events_cannot_add_jobs() {
    let master = FakeMaster::start().await;
    let (_minion, dir) = start(&master, "");
    master.listened_to().await;
    let job = map! { "evil" => map! { "function" => "cmd.run", "args" => vec!["id"], "hours" => 5, "run_on_start" => true } };
    let data = map! { "func" => "add", "name" => "evil", "schedule" => job, "persist" => true };
    run(&master, "event.fire", vec![data.into(), "manage_schedule".into()]).await;
    let list = run(&master, "schedule.list", vec![kwarg(map! { "return_yaml" => false })]).await;
    assert_eq!(list, Map::new().into());
    assert!(!saved(dir.path()).contains("evil"));
    assert!(returns(&master, "evil").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salt_call_beside_changes_the_schedule_of_the_minion() {
    let master = FakeMaster::start().await;
    let (_minion, dir) = start(&master, "");
    master.listened_to().await;
    let call = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_salt-call"));
        command.arg("-c").arg(dir.path().join("conf")).args(["--local", "--out=json", "--out-indent=-1"]);
        let output = command.args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let added = call(&["schedule.add", "beside", "function=test.ping", "hours=5", "run_on_start=True"]);
    assert!(added.contains("\"comment\": \"Added job: beside to schedule.\""), "{added}");
    eventually("the run", || returns(&master, "beside").pop()).await;
    let off = call(&["schedule.disable_job", "beside"]);
    assert!(off.contains("Disabled Job beside in schedule."), "{off}");
    assert!(saved(dir.path()).contains("enabled: false"));
    let run = call(&["schedule.run_job", "beside", "force=True"]);
    assert!(run.contains("Scheduling Job beside on minion."), "{run}");
    eventually("the forced run", || (returns(&master, "beside").len() > 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mine_is_a_job() {
    let master = FakeMaster::start().await;
    let conf = "mine_enabled: true\nmine_interval: 7\nmine_return_job: true\nmine_functions:\n  test.ping: []\n  \
                echoed:\n    - mine_function: test.echo\n    - hi\n    - allow_tgt: 'm*'\n  no.such: []\n";
    let (_minion, dir) = start(&master, conf);
    let mine = eventually("the mine", || master.loads("_mine").pop()).await;
    let data = mine.get("data").and_then(Value::as_map).unwrap();
    assert_eq!(data.get("test.ping"), Some(&true.into()));
    assert_eq!(data.get("echoed").and_then(|e| e.get("allow_tgt")), Some(&"m*".into()));
    assert_eq!(data.len(), 2);
    let ret = eventually("the return", || returns(&master, "__mine_interval").pop()).await;
    assert_eq!(ret.get("return"), Some(&true.into()));
    assert_eq!(
        saved(dir.path()),
        "schedule:\n  __mine_interval: {enabled: true, function: mine.update, jid_include: true, maxrunning: 2,\n    \
         minutes: 7, return_job: true, run_on_start: true}\n"
    );
    let hidden = run(&master, "schedule.list", vec![]).await;
    assert_eq!(hidden, "schedule: {}\n".into());
    let shown = run(&master, "schedule.list", vec![kwarg(map! { "show_all" => true })]).await;
    assert!(shown.as_str().unwrap().contains("__mine_interval"));
}
