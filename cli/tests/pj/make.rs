//! `pj create`: what create_domain, create_system and create_ipv4_interface make, and nothing that is there changed.

use crate::around::{pj_in, read, run_in, write};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// Files and links below a directory: what is in them, or where they lead.
fn tree(dir: &Path) -> BTreeMap<String, String> {
    let listed = run_in(dir, &["find", ".", "-type", "f", "-o", "-type", "l"]);
    let entry = |path: &str| {
        let at = dir.join(path);
        let text = match std::fs::read_link(&at) {
            Ok(to) => to.to_str().unwrap().trim_end_matches('/').to_owned(),
            Err(_) => std::fs::read_to_string(&at).unwrap(),
        };
        (path.trim_start_matches("./").to_owned(), text)
    };
    listed.lines().map(entry).collect()
}

/// A warehouse with only an operating system, as the original's was.
fn empty() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pillar/inventory/tests/data/create/warehouse");
    for part in ["transforms.yaml", "os"] {
        run_in(dir.path(), &["cp", "-a", data.join(part).to_str().unwrap(), "."]);
    }
    dir
}

const STEPS: [&str; 3] = [
    "create domain -d example.com -n 192.168.42.0/24",
    "create system -s vmhost -d example.com -o CentOS-7.3.1611-x86_64",
    "create interface -s vmhost -d example.com -m 52:54:00:8d:be:fe -i 192.168.42.1 -n 192.168.42.0/24",
];

#[test]
fn skeletons_are_those_of_the_original() {
    let dir = empty();
    for step in STEPS {
        pj_in(dir.path(), step).ok();
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pillar/inventory/tests/data/create/warehouse");
    let (ours, theirs) = (tree(dir.path()), tree(&data));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (path, text) in ours {
        assert_eq!(text, theirs[&path], "{path}");
    }
    // What is not filled in yet is nothing wrong.
    assert_eq!(pj_in(dir.path(), "lint").code, 0);
}

#[test]
fn what_is_there_stays() {
    let dir = empty();
    for step in STEPS {
        pj_in(dir.path(), step).ok();
    }
    write(dir.path(), "domain/example.com/dns.yaml", "net:\n  dns:\n    ns: [ns1]\n");
    let before = tree(dir.path());
    let json = pj_in(dir.path(), &format!("{} --json", STEPS[0])).json();
    assert_eq!(json["made"], serde_json::json!([]));
    assert_eq!(json["left"].as_array().unwrap().len(), 5);
    for step in &STEPS[1..] {
        assert!(pj_in(dir.path(), step).ok().lines().all(|l| l.starts_with("left ")));
    }
    assert_eq!(tree(dir.path()), before);
    std::fs::remove_file(dir.path().join("domain/example.com/services.yaml")).unwrap();
    let said = pj_in(dir.path(), STEPS[0]).ok();
    assert!(said.starts_with("made domain/example.com/services.yaml\nleft "), "{said}");
    assert_eq!(read(dir.path(), "domain/example.com/dns.yaml"), "net:\n  dns:\n    ns: [ns1]\n");
}

#[test]
fn what_is_in_the_way_is_told() {
    let dir = empty();
    for step in STEPS {
        pj_in(dir.path(), step).ok();
    }
    pj_in(dir.path(), "create domain -d other.com -n 10.0.0.0/8").ok();
    write(dir.path(), "netinstall/x/y/a.yaml", "a: b\n");
    let before = tree(dir.path());
    let other = pj_in(dir.path(), "create system -s vmhost -d other.com -o CentOS-7.3.1611-x86_64");
    assert_eq!(other.code, 1);
    assert!(
        other.out.contains("in the way system/vmhost/domain (it was to be a link to domain/other.com)"),
        "{}",
        other.out
    );
    let second = pj_in(dir.path(), "create system -s vmhost -d example.com -n x/y");
    assert!(second.code == 1 && second.err.contains("only one of os and netinstall"), "{}", second.err);
    assert_eq!(tree(dir.path()), before);
    pj_in(dir.path(), "create system -s new -d other.com -n x/y").ok();
    assert_eq!(
        std::fs::read_link(dir.path().join("system/new/netinstall")).unwrap(),
        Path::new("../../netinstall/x/y")
    );
}

#[test]
fn names_make_no_paths_and_nothing_dangles() {
    let dir = empty();
    pj_in(dir.path(), STEPS[0]).ok();
    let before = tree(dir.path());
    for (line, code) in [
        ("create domain -d ../x -n 10.0.0.0/8", 64),
        ("create domain -d .x -n 10.0.0.0/8", 64),
        ("create domain -d x -n 10.0.0.1/8", 64),
        ("create domain -d x", 64),
        ("create system -s x -d nosuch -o CentOS-7.3.1611-x86_64", 1),
        ("create system -s x -d example.com -o ../os/CentOS-7.3.1611-x86_64", 1),
        ("create system -s x -d example.com", 64),
        ("create system -s x -d example.com -o a -n b", 64),
        (
            "create interface -s nosuch -d example.com -m 52:54:00:8d:be:fe -i 192.168.42.1 -n 192.168.42.0/24",
            1,
        ),
        ("create interface -s x -d example.com -m 52:54:00:8d:be -i 192.168.42.1 -n 192.168.42.0/24", 64),
        ("create interface -s x -d example.com -m 52:54:00:8d:be:fe -i 192.168.43.1 -n 192.168.42.0/24", 64),
        ("create domain -w /nosuch -d x -n 10.0.0.0/8", 1),
    ] {
        let ran = pj_in(dir.path(), line);
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
    }
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn networks_of_ipv6_have_kinds_of_their_own() {
    let dir = empty();
    pj_in(dir.path(), "create domain -d example.com -n 2001:db8::/64").ok();
    pj_in(dir.path(), STEPS[1]).ok();
    pj_in(
        dir.path(),
        "create interface -s vmhost -d example.com -m 52:54:00:8D:BE:FE -i 2001:0db8::1 -n 2001:db8::/64",
    )
    .ok();
    let made = tree(dir.path());
    for path in [
        "ipv6_network/2001:db8::_64/identity.yaml",
        "domain/example.com/ipv6_network",
        "phy_nic/52:54:00:8d:be:fe/identity.yaml",
    ] {
        assert!(made.contains_key(path), "{path}");
    }
    assert_eq!(made["ipv6_interface/2001:db8::1/ipv6_network"], "../../ipv6_network/2001:db8::_64");
    assert_eq!(pj_in(dir.path(), "lint").code, 0);
}
