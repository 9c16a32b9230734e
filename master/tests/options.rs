//! Options that change what minions and listeners see.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::ids::Jid;
use brine_protocol::{Map, Value, map};
use support::*;

#[tokio::test(flavor = "multi_thread")]
async fn keys_end_with_publish_session() {
    let master = TestMaster::start(map! {"publish_session" => 1}).await;
    let mut bus = master.events().await;
    let mut m1 = master.accepted("m1", key(0)).await;
    assert_eq!(bus.next("key").await.data.get("rotate_aes_key"), Some(&true.into()));
    let old = m1.keys.as_ref().unwrap().aes.clone();
    // The session ends on its own clock, at most a second after it began.
    tokio::time::timeout(PATIENCE, async {
        while m1.try_request(map! {"cmd" => "_master_opts"}).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(m1.auth().await, Auth::In);
    assert!(m1.keys.as_ref().unwrap().aes != old);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_requests_are_refused_with_request_server_ttl() {
    let master = TestMaster::start(map! {"request_server_ttl" => 60}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let (body, _) = m1.channel().request(map! {"cmd" => "_master_opts"}, now() - 120, None).unwrap();
    assert_eq!(m1.raw(&body).await.unwrap(), "bad load".into());
    assert!(m1.try_request(map! {"cmd" => "_master_opts"}).await.is_ok());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_must_be_signed_where_that_is_required() {
    let master = TestMaster::start(map! {"require_minion_sign_messages" => true}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let jid = "20260101000000000000";
    assert_eq!(m1.ret(jid, 1).await, false.into());
    for (signer, answer) in [(key(1), Value::from(false)), (key(0), Value::Nil)] {
        let (body, nonce) = m1.channel().request(m1.return_load(jid, 1), now(), Some(signer)).unwrap();
        assert_eq!(m1.channel().open(&m1.raw(&body).await.unwrap(), &nonce).unwrap(), answer);
    }
    assert_eq!(master.running().master.jobs.returns(&Jid::parse(jid).unwrap()).await.unwrap().len(), 1);
    master.stop().await;
}

/// Stock cuts events and tells the command line so; the return itself is kept whole.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_cut_at_max_event_size_and_stored_returns_are_not() {
    let trimmed = Value::from("VALUE_TRIMMED");
    for (option, size, cut) in [
        (Map::new(), 1 << 20, true),
        (Map::new(), 1 << 19, false),
        (map! {"max_event_size" => 4096}, 4096, true),
        (map! {"max_event_size" => 2 << 20}, 1 << 20, false),
        (map! {"max_event_size" => 0, "event_pub_framing" => 3007}, 1 << 20, false),
    ] {
        let master = TestMaster::start(option).await;
        let mut bus = master.events().await;
        let m1 = master.accepted("m1", key(0)).await;
        let (jid, whole) = ("20260101000000000000", Value::from("x".repeat(size)));
        m1.ret(jid, whole.clone()).await;
        let event = bus.next("salt/job/20260101000000000000/ret/m1").await;
        let shown = event.data.get("return");
        assert!(shown == Some(if cut { &trimmed } else { &whole }), "{size}");
        assert_eq!(event.data.get_str("fun"), Some("test.ping"));
        let stored = master.running().master.jobs.returns(&Jid::parse(jid).unwrap()).await.unwrap();
        assert!(stored[0].1.get("return") == Some(&whole));
        master.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_signed_unless_told_otherwise() {
    for (sign, there) in [(true, true), (false, false)] {
        let master = TestMaster::start(map! {"sign_pub_messages" => sign}).await;
        let mut m1 = master.accepted("m1", key(0)).await;
        m1.subscribe().await;
        master.cli().publish(Map::new()).await;
        assert_eq!(m1.message().await.get("sig").is_some(), there);
        master.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_kept_is_announced_and_not_kept() {
    for options in [map! {"job_cache" => false}, Map::new()] {
        let master = TestMaster::start(options.clone()).await;
        let m1 = master.accepted("m1", key(0)).await;
        let mut bus = master.events().await;
        let nocache = options.is_empty();
        let reply = master.cli().publish(map! {"kwargs" => map! {"nocache" => nocache}}).await;
        let jid = reply.get("load").unwrap().get("jid").unwrap().as_str().unwrap().to_owned();
        assert_eq!(m1.ret(&jid, 1).await, Value::Nil);
        bus.next(&format!("salt/job/{jid}/ret/m1")).await;
        assert!(master.running().master.jobs.returns(&Jid::parse(&jid).unwrap()).await.unwrap().is_empty());
        master.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_given_up_where_that_is_not_allowed() {
    let master = TestMaster::start(map! {"allow_minion_key_revoke" => false}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let reply = m1.request(map! {"cmd" => "revoke_auth"}).await;
    assert_eq!(reply.get("id"), Some(&"m1".into()));
    assert!(master.path("pki/minions/m1").exists());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_framed_for_the_commands_that_are_installed() {
    use tokio::io::AsyncReadExt;
    for (series, first) in [(3006, 0x00), (3007, 0x82)] {
        let master = TestMaster::start(map! {"event_pub_framing" => series}).await;
        let path = master.path("s/master_event_pub.ipc");
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let mut bus = master.events().await;
        let mut m1 = master.minion("m1", key(0));
        m1.auth().await;
        bus.next("salt/auth").await;
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap();
        assert_eq!(byte, first, "{series}");
        master.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_this_host_fire_events() {
    let master = TestMaster::start(Map::new()).await;
    let mut bus = master.events().await;
    let pull = master.path("s/master_event_pull.ipc");
    for framing in [brine_net::ipc::Framing::Prefixed, brine_net::ipc::Framing::Bare] {
        let mut pusher = brine_net::ipc::EventPusher::connect(&pull, framing).await.unwrap();
        let event = brine_protocol::message::events::Event::new("my/tag", map! {"a" => 1});
        pusher.push(&event.to_body()).await.unwrap();
        assert_eq!(bus.next("my/tag").await, event);
    }
    master.stop().await;
}

/// Which events of authentication there are, and what they carry.
#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_are_announced_as_told() {
    let options = map! {"auth_events" => false, "auth_events_autosign_grains" => vec!["pend"]};
    let master = TestMaster::start(options).await;
    let mut bus = master.events().await;
    assert_eq!(master.minion("m1", key(0)).auth().await, Auth::Pending);
    let m2 = master.accepted("m2", key(1)).await;
    m2.request(map! {"cmd" => "_minion_event", "tag" => "my/tag", "data" => Map::new(), "id" => "m2"}).await;
    assert_eq!(bus.next("").await.tag, "my/tag", "no event of either sign-in");
    master.stop().await;

    let master = TestMaster::start(map! {"auth_events_autosign_grains" => vec!["pend"]}).await;
    let mut bus = master.events().await;
    let claims = map! {"uuid" => "u"};
    let mut m1 = master.minion("m1", key(0));
    m1.options.autosign_grains = Some(claims.clone());
    assert_eq!(m1.auth().await, Auth::Pending);
    assert_eq!(bus.next("salt/auth").await.data.get("autosign_grains"), Some(&claims.into()));
    master.accept("m1");
    assert_eq!(m1.auth().await, Auth::In);
    assert_eq!(bus.next("salt/auth").await.data.get("autosign_grains"), None);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_carry_the_masters_name_and_an_id_of_their_own() {
    let master = TestMaster::start(map! {"master_id" => "west", "unique_jid" => true}).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.subscribe().await;
    master.cli().publish(Map::new()).await;
    let job = m1.job().await;
    assert_eq!(job.get_str("master_id"), Some("west"));
    let (_, process) = job.get_str("jid").unwrap().split_once('_').unwrap();
    assert_eq!(process, std::process::id().to_string());
    master.stop().await;
}

/// A return whose signature is wrong: dropped with either option, and otherwise taken like one without.
#[tokio::test(flavor = "multi_thread")]
async fn badly_signed_returns_are_dropped_where_that_is_asked_for() {
    for (drop, answer) in [(true, Value::from(false)), (false, Value::Nil)] {
        let master = TestMaster::start(map! {"drop_messages_signature_fail" => drop}).await;
        let m1 = master.accepted("m1", key(0)).await;
        let load = m1.return_load("20260101000000000000", 1);
        let (body, nonce) = m1.channel().request(load, now(), Some(key(1))).unwrap();
        assert_eq!(m1.channel().open(&m1.raw(&body).await.unwrap(), &nonce).unwrap(), answer, "{drop}");
        master.stop().await;
    }
}

/// What is kept of minions' data, and what is said about it.
#[tokio::test(flavor = "multi_thread")]
async fn minion_data_is_kept_as_told() {
    let mine = || map! {"cmd" => "_mine", "data" => map! {"test.ping" => true}, "id" => "m1"};
    let pillar = || map! {"cmd" => "_pillar", "grains" => map! {"role" => "web"}, "saltenv" => Value::Nil, "ver" => "2"};
    for (options, grains, mined, event) in [
        (Map::new(), true, true, true),
        (map! {"minion_data_cache" => false}, false, false, false),
        (map! {"minion_data_cache" => false, "enforce_mine_cache" => true}, false, true, false),
        (map! {"minion_data_cache_events" => false}, true, true, false),
    ] {
        let master = TestMaster::start(options.clone()).await;
        let m1 = master.accepted("m1", key(0)).await;
        let mut bus = master.events().await;
        let (body, _) = m1.wrap(pillar());
        m1.raw(&body).await.unwrap();
        m1.request(mine()).await;
        m1.request(map! {"cmd" => "_minion_event", "tag" => "my/tag", "data" => Map::new(), "id" => "m1"})
            .await;
        let first = bus.next("").await.tag;
        assert_eq!(first.starts_with("minion/refresh/"), event, "{options:?}: {first}");
        let there = |name: &str| master.path("cache/minions/m1").join(name).exists();
        assert_eq!((there("data.p"), there("mine.p")), (grains, mined), "{options:?}");
        master.stop().await;
    }
    let master = TestMaster::start(map! {"minion_data_layout" => 3008}).await;
    let m1 = master.accepted("m1", key(0)).await;
    m1.request(mine()).await;
    assert!(!master.path("cache/minions/m1").exists() && master.path("cache/mine").exists());
    master.stop().await;
}
