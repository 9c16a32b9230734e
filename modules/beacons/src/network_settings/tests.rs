//! Settings as the kernel has them, and as pyroute2 shows them to stock.

use super::*;
use brine_testing::{Stock, json as to_json, value};
use serde_json::{Value as Json, json};
use std::process::Command;

fn ip(words: &str) {
    let out = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(out.status.success(), "ip {words}: {}", String::from_utf8_lossy(&out.stderr));
}

/// What stock's library shows of one interface.
const READ: &str = r#"
import json, os, sys
from pyroute2 import NDB
from pyroute2.ndb.compat import ipdb_interfaces_view
import salt.beacons.network_settings as beacon
for line in sys.stdin:
    with NDB() as ndb:
        view = ipdb_interfaces_view(ndb)
    print(json.dumps({n: {a: v[a] for a in beacon.ATTRS if a in v} for n, v in view.items()}), flush=True)
os._exit(0)
"#;

#[test]
fn settings_are_those_that_stock_sees() {
    if !nix::unistd::geteuid().is_root() {
        panic!("making interfaces needs root");
    }
    // In a network of this thread's own, and of the process that it starts.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    ip("link set lo up");
    ip("link add br0 type bridge");
    ip("link add du0 mtu 1400 type veth peer name du1");
    ip("link set du0 master br0");
    ip("link set br0 up");
    ip("addr add 192.0.2.1/24 dev br0");
    ip("addr add 2001:db8::1/64 dev br0 nodad");
    ip("neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev br0");
    let mut stock = Stock::start(READ);
    let theirs = stock.ask(&json!(0));
    let ours = links::read().unwrap();
    assert!(ours.contains_key("du0") && ours.contains_key("br0"));
    for (name, settings) in &ours {
        let mut ours = to_json(&Value::Map(settings.clone()));
        let mut theirs = theirs[name].clone();
        for side in [&mut ours, &mut theirs] {
            // These have no order of their own, and neighbours come by themselves.
            let sorted = |list: &mut Json| {
                let list = list.as_array_mut().unwrap();
                list.sort_by_key(|one| one.to_string());
                list.dedup();
            };
            sorted(&mut side["ipaddr"]);
            let neighbours = side["neighbours"].as_array_mut().unwrap();
            neighbours.retain(|one| one == "192.0.2.7");
        }
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn changes_are_told_by_value_name_and_pattern() {
    let settings = |mtu: i64, state: &str| -> Settings {
        ["eth0", "eth1", "lo"]
            .into_iter()
            .map(|name| (name.to_owned(), map! { "mtu" => mtu, "operstate" => state, "group" => 0 }))
            .collect()
    };
    let turn = |config: Json, last: &mut Option<Settings>, now: Settings| -> Json {
        let config = value(&config);
        let told = changes(config.as_map().unwrap(), now, last).unwrap();
        told.into_iter().map(|event| to_json(&event.into())).collect()
    };
    let mut last = None;
    let plain = json!({"interfaces": {"eth.*": {"mtu": null, "operstate": {"onvalue": "DOWN"}}, "lo": {"group": null}}});
    assert_eq!(turn(plain.clone(), &mut last, settings(1500, "UP")), json!([]));
    assert_eq!(
        turn(plain.clone(), &mut last, settings(9000, "UP")),
        json!([{"tag": "eth0", "interface": "eth0", "change": {"mtu": 9000}}, {"tag": "eth1", "interface": "eth1", "change": {"mtu": 9000}}])
    );
    let coalesced = json!({"coalesce": true, "interfaces": plain["interfaces"]});
    assert_eq!(
        turn(coalesced, &mut last, settings(9000, "DOWN")),
        json!([{"tag": "result", "changes": {"eth0": {"operstate": "DOWN"}, "eth1": {"operstate": "DOWN"}}}])
    );
    assert_eq!(turn(plain.clone(), &mut last, settings(9000, "UP")), json!([]), "another value than the one asked for");
    // One that comes later: all of it is new.
    last.as_mut().unwrap().remove("eth1");
    let new = turn(plain, &mut last, settings(9000, "UP"));
    assert_eq!(new, json!([{"tag": "eth1", "interface": "eth1", "change": {"mtu": 9000}}]));
}
