//! A job's way through the master: published, answered, kept, announced.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::ids::Jid;
use brine_protocol::{Map, Value, map};
use support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_out_and_its_return_comes_back() {
    let master = TestMaster::start(Map::new()).await;
    let mut m1 = master.minion("m1", key(0));
    assert_eq!(m1.auth().await, Auth::Pending);
    assert!(master.path("pki/minions_pre/m1").exists());
    master.accept("m1");
    assert_eq!(m1.auth().await, Auth::In);
    m1.subscribe().await;
    let mut bus = master.events().await;

    let reply = master.cli().publish(Map::new()).await;
    let load = reply.get("load").unwrap();
    assert_eq!(load.get("minions"), Some(&vec!["m1"].into()));
    assert_eq!(load.get("missing"), Some(&Value::List(vec![])));
    let jid = load.get("jid").unwrap().as_str().unwrap().to_owned();
    // Stock's `salt` looks for these at once.
    let files = files(&master.path("cache/jobs"));
    let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, [".load.p", ".minions.p", "jid"]);
    let stored = brine_protocol::msgpack::decode(&std::fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(stored.get("jid").unwrap().as_str(), Some(jid.as_str()));
    assert!(stored.get("key").is_none(), "credentials are not kept");

    assert_eq!(bus.next(&jid).await.data.get("minions"), Some(&vec!["m1"].into()));
    let new = bus.next(&format!("salt/job/{jid}/new")).await;
    assert_eq!(new.data.get("fun"), Some(&"test.ping".into()));
    assert!(new.data.contains("_stamp"));

    let job = m1.job().await;
    assert_eq!((job.get_str("jid"), job.get_str("fun")), (Some(jid.as_str()), Some("test.ping")));
    assert!(!job.contains("key") && !job.contains("cmd") && !job.contains("kwargs"));
    assert_eq!(m1.ret(&jid, true).await, Value::Nil);
    let ret = bus.next(&format!("salt/job/{jid}/ret/m1")).await;
    assert_eq!((ret.data.get("return"), ret.data.get_str("id")), (Some(&true.into()), Some("m1")));
    assert!(!ret.data.contains("tok") && !ret.data.contains("nonce"));

    // A second answer is announced and not kept.
    assert_eq!(m1.ret(&jid, false).await, Value::Nil);
    bus.next(&format!("salt/job/{jid}/ret/m1")).await;
    let jid = Jid::parse(&jid).unwrap();
    let kept = master.running().master.jobs.returns(&jid).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1.get("return"), Some(&true.into()));

    // What was acknowledged is there after a restart, and so is the session.
    let tmp = master.stop().await;
    let master = TestMaster::start_in(tmp, Map::new()).await;
    let kept = master.running().master.jobs.returns(&jid).await.unwrap();
    assert_eq!(kept.len(), 1);
    let again = Minion { req: client(master.running().request_addr), ..m1 };
    assert_eq!(again.ret("req", "salt-call").await, Value::Nil);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_matches_and_some_are_missing_or_absent() {
    let master = TestMaster::start(Map::new()).await;
    master.install("m1", key(0));
    let cli = master.cli();
    let reply = cli.publish(map! {"tgt" => "zz*"}).await;
    let expected = map! {"enc" => "clear", "load" => map! {
        "jid" => Value::Nil, "minions" => Value::List(vec![]),
        "error" => "Master could not resolve minions for target zz*",
    }};
    assert_eq!(reply, expected.into());
    let reply = cli.publish(map! {"tgt" => vec!["m1", "m9"], "tgt_type" => "list"}).await;
    let load = reply.get("load").unwrap();
    assert_eq!(load.get("minions"), Some(&vec!["m1"].into()));
    assert_eq!(load.get("missing"), Some(&vec!["m9"].into()));
    assert_eq!(load.get("not_connected"), Some(&vec!["m1"].into()));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_call_is_kept_under_a_new_id() {
    let master = TestMaster::start(map! {"job_cache_files" => true}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut bus = master.events().await;
    assert_eq!(m1.ret("req", map! {"a" => 1}).await, Value::Nil);
    let event = bus.next("salt/job/").await;
    let jid = Jid::parse(event.data.get_str("jid").unwrap()).unwrap();
    assert!(jid.is_generated());
    let jobs = &master.running().master.jobs;
    assert_eq!(jobs.returns(&jid).await.unwrap().len(), 1);
    assert_eq!(jobs.load(&jid).await.unwrap().unwrap().get_str("tgt"), Some("m1"));
    let names: Vec<_> = files(&master.path("cache/jobs"))
        .iter()
        .map(|f| f.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, [".load.p", ".minions.p", "jid", "return.p"]);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_reaches_minions_by_authenticating_again() {
    let master = TestMaster::start(Map::new()).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.subscribe().await;
    let mut bus = master.events().await;
    // Tools write the drop file; anything but mode 0400 is none.
    let drop_file = master.path("cache/.dfn");
    std::fs::write(&drop_file, "test_master").unwrap();
    std::fs::set_permissions(&drop_file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let event = bus.next("key").await;
    assert_eq!(event.data.get("rotate_aes_key"), Some(&true.into()));
    assert!(!drop_file.exists());
    master.cli().publish(Map::new()).await;
    let message = m1.message().await;
    assert!(m1.receiver.as_mut().unwrap().open(&message).is_err());
    // Requests go on under the session key meanwhile.
    assert_eq!(m1.ret("req", 1).await, Value::Nil);
    assert_eq!(m1.auth().await, Auth::In);
    assert!(m1.receiver.as_mut().unwrap().open(&message).is_ok());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_reach_those_meant() {
    let master = TestMaster::start(map! {"zmq_filtering" => true}).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    master.install("m2", key(1));
    m1.subscribe().await;
    master.cli().publish(map! {"tgt" => "m1"}).await;
    assert_eq!(m1.job().await.get_str("tgt"), Some("m1"));
    master.cli().publish(map! {"tgt" => "m*", "tgt_type" => "compound"}).await;
    assert_eq!(m1.job().await.get_str("tgt_type"), Some("compound"));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grains_are_cached_with_the_pillar_and_serve_targets() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut bus = master.events().await;
    let (body, nonce) = m1.wrap(map! {
        "cmd" => "_pillar", "grains" => map! {"role" => "web", "id" => "m9"}, "saltenv" => Value::Nil, "ver" => "2",
    });
    let reply = m1.raw(&body).await.unwrap();
    let master_key = &m1.keys.as_ref().unwrap().master;
    let pillar = m1.channel().open_private(&reply, &nonce, m1.key, master_key).unwrap();
    assert_eq!(pillar, Map::new().into());
    bus.next("minion/refresh/m1").await;
    let reply = master.cli().publish(map! {"tgt" => "role:web", "tgt_type" => "grain"}).await;
    assert_eq!(reply.get("load").unwrap().get("minions"), Some(&vec!["m1"].into()));
    let reply = master.cli().publish(map! {"tgt" => "id:m9", "tgt_type" => "grain"}).await;
    assert_eq!(
        reply.get("load").unwrap().get("minions"),
        Some(&Value::List(vec![])),
        "the id is not theirs to say"
    );
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_returns_are_kept_in_few_commits() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = std::sync::Arc::new(master.accepted("m1", key(0)).await);
    let mut tasks = tokio::task::JoinSet::new();
    let jids: Vec<String> = (0..400).map(|n| format!("20260101000000{n:06}")).collect();
    for chunk in jids.chunks(40) {
        let (m1, chunk) = (m1.clone(), chunk.to_vec());
        tasks.spawn(async move {
            for jid in chunk {
                assert_eq!(m1.ret(&jid, "x").await, Value::Nil);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for jid in jids.iter().step_by(57) {
        assert_eq!(master.running().master.jobs.returns(&Jid::parse(jid).unwrap()).await.unwrap().len(), 1);
    }
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_return_passes() {
    let master = TestMaster::start(map! {"max_event_size" => 8 << 20}).await;
    let m1 = master.accepted("m1", key(0)).await;
    m1.ret("req", 1).await;
    let mut bus = master.events().await;
    let text = "x".repeat(4 << 20);
    let (load, nonce) = m1.wrap(m1.return_load("20260101000000000000", text.as_str()));
    let reply = m1.raw(&load).await.unwrap();
    assert_eq!(m1.channel().open(&reply, &nonce).unwrap(), Value::Nil);
    let event = bus.next("salt/job/").await;
    assert_eq!(event.data.get("return").and_then(Value::as_str).map(str::len), Some(4 << 20));
    master.stop().await;
}
