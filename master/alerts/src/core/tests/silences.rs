//! What silences hold back, and that they do as a look through everything says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use brine_core::map;

use super::{Bench, Kind, Silence};
use crate::core::tags;

#[test]
fn what_is_silenced_is_counted_and_pages_when_it_outlasts_the_silence() {
    let mut bench = Bench::new(map! {});
    let silence = bench.silence(Kind::Manual, &["site=akl"], 60);
    bench.ret(1, "a1", 1);
    bench.ret(2, "a2", 1);
    bench.ret(3, "w1", 1);
    assert_eq!(bench.told(), ["+JobFailed fun=cmd.run minion=w1 site=wlg"]);
    bench.ret(4, "a2", 0);
    assert!(bench.told().is_empty());
    assert_eq!(bench.core.hushed[&silence.id].count, 2);
    bench.pass(61);
    assert_eq!(bench.told(), ["+!JobFailed fun=cmd.run minion=a1 site=akl"]);
    let fired = bench.world.fired.lock();
    let expired = fired.iter().find(|(tag, _)| tag == tags::EXPIRED).unwrap();
    assert_eq!(expired.1.get("would_have_paged"), Some(&2.into()));
    assert_eq!(bench.world.changes.lock().len(), 2);
}

#[test]
fn what_was_told_before_a_silence_pages_again_after_it_also_over_a_restart() {
    let mut bench = Bench::new(map! {});
    bench.ret(1, "a1", 1);
    assert_eq!(bench.told().len(), 1);
    bench.silence(Kind::Manual, &["site=akl"], 60);
    bench.pass(30);
    bench.now += Duration::from_secs(100);
    bench.restart();
    assert_eq!(bench.told(), ["+!JobFailed fun=cmd.run minion=a1 site=akl"]);
    // An end is told even while it is silenced, to whom its beginning was told.
    bench.silence(Kind::Manual, &["site=akl"], 60);
    bench.ret(2, "a1", 0);
    assert_eq!(bench.told(), ["-JobFailed fun=cmd.run minion=a1 site=akl"]);
}

#[test]
fn a_silence_of_everything_is_loud() {
    let mut bench = Bench::new(map! {});
    let silence = bench.silence(Kind::All, &[], 60);
    let loud = format!("SilenceMatchesAll silence={}", silence.id);
    assert_eq!(bench.told(), [format!("+{loud}")]);
    bench.ret(1, "a1", 1);
    assert!(bench.told().is_empty());
    bench.pass(61);
    let mut told = bench.told();
    told.sort();
    assert_eq!(told, ["+!JobFailed fun=cmd.run minion=a1 site=akl".to_owned(), format!("-{loud}")]);
    // One that says that it is of little, too.
    let sly = bench.silence(Kind::Manual, &["site=~.*"], 60);
    assert_eq!(bench.told()[0], format!("+SilenceMatchesAll silence={}", sly.id));
}

#[test]
fn what_is_new_to_a_silenced_place_is_told() {
    let mut bench = Bench::new(map! {});
    bench.ret(1, "a1", 1);
    bench.ret(2, "a1", 0);
    bench.pass(1);
    bench.told();
    bench.silence(Kind::Place, &["site=akl"], 600);
    assert_eq!(bench.told(), ["+MaintenanceActive kind=place route=none scope=site=akl site=akl"]);
    bench.ret(3, "a2", 1);
    assert!(bench.told().is_empty());
    let denied = |minion: &str| map! {"id" => minion, "act" => "denied", "result" => false};
    bench.event("salt/auth", denied("a2"));
    assert_eq!(bench.told(), ["+KeyDenied minion=a2 site=akl"]);
    // It became known during the silence, which does not make it expected.
    bench.event("salt/auth", denied("a1"));
    assert_eq!(bench.told(), ["+KeyDenied minion=a1 site=akl"]);
    bench.pass(601);
    assert!(
        bench.told().contains(&"-MaintenanceActive kind=place route=none scope=site=akl site=akl".to_owned())
    );
}

#[test]
fn many_silenced_sites_are_told_whatever_is_silenced() {
    let mut bench = Bench::new(map! {"builtin" => map! {"TooManySitesSilenced" => map! {"share" => 50}}});
    bench.pass(61);
    bench.silence(Kind::Manual, &["site=akl"], 600);
    bench.silence(Kind::Manual, &["site=wlg", "alertname=JobFailed"], 600);
    assert!(bench.told().is_empty());
    bench.silence(Kind::Manual, &["site=~wlg|chc", "building=b"], 600);
    assert_eq!(bench.told(), ["+TooManySitesSilenced"]);
    bench.pass(601);
    assert_eq!(bench.told(), ["-TooManySitesSilenced"]);
}

/// Alerts and silences looked through as a whole after each step.
#[derive(Default)]
struct Model {
    /// The alerts that fire: minion, whether it was told, and which silences hold it back.
    firing: BTreeMap<String, (bool, BTreeSet<String>)>,
    silences: Vec<Silence>,
}

impl Model {
    fn look(&mut self, now: SystemTime) -> Vec<String> {
        let mut told = Vec::new();
        for (minion, (was_told, held)) in &mut self.firing {
            let site = if minion.starts_with('a') { "akl" } else { "wlg" };
            let labels = [
                ("alertname", "JobFailed"),
                ("severity", "warning"),
                ("fun", "cmd.run"),
                ("minion", minion),
                ("site", site),
                ("building", "b"),
            ];
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let stands = |s: &&Silence| s.starts_at <= now && now < s.ends_at;
            let covers = |s: &&Silence| s.matchers.iter().all(|m| m.holds(&labels));
            let holding: BTreeSet<String> =
                self.silences.iter().filter(stands).filter(covers).map(|s| s.id.to_string()).collect();
            if holding.is_empty() && (!*was_told || !held.is_empty()) {
                let again = if held.is_empty() { "" } else { "!" };
                told.push(format!("+{again}JobFailed fun=cmd.run minion={minion} site={site}"));
                *was_told = true;
            }
            *held = holding;
        }
        told
    }
}

#[test]
fn silences_do_what_a_look_through_everything_says() {
    let off = ["SilenceMatchesAll", "MaintenanceActive", "TooManySitesSilenced"];
    for seed in 0..4 {
        let mut random = brine_testing::Random::new(seed);
        let resolve = map! {"resolve_after" => 0};
        let mut bench = Bench::new(map! {"builtin" => map! {"JobFailed" => resolve, "StateFailed" => false}});
        let mut model = Model::default();
        for step in 0..250u64 {
            let minion = random.pick(&["a1", "a2", "w1", "w2"]);
            let mut expected = Vec::new();
            match random.below(8) {
                0..=2 => {
                    bench.ret(1000 + step, minion, 1);
                    model.firing.entry(minion.to_owned()).or_default();
                }
                3 => {
                    bench.ret(1000 + step, minion, 0);
                    if let Some((true, _)) = model.firing.remove(minion) {
                        let site = if minion.starts_with('a') { "akl" } else { "wlg" };
                        expected.push(format!("-JobFailed fun=cmd.run minion={minion} site={site}"));
                    }
                }
                4..=5 => {
                    let all: [&[&str]; 6] = [
                        &["site=akl"],
                        &["minion=~a1|w1"],
                        &["site!=akl", "building=b"],
                        &["alertname=JobFailed", "minion!~.2"],
                        &["alertname=Other"],
                        &["rack=", "site=wlg"],
                    ];
                    let matchers = all[random.below(all.len())];
                    let kind = if random.once_in(2) { Kind::Manual } else { Kind::Expected };
                    let silence = bench.silence(kind, matchers, 1 + random.below(40) as u64);
                    model.silences.push(silence);
                }
                6 => {
                    bench.restart();
                }
                _ => {
                    // Second by second, so that the model sees what the core does when it is due.
                    for _ in 0..random.below(20) {
                        bench.pass(1);
                        expected.extend(model.look(bench.now));
                    }
                }
            }
            expected.extend(model.look(bench.now));
            let mut told = bench.told();
            told.retain(|line| !off.iter().any(|name| line[1..].starts_with(name)));
            told.sort();
            expected.sort();
            assert_eq!(told, expected, "seed {seed} step {step}");
        }
        assert!(!model.silences.is_empty());
    }
}
