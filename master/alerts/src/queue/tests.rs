//! The queue against a slow model, over restarts.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::{Labels, Notice, Status};

fn notice(alert: u8, n: u32) -> Notice {
    let labels: Labels = [("alertname".to_owned(), format!("A{alert}"))].into();
    let annotations: Labels = [("n".to_owned(), n.to_string())].into();
    Notice { status: Status::Firing, labels, annotations, starts_at: UNIX_EPOCH, ends_at: None }
}

fn number(item: &Item) -> u32 {
    item.notice.annotations["n"].parse().unwrap()
}

fn plain(most: usize) -> Waiting {
    Waiting { most, group_by: None, group_wait: Duration::ZERO, batch: 3 }
}

const LONGEST: Duration = Duration::from_secs(100);

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(ms)
}

fn taken(queue: &Queue, how: &Waiting, now: SystemTime) -> Vec<Item> {
    match queue.take("s", how, LONGEST, now).unwrap() {
        Taken::Items(items) => items,
        Taken::Later(_) | Taken::Nothing => Vec::new(),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Deliver,
    Fail,
    Kill,
    Wait,
    Reopen,
    Revive,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..4).prop_map(Step::Put),
        3 => Just(Step::Deliver),
        3 => Just(Step::Fail),
        1 => Just(Step::Kill),
        2 => Just(Step::Wait),
        1 => Just(Step::Reopen),
        1 => Just(Step::Revive),
    ]
}

/// What the model knows of one notice.
#[derive(Clone, Debug, PartialEq)]
enum Is {
    Waiting,
    Delivered,
    Dead,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn every_notice_is_delivered_waits_or_is_dead_and_alerts_keep_their_order(
        steps in proptest::collection::vec(step(), 1..60),
        most in 2usize..8,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(dir.path()).unwrap();
        queue.know("s").unwrap();
        let how = plain(most);
        let mut now = 0;
        let mut model: BTreeMap<u32, (u8, Is)> = BTreeMap::new();
        for step in steps {
            now += 1;
            match step {
                Step::Put(alert) => {
                    let n = u32::try_from(model.len()).unwrap();
                    queue.put(&notice(alert, n), &[("s", &how)], at(now)).unwrap();
                    model.insert(n, (alert, Is::Waiting));
                    let waiting = model.values().filter(|(_, is)| *is == Is::Waiting).count();
                    let over = waiting.saturating_sub(most);
                    let oldest = model.values_mut().filter(|(_, is)| *is == Is::Waiting);
                    oldest.take(over).for_each(|(_, is)| *is = Is::Dead);
                }
                Step::Deliver | Step::Fail | Step::Kill => {
                    let items = taken(&queue, &how, at(now));
                    prop_assert!(items.len() <= how.batch);
                    for item in &items {
                        let n = number(item);
                        let (alert, is) = model[&n].clone();
                        prop_assert_eq!(is, Is::Waiting);
                        // No older one of this alert waits, unless it goes along, before it.
                        let with: Vec<u32> = items.iter().map(number).take_while(|other| *other != n).collect();
                        for (older, (of, is)) in model.range(..n) {
                            prop_assert!(*of != alert || *is != Is::Waiting || with.contains(older));
                        }
                    }
                    let becomes = match step {
                        Step::Deliver => { queue.delivered("s", &items, at(now)).unwrap(); Is::Delivered }
                        Step::Kill => { queue.dead("s", &items, "why", at(now)).unwrap(); Is::Dead }
                        _ => { queue.later("s", &items, at(now + 5), "why", at(now)).unwrap(); Is::Waiting }
                    };
                    items.iter().for_each(|item| model.get_mut(&number(item)).unwrap().1 = becomes.clone());
                }
                Step::Wait => now += 5,
                // As a kill has it: nothing is closed in order that would not be closed by the system.
                Step::Reopen => { std::mem::forget(queue); queue = Queue::open(dir.path()).unwrap(); }
                Step::Revive => {
                    let mut ledger = Ledger::beside(dir.path()).unwrap().unwrap();
                    let revived = ledger.revive(Some("s"), at(now)).unwrap();
                    let dead = model.values_mut().filter(|(_, is)| *is == Is::Dead);
                    prop_assert_eq!(dead.map(|(_, is)| *is = Is::Waiting).count(), revived);
                }
            }
            let report = &queue.report().unwrap()[0];
            let count = |what: Is| model.values().filter(|(_, is)| *is == what).count() as u64;
            prop_assert_eq!(
                (report.put, report.delivered, report.queued, report.dead),
                (model.len() as u64, count(Is::Delivered), count(Is::Waiting), count(Is::Dead))
            );
        }
    }
}

#[test]
fn a_group_waits_for_company_and_goes_together() {
    let dir = tempfile::tempdir().unwrap();
    let queue = Queue::open(dir.path()).unwrap();
    queue.know("s").unwrap();
    let how = Waiting {
        most: 100,
        group_by: Some(vec!["alertname".into()]),
        group_wait: Duration::from_secs(10),
        batch: 100,
    };
    let put = |alert, n, when| queue.put(&notice(alert, n), &[("s", &how)], at(when)).unwrap();
    put(0, 0, 0);
    put(1, 1, 2_000);
    put(0, 2, 4_000);
    assert_eq!(queue.take("s", &how, LONGEST, at(5_000)).unwrap(), Taken::Later(at(10_000)));
    let items = taken(&queue, &how, at(10_000));
    assert_eq!(items.iter().map(number).collect::<Vec<_>>(), [0, 2]);
    queue.delivered("s", &items, at(10_000)).unwrap();
    put(0, 3, 10_500);
    let items = taken(&queue, &how, at(12_000));
    assert_eq!(items.iter().map(number).collect::<Vec<_>>(), [1]);
    queue.delivered("s", &items, at(12_000)).unwrap();
    // What came after its group had gone waits anew.
    assert_eq!(queue.take("s", &how, LONGEST, at(12_000)).unwrap(), Taken::Later(at(20_500)));
    // A clock that was set back does not make it wait for ever.
    assert_eq!(taken(&queue, &how, at(0) - Duration::from_secs(3600)).len(), 1);
}

#[test]
fn one_that_failed_often_goes_alone() {
    let dir = tempfile::tempdir().unwrap();
    let queue = Queue::open(dir.path()).unwrap();
    queue.know("s").unwrap();
    let how = plain(100);
    for n in 0..3 {
        queue.put(&notice(u8::try_from(n).unwrap(), n), &[("s", &how)], at(0)).unwrap();
    }
    for round in 0..3 {
        let items = taken(&queue, &how, at(round * 10));
        assert_eq!(items.len(), 3);
        queue.later("s", &items, at(round * 10 + 10), "why", at(round * 10)).unwrap();
    }
    assert_eq!(taken(&queue, &how, at(100)).len(), 1);
    queue.hurry("s", at(25)).unwrap();
    assert_eq!(taken(&queue, &how, at(25)).len(), 1);
}

#[test]
fn what_became_of_a_notice_is_what_became_of_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let queue = Queue::open(dir.path()).unwrap();
    let how = plain(100);
    for sink in ["s", "t"] {
        queue.know(sink).unwrap();
    }
    let alert = notice(0, 0).fingerprint();
    queue.put(&notice(0, 0), &[("s", &how), ("t", &how)], at(0)).unwrap();
    assert!(queue.deliveries(&alert).unwrap().is_empty());
    let items = taken(&queue, &how, at(0));
    queue.dead("s", &items, "no such room", at(0)).unwrap();
    let told = queue.deliveries(&alert).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].sink.as_str(), told[0].outcome.clone()), ("s", Err("no such room".to_owned())));
    let first = items[0].id.clone();
    queue.put(&notice(0, 1), &[("s", &how)], at(0)).unwrap();
    assert!(queue.deliveries(&alert).unwrap().is_empty());
    let items = taken(&queue, &how, at(0));
    assert_ne!(items[0].id, first);
    queue.delivered("s", &items, at(0)).unwrap();
    assert_eq!(queue.deliveries(&alert).unwrap()[0].outcome, Ok(()));

    let ledger = Ledger::beside(dir.path()).unwrap().unwrap();
    let dead = ledger.dead(None, 10).unwrap();
    assert_eq!((dead.len(), dead[0].why.as_str(), dead[0].id.clone()), (1, "no such room", first));
    assert!(ledger.dead(Some("t"), 10).unwrap().is_empty());
    assert!(Ledger::beside(&dir.path().join("absent")).unwrap().is_none());
}

#[test]
fn a_damaged_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("alerts_queue.db"), vec![b'x'; 4096]).unwrap();
    let queue = Queue::open(dir.path()).unwrap();
    queue.know("s").unwrap();
    assert_eq!(queue.report().unwrap().len(), 1);
    assert!(dir.path().join("alerts_queue.db.damaged").exists());
}
