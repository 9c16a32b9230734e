//! What a restart, or a change behind the master's back, must not make it forget.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::crypt::rsa::TOKEN;
use brine_protocol::ids::Jid;
use brine_protocol::{Map, Value, map};
use support::*;

async fn restarted(master: TestMaster, options: Map) -> TestMaster {
    TestMaster::start_in(master.stop().await, options).await
}

/// The same minion, with what it knows, at a master that was started anew.
fn at(master: &TestMaster, minion: Minion) -> Minion {
    Minion { req: client(master.running().request_addr), publish: master.running().publish_addr, ..minion }
}

/// As minions of version 2 ask: under the global key, with a token.
fn version_2(minion: &Minion, load: Map) -> Map {
    let mut load = load;
    load.insert("id", &minion.id);
    load.insert("tok", Value::Bytes(minion.key.sign_x931(TOKEN).unwrap()));
    let aes = &minion.keys.as_ref().unwrap().aes;
    map! {"enc" => "aes", "version" => 2, "load" => aes.dumps(&load.into(), None).unwrap()}
}

const REFUSED: &str = "bad load";

#[tokio::test(flavor = "multi_thread")]
async fn cve_2024_38823_a_request_counts_once_also_after_a_restart() {
    let master = TestMaster::start(map! {"minimum_auth_version" => 2}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let (body, _) = m1.wrap(map! {"cmd" => "_mine", "data" => map! {"a" => 1}});
    assert_ne!(m1.raw(&body).await.unwrap(), REFUSED.into());
    let old =
        version_2(&master.accepted("m2", key(1)).await, map! {"cmd" => "_mine", "data" => map! {"a" => 1}});
    assert_ne!(m1.raw(&old).await.unwrap(), REFUSED.into(), "version 2 is let in here");
    let master = restarted(master, map! {"minimum_auth_version" => 2}).await;
    let m1 = at(&master, m1);
    assert_eq!(m1.raw(&body).await.unwrap(), REFUSED.into());
    assert_eq!(
        m1.request(map! {"cmd" => "_mine", "data" => map! {"a" => 1}}).await,
        true.into(),
        "the session goes on"
    );
    // Version 2 has no nonces; its key is the global one, which is new at each start.
    assert_eq!(m1.raw(&old).await.unwrap(), REFUSED.into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2025_62349_no_version_goes_down_over_a_restart() {
    let options = || map! {"minimum_auth_version" => 2};
    let ask = || map! {"cmd" => "_mine", "data" => map! {"a" => 1}};
    let master = TestMaster::start(options()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut m2 = master.accepted("m2", key(1)).await;
    assert_eq!(m1.request(ask()).await, true.into());
    assert_ne!(m2.raw(&version_2(&m2, ask())).await.unwrap(), REFUSED.into());
    assert_eq!(m1.raw(&version_2(&m1, ask())).await.unwrap(), REFUSED.into());
    let master = restarted(master, options()).await;
    let mut m1 = at(&master, m1);
    m2 = at(&master, m2);
    assert_eq!((m1.auth().await, m2.auth().await), (Auth::In, Auth::In));
    assert_eq!(m1.raw(&version_2(&m1, ask())).await.unwrap(), REFUSED.into());
    assert_ne!(m2.raw(&version_2(&m2, ask())).await.unwrap(), REFUSED.into());
    // Another machine under this name may be an old one.
    master.install("m1", key(2));
    let mut other = master.minion("m1", key(2));
    assert_eq!(other.auth().await, Auth::In);
    assert_ne!(other.raw(&version_2(&other, ask())).await.unwrap(), REFUSED.into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_key_it_was_made_for() {
    let mut master = TestMaster::start(Map::new()).await;
    for restart in [false, true] {
        let old = master.accepted("m1", key(0)).await;
        assert_eq!(old.ret("req", 1).await, Value::Nil);
        // Straight over the old one, without a word to the master.
        master.install("m1", key(1));
        if restart {
            master = restarted(master, Map::new()).await;
        }
        let old = at(&master, old);
        let (body, _) = old.wrap(map! {"cmd" => "_master_opts"});
        let mut new = master.minion("m1", key(1));
        assert_eq!(new.auth().await, Auth::In);
        assert_eq!(old.raw(&body).await.unwrap(), REFUSED.into());
        let session = |minion: &Minion| minion.keys.as_ref().unwrap().session.clone();
        assert!(session(&new) != session(&old), "what the old one knows opens nothing of the new one");
        assert_eq!(new.ret("req", 1).await, Value::Nil);
    }
    // Removed, it ends as well; the same key put back goes on.
    let m1 = master.accepted("m1", key(0)).await;
    let file = master.path("pki/minions/m1");
    std::fs::rename(&file, master.path("aside")).unwrap();
    let (body, _) = m1.wrap(m1.return_load("req", 1));
    assert_eq!(m1.raw(&body).await.unwrap(), REFUSED.into());
    std::fs::rename(master.path("aside"), &file).unwrap();
    assert_eq!(m1.ret("req", 1).await, Value::Nil);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_out_what_was_published() {
    let master = TestMaster::start(Map::new()).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.ret("req", 1).await;
    m1.subscribe().await;
    // More than any buffer between the two holds.
    let (arg, cli) = ("x".repeat(24 << 20), master.cli());
    cli.publish(map! {"arg" => vec![arg.as_str()]}).await;
    let begun = std::time::Instant::now();
    let (_tmp, job) = tokio::join!(master.stop(), m1.job());
    assert!(begun.elapsed() < PATIENCE / 2);
    assert_eq!(job.get("arg").unwrap().as_list().unwrap()[0].as_str().unwrap().len(), arg.len());
}

/// 3008's `salt --batch` publishes all its parts under one job id.
#[tokio::test(flavor = "multi_thread")]
async fn late_answers_to_any_part_of_a_batch_count() {
    let (jid, many) = ("20260101000000000000", 600);
    let mut master = TestMaster::start(Map::new()).await;
    let mut minions = Vec::new();
    for (n, id) in ["m1", "m2", "m3"].into_iter().enumerate() {
        minions.push(master.accepted(id, key(n)).await);
    }
    let part = |ids: Vec<&str>| map! {"jid" => jid, "tgt" => ids, "tgt_type" => "list"};
    master.cli().publish(part(vec!["m1"])).await;
    // As many others as make the master's memory lose it.
    for n in 0..many {
        let other = Jid::parse(&format!("2026010200000000{n:04}")).unwrap();
        let load = map! {"tgt" => "*", "tgt_type" => "glob"};
        master.running().master.jobs.begin(&other, &load, &[], true).await.unwrap();
    }
    master.cli().publish(part(vec!["m2"])).await;
    let kept = |master: &TestMaster| {
        let jobs = master.running().master.jobs.clone();
        async move { jobs.returns(&Jid::parse(jid).unwrap()).await.unwrap().len() }
    };
    minions[0].ret(jid, 1).await;
    assert_eq!(kept(&master).await, 1, "the first part's");
    master = restarted(master, Map::new()).await;
    minions = minions.into_iter().map(|minion| at(&master, minion)).collect();
    minions[2].ret(jid, 1).await;
    assert_eq!(kept(&master).await, 1, "of none of them");
    minions[1].ret(jid, 1).await;
    assert_eq!(kept(&master).await, 2, "the second part's");
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_minion_s_data_is_bounded() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mine = |size: usize, name: &str| map! {"cmd" => "_mine", "data" => map! {name => "x".repeat(size)}};
    // Who has proved himself may send large ones.
    assert_eq!(m1.request(mine(1, "c")).await, true.into());
    assert_eq!(m1.request(mine(9 << 20, "a")).await, true.into());
    // Together they would be too much; what was there stays.
    assert_eq!(m1.request(mine(9 << 20, "b")).await, false.into());
    let stored = master.running().master.data.mine("m1").unwrap();
    assert!(stored.contains("a") && !stored.contains("b"));
    assert_eq!(m1.request(mine(1, "a")).await, true.into());
    master.stop().await;
}
