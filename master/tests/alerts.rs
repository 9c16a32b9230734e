//! Alerts of a master that serves: from returns and connections to what is said on the bus, with silences, over a restart.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use brine_alerts::silence::{Kind, Silence, file};
use brine_alerts::{Matcher, state};
use brine_core::Opts;
use brine_master::config::Config;
use brine_master::fs::Dir;
use brine_protocol::ids::MinionId;
use brine_protocol::message::events::Event;
use brine_protocol::{Map, Value, map};
use support::*;

fn at_once() -> Map {
    map! {"alerts" => map! {
        "settle" => "1s", "builtin" => map! {"MinionDown" => map! {"for" => 0}, "SiteDown" => false},
        "labels" => map! {"site" => "location:site"},
    }}
}

async fn ret(minion: &Minion, jid: u64, code: i64) {
    let mut load = minion.return_load(&format!("2026010100000000{jid:04}"), "x");
    load.insert("retcode", code);
    minion.request(load).await;
}

fn label(event: &Event, name: &str) -> Option<String> {
    event.data.get("labels")?.get(name)?.as_str().map(str::to_owned)
}

/// The next event of an alert of this name.
async fn next(bus: &mut Bus, tag: &str, alert: &str) -> Event {
    loop {
        let event = bus.next(tag).await;
        if label(&event, "alertname").as_deref() == Some(alert) {
            return event;
        }
    }
}

fn place(master: &TestMaster, id: &str) {
    let id = MinionId::parse(id).unwrap();
    let pillar = map! {"location" => map! {"site" => "akl"}};
    master.running().master.data.put(&id, map! {"os" => "Debian"}, pillar).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_where_the_option_says_so() {
    let master = TestMaster::start(at_once()).await;
    let m1 = master.accepted("m1", key(0)).await;
    place(&master, "m1");
    let mut bus = master.events().await;
    ret(&m1, 1, 2).await;
    let fired = next(&mut bus, "brine/alert/firing", "JobFailed").await;
    assert_eq!(label(&fired, "minion").as_deref(), Some("m1"));
    assert_eq!(label(&fired, "site").as_deref(), Some("akl"));
    // Whatever comes a second time, before or after a restart, is told once.
    ret(&m1, 1, 2).await;
    ret(&m1, 2, 2).await;
    let m1 = {
        let tmp = master.stop().await;
        let kept = state::read(&Dir::at(tmp.path().join("cache/alerts"))).unwrap();
        assert_eq!(kept.alerts.values().filter(|alert| alert.name() == "JobFailed").count(), 1);
        let master = TestMaster::start_in(tmp, at_once()).await;
        let m1 = Minion {
            req: client(master.running().request_addr),
            publish: master.running().publish_addr,
            ..m1
        };
        let mut bus = master.events().await;
        ret(&m1, 1, 2).await;
        ret(&m1, 2, 2).await;
        ret(&m1, 3, 0).await;
        let event = loop {
            let event = bus.next("brine/alert/").await;
            if label(&event, "alertname").as_deref() == Some("JobFailed") {
                break event;
            }
        };
        assert_eq!(event.tag, "brine/alert/resolved");
        master.stop().await;
        m1
    };
    drop(m1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_is_a_minion_that_is_down() {
    let master = TestMaster::start(at_once()).await;
    let mut m1 = master.accepted("m1", key(0)).await;
    m1.request(map! {"cmd" => "_master_opts"}).await;
    m1.subscribe().await;
    place(&master, "m1");
    let mut bus = master.events().await;
    // Minions have had their second to come back.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    m1.sub = None;
    let fired = next(&mut bus, "brine/alert/firing", "MinionDown").await;
    assert_eq!(label(&fired, "site").as_deref(), Some("akl"));
    m1.subscribe().await;
    next(&mut bus, "brine/alert/resolved", "MinionDown").await;
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_counts_when_it_is_set_and_what_outlasts_it_is_told() {
    let master = TestMaster::start(at_once()).await;
    let m1 = master.accepted("m1", key(0)).await;
    place(&master, "m1");
    let mut bus = master.events().await;
    let silences = master.running().master.alerts.silences().unwrap().clone();
    let of_site = || vec![Matcher::parse("site=akl").unwrap()];
    let silence = Silence::new(Kind::Manual, of_site(), Duration::from_secs(60), "ann").unwrap();
    silences.set(silence.clone()).unwrap();
    // It is on disk at once.
    let dir = Dir::at(master.path("cache/alerts/silences"));
    assert_eq!(file::read(&dir, &silence.id).unwrap(), Some(silence.clone()));
    ret(&m1, 1, 2).await;
    let alerts = Dir::at(master.path("cache/alerts"));
    until("the alert is held back", || {
        let kept = state::read(&alerts).unwrap();
        kept.hushed.get(&silence.id).is_some_and(|hushed| hushed.count == 1)
    })
    .await;
    // Another program sets a second one over it, and tells; the first one ends.
    let other = Silence::new(Kind::Manual, of_site(), Duration::from_secs(60), "bob").unwrap();
    file::write(&dir, &other).unwrap();
    master.running().master.events.fire("brine/silence/look", map! {"id" => other.id.as_str()});
    let set = bus.next("brine/silence/set").await;
    assert!(set.data.get_str("author") == Some("ann"));
    assert!(bus.next("brine/silence/set").await.data.get_str("author") == Some("bob"));
    silences.expire(&silence.id).unwrap();
    let expired = bus.next("brine/silence/expired").await;
    assert_eq!(expired.data.get("would_have_paged"), Some(&1.into()));
    // Still held back, by the other.
    let ended = Silence { ends_at: std::time::SystemTime::now(), ..other.clone() };
    file::write(&dir, &ended).unwrap();
    master.running().master.events.fire("brine/silence/look", map! {"id" => other.id.as_str()});
    let event = bus.next("brine/").await;
    let mut tags = vec![event.tag];
    while !tags.iter().any(|tag| tag == "brine/alert/firing") {
        tags.push(bus.next("brine/").await.tag);
    }
    assert!(tags.iter().all(|tag| tag != "brine/alert/resolved"), "{tags:?}");
    master.stop().await;
}

#[test]
fn a_wrong_word_is_an_error_that_names_file_and_key() {
    let rule = |key: &str, value: &str| {
        let mut rule = map! {"alert" => "A", "tag" => "x", "resolve_after" => "1h"};
        rule.insert(key, value);
        map! {"rules" => vec![Value::Map(rule)]}
    };
    for (alerts, says) in [
        (rule("whn", "x"), "alerts:rules:1:whn: is not known here"),
        (rule("when", "a b"), "alerts:rules:1:when: is no Jinja"),
        (map! {"rule" => 1}, "alerts:rule: is not known here"),
        (map! {"builtin" => map! {"MinionDwn" => false}}, "alerts:builtin:MinionDwn: is not built in"),
        (
            map! {"builtin" => map! {"MinionDown" => map! {"fro" => 1}}},
            "alerts:builtin:MinionDown:fro: is not known",
        ),
        (map! {"labels" => map! {"severity" => "x"}}, "alerts:labels:severity: is no name"),
        (map! {"silences" => map! {"longest" => "soon"}}, "alerts:silences:longest: has to be a time"),
    ] {
        let opts = Opts::new(map! {"conf_file" => "/etc/salt/master", "alerts" => alerts});
        let e = Config::from_opts(opts).unwrap_err().to_string();
        assert!(e.starts_with(&format!("/etc/salt/master: {says}")), "{e}");
    }
    for off in [Value::Nil, false.into()] {
        assert!(Config::from_opts(Opts::new(map! {"alerts" => off})).unwrap().alerts.is_none());
    }
    assert!(Config::from_opts(Opts::new(map! {"alerts" => true})).unwrap().alerts.is_some());
}
