//! External authentication from request to record: who gets what through the request port, and what is kept of it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_master::jobs::Outcome;
use brine_protocol::{Map, Value, map};
use support::*;

/// gene may do everything, dean a little; both minions are known.
async fn start(more: Map) -> TestMaster {
    let tmp = tempfile::tempdir().unwrap();
    let users = tmp.path().join("users");
    std::fs::write(&users, "gene:OceanMan\ndean:goneFishing\nroot:toor\n").unwrap();
    let dean: Vec<Value> = vec![
        "test.*".into(),
        map! {"web1" => vec!["grains.get"]}.into(),
        map! {"@wheel" => vec!["key.list"]}.into(),
    ];
    let mut options = map! {"external_auth" => map! {"file" => map! {
        "^filename" => users.to_str().unwrap(), "dean" => Value::List(dean), "gene" => vec![".*", "@wheel", "@runner"],
    }}};
    options.update(more);
    let master = TestMaster::start_in(tmp, options).await;
    master.install("web1", key(0));
    master.install("db1", key(1));
    master
}

fn login(user: &str) -> Map {
    let password = match user {
        "gene" => "OceanMan",
        "dean" => "goneFishing",
        _ => "toor",
    };
    map! {"eauth" => "file", "username" => user, "password" => password}
}

async fn token(cli: &Cli, user: &str) -> Map {
    let mut load = login(user);
    load.insert("cmd", "mk_token");
    map! {"token" => cli.clear(load).await.get("token").unwrap().clone()}
}

fn error(reply: &Value) -> Option<&str> {
    reply.get("error")?.get("name")?.as_str()
}

/// The name of the error, or empty text when the job was started.
async fn publish(cli: &Cli, creds: &Map, tgt: &str, fun: Value) -> String {
    let arg = match &fun {
        Value::List(funs) => vec![Value::List(vec![]); funs.len()],
        _ => vec!["id".into()],
    };
    let load = map! {
        "kwargs" => creds.clone(), "tgt" => tgt, "fun" => fun, "arg" => Value::List(arg), "key" => "", "user" => "root",
    };
    let reply = cli.publish(load).await;
    let started = reply.get("load").and_then(|l| l.get("jid")).is_some_and(Value::truthy);
    assert_eq!(error(&reply).is_none(), started, "{reply:?}");
    error(&reply).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_gets_its_rules_and_no_more() {
    let master = start(Map::new()).await;
    let cli = master.cli();
    for (gene, dean) in
        [(login("gene"), login("dean")), (token(&cli, "gene").await, token(&cli, "dean").await)]
    {
        assert_eq!(publish(&cli, &gene, "*", "cmd.run".into()).await, "");
        assert_eq!(publish(&cli, &dean, "*", "test.ping".into()).await, "");
        assert_eq!(publish(&cli, &dean, "web1", "grains.get".into()).await, "");
        for (tgt, fun) in [
            ("*", Value::from("grains.get")),
            ("db1", "grains.get".into()),
            ("web1", "cmd.run".into()),
            ("web1", "xtest.ping".into()),
            // Stock is content with one of them.
            ("web1", vec!["test.ping", "cmd.run"].into()),
        ] {
            assert_eq!(publish(&cli, &dean, tgt, fun.clone()).await, "AuthorizationError", "{tgt} {fun:?}");
        }
        for (cmd, fun, who, want) in [
            ("wheel", "key.list_all", &gene, None),
            ("wheel", "key.list", &dean, None),
            ("wheel", "key.delete", &dean, Some(false)),
            ("wheel", "list_all", &dean, Some(true)),
            ("runner", "jobs.active", &dean, Some(false)),
        ] {
            // What he calls himself, and a key that is not his, are of no account.
            let mut load =
                map! {"cmd" => cmd, "fun" => fun, "match" => "acc", "user" => "root", "key" => "x"};
            load.update(who.clone());
            let reply = cli.clear(load).await;
            match want {
                None => assert!(
                    reply.get("data").is_some_and(|d| d.get("user") != Some(&"root".into())),
                    "{reply:?}"
                ),
                Some(true) => assert_eq!(error(&reply), Some("SaltInvocationError")),
                Some(false) => assert!(error(&reply).unwrap().ends_with("AuthenticationError"), "{reply:?}"),
            }
        }
    }
    // Known to the file, but without rules: he is who he says, and may do nothing.
    assert_eq!(publish(&cli, &login("root"), "*", "test.ping".into()).await, "AuthorizationError");
    let mut wrong = login("gene");
    wrong.insert("password", "x");
    assert_eq!(publish(&cli, &wrong, "*", "test.ping".into()).await, "AuthenticationError");
    master.stop().await;
}

/// Also 2020-25592: what stands for a token must be one.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2021_3144_a_token_that_expired_is_refused_at_once() {
    let master = start(map! {"token_expire_user_override" => true}).await;
    let cli = master.cli();
    let mut load = login("gene");
    load.update(map! {"cmd" => "mk_token", "token_expire" => 0.5});
    let made = cli.clear(load).await;
    let file = master.path("cache/tokens").join(made.get("token").unwrap().as_str().unwrap());
    let token = map! {"token" => made.get("token").unwrap().clone()};
    assert!(file.exists());
    assert_eq!(publish(&cli, &token, "*", "test.ping".into()).await, "");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    // It is there still, and already nobody's.
    assert!(file.exists());
    assert_eq!(publish(&cli, &token, "*", "test.ping".into()).await, "AuthenticationError");
    assert!(!file.exists());
    let ask = map! {"cmd" => "get_token", "token" => made.get("token").unwrap().clone()};
    assert_eq!(cli.clear(ask).await, Map::new().into());
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_for_what_is_on_record() {
    let master = start(Map::new()).await;
    let cli = master.cli();
    publish(&cli, &login("dean"), "web1", "test.ping".into()).await;
    publish(&cli, &login("dean"), "db1", vec!["test.ping", "cmd.run"].into()).await;
    let mut wrong = login("gene");
    wrong.insert("password", "x");
    publish(&cli, &wrong, "*", "cmd.run".into()).await;
    let token = token(&cli, "gene").await;
    let mut load = map! {"cmd" => "wheel", "fun" => "key.list_all"};
    load.update(token);
    cli.clear(load).await;
    cli.publish(map! {"tgt" => "web1"}).await;
    let jobs = &master.running().master.jobs;
    let rows = jobs.audit(100, None).await.unwrap();
    let short: Vec<_> = rows
        .iter()
        .rev()
        .map(|r| {
            (r.user.as_str(), r.auth.as_str(), r.kind.as_str(), r.fun.as_str(), r.target.as_str(), r.outcome)
        })
        .collect();
    use Outcome::{Allowed, Forbidden, Unknown};
    let user = master.running().master.config.user.as_str();
    assert_eq!(
        short,
        [
            ("dean", "eauth:file", "publish", "test.ping", "web1", Allowed),
            ("dean", "eauth", "publish", "test.ping,cmd.run", "db1", Forbidden),
            ("gene", "eauth", "publish", "cmd.run", "*", Unknown),
            ("gene", "eauth:file", "mk_token", "", "", Allowed),
            ("gene", "token:file", "wheel", "key.list_all", "", Allowed),
            (user, "key", "publish", "test.ping", "web1", Allowed),
        ]
    );
    assert!(rows.iter().all(|r| r.address == "127.0.0.1" && r.at > 1_700_000_000));
    assert!(rows.iter().all(|r| r.jid.is_empty() != (r.outcome == Allowed && r.kind != "mk_token")));
    assert_eq!(jobs.audit(1, Some("dean".into())).await.unwrap()[0].outcome, Forbidden);
    // Neither passwords nor tokens get there, nor into the log of jobs.
    let tmp = master.stop().await;
    for file in files(&tmp.path().join("cache")) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in ["OceanMan", "goneFishing"] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} is in {}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blacklist_holds_for_names_that_were_proved() {
    let blacklist = map! {"users" => vec!["gen.*"], "modules" => vec!["cmd.*"]};
    let master = start(map! {"publisher_acl_blacklist" => blacklist}).await;
    let cli = master.cli();
    assert_eq!(publish(&cli, &login("gene"), "*", "test.ping".into()).await, "AuthorizationError");
    assert_eq!(publish(&cli, &login("dean"), "*", "test.ping".into()).await, "");
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_for_several_minions_add_up_where_the_option_says_so() {
    let rules: Vec<Value> =
        vec![map! {"web1" => vec!["cmd.run"]}.into(), map! {"db1" => vec!["cmd.run"]}.into()];
    for (expanded, want) in [(false, "AuthorizationError"), (true, "")] {
        let external = map! {"auto" => map! {"fred" => Value::List(rules.clone())}};
        let options = map! {"external_auth" => external, "auth.enable_expanded_auth_matching" => expanded};
        let master = start(options).await;
        let fred = map! {"eauth" => "auto", "username" => "fred", "password" => ""};
        assert_eq!(publish(&master.cli(), &fred, "*", "cmd.run".into()).await, want);
        assert_eq!(publish(&master.cli(), &fred, "db1", "cmd.run".into()).await, "");
        master.stop().await;
    }
}

/// What a key's owner may do, by the rules of `publisher_acl`.
#[tokio::test(flavor = "multi_thread")]
async fn users_are_named_by_expressions_and_sudo_has_its_own_rules() {
    let acl = map! {
        "^(?!sudo_).*$" => vec!["test.ping"], "nobody" => vec!["cmd.run"], "*" => vec!["grains.items"],
        "daem.n" => vec!["state.apply"],
    };
    let me = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    for sudo_acl in [false, true] {
        let master = start(map! {"publisher_acl" => acl.clone(), "sudo_acl" => sudo_acl}).await;
        let cli = master.cli();
        let ask = async |user: &str, key: String, fun: &str| {
            let reply = cli.publish(map! {"user" => user, "key" => key, "fun" => fun}).await;
            error(&reply).unwrap_or_default().to_owned()
        };
        for (user, fun, want) in [
            ("nobody", "test.ping", ""),
            ("nobody", "cmd.run", ""),
            ("nobody", "grains.items", ""),
            ("nobody", "test.pingx", "AuthorizationError"),
            ("nobody", "state.apply", "AuthorizationError"),
            ("daemon", "test.ping", ""),
            // A name with a dot is a name.
            ("daemon", "state.apply", "AuthorizationError"),
            ("daemon", "cmd.run", "AuthorizationError"),
        ] {
            assert_eq!(ask(user, master.user_key(user), fun).await, want, "{user} {fun}");
        }
        // Root's key, after sudo: as root, or as whoever called it.
        let limited = if sudo_acl { "AuthorizationError" } else { "" };
        let own = || master.user_key(&me);
        assert_eq!(ask("sudo_nobody", own(), "cmd.run").await, "");
        assert_eq!(ask("sudo_nobody", own(), "state.apply").await, limited);
        assert_eq!(ask(&me, own(), "state.apply").await, "");
        master.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_logins_at_once_all_get_in() {
    let master = start(Map::new()).await;
    let addr = master.running().request_addr;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..200 {
        all.spawn(async move {
            let cli = Cli { req: client(addr), key: String::new() };
            publish(&cli, &login("gene"), "*", "test.ping".into()).await
        });
    }
    while let Some(said) = all.join_next().await {
        assert_eq!(said.unwrap(), "");
    }
    master.stop().await;
}
