//! Runners and wheel functions of a running master, called over its request port.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::{Map, Value, map};
use support::*;

/// Starts a runner; its id.
async fn run(master: &TestMaster, fun: &str, arg: Vec<Value>, kwarg: Map) -> String {
    let cli = master.cli();
    let load = map! {
        "cmd" => "runner", "fun" => fun, "user" => "root", "key" => cli.key.as_str(), "arg" => arg, "kwarg" => kwarg,
    };
    let reply = cli.clear(load).await;
    let jid = reply.get("jid").and_then(Value::as_str).unwrap_or_else(|| panic!("{reply:?}"));
    assert_eq!(reply.get("tag"), Some(&format!("salt/run/{jid}").into()));
    jid.to_owned()
}

/// What a run has returned.
async fn returned(bus: &mut Bus, jid: &str) -> Map {
    bus.next(&format!("salt/run/{jid}/ret")).await.data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_its_events_and_its_place_among_the_jobs() {
    let master = TestMaster::start(Map::new()).await;
    let mut bus = master.events().await;
    let jid = run(&master, "test.arg", vec!["a".into()], map! {"k" => 1}).await;
    let new = bus.next(&format!("salt/run/{jid}/new")).await.data;
    let fun_args: Vec<Value> = vec!["a".into(), map! {"k" => 1}.into()];
    assert_eq!(new.get("fun_args"), Some(&fun_args.into()));
    let ret = returned(&mut bus, &jid).await;
    let want = map! {"args" => vec!["a"], "kwargs" => map! {"k" => 1}};
    assert_eq!((ret.get("return"), ret.get("success")), (Some(&want.into()), Some(&true.into())));
    let shown = run(&master, "jobs.print_job", vec![jid.as_str().into()], Map::new()).await;
    let shown = returned(&mut bus, &shown).await;
    let job = shown.get("return").and_then(|r| r.get(&jid)).unwrap();
    assert_eq!(job.get("Function"), Some(&"runner.test.arg".into()));
    assert_eq!(job.get("Target"), Some(&"test_master".into()));
    let kept = job.get("Result").and_then(|r| r.get("test_master")).and_then(|r| r.get("return")).unwrap();
    assert_eq!(kept.get("return"), ret.get("return"));
    let wrong = run(&master, "test.metasyntactic", vec![1.into(), 2.into()], Map::new()).await;
    let wrong = returned(&mut bus, &wrong).await;
    assert!(
        wrong.get_str("return").unwrap().starts_with("\nPassed invalid arguments: metasyntactic() takes")
    );
    let failed = run(&master, "error.error", vec!["ValueError".into(), "m".into()], Map::new()).await;
    let failed = returned(&mut bus, &failed).await;
    assert!(failed.get_str("return").unwrap().ends_with("ValueError: m\n"));
    assert_eq!((failed.get("success"), failed.get("retcode")), (Some(&false.into()), Some(&1.into())));
    let refused =
        run(&master, "cache.store", vec!["b".into(), "k".into(), "v".into()], map! {"cachedir" => "/tmp"})
            .await;
    let refused = returned(&mut bus, &refused).await;
    assert!(refused.get_str("return").unwrap().contains("'cachedir' cannot be given from afar"));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn execution_functions_run_on_the_master_and_the_record_tells_of_it() {
    let master = TestMaster::start(Map::new()).await;
    let mut bus = master.events().await;
    let jid = run(&master, "salt.cmd", vec!["test.arg".into(), 1.into()], map! {"k" => 2}).await;
    let want = map! {"args" => vec![Value::from(1)], "kwargs" => map! {"k" => 2}};
    assert_eq!(returned(&mut bus, &jid).await.get("return"), Some(&want.into()));
    let grain = run(&master, "salt.cmd", vec!["grains.get".into(), "kernel".into()], Map::new()).await;
    assert_eq!(returned(&mut bus, &grain).await.get("return"), Some(&"Linux".into()));
    let token = map! {"eauth" => "pam", "username" => "nobody", "password" => "secret"};
    let token = run(&master, "auth.mk_token", Vec::new(), token).await;
    let told = returned(&mut bus, &token).await;
    assert_eq!(told.get("return"), Some(&"".into()));
    assert!(!format!("{told:?}").contains("secret"));
    let list = run(&master, "audit.list", Vec::new(), map! {"fun" => "salt.*"}).await;
    let list = returned(&mut bus, &list).await;
    let rows = list.get("return").and_then(Value::as_list).unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1].get("JID"), Some(&jid.as_str().into()));
    let result = map! {"returned" => 1, "failed" => Value::List(vec![])};
    assert_eq!(rows[1].get("Result"), Some(&result.into()));
    let cli = master.cli();
    let load = map! {"cmd" => "runner", "fun" => "virt.query", "user" => "root", "key" => cli.key.as_str()};
    let refused = cli.clear(load).await;
    let text = refused.get("error").and_then(|e| e.get("message")).and_then(Value::as_str).unwrap();
    assert!(text.starts_with("'virt' __virtual__ returned False: "), "{text}");
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runners_ask_minions_and_watch_the_bus() {
    let master = TestMaster::start(Map::new()).await;
    let mut bus = master.events().await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.subscribe().await;
    let jid = run(
        &master,
        "salt.execute",
        vec!["*".into(), "test.echo".into()],
        map! {"kwarg" => map! {"text" => 5}},
    )
    .await;
    let job = m1.job().await;
    assert_eq!(job.get_str("fun"), Some("test.echo"));
    let arg: Vec<Value> = vec![map! {"__kwarg__" => true, "text" => 5}.into()];
    assert_eq!(job.get("arg"), Some(&arg.into()));
    m1.ret(job.get_str("jid").unwrap(), 5).await;
    assert_eq!(returned(&mut bus, &jid).await.get("return"), Some(&map! {"m1" => 5}.into()));
    let watching = run(&master, "state.event", vec!["my/*".into()], map! {"count" => 1}).await;
    // It may not listen yet.
    let seen = async { returned(&mut bus, &watching).await };
    tokio::pin!(seen);
    let seen = loop {
        run(&master, "event.send", vec!["my/tag".into()], Map::new()).await;
        let tick = std::time::Duration::from_millis(50);
        if let Ok(seen) = tokio::time::timeout(tick, &mut seen).await {
            break seen;
        }
    };
    assert_eq!(seen.get("success"), Some(&true.into()));
    master.stop().await;
}

/// A run is kept among the jobs unless `runner_returns` is off.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_kept_where_that_is_wanted() {
    for keep in [true, false] {
        let master = TestMaster::start(map! {"runner_returns" => keep}).await;
        let mut bus = master.events().await;
        let jid = run(&master, "test.arg", vec!["a".into()], Map::new()).await;
        returned(&mut bus, &jid).await;
        let id = brine_protocol::ids::Jid::parse(&jid).unwrap();
        assert_eq!(master.running().master.jobs.returns(&id).await.unwrap().len(), usize::from(keep));
        master.stop().await;
    }
}
