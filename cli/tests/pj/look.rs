//! Commands that look: `dump`, `query`, `where`, `diff`, `lint`.

use crate::around::{commit, example, link, pj_in, read, repository, write};
use serde_json::json;
use std::path::Path;

/// What Pallet Jack itself printed.
fn golden(kind: &str) -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pillar/inventory/tests/data/sorted");
    std::fs::read_to_string(data.join(format!("dump_pallet-{kind}.yaml"))).unwrap()
}

/// Documents of a dump by their titles, as data without types: indentation, keys, texts.
fn documents(text: &str) -> Vec<(String, brine_protocol::Value)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|l| *l != "---") {
        match (line.strip_prefix("# "), all.last_mut()) {
            (Some(title), _) => all.push((title.to_owned(), String::new())),
            (None, Some((_, body))) => body.push_str(&format!("{line}\n")),
            (None, None) => panic!("{line}"),
        }
    }
    // Salt cannot load the tag `!` that Ruby gives to texts in quotes, and what Ruby leaves plain is a number of base 60 for it.
    let (mac, quoted) = (": 52:54:00:12:34:56\n", ": '52:54:00:12:34:56'\n");
    let load =
        |body: &str| brine_render::yaml::load(&body.replace(" ! '", " '").replace(mac, quoted)).unwrap();
    let mut all: Vec<_> = all.into_iter().map(|(title, body)| (title, load(&body))).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn a_dump_is_that_of_dump_pallet_as_salt_loads_it() {
    let dir = example();
    for kind in [
        "_config",
        "building",
        "chassis",
        "domain",
        "ipv4_interface",
        "ipv4_network",
        "machine",
        "os",
        "phy_nic",
        "rack",
        "room",
        "service",
        "system",
    ] {
        let ours = pj_in(dir.path(), &format!("dump -t {kind}")).ok();
        let (ours, theirs) = (documents(&ours), documents(&golden(kind)));
        assert_eq!(ours.len(), theirs.len(), "{kind}");
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!(a, b, "{kind}");
        }
    }
    let full = pj_in(dir.path(), "dump -t netinstall -f CentOS-7.3.1611-x86_64/Manual").ok();
    assert!(full.starts_with("---\n# netinstall: CentOS-7.3.1611-x86_64/Manual\n---\n"));
    let none = pj_in(dir.path(), "dump nosuch");
    assert_eq!((none.code, none.err.as_str()), (1, "No matching pallets found.\n"));
    assert_eq!(pj_in(dir.path(), "dump --json testvm").json()[0]["view"]["net"]["ipv4"]["prefixlen"], "24");
}

#[test]
fn a_dump_with_positions_is_the_same_dump_with_stories() {
    let dir = example();
    let plain = pj_in(dir.path(), "dump testvm").ok();
    let told = pj_in(dir.path(), "dump -p testvm").ok();
    assert_eq!(
        documents(&plain),
        documents(
            &told.lines().map(|l| l.split("   # ").next().unwrap().to_owned() + "\n").collect::<String>()
        )
    );
    for line in [
        "    gateway: 192.168.0.1   # ipv4_network/192.168.0.0_24/identity.yaml:3:14, by machine -> machine/testvm, host -> \
         system/vmhost1, domain -> domain/example.com, ipv4_network -> ipv4_network/192.168.0.0_24",
        "  name: testvm   # transforms.yaml:166:5, made by synthesize of system.name",
        "    # not vmhost1, from transforms.yaml:166:5, by machine -> machine/testvm, made by synthesize of system.name",
        "  - web-server   # system/testvm/role.yaml:3:7",
        "  - ssh-server   # system/testvm/role.yaml:4:7",
    ] {
        assert!(told.lines().any(|l| l == line), "{line}\n{told}");
    }
}

#[test]
fn where_tells_the_whole_way_of_a_value() {
    let dir = example();
    let said = pj_in(dir.path(), "where net.dns.fqdn testvm").ok();
    assert!(
        said.starts_with("system/testvm: net.dns.fqdn: testvm.example.com\n  from transforms.yaml:"),
        "{said}"
    );
    assert!(
        said.contains(", made by synthesize of net.dns.fqdn\n    of net.dns.name = testvm, from "),
        "{said}"
    );
    assert!(said.contains("  not vmhost1.example.com, from transforms.yaml:"), "{said}");
    let json = pj_in(dir.path(), "where --json host.kickstart.label testvm").json();
    let winner = &json[0]["stories"]["host.kickstart.label"]["winner"];
    assert_eq!(winner["value"], "single disk virtual machine");
    let file = "netinstall/CentOS-7.3.1611-x86_64/Kickstart_vda/kickstart.yaml";
    assert_eq!(winner["place"], json!({"file": file, "line": 3, "column": 12}));
    assert_eq!(winner["via"][0]["link"], "netinstall");
    let tree = pj_in(dir.path(), "where net.ipv4 -t ipv4_interface 192.168.0.1").ok();
    assert!(
        ["address", "gateway", "prefixlen"].iter().all(|k| tree.contains(&format!(": net.ipv4.{k}: "))),
        "{tree}"
    );
    assert_eq!(pj_in(dir.path(), "where no.such.key").code, 1);
    assert_eq!(pj_in(dir.path(), "where").code, 64);
}

#[test]
fn pallets_are_found_by_names_and_values() {
    let dir = example();
    let found = |line: &str| {
        let ran = pj_in(dir.path(), &format!("query {line}"));
        if ran.code == 1 { Vec::new() } else { ran.ok().lines().map(str::to_owned).collect::<Vec<_>>() }
    };
    assert_eq!(found(""), ["testvm", "vmhost1"]);
    assert_eq!(found("--all system.role=web-server"), ["testvm"]);
    assert_eq!(found("--none system.role=web-server --all system.os~^CentOS"), ["vmhost1"]);
    assert_eq!(found("--any no.key --any host.type=virtual"), ["testvm"]);
    assert_eq!(found("--one host.type --one system.role=kvm-server"), ["testvm"]);
    assert_eq!(found("--all host.type=virtual --all host.type=physical"), Vec::<String>::new());
    assert_eq!(found("-t netinstall --name Manual"), ["CentOS-7.3.1611-x86_64/Manual"]);
    assert_eq!(found("-t netinstall --parent-name CentOS-7.3.1611-x86_64").len(), 3);
    assert_eq!(found("-t netinstall --full-name CentOS-7.3.1611-x86_64"), ["CentOS-7.3.1611-x86_64"]);
    assert_eq!(
        found("testvm -k net.dns.fqdn -k system.role -k no"),
        ["testvm\ttestvm.example.com\t[\"web-server\",\"ssh-server\"]\t"]
    );
    let json =
        pj_in(dir.path(), "query --json -t ipv4_interface --all net.dns.alias -k net.dns.alias").json();
    assert_eq!(json[0]["values"]["net.dns.alias"], json!(["gateway"]));
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(pj_in(dir.path(), "query --all a~(").code, 64);
}

#[test]
fn revisions_are_read_without_their_files() {
    let dir = repository();
    write(dir.path(), "system/testvm/role.yaml", "system:\n  role:\n    - other\n");
    let roles = |options: &str| pj_in(dir.path(), &format!("query {options} testvm -k system.role")).ok();
    assert_eq!(roles("--ref main"), "testvm\t[\"web-server\",\"ssh-server\"]\n");
    assert_eq!(roles(""), "testvm\t[\"other\"]\n");
    assert_eq!(pj_in(&dir.path().join("system"), "query --ref HEAD --below / testvm").ok(), "testvm\n");
    for line in ["query --ref nosuch", "query --ref=--help", "query -w /nosuch"] {
        let ran = pj_in(dir.path(), line);
        assert!(ran.code == 1 && !ran.err.is_empty(), "{line}: {}", ran.err);
    }
}

#[test]
fn a_difference_is_that_of_minions_leases_and_zones() {
    let dir = repository();
    let old = commit_change(dir.path(), |_| {});
    let new = commit_change(dir.path(), |dir| {
        write(dir, "system/testvm/role.yaml", "system:\n  role: [db-server]\n");
        std::fs::rename(dir.join("ipv4_interface/192.168.0.2"), dir.join("ipv4_interface/192.168.0.7"))
            .unwrap();
    });
    let said = pj_in(dir.path(), &format!("diff {old} {new}")).ok();
    let want = "pillar of testvm.example.com\n\
        \x20 - ipv4_interfaces.eth0.192.168.0.2.net.ipv4.gateway: 192.168.0.1\n";
    assert!(said.starts_with(want), "{said}");
    for line in [
        "  ~ system.role: [\"web-server\",\"ssh-server\"] -> [\"db-server\"]",
        "leases of dhcp-server/example-com",
        "  - 192.168.0.2 52:54:00:12:34:56 testvm.example.com (192.168.0.0/24)",
        "  + 192.168.0.7 52:54:00:12:34:56 testvm.example.com (192.168.0.0/24)",
        "zone example.com",
        "  + testvm IN A 192.168.0.7",
        "zone 0.168.192.in-addr.arpa",
        "  - 2.0.168.192.in-addr.arpa. IN PTR testvm.example.com.",
    ] {
        assert!(said.lines().any(|l| l == line), "{line}\n{said}");
    }
    assert!(!said.contains("vmhost1"), "{said}");
    let json = pj_in(dir.path(), &format!("diff --json {old} {new}")).json();
    assert_eq!(json["new"], new);
    assert_eq!(json["minions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["testvm.example.com"]);
    assert_eq!(pj_in(dir.path(), &format!("diff {new} {new}")).ok(), "");
    assert_eq!(pj_in(dir.path(), "diff main").code, 64);
}

fn commit_change(dir: &Path, change: impl FnOnce(&Path)) -> String {
    change(dir);
    write(dir, "README", &format!("{:?}", std::time::SystemTime::now()));
    commit(dir)
}

#[test]
fn the_example_is_clean_and_faults_end_with_1() {
    let dir = example();
    let clean = pj_in(dir.path(), "lint --strict");
    assert_eq!((clean.code, clean.out.as_str()), (0, "0 errors, 0 warnings, 0 allowed by comments\n"));
    write(dir.path(), "system/testvm/role.yaml", "system:\n  since: 0755\n");
    assert_eq!(pj_in(dir.path(), "lint").code, 0);
    let strict = pj_in(dir.path(), "lint --strict");
    let line = "system/testvm/role.yaml:2:10: warning: 0755 is a number of base 8, and becomes \"493\"; quotes keep it as it is \
                [octal] (system/testvm)\n";
    assert_eq!((strict.code, strict.out.lines().next()), (1, line.lines().next()));
    write(dir.path(), "system/testvm/role.yaml", "# pj: allow octal\nsystem:\n  since: 0755\n");
    assert!(
        pj_in(dir.path(), "lint --strict").ok().ends_with("0 errors, 0 warnings, 1 allowed by comments\n")
    );
    link(dir.path(), "system/testvm/rack", "../../rack/nosuch");
    let json = pj_in(dir.path(), "lint --json");
    assert_eq!(json.code, 1);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["errors"], &json["findings"][0]["code"]), (&json!(1), &json!("dangling-link")));
    // It must not be copied into the checked-in example.
    assert!(read(dir.path(), "transforms.yaml").contains("net.dns.fqdn"));
}

#[test]
fn every_code_is_explained() {
    let dir = example();
    assert!(pj_in(dir.path(), "lint --explain octal").ok().starts_with("octal\n  A number"));
    assert_eq!(pj_in(dir.path(), "lint --explain bogus").code, 64);
    assert!(pj_in(dir.path(), "lint --explain all").ok().lines().count() > 80);
}

#[test]
fn whatever_values_are_a_dump_is_yaml_of_the_same_texts() {
    const PIECES: [&str; 24] = [
        "a",
        "0",
        "12",
        ":",
        " ",
        "#",
        "-",
        "?",
        "'",
        "\"",
        "\n",
        "\t",
        "\\",
        "{",
        "]",
        "&",
        "*",
        "!",
        "%",
        "\u{e9}",
        "\u{85}",
        "\u{1f600}",
        "---",
        "yes",
    ];
    let mut random = 42u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % n
    };
    let texts: Vec<String> =
        (0..600).map(|_| (0..below(5)).map(|_| PIECES[below(PIECES.len())]).collect::<String>()).collect();
    let quoted = |text: &str| serde_json::to_string(text).unwrap().replace('\u{85}', "\\u0085");
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "transforms.yaml", "[]\n");
    let values: String = texts.iter().enumerate().map(|(i, t)| format!("  k{i}: {}\n", quoted(t))).collect();
    let items: String = texts.iter().map(|t| format!("  - {}\n", quoted(t))).collect();
    let keys: String = texts.iter().map(|t| format!("  {}: x\n", quoted(t))).collect();
    write(dir.path(), "k/p/v.yaml", &format!("v:\n{values}l:\n{items}"));
    write(dir.path(), "k/q/v.yaml", &format!("m:\n{keys}"));
    let load = |name: &str| {
        let out = pj_in(dir.path(), &format!("dump -t k {name}")).ok();
        let body = out.split_once(&format!("# k: {name}\n---\n")).unwrap().1.to_owned();
        brine_render::yaml::load(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
    };
    // What is not text then is one that may stand plain: it is the same to its last letter where it can be told.
    let same = |value: &brine_protocol::Value, text: &str| match value {
        brine_protocol::Value::Str(read) => read == text,
        brine_protocol::Value::Nil => matches!(text, "" | "~" | "null"),
        _ => text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | 'y' | ':')),
    };
    let loaded = load("p");
    let (map, list) =
        (loaded.get("v").unwrap().as_map().unwrap(), loaded.get("l").unwrap().as_list().unwrap());
    for (i, text) in texts.iter().enumerate() {
        assert!(same(map.get(&format!("k{i}")).unwrap(), text), "{text:?}: {:?}", map.get(&format!("k{i}")));
        assert!(same(&list[i], text), "{text:?}: {:?}", list[i]);
    }
    let loaded = load("q");
    let keys: std::collections::BTreeSet<&str> =
        loaded.get("m").unwrap().as_map().unwrap().keys().map(|k| k.as_str().unwrap()).collect();
    assert_eq!(keys, texts.iter().map(String::as_str).collect());
}
