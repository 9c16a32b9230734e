//! Exports before the programs that they are for: their own checkers must take them. `cargo xtask test` installs these.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use brine_inventory::Snapshot;
use brine_inventory::export::{Body, Export, Family, Knot, Provenance, kea, unbound, zones};
use common::site::rich;
use common::{data, load};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Writes the files of an export below a directory.
fn put(export: &Export, dir: &Path) {
    assert!(export.is_sound(), "{:?}", export.findings);
    for file in &export.files {
        let at = dir.join(&file.path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        let Body::Text { header, text } = &file.body else { continue };
        std::fs::write(at, format!("{header}{text}")).unwrap();
    }
}

/// Runs a checker, which must be content.
fn check(words: &[&str]) -> String {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let ran = Command::new(words[0]).args(&words[1..]).env("PATH", path).output();
    let ran = ran.unwrap_or_else(|e| {
        panic!("{}: {e}: it is of the packages that cargo xtask test installs", words[0])
    });
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words:?}: {said}");
    said
}

fn made() -> Provenance {
    Provenance { lines: vec!["Warehouse: /srv/warehouse".into()] }
}

fn service(snap: &Snapshot, below: &str) -> brine_inventory::PalletId {
    let inner = |id: &&brine_inventory::PalletId| snap.pallet(**id).full_name().starts_with(below);
    *snap.of_kind("service").iter().find(inner).unwrap()
}

/// `named-checkzone` for each zone, `knotc` for their list.
fn name_servers(snap: &Snapshot, dir: &Path) -> usize {
    put(&zones::export(snap, &made(), Knot::Two, &mut |_| 17), dir);
    let all = zones::zones(snap).0;
    for zone in &all {
        let file = dir.join(format!("zones/{}.zone", zone.name));
        let said = check(&["named-checkzone", "-i", "full", &zone.name, file.to_str().unwrap()]);
        assert!(said.contains("loaded serial 17"), "{said}");
    }
    let shown = dir.display();
    let config = format!(
        "server:\n  rundir: {shown}\ntemplate:\n  - id: default\n    storage: {shown}\n    file: zones/%s.zone\ninclude: {shown}/zones.conf\n"
    );
    std::fs::write(dir.join("knot.conf"), config).unwrap();
    check(&["knotc", "-c", dir.join("knot.conf").to_str().unwrap(), "conf-check"]);
    all.len()
}

fn resolver(snap: &Snapshot, dir: &Path) {
    put(&unbound::export(snap, &made(), service(snap, "dns-resolver/")), dir);
    let shown = dir.display();
    let config = format!(
        "server:\n  directory: {shown}\n  chroot: \"\"\n  username: \"\"\n  include: \"{shown}/local.d/*.conf\"\ninclude: \
         \"{shown}/conf.d/*.conf\"\n"
    );
    std::fs::write(dir.join("unbound.conf"), config).unwrap();
    check(&["unbound-checkconf", dir.join("unbound.conf").to_str().unwrap()]);
}

fn leases(snap: &Snapshot, dir: &Path, family: Family) {
    put(&kea::export(snap, &made(), service(snap, "dhcp-server/"), family, "kea.conf"), dir);
    let program = if family == Family::V4 { "kea-dhcp4" } else { "kea-dhcp6" };
    let said = check(&[program, "-t", dir.join("kea.conf").to_str().unwrap()]);
    assert!(!said.contains("ERROR"), "{said}");
}

fn all(snap: &Snapshot, families: &[Family]) -> usize {
    let dir = TempDir::new().unwrap();
    for family in families {
        leases(snap, dir.path(), *family);
    }
    resolver(snap, dir.path());
    name_servers(snap, dir.path())
}

#[test]
fn the_example_passes() {
    assert_eq!(all(&load(&data("inputs/example")), &[Family::V4]), 2);
}

#[test]
fn both_families_and_networks_of_any_size_pass() {
    assert_eq!(all(&load(rich().path()), &[Family::V4, Family::V6]), 15);
}

#[test]
fn a_thousand_machines_pass() {
    let dir = TempDir::new().unwrap();
    let objects = brine_testing::warehouse::write(dir.path(), 1000).unwrap();
    assert!(objects > 8000, "{objects}");
    let snap = load(dir.path());
    assert!(snap.is_sound(), "{:?}", snap.findings());
    assert!(all(&snap, &[Family::V4]) >= 26);
}

#[test]
fn checkers_notice() {
    let dir = TempDir::new().unwrap();
    let bad = dir.path().join("x.zone");
    std::fs::write(&bad, "x. IN SOA a. b. ( 1 3h 15m 4w 30m )\n").unwrap();
    let said = Command::new("named-checkzone").args(["x", bad.to_str().unwrap()]).output().unwrap();
    assert!(!said.status.success());
}
