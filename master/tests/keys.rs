//! Key states as minions meet them, and what moves a key from one to another.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::{Map, map};
use support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_waits_is_accepted_rejected_and_denied() {
    let master = TestMaster::start(Map::new()).await;
    let mut bus = master.events().await;
    let mut m1 = master.minion("m1", key(0));
    assert_eq!(m1.auth().await, Auth::Pending);
    let event = bus.next("salt/auth").await.data;
    assert_eq!((event.get_str("act"), event.get("result")), (Some("pend"), Some(&true.into())));
    assert_eq!(
        event.get_str("pub"),
        Some(&*std::fs::read_to_string(master.path("pki/minions_pre/m1")).unwrap())
    );
    assert_eq!(m1.auth().await, Auth::Pending);
    // Nothing is made for a minion that is not in.
    assert!(files(&master.path("cache/sessions")).is_empty());

    // Files are moved by other programs and count at once.
    master.accept("m1");
    assert_eq!(m1.auth().await, Auth::In);
    bus.next("salt/auth").await;
    assert_eq!(bus.next("salt/auth").await.data.get_str("act"), Some("accept"));

    // Somebody else with the same name.
    let mut thief = master.minion("m1", key(1));
    assert_eq!(thief.auth().await, Auth::Rejected);
    assert_eq!(bus.next("salt/auth").await.data.get_str("act"), Some("denied"));
    assert!(master.path("pki/minions_denied/m1").exists());
    assert_eq!(m1.auth().await, Auth::In);

    // Rejected wins over accepted.
    std::fs::copy(master.path("pki/minions/m1"), master.path("pki/minions_rejected/m1")).unwrap();
    assert_eq!(m1.auth().await, Auth::Rejected);
    std::fs::remove_file(master.path("pki/minions_rejected/m1")).unwrap();

    // A key deleted while the minion is connected is gone with its next request.
    assert_eq!(m1.ret("req", 1).await, brine_protocol::Value::Nil);
    std::fs::remove_file(master.path("pki/minions/m1")).unwrap();
    let (body, _) = m1.wrap(m1.return_load("req", 1));
    assert_eq!(m1.raw(&body).await.unwrap(), "bad load".into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_grains_and_stubs_accept_by_themselves() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().to_str().unwrap().to_owned();
    std::fs::write(tmp.path().join("sign"), "web*\n").unwrap();
    std::fs::write(tmp.path().join("reject"), "bad*\nwebbad\n").unwrap();
    std::fs::create_dir(tmp.path().join("grains")).unwrap();
    std::fs::write(tmp.path().join("grains/secret"), "s3cret\n").unwrap();
    let options = map! {
        "autosign_file" => format!("{root}/sign"), "autoreject_file" => format!("{root}/reject"),
        "autosign_grains_dir" => format!("{root}/grains"),
    };
    let master = TestMaster::start_in(tmp, options).await;
    assert_eq!(master.minion("web1", key(0)).auth().await, Auth::In);
    assert_eq!(master.minion("bad1", key(0)).auth().await, Auth::Rejected);
    assert!(master.path("pki/minions_rejected/bad1").exists());
    assert_eq!(master.minion("webbad", key(0)).auth().await, Auth::Rejected);
    assert_eq!(master.minion("other", key(0)).auth().await, Auth::Pending);
    let mut claims = master.minion("claims", key(0));
    claims.options.autosign_grains = Some(map! {"secret" => "wrong"});
    assert_eq!(claims.auth().await, Auth::Pending);
    claims.options.autosign_grains = Some(map! {"secret" => "s3cret"});
    assert_eq!(claims.auth().await, Auth::In);
    assert!(!master.path("pki/minions_pre/claims").exists());
    std::fs::write(master.path("pki/minions_autosign/stub"), "").unwrap();
    assert_eq!(master.minion("stub", key(0)).auth().await, Auth::In);
    assert!(!master.path("pki/minions_autosign/stub").exists());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_mode_overwrites_and_auto_accept_does_not() {
    let master = TestMaster::start(map! {"auto_accept" => true}).await;
    assert_eq!(master.minion("m1", key(0)).auth().await, Auth::In);
    assert_eq!(master.minion("m1", key(1)).auth().await, Auth::Rejected);
    master.stop().await;
    let master = TestMaster::start(map! {"open_mode" => true}).await;
    assert_eq!(master.minion("m1", key(0)).auth().await, Auth::In);
    assert_eq!(master.minion("m1", key(1)).auth().await, Auth::In);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_master_takes_only_those_it_has() {
    let master = TestMaster::start(map! {"auto_accept" => true, "max_minions" => 1}).await;
    let presence = &master.running().master.presence;
    // Who is only connected takes no place.
    let mut stranger = master.minion("stranger", key(2));
    stranger.subscribe().await;
    until("the stranger is seen", || presence.connections() == 1).await;
    // As in stock, it is full when more than so many are there.
    let mut minions = Vec::new();
    for (n, id) in ["m1", "m2"].into_iter().enumerate() {
        let mut minion = master.accepted(id, key(n)).await;
        minion.subscribe().await;
        minion.ret("req", 1).await;
        until("it is present", || presence.present().len() == n + 1).await;
        minions.push(minion);
    }
    assert_eq!(master.minion("m3", key(2)).auth().await, Auth::Full);
    assert_eq!(minions[0].auth().await, Auth::In);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_follows_connections() {
    let master = TestMaster::start(map! {"presence_events" => true}).await;
    let mut bus = master.events().await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.subscribe().await;
    // The answer to `_auth` proves nothing yet: it went to whoever knows a public key.
    m1.ret("req", 1).await;
    let change = bus.next("salt/presence/change").await.data;
    assert_eq!(change.get("new"), Some(&vec!["m1"].into()));
    assert_eq!(bus.next("salt/presence/present").await.data.get("present"), Some(&vec!["m1"].into()));
    m1.sub = None;
    let change = bus.next("salt/presence/change").await.data;
    assert_eq!(change.get("lost"), Some(&vec!["m1"].into()));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_masters_key_is_signed_when_asked_for() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(tmp.path().join("pki")).unwrap();
    std::fs::write(tmp.path().join("pki/master_sign.pem"), key(2).to_pem().unwrap().as_bytes()).unwrap();
    let options = map! {"master_sign_pubkey" => true, "auto_accept" => true};
    let master = TestMaster::start_in(tmp, options).await;
    let mut m1 = master.minion("m1", key(0));
    // A minion that does not expect the signature takes no such master, as in stock.
    assert!(matches!(m1.auth().await, Auth::Other(_)));
    m1.options.verify_master_pubkey_sign = true;
    let signing = key(2).public();
    let attempt =
        brine_protocol::auth::minion::AuthAttempt::new(&m1.options, m1.key, None, Some(&signing)).unwrap();
    let reply = m1.raw(&attempt.request()).await.unwrap();
    assert!(matches!(attempt.finish(&reply), brine_protocol::auth::minion::Outcome::Accepted(_)));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_may_give_up_its_key_and_wheel_moves_keys() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut bus = master.events().await;
    let reply = m1.try_request(map! {"cmd" => "revoke_auth"}).await;
    assert_eq!(reply.unwrap(), true.into());
    assert!(!master.path("pki/minions/m1").exists() && files(&master.path("cache/sessions")).is_empty());
    bus.next("key").await;

    let cli = master.cli();
    assert_eq!(master.minion("m2", key(1)).auth().await, Auth::Pending);
    let wheel = |fun: &str, args: Map| {
        let mut load = map! {"cmd" => "wheel", "fun" => fun, "user" => "root", "key" => cli.key.as_str()};
        load.insert("kwarg", args);
        cli.clear(load)
    };
    let all = wheel("key.list_all", Map::new()).await;
    let list = all.get("data").unwrap().get("return").unwrap();
    assert_eq!(list.get("minions_pre"), Some(&vec!["m2"].into()));
    let accepted = wheel("key.accept", map! {"match" => "m*"}).await;
    assert_eq!(accepted.get("data").unwrap().get("return"), Some(&map! {"minions" => vec!["m2"]}.into()));
    assert_eq!(bus.next("salt/key").await.data.get_str("act"), Some("accept"));
    assert_eq!(master.minion("m2", key(1)).auth().await, Auth::In);
    wheel("key.delete", map! {"match" => "m2"}).await;
    assert!(!master.path("pki/minions/m2").exists());
    // Whoever lost his key does not keep the global one.
    bus.next("key").await;
    let outside = wheel("file_roots.write", map! {"data" => "d", "path" => "../../x"}).await;
    assert_eq!(outside.get("data").unwrap().get("return"), Some(&"Invalid path: ../../x".into()));
    let unknown = wheel("no.such", Map::new()).await;
    assert!(unknown.get("error").is_some());
    master.stop().await;
}
