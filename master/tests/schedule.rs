//! Runners that the master runs by the clock.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use brine_protocol::{Value, map};
use support::TestMaster;

#[tokio::test(flavor = "multi_thread")]
async fn runners_run_by_the_clock_and_their_returns_are_on_the_bus() {
    let job =
        map! { "function" => "test.arg", "args" => vec!["x"], "kwargs" => map! { "k" => 1 }, "seconds" => 1 };
    let jobs = map! {
        "hello" => job, "broken" => map! { "function" => "no.such", "seconds" => 1, "return_job" => "nocache" },
        "off" => map! { "function" => "test.arg", "seconds" => 1, "enabled" => false },
    };
    let master = TestMaster::start(map! { "schedule" => jobs }).await;
    let mut bus = master.events().await;
    let (mut hello, mut broken) = (None, None);
    while hello.is_none() || broken.is_none() {
        let event = bus.next("__schedule_return").await;
        match event.data.get_str("schedule") {
            Some("hello") => hello = Some(event.data),
            Some("broken") => broken = Some(event.data),
            other => panic!("{other:?}"),
        }
    }
    let (hello, broken) = (hello.unwrap(), broken.unwrap());
    let keys: Vec<_> = hello.keys().filter_map(Value::as_str).filter(|k| *k != "_stamp").collect();
    assert_eq!(
        keys,
        ["cmd", "id", "fun", "fun_args", "schedule", "jid", "pid", "return", "retcode", "success"]
    );
    assert_eq!((hello.get_str("jid"), hello.get_str("id")), (Some("req"), Some("test_master")));
    assert_eq!(hello.get("success"), Some(&true.into()));
    let got = hello.get("return").unwrap();
    assert_eq!(got.get("args"), Some(&vec!["x"].into()));
    assert_eq!(broken.get_str("jid"), Some("nocache"));
    assert_eq!(broken.get_str("return"), Some("'no.such' is not available."));
    assert_eq!(broken.get("retcode"), Some(&254.into()));
}
