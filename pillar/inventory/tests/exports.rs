//! What Pallet Jack's own tools have made of their example, compared as data with what the exporters here make of it. Where they
//! differ, the difference is written here, and in `docs/differences.md`.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use brine_inventory::Snapshot;
use brine_inventory::export::{Body, Export, Family, Knot, Provenance, kea, pxelinux, salt, unbound, zones};
use common::{data, documents, load};
use serde_json::Value;
use std::collections::BTreeMap;

fn example() -> Snapshot {
    load(&data("inputs/example"))
}

fn golden(path: &str) -> String {
    std::fs::read_to_string(data("sorted").join(path)).unwrap()
}

fn made() -> Provenance {
    Provenance { lines: vec!["Repository: /srv/warehouse/".into(), "Branch: refs/heads/master".into()] }
}

/// Texts by path; what links lead to. Nothing may be wrong.
fn files(export: &Export) -> BTreeMap<&str, String> {
    assert!(export.is_sound(), "{:?}", export.findings);
    let text = |body: &Body| match body {
        Body::Text { header, text } => format!("{header}{text}"),
        Body::Link(to) => to.clone(),
    };
    export.files.iter().map(|f| (f.path.as_str(), text(&f.body))).collect()
}

/// Without what names the program.
fn same_but_program(ours: &str, theirs: &str) {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(|l| if l.contains("Automatically generated") { "generated".into() } else { l.to_owned() })
            .collect()
    };
    assert_eq!(lines(ours), lines(theirs));
}

#[test]
fn menus_are_those_of_palletjack2pxelinux() {
    let export = pxelinux::export(&example(), &made());
    let ours = files(&export);
    let mut theirs = Vec::new();
    for folder in ["config", "pxelinux.cfg"] {
        for entry in std::fs::read_dir(data("sorted/pxe").join(folder)).unwrap() {
            theirs.push(format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
        }
    }
    theirs.sort();
    assert_eq!(ours.keys().copied().collect::<Vec<_>>(), theirs);
    for path in theirs {
        let real = data("sorted/pxe").join(&path);
        // Links may be checked in as links or as files that say where they lead.
        let theirs = std::fs::read_link(&real)
            .map_or_else(|_| std::fs::read_to_string(&real).unwrap(), |to| to.to_str().unwrap().to_owned());
        same_but_program(&ours[path.as_str()], &theirs);
    }
    assert_eq!(export.findings, []);
}

#[test]
fn stub_zones_are_those_of_palletjack2unbound() {
    let snap = example();
    let service = snap.find("service", "dns-resolver/example-com").unwrap();
    let export = unbound::export(&snap, &made(), service);
    let ours = files(&export);
    let paths = ["conf.d/0.168.192.in-addr.arpa.conf", "conf.d/example.com.conf", "local.d/example-com.conf"];
    assert_eq!(ours.keys().copied().collect::<Vec<_>>(), paths);
    for path in paths {
        same_but_program(&ours[path], &golden(&format!("unbound/{path}")));
    }
}

#[test]
fn zones_are_those_of_palletjack2knot() {
    for (format, folder) in [(Knot::One, "knot1"), (Knot::Two, "knot2")] {
        let export = zones::export(&example(), &made(), format, &mut |_| 1_795_352_684);
        let ours = files(&export);
        let reverse = "zones/0.168.192.in-addr.arpa.zone";
        assert_eq!(
            ours.keys().copied().collect::<Vec<_>>(),
            ["zones.conf", reverse, "zones/example.com.zone"]
        );
        for (path, text) in &ours {
            let mut theirs = golden(&format!("{folder}/{path}"));
            if *path == reverse {
                // A name server named relative to the domain is another one in a reverse zone, where it has no address.
                theirs = theirs.replace(" NS ns2\n", " NS ns2.example.com.\n");
            }
            same_but_program(text, &theirs);
        }
    }
}

#[test]
fn leases_are_those_of_palletjack2kea_with_numbers_that_are_numbers() {
    let snap = example();
    let service = snap.find("service", "dhcp-server/example-com").unwrap();
    let export = kea::export(&snap, &made(), service, Family::V4, "kea.json");
    let json = |text: &str| -> Value {
        let data: String = text.lines().filter(|l| !l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        serde_json::from_str(&data).unwrap()
    };
    let mut theirs = json(&golden("kea.json"));
    theirs["Dhcp4"]["valid-lifetime"] = 4000.into();
    assert_eq!(json(&files(&export)["kea.json"]), theirs);
}

#[test]
fn pillar_files_are_those_of_palletjack2salt() {
    let snap = example();
    let same = |ours: &str, theirs: &str| {
        let (ours, theirs) = (documents(ours), documents(theirs));
        assert_eq!(ours.len(), 1);
        assert_eq!(ours[0].0, theirs[0].0);
        // What stands plain and what in quotes decides what types a reader sees.
        let quoted = |all: &[common::Written]| -> BTreeMap<Vec<String>, (String, bool)> {
            all.iter().map(|w| (w.path.clone(), (w.text.clone(), w.quoted))).collect()
        };
        assert_eq!(quoted(&ours[0].1), quoted(&theirs[0].1));
    };
    let global = salt::global(&snap, &made());
    same(&files(&global)["palletjack/global.sls"], &golden("salt-global/palletjack/global.sls"));
    let minions = salt::minions(&snap, &made());
    let ours = files(&minions);
    assert_eq!(ours.len(), 2);
    for (path, text) in ours {
        same(&text, &golden(&format!("salt-minion/{path}")));
    }
}
