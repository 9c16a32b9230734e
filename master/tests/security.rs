//! What went wrong in Salt's master before, and must not here: a test for each entry of the table that is decided in the
//! master, named after it, and tests for the other weaknesses of stock that were found by measuring.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::crypt::{AesKey, Nonce, PrivateKey};
use brine_protocol::{Map, Value, map};
use support::*;

fn error(reply: &Value) -> Option<&str> {
    reply.get("error")?.get("name")?.as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2020_11651_no_method_is_reachable_without_credentials() {
    let master = TestMaster::start(Map::new()).await;
    let cli = master.cli();
    for cmd in
        ["_prep_auth_info", "_prep_pub", "_send_pub", "_send_clear", "__init__", "connect", "destroy", ""]
    {
        assert_eq!(cli.clear(map! {"cmd" => cmd}).await, Map::new().into(), "{cmd}");
    }
    for key in [Value::Nil, "".into(), "x".into(), AesKey::generate().unwrap().reveal().into(), 5.into()] {
        let reply = cli.publish(map! {"key" => key.clone()}).await;
        assert_eq!(error(&reply), Some("AuthenticationError"), "{key:?}");
        for cmd in ["wheel", "runner"] {
            let load = map! {"cmd" => cmd, "fun" => "key.list_all", "user" => "root", "key" => key.clone()};
            assert_eq!(error(&cli.clear(load).await), Some("UserAuthenticationError"), "{cmd}");
        }
    }
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2020_25592_and_2021_25281_no_token_and_no_eauth_is_good() {
    let master = TestMaster::start(Map::new()).await;
    let cli = master.cli();
    for creds in [map! {"token" => "x"}, map! {"eauth" => "pam", "username" => "root", "password" => "x"}] {
        let reply = cli.publish(map! {"kwargs" => creds.clone()}).await;
        assert_eq!(error(&reply), Some("AuthenticationError"));
        for cmd in ["wheel", "runner"] {
            let mut load =
                map! {"cmd" => cmd, "fun" => "key.list_all", "user" => "root", "key" => cli.key.as_str()};
            load.update(creds.clone());
            assert!(cli.clear(load).await.get("error").is_some());
        }
    }
    assert_eq!(
        cli.clear(map! {"cmd" => "mk_token", "eauth" => "pam", "username" => "root"}).await,
        "".into()
    );
    assert_eq!(cli.clear(map! {"cmd" => "get_token", "token" => "../../x"}).await, Map::new().into());
    master.stop().await;
}

/// Also 2020-11652, 2024-22231 and 2025-22242: nothing from the wire becomes a path.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2020_11652_names_from_the_wire_are_no_paths() {
    let master = TestMaster::start(map! {"auto_accept" => true}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let before = files(master.tmp.path());
    let pem = key(1).public().to_pem().unwrap();
    for id in ["../evil", "/etc/evil", "a/b", "..", ".", ".hidden", "a\nb"] {
        let load = map! {
            "cmd" => "_auth", "id" => id, "nonce" => Nonce::generate().unwrap().as_str(), "pub" => pem.as_str(),
        };
        let reply = master.cli().clear(load).await;
        assert!(reply.get("sig").is_some(), "{id:?}: a signed refusal");
    }
    for jid in ["../../../evil", "/etc/evil", "a/b", "x\n\ny"] {
        assert_eq!(m1.ret(jid, "x").await, Value::Nil);
        let reply = master.cli().publish(map! {"jid" => jid}).await;
        assert_eq!(reply, map! {"error" => "Master failed to assign jid"}.into(), "{jid}");
        assert_eq!(m1.request(map! {"cmd" => "pub_ret", "jid" => jid}).await, Map::new().into());
    }
    assert_eq!(files(master.tmp.path()), before);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2020_17490_keys_and_stores_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let master = TestMaster::start(map! {"job_cache_files" => true}).await;
    let m1 = master.accepted("m1", key(0)).await;
    m1.ret("req", 1).await;
    m1.request(map! {"cmd" => "_mine", "data" => map! {"a" => 1}}).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for file in files(&master.path("cache")) {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
    }
    for dir in ["cache/sessions", "cache/job_store"] {
        assert_eq!(mode(&master.path(dir)), 0o700, "{dir}");
    }
    for socket in ["s/master_event_pub.ipc", "s/master_event_pull.ipc"] {
        assert_eq!(mode(&master.path(socket)), 0o600, "{socket}");
    }
    master.stop().await;
}

/// What proves a caller is neither kept nor shown, whether he gets what he wants or not.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2021_25284_credentials_are_neither_kept_nor_fired() {
    let acl = map! {"nobody" => vec!["test.ping"]};
    let master = TestMaster::start(map! {"publisher_acl" => acl}).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.subscribe().await;
    let mut bus = master.events().await;
    let key = master.user_key("nobody");
    let ask = |fun: &str, jid: &str| {
        let kwargs = map! {"password" => "hunter2", "username" => "fred"};
        map! {"fun" => fun, "jid" => jid, "user" => "nobody", "key" => key.as_str(), "kwargs" => kwargs}
    };
    let (good, bad) = ("20260101000000000001", "20260101000000000002");
    master.cli().publish(ask("test.ping", good)).await;
    assert_eq!(error(&master.cli().publish(ask("cmd.run", bad)).await), Some("AuthorizationError"));
    let mut seen = vec![format!("{:?}", m1.job().await)];
    let jid = brine_protocol::ids::Jid::parse(good).unwrap();
    seen.push(format!("{:?}", master.running().master.jobs.load(&jid).await.unwrap().unwrap()));
    loop {
        let event = bus.next("").await;
        seen.push(format!("{event:?}"));
        if event.tag == format!("salt/job/{bad}/error") {
            break;
        }
    }
    for file in files(&master.path("cache/jobs")) {
        seen.push(String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
    }
    for text in seen {
        for secret in [key.as_str(), "hunter2", "fred"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2022_22934_and_22935_and_22936_replies_are_signed_and_bound() {
    let master = TestMaster::start(map! {"auto_accept" => true}).await;
    let mut m1 = master.minion("m1", key(0));
    // The minion's checks fail on an unsigned or replayed reply; here they all pass.
    assert_eq!(m1.auth().await, Auth::In);
    assert_eq!(m1.auth().await, Auth::In);
    let (body, nonce) = m1.wrap(map! {"cmd" => "_master_opts"});
    let reply = m1.raw(&body).await.unwrap();
    assert!(m1.channel().open(&reply, &nonce).is_ok());
    assert!(m1.channel().open(&reply, &Nonce::generate().unwrap()).is_err(), "it answers this request only");
    let (body, nonce) = m1.wrap(map! {"cmd" => "_pillar", "grains" => Map::new()});
    let reply = m1.raw(&body).await.unwrap();
    let own = &m1.keys.as_ref().unwrap().master;
    assert!(m1.channel().open_private(&reply, &nonce, m1.key, own).is_ok());
    assert!(m1.channel().open_private(&reply, &nonce, m1.key, &key(1).public()).is_err());
    assert!(m1.channel().open_private(&reply, &Nonce::generate().unwrap(), m1.key, own).is_err());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2022_22941_and_2020_a_user_gets_his_rules_and_no_more() {
    let acl = map! {"nobody" => Value::List(vec!["test.*".into(), map! {"web*" => "cmd.*"}.into()])};
    let master = TestMaster::start(map! {"publisher_acl" => acl}).await;
    master.install("web1", key(0));
    master.install("db1", key(1));
    let nobody = master.user_key("nobody");
    let cli = master.cli();
    let publish = |fun: Value, tgt: &str, user: &str| {
        // One list for each of several functions; else it is refused for that alone.
        let none = || Value::List(Vec::new());
        let arg = fun.as_list().map_or_else(none, |funs| funs.iter().map(|_| none()).collect());
        cli.publish(map! {"fun" => fun, "arg" => arg, "tgt" => tgt, "user" => user, "key" => nobody.as_str()})
    };
    let minions = |reply: &Value| reply.get("load").and_then(|l| l.get("minions")).is_some_and(Value::truthy);
    assert!(minions(&publish("test.ping".into(), "*", "nobody").await));
    assert!(minions(&publish("cmd.run".into(), "web*", "nobody").await));
    assert!(minions(&publish(vec!["test.ping", "saltutil.find_job"].into(), "*", "nobody").await));
    for (fun, tgt) in [
        (Value::from("cmd.run"), "*"),
        ("cmd.run".into(), "db1"),
        ("state.apply".into(), "web*"),
        // Stock allows a list as soon as one of its functions is allowed.
        (vec!["test.ping", "state.apply"].into(), "web*"),
        (vec!["saltutil.find_job", "state.apply"].into(), "web*"),
    ] {
        assert_eq!(error(&publish(fun.clone(), tgt, "nobody").await), Some("AuthorizationError"), "{fun:?}");
    }
    // Stock believes him when he calls himself root.
    for user in ["root", "sudo_root", "sudo_nobody", "salt"] {
        let reply = publish("state.apply".into(), "*", user).await;
        assert_eq!(error(&reply), Some("AuthenticationError"), "{user}");
    }
    // Nor do rules for publishing open the wheel.
    for cmd in ["wheel", "runner"] {
        for user in ["nobody", "root"] {
            let load = map! {"cmd" => cmd, "fun" => "key.list_all", "user" => user, "key" => nobody.as_str()};
            assert!(cli.clear(load).await.get("error").is_some(), "{cmd} {user}");
        }
    }
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2023_20897_and_r10_garbage_leaves_the_master_alone() {
    use brine_net::RequestClient;
    let master = TestMaster::start(Map::new()).await;
    let req = client(master.running().request_addr);
    let deep: Vec<u8> = std::iter::repeat_n(0x91, 100_000).collect();
    for body in
        [vec![], vec![0xc1], b"\xdd\xff\xff\xff\xff".to_vec(), vec![0xff; 1000], deep, b"\x80".to_vec()]
    {
        let reply = req.request(body.into(), PATIENCE).await.unwrap();
        assert!(!reply.is_empty());
    }
    let mut m1 = master.minion("m1", key(0));
    for load in [
        map! {"cmd" => "_auth"},
        map! {"cmd" => "_auth", "id" => "m1"},
        map! {"cmd" => "_auth", "id" => "m1", "nonce" => "short", "pub" => "x"},
        map! {"cmd" => "_auth", "id" => "m1", "nonce" => "0".repeat(32), "pub" => 5},
    ] {
        assert!(master.cli().clear(load).await.as_str().is_some());
    }
    assert_eq!(m1.auth().await, Auth::Pending);
    master.stop().await;
}

/// Also 2025-22236: through the bus a minion could have run jobs on others.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2025_22239_minions_fire_no_events_of_the_master_or_of_others() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut bus = master.events().await;
    let jid = "20260101000000000000";
    for tag in [
        "salt/auth".to_owned(),
        "salt/key".into(),
        format!("salt/job/{jid}/ret/m2"),
        format!("salt/job/{jid}/ret/m1"),
        format!("salt/job/{jid}/new"),
        format!("salt/job/{jid}/publish"),
        format!("salt/run/{jid}/new"),
        "salt/minion/m2/start".into(),
        "salt/presence/change".into(),
        jid.into(),
        "key".into(),
    ] {
        let single =
            map! {"cmd" => "_minion_event", "tag" => tag.as_str(), "data" => map! {"fun" => "cmd.run"}};
        assert_eq!(m1.request(single).await, Value::Nil);
        let entry = map! {"tag" => tag.as_str(), "data" => map! {"fun" => "cmd.run"}};
        let list = map! {"cmd" => "_minion_event", "events" => Value::List(vec![entry.into()])};
        assert_eq!(m1.request(list).await, Value::Nil);
    }
    let own = map! {"cmd" => "_minion_event", "tag" => "my/tag", "data" => map! {"x" => 1}, "id" => "m2"};
    m1.request(own).await;
    // The first event that comes through is the last one fired, under its true name.
    let event = bus.next("").await;
    assert_eq!((event.tag.as_str(), event.data.get_str("id")), ("my/tag", Some("m1")));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2024_38822_every_command_is_the_senders_own() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let m2 = master.accepted("m2", key(1)).await;
    m2.request(map! {"cmd" => "_mine", "data" => map! {"a" => 1}}).await;
    // Another id inside than outside.
    for cmd in ["_mine_flush", "_return", "revoke_auth", "_pillar"] {
        let (mut body, _) = m1.wrap(map! {"cmd" => cmd});
        body.insert("id", "m2");
        assert_eq!(m1.raw(&body).await.unwrap(), "bad load".into(), "{cmd}");
    }
    // The inner id is forced, so claiming another one inside the session changes nothing.
    m1.request(map! {"cmd" => "_mine_flush", "id" => "m2"}).await;
    let mine =
        m2.request(map! {"cmd" => "_mine_get", "tgt" => "m2", "fun" => "a", "tgt_type" => "list"}).await;
    // The mine looks only at minions with cached data.
    assert_eq!(mine, map! {"m2" => 1}.into());
    // Returns of others, by way of a syndic that is none.
    let jid = "20260101000000000001";
    let forged = map! {"cmd" => "_syndic_return", "jid" => jid, "return" => map! {"m2" => map! {"return" => "forged"}}};
    m1.request(forged).await;
    let jid = brine_protocol::ids::Jid::parse(jid).unwrap();
    assert!(master.running().master.jobs.returns(&jid).await.unwrap().is_empty());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2024_38823_a_request_counts_once() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let (body, nonce) = m1.wrap(map! {"cmd" => "_mine", "data" => map! {"a" => 1}});
    let reply = m1.raw(&body).await.unwrap();
    assert_eq!(m1.channel().open(&reply, &nonce).unwrap(), true.into());
    assert_eq!(m1.raw(&body).await.unwrap(), "bad load".into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2024_38825_a_public_key_proves_nothing() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    // Whoever shows m1's public key gets keys that only m1 can open.
    let attempt = brine_protocol::auth::minion::AuthAttempt::new(&m1.options, key(1), None, None).unwrap();
    let mut body = attempt.request();
    if let Some(Value::Map(load)) = body.get_mut("load") {
        load.insert("pub", key(0).public().to_pem().unwrap());
    }
    let reply = m1.raw(&body).await.unwrap();
    assert!(!matches!(attempt.finish(&reply), brine_protocol::auth::minion::Outcome::Accepted(_)));
    // A token of another key is no token.
    let session = m1.keys.as_ref().unwrap().session.clone();
    let other: &PrivateKey = key(1);
    let forged = brine_protocol::channel::MinionChannel::new(
        m1.id.clone(),
        session,
        other,
        Default::default(),
        Default::default(),
    )
    .unwrap();
    let (body, _) = forged.request(map! {"cmd" => "_mine_flush"}, now(), None).unwrap();
    assert_eq!(m1.raw(&body).await.unwrap(), "bad load".into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cve_2025_62349_older_protocol_versions_are_refused() {
    let master = TestMaster::start(map! {"auto_accept" => true}).await;
    for version in 0..3 {
        let mut body = map! {"enc" => "clear", "version" => version};
        body.insert("load", map! {
            "cmd" => "_auth", "id" => "m1", "nonce" => "0".repeat(32), "pub" => key(0).public().to_pem().unwrap(),
        });
        assert_eq!(master.minion("m1", key(0)).raw(&body).await.unwrap(), "bad load".into());
        body.insert("load", map! {"cmd" => "ping"});
        assert_eq!(master.minion("m1", key(0)).raw(&body).await.unwrap(), "bad load".into());
    }
    assert!(!master.path("pki/minions/m1").exists());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_for_others_are_not_answered() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let m2 = master.accepted("m2", key(1)).await;
    let reply = master.cli().publish(map! {"tgt" => "m1"}).await;
    let jid = reply.get("load").unwrap().get("jid").unwrap().as_str().unwrap().to_owned();
    let mut bus = master.events().await;
    assert_eq!(m2.ret(&jid, "not asked").await, Value::Nil);
    assert_eq!(m1.ret(&jid, true).await, Value::Nil);
    assert_eq!(bus.next("salt/job").await.data.get_str("id"), Some("m1"));
    let jid = brine_protocol::ids::Jid::parse(&jid).unwrap();
    assert_eq!(master.running().master.jobs.returns(&jid).await.unwrap().len(), 1);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_commands_get_an_empty_map() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    for cmd in ["_ext_nodes", "__init__", "publish", "wheel", "run_func", ""] {
        assert_eq!(m1.request(map! {"cmd" => cmd}).await, Map::new().into(), "{cmd}");
    }
    assert_eq!(
        m1.request(map! {"cmd" => "_register_resources", "resources" => Map::new()}).await,
        true.into()
    );
    master.stop().await;
}

/// Stock fires the error of a refused publish for anybody who names a job id.
#[tokio::test(flavor = "multi_thread")]
async fn refused_strangers_do_not_reach_the_bus() {
    let master = TestMaster::start(Map::new()).await;
    master.install("m1", key(0));
    let mut bus = master.events().await;
    let jid = "20260101000000000000";
    let refused = master.cli().publish(map! {"key" => "x", "jid" => jid, "secret" => "y"}).await;
    assert_eq!(error(&refused), Some("AuthenticationError"));
    master.cli().publish(map! {"tgt" => "m1"}).await;
    let event = bus.next("").await;
    assert!(!event.tag.contains(jid), "{}", event.tag);
    master.stop().await;
}

/// The key of a local user crosses the network in clear, so from elsewhere it proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn keys_count_only_from_this_host() {
    use brine_master::access::authenticate;
    let external = map! {"auto" => map! {"*" => vec![".*"]}};
    let master = TestMaster::start(map! {"external_auth" => external}).await;
    let running = &master.running().master;
    let key = map! {"user" => "root", "key" => master.user_key("root")};
    let login = map! {"eauth" => "auto", "username" => "fred", "password" => "x"};
    let mut made = login.clone();
    made.insert("cmd", "mk_token");
    let made = master.cli().clear(made).await;
    let token = map! {"token" => made.get("token").unwrap().clone()};
    for load in [key, login, token] {
        for (addr, good) in
            [("127.0.0.1:4000", true), ("192.0.2.1:4000", false), ("[2001:db8::1]:4000", false)]
        {
            let mut load = load.clone();
            let proved = authenticate(running, addr.parse().unwrap(), &mut load).await;
            assert_eq!(proved.is_ok(), good, "{addr} {load:?}");
        }
    }
    master.stop().await;
}
