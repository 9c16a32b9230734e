//! `measured.json` holds `os-release` files of distributions and what stock 3006.28 made of each.

use super::*;
use serde_json::Value as Json;

#[test]
fn distributions_are_named_as_stock_names_them() {
    let table: Vec<Json> = serde_json::from_str(include_str!("measured.json")).unwrap();
    assert!(table.len() >= 16);
    for row in table {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let other = text("other_release");
        let got = derive(&Files {
            os_release: text("os_release").as_deref().map(parse_os_release),
            lsb_release: text("lsb_release"),
            other: other.as_deref().and_then(|t| t.lines().next()).map(str::to_owned),
            centos: other,
        });
        let want = row["grains"].as_object().unwrap();
        for (key, value) in want {
            assert_eq!(got.get_str(key), value.as_str(), "{key} of {}", row["os_release"]);
        }
        assert_eq!(got.len(), want.len(), "{got:?}");
    }
}
