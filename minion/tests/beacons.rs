//! Beacons of a running minion: from its files, its pillar and the module `beacons`; what reaches the master, and what it costs to
//! have none.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_protocol::{Map, Value, map};
use common::{FakeMaster, MinionProcess, eventually};
use std::process::Command;

fn start(master: &FakeMaster, conf: &str) -> (MinionProcess, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("conf/minion.d")).unwrap();
    std::fs::write(dir.path().join("conf/minion.d/test.conf"), conf).unwrap();
    let minion = MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", master.port), "");
    (minion, dir)
}

/// The events of a beacon that a master was sent, each as it was in its list.
fn told(master: &FakeMaster, beacon: &str) -> Vec<Map> {
    let lists = master.loads("_minion_event").into_iter().filter_map(|load| load.get("events").cloned());
    let events = lists.flat_map(|list| list.as_list().unwrap().to_vec());
    let of = |event: &Map| event.get_str("tag").is_some_and(|tag| tag.contains(&format!("/{beacon}/")));
    events.map(|event| event.as_map().unwrap().clone()).filter(of).collect()
}

async fn run(master: &FakeMaster, fun: &str, args: Vec<Value>) -> Value {
    master.run(fun, args).await.get("return").cloned().unwrap()
}

fn kwarg(mut pairs: Map) -> Value {
    pairs.insert("__kwarg__", true);
    pairs.into()
}

/// Always something to tell.
fn memory() -> Value {
    Value::List(vec![map! { "percent" => 0 }.into()])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pillar_s_beacons_follow_the_pillar() {
    let master = FakeMaster::start().await;
    master.memory.lock().unwrap().pillar = map! { "beacons" => map! { "memusage" => memory() } };
    let (_minion, _dir) = start(&master, "loop_interval: 0.2\nbeacons:\n  swapusage: [{percent: 0}]\n");
    let first = eventually("the first", || told(&master, "memusage").pop()).await;
    assert_eq!(first.get_str("beacon_name"), Some("memusage"));
    let tag = first.get_str("tag").unwrap();
    assert!(tag.starts_with("salt/beacon/") && tag.ends_with("/memusage/"), "{tag}");
    let data = first.get("data").unwrap();
    assert!(data.get("memusage").and_then(Value::as_float).is_some() && data.get("id").is_some(), "{data:?}");
    assert!(told(&master, "swapusage").is_empty(), "those of the pillar stand in for those of the options");
    let refused = run(&master, "beacons.delete", vec!["memusage".into()]).await;
    let comment = "Cannot delete beacon item memusage, it is configured in pillar.";
    assert_eq!(refused, map! { "comment" => comment, "result" => false }.into());
    master.memory.lock().unwrap().pillar = Map::new();
    run(&master, "saltutil.refresh_pillar", vec![kwarg(map! { "wait" => true })]).await;
    eventually("those of the options", || told(&master, "swapusage").pop()).await;
    let before = told(&master, "memusage").len();
    let seen = told(&master, "swapusage").len();
    eventually("more of the options", || (told(&master, "swapusage").len() > seen + 2).then_some(())).await;
    assert!(told(&master, "memusage").len() <= before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn beacons_are_added_kept_and_taken_away() {
    let master = FakeMaster::start().await;
    let (mut minion, dir) = start(&master, "loop_interval: 0.2\n");
    master.listened_to().await;
    let added = run(&master, "beacons.add", vec!["memusage".into(), memory()]).await;
    assert_eq!(added, map! { "comment" => "Added beacon: memusage.", "result" => true }.into());
    eventually("an event", || told(&master, "memusage").pop()).await;
    run(&master, "beacons.save", vec![]).await;
    let kept = std::fs::read_to_string(dir.path().join("conf/minion.d/beacons.conf")).unwrap();
    assert_eq!(kept, "beacons:\n  memusage:\n  - percent: 0\n");
    minion.kill();
    let before = told(&master, "memusage").len();
    minion.launch();
    eventually("one after the restart", || (told(&master, "memusage").len() > before).then_some(())).await;
    // From a program beside the minion.
    let mut call = Command::new(env!("CARGO_BIN_EXE_salt-call"));
    call.arg("-c").arg(dir.path().join("conf")).args(["--local", "--out=json", "beacons.disable"]);
    let said = String::from_utf8(call.output().unwrap().stdout).unwrap();
    assert!(said.contains("Disabled beacons on minion."), "{said}");
    let before = told(&master, "memusage").len();
    run(&master, "test.sleep", vec![1.into()]).await;
    assert!(told(&master, "memusage").len() <= before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_fire_events_cannot_add_beacons() {
    let master = FakeMaster::start().await;
    let (minion, _dir) = start(&master, "");
    master.listened_to().await;
    let evil =
        map! { "salt_fun" => Value::List(vec![map! { "cmd.run" => map! { "args" => vec!["id"] } }.into()]) };
    let data = map! {
        "func" => "add", "name" => "salt_monitor", "beacon_data" => Value::List(vec![evil.into()]),
    };
    run(&master, "event.fire", vec![data.into(), "manage_beacons".into()]).await;
    let list = run(&master, "beacons.list", vec![kwarg(map! { "return_yaml" => false })]).await;
    assert_eq!(list, Map::new().into());
    assert!(minion.log().contains("does not change the beacons"), "{}", minion.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_without_beacons_has_no_thread_for_them() {
    let master = FakeMaster::start().await;
    let (minion, _dir) = start(&master, "loop_interval: 0.1\nbeacons:\n  memusage: [{percent: 0}]\n");
    master.listened_to().await;
    let threads = || std::fs::read_dir(format!("/proc/{}/task", minion.pid())).unwrap().count();
    eventually("an event", || told(&master, "memusage").pop()).await;
    let with = threads();
    run(&master, "beacons.delete", vec!["memusage".into()]).await;
    // Threads of the runtime that have nothing to do end after ten seconds.
    eventually("the thread is gone", || (threads() < with).then_some(())).await;
    let before = told(&master, "memusage").len();
    run(&master, "test.sleep", vec![1.into()]).await;
    assert_eq!(told(&master, "memusage").len(), before);
}
