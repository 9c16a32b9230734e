//! Every lint on a warehouse that has what it looks for, and none on Pallet Jack's example.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use brine_inventory::lint::{Checked, check};
use brine_inventory::{Finding, Severity};
use common::site::{Site, rich};
use common::{data, load};

fn found(site: &Site) -> Checked {
    check(&load(site.path()))
}

/// The findings of a code.
fn of<'f>(checked: &'f Checked, code: &str) -> Vec<&'f Finding> {
    checked.findings.iter().filter(|f| f.code == code).collect()
}

/// The only finding of a code: severity, `file:line:column`, message.
fn one(site: &Site, code: &str) -> (Severity, String, String) {
    let checked = found(site);
    let all = of(&checked, code);
    assert_eq!(all.len(), 1, "{code}: {:?}", checked.findings);
    (all[0].severity, all[0].place.as_ref().unwrap().to_string(), all[0].message.clone())
}

fn codes(checked: &Checked) -> Vec<&str> {
    checked.findings.iter().map(|f| f.code).collect()
}

#[test]
fn the_example_and_a_large_site_are_clean() {
    assert_eq!(check(&load(&data("inputs/example"))).findings, []);
    assert_eq!(found(&rich()).findings, []);
    let dir = tempfile::tempdir().unwrap();
    brine_testing::warehouse::write(dir.path(), 90).unwrap();
    assert_eq!(check(&load(dir.path())).findings, []);
}

#[test]
fn values_that_are_rewritten_are_told_with_what_they_become() {
    let site = Site::new();
    let text = "v:\n  a: 0042\n  b: 0x1F\n  c: 12:30:45\n  d: yes\n  e: 1.10\n  f: 1_000\n  g: ::1\n  h: 0b11\n  i: null\n  j: 2017-01-16 \
                10:20:30\n  k: [Off]\n  l: '0042'\n  m: 52:54:00:ab:cd:ef\n  n: true\n  o: ~\n  p:\n  q: 1.5\n";
    site.file("x/y/z.yaml", text);
    let checked = found(&site);
    let got: Vec<(&str, u32, u32)> = checked
        .findings
        .iter()
        .map(|f| (f.code, f.place.as_ref().unwrap().line, f.place.as_ref().unwrap().column))
        .collect();
    assert_eq!(
        got,
        [
            ("octal", 2, 6),
            ("hexadecimal", 3, 6),
            ("sexagesimal", 4, 6),
            ("boolean-word", 5, 6),
            ("number-rewritten", 6, 6),
            ("number-rewritten", 7, 6),
            ("symbol", 8, 6),
            ("binary", 9, 6),
            ("null-word", 10, 6),
            ("time-rewritten", 11, 6),
            ("boolean-word", 12, 7),
        ]
    );
    assert_eq!(
        checked.findings[0].message,
        "0042 is a number of base 8, and becomes \"34\"; quotes keep it as it is"
    );
}

#[test]
fn what_depends_on_the_order_of_names_is_told() {
    let site = Site::new();
    site.file("p/one/a.yaml", "k: 1\nsame: x\nonly: y\nown: 1\n")
        .file("p/two/a.yaml", "k: 2\nsame: x\nown: 2\n");
    site.file("q/child/a.yaml", "own: 3\n");
    site.link("q/child", "a", "p/one").link("q/child", "b", "p/two");
    // The pallet itself is the last word.
    let message = "the links a and b bring different values of k, pallet.p, and the last name wins";
    assert_eq!(one(&site, "order-of-links"), (Severity::Warning, "q/child/b:1:1".into(), message.into()));
    site.file("q/child/b.yaml", "k: 5\npallet2: x\n");
    let message = "the links a and b bring different values of pallet.p, and the last name wins";
    assert_eq!(one(&site, "order-of-links").2, message);
    site.file("q/child/c.yaml", "k: 6\nown: 3\n");
    let message = "b.yaml and c.yaml say different things of k";
    assert_eq!(
        one(&site, "order-of-boxes"),
        (Severity::Warning, "q/child/c.yaml:1:4".into(), message.into())
    );
}

#[test]
fn what_pallet_jack_cannot_load_is_told() {
    let site = Site::new();
    site.file("k/a/b/c/x.yaml", "v: w\n");
    let checked = found(&site);
    assert_eq!(
        (codes(&checked), checked.findings[0].place.as_ref().unwrap().to_string()),
        (vec!["deep-hierarchy"], "k/a/b/c:1:1".into())
    );
}

#[test]
fn transforms_that_need_an_order_are_told() {
    let site = Site::new();
    // Made of what only a later rule makes: there is one if an ancestor has been transformed.
    site.file("transforms.yaml", "- b:\n  - synthesize: '#[a]!'\n- a:\n  - synthesize: '#[x]'\n- c:\n  - inherit: ~\n  - synthesize: '#[y]'\n");
    site.file("p/top/x.yaml", "x: one\ny: top\n")
        .file("q/low/x.yaml", "y: low\n")
        .pallet("q/low", &["p/top"]);
    let checked = found(&site);
    let messages: Vec<&str> = of(&checked, "transform-order").iter().map(|f| f.message.as_str()).collect();
    let rest = "with Pallet Jack, where heirs are transformed before those they inherit from";
    assert_eq!(
        messages,
        [
            format!("b of q/low is \"one!\" here, and may be nothing {rest}"),
            format!("c of q/low is \"top\" here, and may be \"low\" {rest}"),
        ]
    );
    let places: Vec<u32> =
        of(&checked, "transform-order").iter().map(|f| f.place.as_ref().unwrap().line).collect();
    assert_eq!(places, [2, 6]);
}

#[test]
fn addresses_and_names_given_twice_are_told() {
    let site = rich();
    site.file("ipv4_interface/10.0.1.9/x.yaml", "net:\n  ipv4:\n    address: 10.0.0.5\n");
    let (severity, place, message) = one(&site, "duplicate-address");
    assert_eq!(
        (severity, message.as_str()),
        (Severity::Error, "ipv4_interface/10.0.0.5 has the address 10.0.0.5, too")
    );
    assert_eq!(place, "ipv4_interface/10.0.1.9:1:1");
    let site = rich();
    site.host("mail", "a.example", "10.0.1.10", "10.0.1.0_24", "52:54:00:00:00:0a");
    assert!(one(&site, "two-addresses").2.contains("is on eth0 of system/mail, too"));
    let site = rich();
    site.file("system/mail/x.yaml", "net:\n  dns:\n    name: NS\n    fqdn: NS.a.example\n");
    let (severity, place, message) = one(&site, "duplicate-fqdn");
    assert_eq!((severity, place.starts_with("transforms.yaml:")), (Severity::Error, true), "{place}");
    assert!(message.contains("is called ns.a.example, too, so both are one minion"), "{message}");
    let site = rich();
    site.pallet("ipv4_network/10.0.1.0_24b", &[])
        .file("ipv4_network/10.0.1.0_24b/x.yaml", "net:\n  ipv4:\n    cidr: 10.0.1.0/24\n");
    assert_eq!(one(&site, "duplicate-network").0, Severity::Error);
}

#[test]
fn what_is_missing_or_elsewhere_is_told() {
    let site = rich();
    site.pallet("system/alone", &[]);
    let (severity, place, _) = one(&site, "no-fqdn");
    assert_eq!((severity, place.as_str()), (Severity::Warning, "system/alone:1:1"));
    let site = rich();
    site.host("lost", "a.example", "10.77.0.1", "10.0.1.0_24", "52:54:00:00:00:09");
    let checked = found(&site);
    let all = of(&checked, "address-outside-network");
    assert!(
        all.iter()
            .any(|f| f.place.as_ref().unwrap().to_string() == "ipv4_interface/10.77.0.1/ipv4_network:1:1"),
        "{all:?}"
    );
    let site = rich();
    site.file("ipv4_network/10.0.1.0_24/y.yaml", "net:\n  ipv4:\n    gateway: 10.0.2.1\n");
    assert_eq!(one(&site, "gateway-outside-network").1, "ipv4_network/10.0.1.0_24/y.yaml:3:14");
}

#[test]
fn what_exports_would_refuse_is_told_before() {
    let site = rich();
    site.file("domain/a.example/x.yaml", "net:\n  dns:\n    ns:\n    - bad name\n");
    let (severity, place, message) = one(&site, "unfit-value");
    assert_eq!(
        (severity, message.as_str()),
        (Severity::Error, "net.dns.ns is \"bad name\", not a domain name")
    );
    assert_eq!(place, "domain/a.example/x.yaml:4:5");
}

#[test]
fn comments_allow_what_is_meant() {
    let site = Site::new();
    site.file("x/y/a.yaml", "# pj: allow octal, deep-hierarchy\nv: 0042\n").file("x/y/b.yaml", "v2: 0043\n");
    let checked = found(&site);
    assert_eq!((codes(&checked), checked.allowed), (vec!["octal"], 1));
    // Of folders and links any box of the pallet may say it.
    site.file("x/y/z/w/a.yaml", "# pj: allow deep-hierarchy\nv: 1\n");
    assert_eq!(found(&site).allowed, 2);
    // What makes values missing is never allowed.
    site.file("x/y/c.yaml", "# pj: allow dangling-link syntax\nv: x\n").link("x/y", "l", "no/such");
    assert!(codes(&found(&site)).contains(&"dangling-link"));
    let site = Site::new();
    site.file("x/y/a.yaml", "# pj: allow bogus\n# pj: nonsense\nv: 1\n");
    assert_eq!(codes(&found(&site)), ["unknown-comment", "unknown-comment"]);
    let site = Site::new();
    site.file(
        "transforms.yaml",
        "# pj: allow transform-order\n- c:\n  - inherit: ~\n  - synthesize: '#[y]'\n",
    );
    site.file("p/top/x.yaml", "y: top\n").file("q/low/x.yaml", "y: low\n").pallet("q/low", &["p/top"]);
    let checked = found(&site);
    assert_eq!((codes(&checked), checked.allowed), (vec![], 1));
}

/// Texts by path of the document of a title.
fn leaves(file: &str, title: &str) -> std::collections::BTreeMap<String, serde_json::Value> {
    fn walk(
        value: &serde_json::Value,
        path: &str,
        out: &mut std::collections::BTreeMap<String, serde_json::Value>,
    ) {
        match value.as_object() {
            Some(map) => map.iter().for_each(|(k, v)| walk(v, &format!("{path}.{k}"), out)),
            None => drop(out.insert(path.trim_start_matches('.').to_owned(), value.clone())),
        }
    }
    let text = std::fs::read_to_string(data("edge").join(file)).unwrap();
    let body = text.split(&format!("# {title}\n")).nth(1).unwrap();
    let mut out = std::collections::BTreeMap::new();
    walk(&common::documents(body)[0].0, "", &mut out);
    out
}

#[test]
fn the_keys_that_differ_in_pallet_jack_by_order_are_those_that_are_told() {
    // What it made of the same warehouse, with directories read in two orders.
    let (one, other) = (leaves("dump_pallet-c.yaml", "c: x"), leaves("dump_pallet-c.reverse.yaml", "c: x"));
    let internal = |key: &str| key.starts_with("pallet.boxes") || key.starts_with("pallet.references");
    // What transforms make of such keys differs as those do.
    let made = |key: &str| key.starts_with("s.");
    let mut differ: Vec<&str> =
        one.keys().map(String::as_str).filter(|k| one.get(*k) != other.get(*k)).collect();
    differ.retain(|k| !internal(k) && !made(k));
    assert_eq!(differ, ["k.list", "k.nest.x", "pallet.a", "x.y"]);
    let checked = check(&load(&data("inputs/edge")));
    let mut told: Vec<&str> = Vec::new();
    for finding in checked.findings.iter().filter(|f| f.code.starts_with("order-of-")) {
        assert_eq!(finding.pallet.as_ref().map(|(k, n)| (&**k, &**n)), Some(("c", "x")));
        let keys = finding.message.split_once(" of ").unwrap().1;
        told.extend(keys.trim_end_matches(", and the last name wins").split(", "));
    }
    told.sort_unstable();
    assert_eq!(told, differ);
}
