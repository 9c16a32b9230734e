//! What minions may ask of each other: jobs by `peer`, runners by `peer_run`, and the mine.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::{Map, Value, map};
use support::*;

fn publish(cmd: &str, fun: &str, tgt: &str) -> Map {
    map! {
        "cmd" => cmd, "fun" => fun, "arg" => Value::List(vec!["1".into(), "a=b".into()]), "tgt" => tgt,
        "tgt_type" => "glob", "ret" => "", "tmo" => 10, "form" => "clean",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_publish_what_their_rules_say() {
    let peer = map! {"m1" => Value::List(vec!["test.echo".into(), map! {"m2" => "cmd.run"}.into()])};
    let master = TestMaster::start(map! {"peer" => peer}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let mut m2 = master.accepted("m2", key(1)).await;
    m2.subscribe().await;
    for (who, fun, tgt) in [
        (&m1, "cmd.run", "*"),
        (&m1, "state.apply", "m2"),
        (&m1, "publish.publish", "m2"),
        // Stock takes the beginning of a name for the name.
        (&m1, "test.echo_all", "m2"),
        (&m1, "test.echo,cmd.run", "m2"),
        (&m2, "test.echo", "m1"),
    ] {
        for cmd in ["minion_pub", "minion_publish"] {
            assert_eq!(who.request(publish(cmd, fun, tgt)).await, Map::new().into(), "{fun} {tgt}");
        }
    }
    let started = m1.request(publish("minion_pub", "cmd.run", "m2")).await;
    assert_eq!(started.get("minions"), Some(&vec!["m2"].into()));
    let job = m2.job().await;
    assert_eq!(job.get_str("id"), Some("m1"));
    let kwargs = map! {"a" => "b", "__kwarg__" => true};
    assert_eq!(job.get("arg"), Some(&Value::List(vec![1.into(), kwargs.into()])));
    let jid = started.get("jid").unwrap().as_str().unwrap().to_owned();
    m2.ret(&jid, "done").await;
    let ask = |jid: &str| map! {"cmd" => "pub_ret", "jid" => jid};
    assert_eq!(m1.request(ask(&jid)).await, map! {"m2" => map! {"ret" => "done"}}.into());
    assert_eq!(m2.request(ask(&jid)).await, Map::new().into(), "it was not m2's job");

    let (answer, ()) = tokio::join!(m1.request(publish("minion_publish", "test.echo", "m2")), async {
        let job = m2.job().await;
        m2.ret(job.get_str("jid").unwrap(), "echo").await;
    });
    assert_eq!(answer, map! {"m2" => "echo"}.into());
    let rows = master.running().master.jobs.audit(3, None).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|r| (r.user.as_str(), r.fun.as_str(), r.outcome.name())).collect();
    let (echo, run) = (("m1", "test.echo", "allowed"), ("m1", "cmd.run", "allowed"));
    assert_eq!(rows, [echo, run, ("m2", "test.echo", "forbidden")]);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runners_are_run_for_those_whose_rules_say_so() {
    let rules = map! {"m1" => vec!["test.arg", "cloud.*", "salt.cmdx?"]};
    let master = TestMaster::start(map! {"peer_run" => rules}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let m2 = master.accepted("m2", key(1)).await;
    let run = |fun: &str| {
        let arg: Vec<Value> = vec!["1".into(), "a=b".into()];
        map! {"cmd" => "minion_runner", "fun" => fun, "arg" => arg, "id" => "m1"}
    };
    let want = map! {"args" => vec![Value::from(1)], "kwargs" => map! {"a" => "b"}};
    assert_eq!(m1.request(run("test.arg")).await, want.into());
    let refused = "'cloud' __virtual__ returned False: salt-cloud is not part of Brine";
    assert_eq!(m1.request(run("cloud.query")).await, refused.into());
    assert_eq!(m1.request(run("salt.cmdx")).await, "'salt.cmdx' is not available.".into());
    for fun in ["test.args", "xtest.arg", "salt.cmd_"] {
        assert_eq!(m1.request(run(fun)).await, Map::new().into(), "{fun}");
    }
    assert_eq!(m2.request(run("test.arg")).await, Map::new().into());
    let rows = master.running().master.jobs.audit(1, Some("m2".into())).await.unwrap();
    assert_eq!((rows[0].kind.as_str(), rows[0].outcome.name()), ("runner", "forbidden"));
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mine_is_read_by_those_it_is_for() {
    let master = TestMaster::start(Map::new()).await;
    let m1 = master.accepted("m1", key(0)).await;
    let m2 = master.accepted("m2", key(1)).await;
    let hidden = map! {"__saltmine_acl__" => 1, "__data__" => "secret", "allow_tgt" => "m1", "allow_tgt_type" => "glob"};
    let data = map! {"addr" => "10.0.0.2", "hidden" => hidden};
    assert_eq!(m2.request(map! {"cmd" => "_mine", "data" => data}).await, true.into());
    let get = |fun: Value| map! {"cmd" => "_mine_get", "tgt" => "*", "fun" => fun, "tgt_type" => "glob"};
    assert_eq!(m1.request(get("addr".into())).await, map! {"m2" => "10.0.0.2"}.into());
    assert_eq!(m1.request(get("hidden".into())).await, map! {"m2" => "secret"}.into());
    assert_eq!(m2.request(get("hidden".into())).await, Map::new().into());
    let both = m1.request(get("addr,hidden".into())).await;
    assert_eq!(both, map! {"addr" => map! {"m2" => "10.0.0.2"}, "hidden" => map! {"m2" => "secret"}}.into());
    // Stock's handler fails on `clear`.
    let clear = map! {"cmd" => "_mine", "data" => map! {"new" => 1}, "clear" => true};
    assert_eq!(m2.request(clear).await, true.into());
    assert_eq!(m1.request(get("addr".into())).await, Map::new().into());
    assert_eq!(m2.request(map! {"cmd" => "_mine_delete", "fun" => "new"}).await, true.into());
    assert_eq!(m2.request(map! {"cmd" => "_mine_flush"}).await, true.into());
    assert_eq!(m1.request(get("new".into())).await, Map::new().into());
    master.stop().await;

    let master = TestMaster::start(map! {"mine_get" => map! {"m1" => vec!["addr"]}}).await;
    let m1 = master.accepted("m1", key(0)).await;
    let m2 = master.accepted("m2", key(1)).await;
    m2.request(map! {"cmd" => "_mine", "data" => map! {"addr" => 1, "other" => 2}}).await;
    assert_eq!(m1.request(get("addr,other".into())).await, map! {"addr" => map! {"m2" => 1}}.into());
    assert_eq!(m2.request(get("addr".into())).await, Map::new().into());
    master.stop().await;
}
