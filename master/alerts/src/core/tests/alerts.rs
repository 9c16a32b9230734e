//! Alerts from events, over restarts and redeliveries.

use brine_core::{Value, map};

use super::{Bench, Event, Kind};
use crate::Delivery;
use crate::core::tags;

#[test]
fn a_failure_is_told_once_and_its_end_once() {
    let mut bench = Bench::new(map! {});
    bench.ret(1, "a1", 2);
    assert_eq!(bench.told(), ["+JobFailed fun=cmd.run minion=a1 site=akl"]);
    bench.ret(1, "a1", 2);
    bench.ret(2, "a1", 2);
    assert!(bench.told().is_empty());
    bench.ret(3, "a1", 0);
    assert_eq!(bench.told(), ["-JobFailed fun=cmd.run minion=a1 site=akl"]);
    // What comes again is nothing new, though the alert is over.
    bench.ret(1, "a1", 2);
    bench.ret(2, "a1", 2);
    assert!(bench.told().is_empty());
    bench.ret(4, "a1", 2);
    assert_eq!(bench.told().len(), 1);
    // An old success that comes again ends nothing.
    bench.ret(3, "a1", 0);
    assert!(bench.told().is_empty());
}

#[test]
fn what_a_killed_master_had_not_looked_at_is_found_in_what_was_kept() {
    let mut bench = Bench::new(map! {});
    let event = |jid: u64, minion: &str, code: i64| {
        let data = map! {"id" => minion, "jid" => jid.to_string(), "fun" => "cmd.run", "retcode" => code, "return" => "x"};
        Event { tag: format!("salt/job/{jid}/ret/{minion}"), data, at: bench.now }
    };
    let kept = [event(1, "a1", 0), event(2, "a1", 1), event(3, "w1", 1)];
    bench.world.kept.lock().extend(kept);
    bench.ret(1, "a1", 0);
    bench.ret(2, "a1", 1);
    assert_eq!(bench.told().len(), 1);
    bench.restart();
    // Neither does the success that came before end anything, nor is the failure told again.
    assert_eq!(bench.told(), ["+JobFailed fun=cmd.run minion=w1 site=wlg"]);
    bench.restart();
    assert!(bench.told().is_empty());
}

#[test]
fn what_is_so_outlives_a_restart_and_is_not_told_again() {
    let mut bench = Bench::new(map! {});
    bench.ret(1, "a1", 2);
    bench.ret(2, "w1", 2);
    bench.ret(3, "w1", 0);
    assert_eq!(bench.told().len(), 3);
    bench.restart();
    bench.pass(1);
    bench.ret(1, "a1", 2);
    bench.ret(2, "w1", 2);
    assert!(bench.told().is_empty());
    bench.restart();
    bench.ret(4, "a1", 0);
    assert_eq!(bench.told(), ["-JobFailed fun=cmd.run minion=a1 site=akl"]);
    bench.restart();
    assert_eq!(bench.core.table.all().filter(|(_, a)| a.name() == "JobFailed").count(), 0);
    let counts = bench.core.counts.since(bench.now, 1);
    assert_eq!(counts[&("JobFailed".to_owned(), "a1".to_owned())].told, 1);
}

#[test]
fn a_failure_that_nobody_speaks_of_again_ends_by_time_also_over_a_restart() {
    let mut bench =
        Bench::new(map! {"builtin" => map! {"JobFailed" => map! {"for" => "10s", "resolve_after" => "1m"}}});
    bench.ret(1, "a1", 2);
    bench.pass(5);
    assert!(bench.told().is_empty());
    bench.restart();
    bench.pass(6);
    assert_eq!(bench.told().len(), 1);
    bench.restart();
    bench.pass(50);
    assert_eq!(bench.told(), ["-JobFailed fun=cmd.run minion=a1 site=akl"]);
}

#[test]
fn rules_of_ones_own_group_and_have_labels_of_the_inventory() {
    let mut bench = Bench::new(map! {
        "builtin" => map! {"JobFailed" => false},
        "rules" => vec![Value::Map(map! {
            "alert" => "BackupFailed", "tag" => "salt/job/*/ret/*", "when" => "data.retcode != 0",
            "resolve" => map! {"tag" => "salt/job/*/ret/*"}, "group" => vec!["site"],
            "severity" => "{{ no template }}", "summary" => "{{ data.fun }} failed at {{ labels.site }}",
        })],
    });
    bench.ret(1, "a1", 1);
    bench.ret(2, "a2", 1);
    bench.ret(3, "w1", 1);
    let summary = bench.world.told.lock()[0].annotations["summary"].clone();
    assert_eq!(summary, "cmd.run failed at akl");
    assert_eq!(bench.told(), ["+BackupFailed site=akl", "+BackupFailed site=wlg"]);
    bench.ret(4, "a1", 0);
    assert!(bench.told().is_empty());
    bench.ret(5, "a2", 0);
    let resolved = bench.world.told.lock()[0].clone();
    assert_eq!(resolved.ends_at, Some(bench.now));
    assert_eq!(bench.told(), ["-BackupFailed site=akl"]);
}

#[test]
fn many_alerts_of_a_rule_are_told_as_one_more() {
    let mut bench = Bench::new(map! {"builtin" => map! {"JobFailed" => map! {"limit" => 3}}});
    for n in 0..6 {
        bench.ret(n, &format!("x{n}"), 1);
    }
    let told = bench.told();
    assert_eq!(told.len(), 4);
    assert_eq!(told[3], "+TooManyAlerts rule=JobFailed");
}

#[test]
fn what_fills_up_is_looked_at_by_the_clock() {
    let mut bench = Bench::new(map! {"builtin" => map! {"MasterDisk" => map! {"share" => 80}}});
    bench.pass(61);
    assert!(bench.told().is_empty());
    *bench.world.disk.lock() = Some(80);
    bench.pass(61);
    assert_eq!(bench.told(), ["+MasterDisk"]);
    *bench.world.disk.lock() = Some(79);
    bench.pass(61);
    assert_eq!(bench.told(), ["-MasterDisk"]);
}

#[test]
fn the_watchdog_never_stops() {
    let mut bench = Bench::new(map! {"builtin" => map! {"Watchdog" => map! {"every" => "30s"}}});
    bench.silence(Kind::All, &[], 3600);
    bench.pass(301);
    let told = bench.world.told.lock();
    let dog = told.iter().filter(|notice| notice.labels["alertname"] == "Watchdog");
    assert!(dog.clone().all(|notice| notice.labels["route"] == "none"));
    assert_eq!(dog.count(), 11);
}

#[test]
fn a_test_is_followed_to_each_sink_and_confirmed() {
    let mut bench = Bench::new(map! {});
    let labels = map! {"site" => "akl", "alertname" => "Other"};
    bench.event(tags::TEST, map! {"test" => "t1", "author" => "ann", "labels" => labels});
    assert_eq!(bench.told(), ["+AlertTest site=akl test=t1"]);
    let fired = |bench: &Bench, tag: &str| -> Vec<_> {
        bench.world.fired.lock().iter().filter(|(t, _)| t == tag).map(|(_, data)| data.clone()).collect()
    };
    let sinks: Value = ["mail", "pager"].into_iter().collect();
    assert_eq!(fired(&bench, tags::SENT)[0].get("sinks"), Some(&sinks));
    bench.pass(1);
    bench.world.delivered.lock().push(Delivery { sink: "pager".into(), outcome: Ok(()) });
    bench.pass(1);
    bench.world.delivered.lock().push(Delivery { sink: "mail".into(), outcome: Err("refused".into()) });
    bench.pass(1);
    let news = fired(&bench, tags::DELIVERED);
    assert_eq!(news.len(), 2);
    assert_eq!(news[1].get_str("why"), Some("refused"));
    assert!(bench.core.drills.is_empty());
    bench.event(tags::CONFIRM, map! {"test" => "t1"});
    assert_eq!(bench.told(), ["-AlertTest site=akl test=t1"]);
}
