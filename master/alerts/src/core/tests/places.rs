//! Minions and sites that are down, and what that holds back.

use brine_core::{Value, map};

use super::{Bench, Kind};
use crate::Labels;

#[test]
fn a_site_that_is_down_says_it_all() {
    let mut bench = Bench::new(map! {"builtin" => map! {"TooManySitesDown" => false}});
    bench.pass(61);
    bench.connection("a1", true);
    bench.pass(119);
    assert!(bench.told().is_empty());
    bench.pass(2);
    assert_eq!(bench.told(), ["+MinionDown minion=a1 site=akl"]);
    bench.connection("a2", true);
    bench.pass(61);
    assert_eq!(bench.told(), ["+SiteDown site=akl"]);
    // The second minion's time comes while its site is down.
    bench.pass(120);
    assert!(bench.told().is_empty());
    // The first is back: the site is not down, the second minion is.
    bench.connection("a1", false);
    let mut told = bench.told();
    told.sort();
    assert_eq!(
        told,
        ["+MinionDown minion=a2 site=akl", "-MinionDown minion=a1 site=akl", "-SiteDown site=akl"]
    );
    bench.connection("a2", false);
    assert_eq!(bench.told(), ["-MinionDown minion=a2 site=akl"]);
}

#[test]
fn a_minion_that_comes_back_in_time_was_never_away() {
    let mut bench = Bench::new(map! {});
    bench.pass(61);
    bench.connection("a1", true);
    bench.pass(60);
    bench.connection("a1", false);
    bench.pass(600);
    assert!(bench.told().is_empty());
}

#[test]
fn after_a_start_minions_have_time_to_come_back() {
    let mut bench = Bench::new(map! {"builtin" => map! {"MinionDown" => map! {"for" => "10s"}}});
    bench.world.absent.lock().extend(["a1".to_owned(), "w1".to_owned()]);
    bench.connection("a1", true);
    bench.pass(59);
    assert!(bench.told().is_empty());
    bench.connection("w1", false);
    bench.pass(12);
    assert_eq!(bench.told(), ["+MinionDown minion=a1 site=akl"]);
    // A restart tells nothing anew; what ended meanwhile is told when it is found out.
    bench.restart();
    bench.world.absent.lock().clear();
    bench.pass(61);
    assert_eq!(bench.told(), ["-MinionDown minion=a1 site=akl"]);
}

#[test]
fn a_minion_whose_key_is_gone_is_missed_by_nobody() {
    let mut bench = Bench::new(map! {});
    bench.pass(61);
    bench.connection("a1", true);
    bench.pass(121);
    assert_eq!(bench.told().len(), 1);
    bench.world.places.lock().remove("a1");
    bench.event("salt/key", map! {"id" => "a1", "act" => "delete", "result" => true});
    assert_eq!(bench.told(), ["-MinionDown minion=a1 site=akl"]);
    // Of the site one minion is left, which is there.
    assert_eq!(bench.core.sites.health("akl").members, 1);
    bench.connection("stranger", true);
    bench.pass(600);
    assert!(bench.told().is_empty());
}

#[test]
fn a_minion_that_moves_counts_where_it_is() {
    let mut bench = Bench::new(map! {});
    bench.pass(61);
    bench.connection("a1", true);
    bench.world.places.lock().insert("a2".into(), Labels::from([("site".into(), "wlg".into())]));
    bench.core.labels_changed("a2", bench.now);
    assert!(bench.core.sites.health("akl").is_down());
    assert_eq!(bench.core.sites.health("wlg").members, 3);
}

#[test]
fn many_sites_down_are_one_thing_more() {
    let mut bench = Bench::new(map! {
        "builtin" => map! {"MinionDown" => false, "SiteDown" => map! {"for" => 0, "count" => 1},
            "TooManySitesDown" => map! {"share" => 60}},
    });
    for n in 0..8 {
        let labels = Labels::from([("site".into(), format!("s{n}"))]);
        bench.world.places.lock().insert(format!("m{n}"), labels);
    }
    bench.pass(61);
    for n in 0..6 {
        bench.connection(&format!("m{n}"), true);
    }
    assert_eq!(bench.told().len(), 6);
    bench.connection("m6", true);
    assert_eq!(bench.told(), ["+SiteDown site=s6", "+TooManySitesDown"]);
    bench.connection("m6", false);
    assert_eq!(bench.told(), ["-SiteDown site=s6", "-TooManySitesDown"]);
}

#[test]
fn inhibit_rules_of_ones_own_hold_back_what_has_the_same_labels() {
    let rule = map! {
        "source" => "alertname=MaintenanceActive", "target" => "severity=warning", "equal" => vec!["site"],
    };
    let mut bench = Bench::new(map! {"inhibit" => vec![Value::Map(rule)]});
    let silence = bench.silence(Kind::Place, &["site=akl", "alertname=Nothing"], 60);
    assert_eq!(
        bench.told(),
        ["+MaintenanceActive kind=place route=none scope=site=akl alertname=Nothing site=akl"]
    );
    bench.ret(1, "a1", 1);
    bench.ret(2, "w1", 1);
    assert_eq!(bench.told(), ["+JobFailed fun=cmd.run minion=w1 site=wlg"]);
    bench.silences.expire(&silence.id).unwrap();
    bench
        .core
        .silence(&[super::SilenceChange::Expired(silence.id)], bench.now + std::time::Duration::from_secs(1));
    let told = bench.told();
    assert!(told.contains(&"+JobFailed fun=cmd.run minion=a1 site=akl".to_owned()), "{told:?}");
}
