//! What zones and leases are beyond those of Pallet Jack: IPv6, several networks, networks of any size; and values that are unfit.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use brine_inventory::export::zones::{Zone, zones};
use brine_inventory::export::{Body, Family, Provenance, kea, pxelinux, unbound};
use brine_inventory::{Severity, Snapshot};
use common::load;
use common::site::{Site, rich};
use serde_json::{Value, json};

fn zone<'z>(all: &'z [Zone], name: &str) -> &'z Zone {
    all.iter().find(|z| z.name == name).unwrap_or_else(|| panic!("no zone {name}"))
}

fn lines(zone: &Zone) -> Vec<String> {
    zone.records().map(|r| r.line()).collect()
}

#[test]
fn a_domain_has_addresses_of_both_families() {
    let (all, findings) = zones(&load(rich().path()));
    assert_eq!(findings, []);
    let text = zone(&all, "a.example").text(17);
    let want = "$TTL 1h\n\
        a.example. IN SOA ns.a.example. jo\\.doe.a.example. ( 17 3h 15m 4w 30m )\n\n\
        a.example. IN NS ns\na.example. IN NS ns.elsewhere.test.\n\n\
        a.example. IN MX 0 mail\n\n\
        a.example. IN TXT \"say \\\"x\\\" \\\\ ; $INCLUDE\"\n\n\
        ns IN A 10.0.0.5\nmail IN A 10.0.1.9\nfar IN A 10.9.3.7\ndmz IN A 192.0.2.9\nns IN AAAA 2001:db8:1::5\n\n\
        www IN CNAME mail\n*.any IN CNAME mail\n";
    assert_eq!(text, want);
}

#[test]
fn every_network_has_its_reverse_zones_and_the_smallest_has_the_address() {
    let (all, _) = zones(&load(rich().path()));
    let names: Vec<&str> = all.iter().filter(|z| z.reverse).map(|z| z.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "0.10.in-addr.arpa",
            "1.0.10.in-addr.arpa",
            "0.9.10.in-addr.arpa",
            "1.9.10.in-addr.arpa",
            "2.9.10.in-addr.arpa",
            "3.9.10.in-addr.arpa",
            "2.0.192.in-addr.arpa",
            "0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "64-26.2.0.192.in-addr.arpa",
            "2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "3.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "8-29.100.51.198.in-addr.arpa",
        ]
    );
    let ns = ["NS ns.a.example.", "NS ns.elsewhere.test."];
    let of = |name: &str, more: &[&str]| {
        let own = ns.iter().map(|n| format!("{name}. IN {n}"));
        assert_eq!(
            lines(zone(&all, name)),
            own.chain(more.iter().map(|m| (*m).to_owned())).collect::<Vec<_>>()
        );
    };
    of(
        "0.10.in-addr.arpa",
        &[
            "5.0.0.10.in-addr.arpa. IN PTR ns.a.example.",
            "1.0.10.in-addr.arpa. IN NS ns.a.example.",
            "1.0.10.in-addr.arpa. IN NS ns.elsewhere.test.",
        ],
    );
    of("1.0.10.in-addr.arpa", &["9.1.0.10.in-addr.arpa. IN PTR mail.a.example."]);
    of("0.9.10.in-addr.arpa", &[]);
    of("3.9.10.in-addr.arpa", &["7.3.9.10.in-addr.arpa. IN PTR far.a.example."]);
    of(
        "2.0.192.in-addr.arpa",
        &[
            "9.2.0.192.in-addr.arpa. IN PTR dmz.a.example.",
            "64-26.2.0.192.in-addr.arpa. IN NS ns.a.example.",
            "65.2.0.192.in-addr.arpa. IN CNAME 65.64-26.2.0.192.in-addr.arpa.",
        ],
    );
    assert_eq!(
        lines(zone(&all, "64-26.2.0.192.in-addr.arpa"))[1],
        "65.64-26.2.0.192.in-addr.arpa. IN PTR small.b.example."
    );
    let tiny = zone(&all, "8-29.100.51.198.in-addr.arpa").text(1);
    let wanted = "\n;; For the zone above, which is not of this warehouse:\n\
        ;; 8-29.100.51.198.in-addr.arpa. IN NS ns.a.example.\n\
        ;; 9.100.51.198.in-addr.arpa. IN CNAME 9.8-29.100.51.198.in-addr.arpa.\n";
    assert!(tiny.ends_with(wanted), "{tiny}");
    let six = lines(zone(&all, "3.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"));
    assert_eq!(
        six[1],
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR six.b.example."
    );
}

fn config(snap: &Snapshot, family: Family) -> Value {
    let service = snap.find("service", "dhcp-server/main").unwrap();
    let export = kea::export(snap, &Provenance::default(), service, family, "x");
    assert_eq!(export.findings, []);
    let Body::Text { text, .. } = &export.files[0].body else { panic!() };
    serde_json::from_str(text).unwrap()
}

#[test]
fn leases_are_reserved_in_both_families() {
    let snap = load(rich().path());
    let v4 = &config(&snap, Family::V4)["Dhcp4"];
    assert_eq!((&v4["match-client-id"], &v4["boot-file-name"]), (&json!(false), &json!("0042")));
    let subnet = v4["subnet4"].as_array().unwrap().iter().find(|s| s["subnet"] == "10.0.1.0/24").unwrap();
    assert_eq!((&subnet["id"], &subnet["next-server"]), (&json!(7), &Value::Null));
    let data: Vec<&str> =
        subnet["option-data"].as_array().unwrap().iter().map(|o| o["data"].as_str().unwrap()).collect();
    assert_eq!(data, ["10.0.1.1", "10.0.0.5", "tftp.a.example", "a\\,b"]);
    let v6 = &config(&snap, Family::V6)["Dhcp6"];
    assert_eq!(v6["preferred-lifetime"], json!(3000));
    let want = json!([{
        "subnet": "2001:db8:1::/64",
        "reservations": [
            {"hw-address": "52:54:00:00:00:01", "ip-addresses": ["2001:db8:1::5"], "hostname": "ns.a.example"},
        ],
        "option-data": [
            {"code": 23, "name": "dns-servers", "space": "dhcp6", "csv-format": true, "data": "2001:db8:1::5"},
        ],
    }]);
    assert_eq!(v6["subnet6"][0], want[0]);
}

#[test]
fn what_kea_would_refuse_is_a_finding() {
    let site = rich();
    // The card has an address of this network already; and one that is linked with the wrong network.
    site.host("mail", "a.example", "10.0.1.10", "10.0.1.0_24", "52:54:00:00:00:02");
    site.host("lost", "a.example", "10.77.0.1", "10.0.1.0_24", "52:54:00:00:00:09");
    let snap = load(site.path());
    let service = snap.find("service", "dhcp-server/main").unwrap();
    let export = kea::export(&snap, &Provenance::default(), service, Family::V4, "x");
    let codes: Vec<_> = export.findings.iter().map(|f| (f.code, f.severity)).collect();
    assert_eq!(codes, [("second-address", Severity::Warning), ("address-outside-network", Severity::Error)]);
    let site = rich();
    site.file("ipv4_network/10.9.0.0_22/x.yaml", "net: {dhcp: {subnet-id: 7}}\n");
    site.pallet("ipv4_network/again", &["service/dhcp-server/main"]);
    site.file("ipv4_network/again/x.yaml", "net: {ipv4: {cidr: 10.0.0.0/16}}\n");
    let snap = load(site.path());
    let service = snap.find("service", "dhcp-server/main").unwrap();
    let export = kea::export(&snap, &Provenance::default(), service, Family::V4, "x");
    let codes: Vec<_> = export.findings.iter().map(|f| (f.code, f.severity)).collect();
    assert_eq!(codes, [("duplicate-network", Severity::Error), ("duplicate-subnet-id", Severity::Error)]);
}

/// Values with lines, comments and quotes of their own.
const EVIL: [&str; 9] = [
    "a\nb IN A 10.6.6.6",
    "a ; comment",
    "$INCLUDE /etc/shadow",
    "a\r\nb",
    "a\"b",
    "a\u{0}b",
    "(",
    "a\u{2028}b",
    "../../etc/cron.d/x",
];

#[test]
fn no_value_makes_a_line_of_its_own() {
    for evil in EVIL {
        // It would be a line's end for YAML, too.
        let value = serde_json::to_string(evil).unwrap().replace('\u{2028}', "\\u2028");
        let site = rich();
        // Its transforms would make names of names again.
        site.file("transforms.yaml", "[]\n");
        for (path, text) in [
            ("domain/a.example/x.yaml", format!("net: {{dns: {{soa-ns: {value}}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{soa-contact: {value}}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{ttl: {value}}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{domain: {value}}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{ns: [{value}]}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{mx: [{{server: {value}}}]}}}}\n")),
            (
                "domain/a.example/x.yaml",
                format!("net: {{dns: {{mx: [{{server: a, priority: {value}}}]}}}}\n"),
            ),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{txt: [{{text: a, label: {value}}}]}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{cname: {{{value}: a}}}}}}\n")),
            ("domain/a.example/x.yaml", format!("net: {{dns: {{cname: {{a: {value}}}}}}}\n")),
            (
                "domain/a.example/x.yaml",
                format!("net: {{dns: {{srv: [{{service: {value}, protocol: tcp, port: 1, target: a}}]}}}}\n"),
            ),
            (
                "domain/a.example/x.yaml",
                format!("net: {{dns: {{srv: [{{service: a, protocol: tcp, port: {value}, target: a}}]}}}}\n"),
            ),
            ("ipv4_interface/10.0.1.9/x.yaml", format!("net: {{dns: {{name: {value}}}}}\n")),
            ("ipv4_interface/10.0.1.9/x.yaml", format!("net: {{dns: {{fqdn: {value}}}}}\n")),
            ("ipv4_interface/10.0.1.9/x.yaml", format!("net: {{dns: {{alias: [{value}]}}}}\n")),
            ("ipv4_interface/10.0.1.9/x.yaml", format!("net: {{ipv4: {{address: {value}}}}}\n")),
            ("ipv4_network/10.0.1.0_24/x.yaml", format!("net: {{ipv4: {{cidr: {value}}}}}\n")),
        ] {
            site.file(path, &text);
            let snap = load(site.path());
            std::fs::remove_file(site.path().join(path)).unwrap();
            assert!(snap.is_sound(), "{:?}", snap.findings());
            let (all, findings) = zones(&snap);
            assert!(findings.iter().any(|f| f.severity == Severity::Error), "{path}: {text}: {findings:?}");
            for zone in &all {
                assert!(
                    zone.text(1).lines().all(|l| !l.contains("10.6.6.6") && !l.contains("INCLUDE /etc")),
                    "{text}"
                );
            }
        }
        // Texts are texts, whatever is in them.
        let site = rich();
        site.file("domain/a.example/x.yaml", &format!("net: {{dns: {{txt: [{{text: {value}}}]}}}}\n"));
        let (all, findings) = zones(&load(site.path()));
        assert_eq!(findings, []);
        let plain = rich();
        let count = |all: &[Zone]| zone(all, "a.example").text(1).lines().count();
        assert_eq!(count(&all), count(&zones(&load(plain.path())).0));
    }
}

#[test]
fn no_value_leaves_its_place_in_other_files() {
    for evil in EVIL {
        let value = serde_json::to_string(evil).unwrap();
        let site = rich();
        site.file(
            "service/dns-resolver/main/x.yaml",
            &format!("service: {{unbound: {{server: [{{interface: {value}}}]}}}}\n"),
        );
        site.file("os/o/x.yaml", &format!("host: {{pxelinux: {{config: {value}, kernel: k, append: a}}}}\n"));
        site.file("os/p/x.yaml", "host: {pxelinux: {config: p, kernel: k, append: a}}\n");
        site.pallet("netinstall/n", &["os/p"]);
        site.file(
            "netinstall/n/x.yaml",
            &format!("host: {{pxelinux: {{config: n, kernel: k, append: {value}}}}}\n"),
        );
        let snap = load(site.path());
        let made = Provenance { lines: vec![evil.to_owned()] };
        let service = snap.find("service", "dns-resolver/main").unwrap();
        for export in [unbound::export(&snap, &made, service), pxelinux::export(&snap, &made)] {
            for file in &export.files {
                let Body::Text { header, text } = &file.body else { continue };
                assert!(!file.path.split('/').any(|p| p.is_empty() || p.starts_with('.')), "{}", file.path);
                assert!(header.lines().all(|l| l.starts_with("##")), "{header}");
                assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
                assert!(text.lines().all(|l| !l.starts_with("b IN") && l != "b"), "{text}");
            }
        }
        // JSON escapes what it must.
        site.file("ipv4_network/10.0.1.0_24/x.yaml", &format!("net: {{dhcp: {{boot-file: {value}}}}}\n"));
        let snap = load(site.path());
        let dhcp = snap.find("service", "dhcp-server/main").unwrap();
        let export = kea::export(&snap, &made, dhcp, Family::V4, "x");
        let Body::Text { text, .. } = &export.files[0].body else { panic!() };
        let parsed: Result<Value, _> = serde_json::from_str(text);
        assert!(parsed.is_ok(), "{text}");
    }
}

#[test]
fn an_alias_is_alone() {
    let site = rich();
    site.file("ipv4_interface/10.0.1.9/x.yaml", "net: {dns: {alias: [far]}}\n");
    let (_, findings) = zones(&load(site.path()));
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["alias-not-alone"]);
    assert!(findings[0].message.contains("far.a.example."), "{}", findings[0].message);
}

#[test]
fn what_is_to_be_filled_in_still_has_no_zone_yet() {
    let site = Site::new();
    site.file(
        "domain/new.example/dns.yaml",
        "net:\n  dns:\n    ns: ['']\n    soa-ns: ''\n    soa-contact: ''\n",
    );
    let (all, findings) = zones(&load(site.path()));
    assert_eq!((all.len(), findings), (0, Vec::new()));
    site.file("domain/new.example/more.yaml", "net:\n  dns:\n    soa-ns: ns1\n");
    let (all, findings) = zones(&load(site.path()));
    assert_eq!((all.len(), findings.len(), findings[0].code), (0, 1, "no-soa"));
    assert_eq!(findings[0].severity, Severity::Warning);
}

/// Lines that a zone's file can have, behind its header.
fn is_line_of_a_zone(line: &str) -> bool {
    let name = r"(?:\*|[A-Za-z0-9_-]{1,63})(?:\.[A-Za-z0-9_-]{1,63})*\.?";
    let text = r#""(?:[^"\\\n\r]|\\["\\]|\\[0-9]{3})*""#;
    let data = format!(
        r"NS {name}|MX [0-9]{{1,5}} {name}|A [0-9.]{{7,15}}|AAAA [0-9a-f:]+|CNAME {name}|PTR {name}|SRV [0-9]+ [0-9]+ [0-9]+ {name}|TXT {text}(?: {text})*"
    );
    let soa = r"SOA \S+ [A-Za-z0-9_.+\\-]+ \( [0-9]+ 3h 15m 4w 30m \)";
    let whole = format!(
        r"\A(?:|\$TTL [0-9smhdwSMHDW]+|{name} IN (?:{data}|{soa})|;; For the zone.*|;; {name} IN (?:NS|CNAME) {name})\z"
    );
    fancy_regex::Regex::new(&whole).unwrap().is_match(line).unwrap()
}

#[test]
fn whatever_values_are_lines_are_records() {
    const PIECES: [&str; 18] = [
        "a",
        "ns1",
        ".",
        "-",
        "_",
        "*",
        "@",
        " ",
        "\n",
        "\t",
        "\"",
        "\\",
        ";",
        "(",
        "$TTL",
        "\u{e4}",
        "0",
        "9999999999",
    ];
    let mut random = brine_testing::Random::new(brine_testing::number("BRINE_SEED", 11));
    let mut usable = 0;
    for _ in 0..brine_testing::number("BRINE_CASES", 60) {
        let site = Site::new();
        let mut value = || {
            let text: String = (0..1 + random.below(4)).map(|_| random.pick(&PIECES)).collect();
            serde_json::to_string(&text).unwrap()
        };
        let text = format!(
            "net: {{dns: {{soa-ns: {}, soa-contact: {}, ttl: {}, ns: [{}], mx: [{{server: {}, priority: {}}}], cname: {{c: {}}}, txt: \
             [{{text: {}, label: {}}}], srv: [{{service: {}, protocol: tcp, port: {}, target: {}}}]}}}}\n",
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value(),
            value()
        );
        site.file("domain/a.example/x.yaml", &text);
        let (all, findings) = zones(&load(site.path()));
        usable += usize::from(findings.iter().all(|f| f.severity != Severity::Error));
        for line in all.iter().flat_map(|z| z.text(7).lines().map(str::to_owned).collect::<Vec<_>>()) {
            assert!(is_line_of_a_zone(&line), "{line:?} of {text}");
        }
    }
    // Values that are unfit are left out one by one, so there are lines to look at even so.
    assert!(usable < 60);
    for zone in zones(&load(rich().path())).0 {
        assert!(zone.text(7).lines().all(is_line_of_a_zone), "{}", zone.text(7));
    }
}
