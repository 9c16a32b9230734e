//! The daemon against a master: signing in, jobs, keys that change, masters that come and go.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_protocol::command::MinionCommand;
use brine_protocol::{Map, Value, map};
use common::{FakeMaster, MinionProcess, Mood, eventually};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

async fn pair(extra: &str) -> (FakeMaster, MinionProcess, tempfile::TempDir) {
    let master = FakeMaster::start().await;
    let (minion, dir) = minion_of(&master, extra);
    master.listened_to().await;
    (master, minion, dir)
}

fn minion_of(master: &FakeMaster, extra: &str) -> (MinionProcess, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let minion = MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", master.port), extra);
    (minion, dir)
}

fn is_true(load: &Map) -> bool {
    load.get("return") == Some(&Value::Bool(true))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_run_and_returned_as_stock_returns_it() {
    let (master, _minion, _dir) = pair("").await;
    let ret = master.run("test.echo", vec!["text=hi".into()]).await;
    let keys: Vec<_> = ret.keys().filter_map(Value::as_str).collect();
    assert_eq!(
        keys,
        ["cmd", "id", "success", "return", "retcode", "jid", "fun", "fun_args", "user", "ts"],
        "{ret:?}"
    );
    assert_eq!(ret.get_str("return"), Some("hi"));
    let tags = eventually("start events", || {
        let events = master.loads("_minion_event");
        let mut tags: Vec<_> = events.iter().map(|e| e.get_str("tag").unwrap().to_owned()).collect();
        // An event whose answer was slow is sent again.
        tags.dedup();
        (tags.len() >= 2).then_some(tags)
    })
    .await;
    assert_eq!(tags, ["minion_start", "salt/minion/m1/start"]);
    assert_eq!(master.loads("_pillar")[0].get("grains").and_then(|g| g.get("id")), Some(&"m1".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_others_or_seen_before_is_not_run() {
    let (master, _minion, _dir) = pair("").await;
    let mut other = master.job("test.ping", vec![]);
    other.insert("tgt", "m2");
    let other = master.publish(&other);
    let twice = master.job("test.ping", vec![]);
    master.publish(&twice);
    let twice = master.publish(&twice);
    // Jobs start in order, so after this one's return the others would be here.
    assert!(is_true(&master.run("test.sleep", vec![Value::Int(1)]).await));
    assert!(master.returns(&other).is_empty());
    assert_eq!(master.returns(&twice).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_costs_one_sign_in_and_no_job() {
    let (master, _minion, _dir) = pair("").await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
    let before = master.sign_ins();
    master.rotate();
    assert!(is_true(&master.run("test.ping", vec![]).await));
    assert_eq!(master.sign_ins(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_and_unsigned_publishes_are_refused() {
    // Of job ids the last one is remembered, so that only its counter gives the replay away.
    let (master, _minion, _dir) = pair("minion_jid_queue_hwm: 1").await;
    let (first, wrapped) = master.publish_keeping(&master.job("test.ping", vec![]));
    assert!(is_true(&master.returned(&first).await));
    assert!(is_true(&master.run("test.ping", vec![]).await));
    master.publish_raw(&wrapped);
    // Jobs start in order, so by this one's end the replay would have returned.
    assert!(is_true(&master.run("test.sleep", vec![Value::Int(1)]).await));
    assert_eq!(master.returns(&first).len(), 1);
    master.memory.lock().unwrap().sign = false;
    let unsigned = master.publish(&master.job("test.ping", vec![]));
    master.memory.lock().unwrap().sign = true;
    assert!(is_true(&master.run("test.sleep", vec![Value::Int(1)]).await));
    assert!(master.returns(&unsigned).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_answers_again_soon_after_its_master_is_back() {
    let (mut master, _minion, _dir) = pair("").await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
    master.close().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    master.open().await;
    let back = Instant::now();
    master.listened_to().await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
    assert!(back.elapsed() < Duration::from_secs(10), "{:?}", back.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_starts_before_its_master() {
    let mut master = FakeMaster::start().await;
    master.close().await;
    let (mut minion, _dir) = minion_of(&master, "");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(minion.ended(), None);
    master.open().await;
    master.listened_to().await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_key_is_asked_about_again() {
    let master = FakeMaster::start().await;
    master.memory.lock().unwrap().mood = Mood::Pend;
    let (mut minion, _dir) = minion_of(&master, "");
    eventually("some attempts", || (master.sign_ins() >= 3).then_some(())).await;
    assert_eq!(minion.ended(), None);
    master.memory.lock().unwrap().mood = Mood::Accept;
    master.listened_to().await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_refusal_does_not_end_a_minion() {
    let master = FakeMaster::start().await;
    master.memory.lock().unwrap().mood = Mood::Reject;
    // Nothing is known of this master yet, so its refusal is nobody's word.
    let (mut minion, _dir) = minion_of(&master, "");
    eventually("some attempts", || (master.sign_ins() >= 3).then_some(())).await;
    assert_eq!(minion.ended(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_s_key_is_not_obeyed() {
    let (mut master, minion, dir) = pair("").await;
    assert!(is_true(&master.run("test.ping", vec![]).await));
    master.close().await;
    drop(minion);
    let impostor = FakeMaster::with_key(1).await;
    let mut minion = MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", impostor.port), "");
    eventually("some attempts", || (impostor.sign_ins() >= 2).then_some(())).await;
    assert_eq!(minion.ended(), None);
    assert!(impostor.loads("_pillar").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn blackout_refuses_and_is_lifted_by_a_refresh() {
    let master = FakeMaster::start().await;
    master.memory.lock().unwrap().pillar = map! {"minion_blackout" => true};
    let (_minion, _dir) = minion_of(&master, "");
    master.listened_to().await;
    let ret = master.run("test.ping", vec![]).await;
    let text = ret.get_str("return").unwrap();
    assert!(text.starts_with("ERROR executing 'test.ping': Minion in blackout mode."), "{text}");
    assert_eq!(ret.get("retcode"), Some(&Value::Int(1)));
    master.memory.lock().unwrap().pillar = Map::new();
    let done =
        master.run("saltutil.refresh_pillar", vec!["wait=True".into(), "clean_cache=False".into()]).await;
    assert!(is_true(&done), "{done:?}");
    assert_eq!(master.loads("_pillar").last().unwrap().get("clean_cache"), None);
    assert!(is_true(&master.run("test.ping", vec![]).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_minion_ends_in_order_with_its_programs() {
    let (master, mut minion, dir) = pair("").await;
    let mark = dir.path().join("program");
    let script = format!("echo $$ > {}; exec sleep 600", mark.display());
    master.publish(&master.job("cmd.run", vec![script.into()]));
    let pid: i32 =
        eventually("the program", || std::fs::read_to_string(&mark).ok()?.trim().parse().ok()).await;
    minion.signal(Signal::SIGTERM);
    let status = eventually("the end", || minion.ended()).await;
    assert_eq!(status.code(), Some(0));
    eventually("the program's end", || {
        (!std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists()
            || std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.is_empty()))
        .then_some(())
    })
    .await;
    assert!(!dir.path().join("var/run/salt-minion.pid").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_the_master_can_be_killed() {
    let (master, _minion, _dir) = pair("").await;
    master.memory.lock().unwrap().deaf_to = Some(MinionCommand::MineGet);
    let waits = master.publish(&master.job("mine.get", vec!["*".into(), "test.ping".into()]));
    eventually("the job's request", || master.loads("_mine_get").pop()).await;
    let killed = master.run("saltutil.kill_job", vec![waits.as_str().into()]).await;
    assert!(killed.get_str("return").unwrap().starts_with("Signal 9 sent to job"), "{killed:?}");
    // Its request alone would last a minute.
    let deadline = Instant::now() + common::SOON;
    while master.run("saltutil.running", vec![]).await.get("return") != Some(&Value::List(vec![])) {
        assert!(Instant::now() < deadline, "still running");
    }
    let ret = master.returned(&waits).await;
    let said = "ERROR: The job did not run to its end: it was killed by signal 9";
    assert_eq!((ret.get_str("return"), ret.get("success")), (Some(said), Some(&Value::Bool(false))));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_masters_at_once_and_a_job_of_both_runs_once() {
    let (a, b) = (FakeMaster::start().await, FakeMaster::start().await);
    let dir = tempfile::tempdir().unwrap();
    let list = format!("[\"127.0.0.1:{}\", \"127.0.0.1:{}\"]", a.port, b.port);
    let _minion = MinionProcess::start(dir.path(), &list, "");
    a.listened_to().await;
    b.listened_to().await;
    assert!(is_true(&a.run("test.ping", vec![]).await));
    let mut second = b.job("test.ping", vec![]);
    second.insert("jid", "20261125130000000000");
    b.publish(&second);
    assert!(is_true(&b.returned("20261125130000000000").await));
    a.publish(&second);
    let mut third = a.job("test.sleep", vec![Value::Int(1)]);
    third.insert("jid", "20261125130000000001");
    a.publish(&third);
    assert!(is_true(&a.returned("20261125130000000001").await));
    assert!(a.returns("20261125130000000000").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn failover_goes_to_the_next_master_and_takes_returns_along() {
    let (mut a, b) = (FakeMaster::start().await, FakeMaster::start().await);
    let dir = tempfile::tempdir().unwrap();
    let list = format!("[\"127.0.0.1:{}\", \"127.0.0.1:{}\"]", a.port, b.port);
    let extra = "master_type: failover\nmaster_alive_interval: 1\nauth_tries: 1";
    let _minion = MinionProcess::start(dir.path(), &list, extra);
    a.listened_to().await;
    let mut slow = a.job("test.sleep", vec![Value::Int(5)]);
    slow.insert("jid", "20261125140000000000");
    a.publish(&slow);
    eventually("the job is under way", || {
        dir.path().join("var/cache/salt/minion/proc/20261125140000000000").exists().then_some(())
    })
    .await;
    a.close().await;
    b.listened_to().await;
    assert!(is_true(&b.returned("20261125140000000000").await));
    assert!(is_true(&b.run("test.ping", vec![]).await));
}

/// The next event of this tag; the daemon has some of its own.
async fn shown(
    bus: &mut brine_net::ipc::EventSubscriber,
    tag: &str,
) -> brine_protocol::message::events::Event {
    loop {
        let next = tokio::time::timeout(common::SOON, bus.recv()).await.unwrap().unwrap().unwrap();
        let event = brine_protocol::message::events::Event::from_body(&next).unwrap();
        if event.tag == tag {
            return event;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_bus_shows_events_and_is_obeyed() {
    let (master, _minion, dir) = pair("max_event_size: 2000\n").await;
    let sock = dir.path().join("sock");
    let path = eventually("the bus", || {
        let entries = std::fs::read_dir(&sock).ok()?.flatten().map(|e| e.path());
        entries.into_iter().find(|p| p.to_string_lossy().ends_with("_pub.ipc"))
    })
    .await;
    let mut bus = brine_net::ipc::EventSubscriber::connect(&path).await.unwrap();
    assert!(is_true(&master.run("event.fire", vec![map! {"a" => 1}.into(), "my/tag".into()]).await));
    let event = shown(&mut bus, "my/tag").await;
    assert_eq!(event.data.get("a"), Some(&Value::Int(1)));
    assert!(event.data.get_str("_stamp").is_some());
    let large = map! {"a" => "x".repeat(3000), "b" => 1};
    assert!(is_true(&master.run("event.fire", vec![large.into(), "my/large".into()]).await));
    let event = shown(&mut bus, "my/large").await;
    assert_eq!((event.data.get_str("a"), event.data.get("b")), (Some("VALUE_TRIMMED"), Some(&1.into())));
    let forward = map! {"tag" => "own/tag", "data" => map! {"k" => "v"}, "events" => Value::Nil, "pretag" => Value::Nil};
    assert!(is_true(&master.run("event.fire", vec![forward.into(), "fire_master".into()]).await));
    eventually("the event at the master", || {
        master.loads("_minion_event").into_iter().find(|e| e.get_str("tag") == Some("own/tag"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_that_cannot_start_says_so_and_ends() {
    for (extra, code) in [("transport: tcp", 1), ("user: no-such-user", 67), ("master_type: odd", 42)] {
        let dir = tempfile::tempdir().unwrap();
        let mut minion = MinionProcess::start(dir.path(), "127.0.0.1:1", extra);
        let status = eventually("the end", || minion.ended()).await;
        assert_eq!(status.code(), Some(code), "{extra}");
        assert!(!minion.log().is_empty(), "{extra}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_that_the_minion_is_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(common::SOON)).unwrap();
    let _minion =
        MinionProcess::start_with(dir.path(), "127.0.0.1:1", "", &[("NOTIFY_SOCKET", path.as_os_str())]);
    let read = tokio::task::spawn_blocking(move || {
        let mut buffer = [0; 64];
        let n = socket.recv(&mut buffer).unwrap();
        buffer[..n].to_vec()
    });
    assert_eq!(read.await.unwrap(), b"READY=1");
}
