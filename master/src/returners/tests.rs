//! Outlets, with returners that write files.

use super::*;
use brine_core::{Value, map};
use brine_protocol::message::events::Event;
use std::path::Path;
use std::time::{Duration, Instant};

fn opts(dir: &Path, more: Map) -> Opts {
    let text = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let mut opts = map! {
        "cachedir" => text("cache"), "hash_type" => "sha256", "job_cache" => true, "ext_job_cache" => "",
        "master_job_cache" => "local_cache", "multi_returner" => vec!["local_cache"],
        "rawfile_json.filename" => text("events"),
    };
    opts.update(more);
    Opts::new(opts)
}

fn event(outlets: &Outlets, tag: &str) {
    if let Some(tap) = outlets.tap() {
        crate::events::Tap::put(&tap, tag, &Event::new(tag, map! {"a" => 1}).to_body());
    }
}

fn lines(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("events")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn tags(dir: &Path) -> Vec<String> {
    let tag = |line: &String| line.rsplit('"').nth(1).unwrap_or_default().to_owned();
    lines(dir).iter().map(tag).collect()
}

#[test]
fn without_options_there_is_no_thread() {
    let tmp = tempfile::tempdir().unwrap();
    let (outlets, threads) = Outlets::start(&opts(tmp.path(), Map::new())).unwrap();
    assert!(outlets.tap().is_none() && outlets.caches.is_none() && threads.0.is_empty());
}

#[test]
fn events_pass_the_lists_and_come_in_order() {
    let tmp = tempfile::tempdir().unwrap();
    let lists = map! {
        "event_return" => vec!["nobody", "rawfile_json"], "event_return_whitelist" => vec!["salt/*"],
        "event_return_blacklist" => vec!["salt/auth", "*/x"],
    };
    let (outlets, threads) = Outlets::start(&opts(tmp.path(), lists)).unwrap();
    for tag in ["salt/job/1/new", "minion_start", "salt/auth", "salt/y/x", "salt/key"] {
        event(&outlets, tag);
    }
    outlets.close();
    threads.join();
    assert_eq!(lines(tmp.path())[0], "{\"data\": {\"a\": 1}, \"tag\": \"salt/job/1/new\"}");
    assert_eq!(tags(tmp.path()), ["salt/job/1/new", "salt/key"]);
}

#[test]
fn events_wait_for_their_number_or_their_time() {
    let tmp = tempfile::tempdir().unwrap();
    let many = map! {"event_return" => "rawfile_json", "event_return_queue" => 1000};
    let (outlets, threads) = Outlets::start(&opts(tmp.path(), many)).unwrap();
    event(&outlets, "one");
    std::thread::sleep(Duration::from_millis(50));
    assert!(lines(tmp.path()).is_empty());
    outlets.close();
    threads.join();
    assert_eq!(tags(tmp.path()), ["one"]);

    let soon = map! {
        "event_return" => "rawfile_json", "event_return_queue" => 1000, "event_return_queue_max_seconds" => 0.1,
    };
    let (outlets, threads) = Outlets::start(&opts(tmp.path(), soon)).unwrap();
    event(&outlets, "two");
    let deadline = Instant::now() + Duration::from_secs(20);
    while lines(tmp.path()).len() < 2 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    outlets.close();
    threads.join();
}

/// What the job cache has of the job after it was published and returned.
fn kept(more: Map) -> (Map, Map) {
    let tmp = tempfile::tempdir().unwrap();
    let opts = opts(tmp.path(), more);
    let (outlets, threads) = Outlets::start(&opts).unwrap();
    let jid = Jid::parse("20261125120000000001").unwrap();
    let load = map! {"jid" => &jid, "fun" => "test.ping", "tgt" => "*", "arg" => Value::List(Vec::new())};
    let _nobody_waits = outlets.job(&jid, &load, &["m1".to_owned(), "m2".to_owned()], false);
    outlets
        .returned(&map! {"id" => "m1", "jid" => &jid, "return" => true, "retcode" => 0, "success" => true});
    outlets.clean();
    outlets.close();
    threads.join();
    let (cx, local) = (context(&opts), brine_returners::find(&opts, "local_cache", "").unwrap());
    let load = local.get_load.unwrap()(&cx, jid.as_str()).unwrap();
    (load, local.get_jid.unwrap()(&cx, jid.as_str()).unwrap())
}

#[test]
fn another_job_cache_gets_jobs_and_returns() {
    let (load, returns) = kept(map! {"master_job_cache" => "multi_returner"});
    assert_eq!(load.get("Minions"), Some(&vec!["m1", "m2"].into()));
    assert_eq!(load.get_str("fun"), Some("test.ping"));
    assert_eq!(returns, map! {"m1" => map! {"return" => true, "retcode" => 0, "success" => true}});
    let (load, returns) = kept(map! {"master_job_cache" => "multi_returner", "job_cache" => false});
    assert!(!load.is_empty() && returns.is_empty());
}

#[tokio::test]
async fn an_answer_waits_for_a_cache_that_works() {
    let tmp = tempfile::tempdir().unwrap();
    let jid = Jid::parse("20261125120000000001").unwrap();
    let load = map! {"jid" => &jid, "fun" => "test.ping", "tgt" => "*"};
    let opts = |name: &str| opts(tmp.path(), map! {"master_job_cache" => name});
    let (outlets, threads) = Outlets::start(&opts("multi_returner")).unwrap();
    outlets.job(&jid, &load, &[], false).soon().await;
    let local = brine_returners::find(&opts("multi_returner"), "local_cache", "").unwrap();
    assert!(!local.get_load.unwrap()(&context(&opts("multi_returner")), jid.as_str()).unwrap().is_empty());
    outlets.close();
    threads.join();
    let (outlets, threads) = Outlets::start(&opts("mongo")).unwrap();
    outlets.job(&jid, &load, &[], false).soon().await;
    assert!(outlets.job(&jid, &load, &[], false).0.is_none(), "the last one was not kept");
    outlets.close();
    threads.join();
}

#[test]
fn what_minions_write_to_the_master_does_not() {
    let (load, returns) = kept(map! {"ext_job_cache" => "multi_returner"});
    assert!(!load.is_empty() && returns.is_empty());
    assert_eq!(kept(map! {"master_job_cache" => "mongo"}), (Map::new(), Map::new()));
}
