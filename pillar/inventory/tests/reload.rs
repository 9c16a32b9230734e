//! Warehouses read again after random edits: the same as read anew, with all views kept of which nothing has changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_inventory::{Origin, Snapshot};
use brine_testing::{Random, number};
use common::load;
use common::model::{Name, Warehouse, edit, warehouse};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn reload(old: &Snapshot, origin: &Origin) -> Snapshot {
    old.reload(origin, &mut |_| {}).unwrap()
}

fn same(a: &Snapshot, b: &Snapshot, at: &str) {
    assert_eq!(a.kinds().collect::<Vec<_>>(), b.kinds().collect::<Vec<_>>(), "{at}");
    assert_eq!(a.pallets().count(), b.pallets().count(), "{at}");
    for (one, other) in a.pallets().zip(b.pallets()) {
        let (one_of, other_of) = (a.pallet(one), b.pallet(other));
        assert_eq!(one_of.path(), other_of.path(), "{at}");
        assert_eq!(a.view(one), b.view(other), "{} {at}", one_of.path());
        assert_eq!(one_of.links(), other_of.links(), "{at}");
        assert_eq!(a.parents(one), b.parents(other), "{at}");
        assert_eq!(a.children(one), b.children(other), "{at}");
        let places = |snapshot: &Snapshot, id| -> Vec<_> {
            let stories = snapshot.stories(id, "").into_iter();
            stories.map(|(path, story)| (path, story.winner.place, story.shadowed.len())).collect()
        };
        assert_eq!(places(a, one), places(b, other), "{at}");
    }
    assert_eq!(a.findings(), b.findings(), "{at}");
}

/// Whether neither a pallet nor anything it inherits from differs.
fn untouched(name: &Name, old: &Warehouse, new: &Warehouse, known: &mut BTreeMap<Name, bool>) -> bool {
    if let Some(known) = known.get(name) {
        return *known;
    }
    let own = old.pallets.get(name) == new.pallets.get(name);
    let all = own
        && old.transforms == new.transforms
        && new.edges(name).iter().all(|(parent, _)| untouched(parent, old, new, known));
    known.insert(name.clone(), all);
    all
}

fn kept(old: (&Warehouse, &Snapshot), new: (&Warehouse, &Snapshot), at: &str) -> usize {
    let mut known = BTreeMap::new();
    let mut count = 0;
    for name in new.0.pallets.keys() {
        if untouched(name, old.0, new.0, &mut known) {
            let here = new.1.find(&name.0, &name.1).unwrap();
            let there = old.1.find(&name.0, &name.1).unwrap();
            assert!(new.1.shares_view(here, old.1, there), "{name:?} {at}");
            count += 1;
        }
    }
    count
}

#[test]
fn a_folder_read_again_is_as_read_anew() {
    let mut shared = 0;
    for seed in 1..=number("BRINE_CASES", 40) {
        let mut random = Random::new(seed);
        let mut model = warehouse(&mut random);
        let dir = tempfile::tempdir().unwrap();
        model.write(dir.path());
        let origin = Origin::Directory(dir.path().into());
        // What has changed a moment ago is read in any case; later it is told by its stamp.
        let settle = || {
            if seed % 4 == 0 {
                std::thread::sleep(Duration::from_millis(60));
            }
        };
        settle();
        let mut snapshot = load(dir.path());
        for step in 0..8 {
            let before = model.clone();
            for _ in 0..random.below(3) {
                edit(&mut random, &mut model);
            }
            model.write(dir.path());
            let at = format!("seed {seed}, step {step}");
            settle();
            let again = reload(&snapshot, &origin);
            same(&again, &load(dir.path()), &at);
            shared += kept((&before, &snapshot), (&model, &again), &at);
            snapshot = again;
        }
    }
    assert!(shared > 0);
}

fn git(dir: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "gc.auto=0"])
        .args(words);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    assert!(command.output().unwrap().status.success(), "git {words:?}");
}

#[test]
fn a_revision_read_after_another_is_as_read_anew() {
    let mut shared = 0;
    for seed in 1..=number("BRINE_CASES", 40) / 8 {
        let mut random = Random::new(seed);
        let mut model = warehouse(&mut random);
        let dir = tempfile::tempdir().unwrap();
        let below = ["", "w"][random.below(2)];
        let folder = dir.path().join(below);
        std::fs::create_dir_all(&folder).unwrap();
        git(dir.path(), &["init", "-q", "-b", "main"]);
        let commit = |model: &Warehouse| {
            model.write(&folder);
            git(dir.path(), &["add", "-A"]);
            git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "one"]);
        };
        let origin =
            Origin::Git { repository: dir.path().into(), revision: "main".into(), below: below.into() };
        commit(&model);
        let mut snapshot = Snapshot::load(&origin, &mut |_| {}).unwrap();
        for step in 0..6 {
            let before = model.clone();
            for _ in 0..random.below(3) {
                edit(&mut random, &mut model);
            }
            commit(&model);
            let at = format!("seed {seed}, step {step}");
            let again = reload(&snapshot, &origin);
            assert_ne!(again.revision(), snapshot.revision());
            same(&again, &Snapshot::load(&origin, &mut |_| {}).unwrap(), &at);
            same(&again, &load(&folder), &at);
            shared += kept((&before, &snapshot), (&model, &again), &at);
            snapshot = again;
        }
    }
    assert!(shared > 0);
}

#[test]
fn a_file_touched_keeps_its_views_and_one_put_back_has_its_old_values() {
    let dir = tempfile::tempdir().unwrap();
    brine_testing::warehouse::write(dir.path(), 3).unwrap();
    let origin = Origin::Directory(dir.path().into());
    let first = load(dir.path());
    assert_eq!(first.findings(), []);
    let file = dir.path().join("rack/r0/location.yaml");
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, &text).unwrap();
    let second = reload(&first, &origin);
    assert!(second.pallets().all(|id| second.shares_view(id, &first, id)));
    std::fs::write(&file, "location: {rack: {rack: 77}}\n").unwrap();
    let third = reload(&second, &origin);
    let rack = third.find("rack", "r0").unwrap();
    for id in third.pallets() {
        let below = third.descendants(rack).contains(&id);
        assert_eq!(third.shares_view(id, &second, id), !below, "{}", third.pallet(id).path());
    }
    let system = third.find("system", "host00000").unwrap();
    assert_eq!(third.view(system).get("location.rack.rack").unwrap().str(), Some("77"));
    std::fs::write(&file, &text).unwrap();
    same(&reload(&third, &origin), &first, "put back");
}
