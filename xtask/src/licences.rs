//! What may enter the programs, as `deny.toml` says: licences, names that are banned, and where crates come from.
//!
//! `cargo deny` reads the same file, and says more; its build takes minutes of each run of the tests, and this a second.

use crate::run::{Result, cargo, output, root};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};
use std::collections::{BTreeMap, BTreeSet};

/// The one registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates whose manifest names a file instead of a licence, and whose text that is.
const BY_FILE: &[(&str, &str)] = &[("libyaml-safer", "MIT")];

/// What `deny.toml` says.
struct Rules {
    targets: Vec<String>,
    allow: Vec<Licensee>,
    exceptions: BTreeMap<String, Vec<Licensee>>,
    banned: BTreeMap<String, String>,
}

/// Looks at every crate that any of the platforms builds.
pub(crate) fn check() -> Result {
    let rules = rules(&std::fs::read_to_string(root().join("deny.toml")).map_err(|e| e.to_string())?)?;
    let mut faults = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for target in &rules.targets {
        let text = output(cargo().args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            target,
        ]))?;
        let meta: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let used: BTreeSet<&str> =
            each(&meta["resolve"]["nodes"]).filter_map(|node| node["id"].as_str()).collect();
        for package in
            each(&meta["packages"]).filter(|p| p["id"].as_str().is_some_and(|id| used.contains(id)))
        {
            seen.insert(package["id"].as_str().unwrap_or_default().to_owned());
            faults.extend(faults_of(package, &rules));
        }
    }
    if faults.is_empty() {
        eprintln!("licences: {} crates", seen.len());
        return Ok(());
    }
    Err(format!("deny.toml does not allow\n{}", faults.into_iter().collect::<Vec<_>>().join("\n")))
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn rules(text: &str) -> Result<Rules> {
    let all: toml::Value = toml::from_str(text).map_err(|e| format!("deny.toml: {e}"))?;
    let at = |section: &str, key: &str| {
        let list = all.get(section).and_then(|s| s.get(key)).and_then(toml::Value::as_array).cloned();
        list.ok_or_else(|| format!("deny.toml: there is no list {key} in {section}"))
    };
    let licensees = |list: &[toml::Value]| -> Result<Vec<Licensee>> {
        let parse = |v: &toml::Value| {
            Licensee::parse(v.as_str().unwrap_or_default()).map_err(|e| format!("deny.toml: {v:?}: {e}"))
        };
        list.iter().map(parse).collect()
    };
    let text =
        |v: &toml::Value, key: &str| v.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let mut exceptions = BTreeMap::new();
    for one in at("licenses", "exceptions")? {
        let allowed = one.get("allow").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        exceptions.insert(text(&one, "crate"), licensees(&allowed)?);
    }
    Ok(Rules {
        targets: at("graph", "targets")?.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        allow: licensees(&at("licenses", "allow")?)?,
        exceptions,
        banned: at("bans", "deny")?.iter().map(|v| (text(v, "crate"), text(v, "reason"))).collect(),
    })
}

fn faults_of(package: &Value, rules: &Rules) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    let mut faults = Vec::new();
    if let Some(why) = rules.banned.get(name) {
        faults.push(format!("{name} {version}: it is banned: {why}"));
    }
    match package["source"].as_str() {
        None => {
            let free = |dep: &&Value| dep["req"] == "*" && dep["path"].is_null();
            let loose = each(&package["dependencies"]).filter(free).filter_map(|dep| dep["name"].as_str());
            faults.extend(loose.map(|dep| format!("{name}: depends on any version of {dep}")));
        }
        Some(REGISTRY) => {}
        Some(other) => faults.push(format!("{name} {version}: it comes from {other}")),
    }
    let allowed = |licensees: &[Licensee], text: &str| {
        let parsed = Expression::parse_mode(text, ParseMode::LAX);
        parsed.is_ok_and(|e| e.evaluate(|req| licensees.iter().any(|l| l.satisfies(req))))
    };
    let by_file = || {
        let known = BY_FILE.iter().find(|(by, _)| *by == name && package["license_file"].is_string());
        known.map_or("", |(_, licence)| *licence)
    };
    let licence = package["license"].as_str().unwrap_or_else(by_file);
    let own = rules.exceptions.get(name).map_or(&[][..], Vec::as_slice);
    let all: Vec<Licensee> = rules.allow.iter().chain(own).cloned().collect();
    if !allowed(&all, licence) {
        faults.push(format!("{name} {version}: its licence is {licence:?}"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_allowed_is_found() {
        let rules = rules(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap();
        let of = |name: &str, licence: Value, source: Value| {
            faults_of(&json!({"name": name, "version": "1", "license": licence, "source": source}), &rules)
        };
        let good = [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT AND ISC", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ];
        let bad = [
            ("GPL-3.0-only", false),
            ("MIT AND GPL-2.0-only", false),
            ("bzip2-1.0.6", false),
            ("", false),
            ("nonsense", false),
        ];
        for (licence, allowed) in good.into_iter().chain(bad) {
            assert_eq!(of("x", licence.into(), REGISTRY.into()).is_empty(), allowed, "{licence}");
        }
        assert!(of("libbz2-rs-sys", "bzip2-1.0.6".into(), REGISTRY.into()).is_empty());
        assert_eq!(of("openssl-sys", "MIT".into(), REGISTRY.into()).len(), 1);
        assert_eq!(of("x", "MIT".into(), "git+https://example.com/x".into()).len(), 1);
        assert_eq!(of("x", Value::Null, REGISTRY.into()).len(), 1);
        let loose = json!({"name": "own", "version": "1", "license": "MIT", "source": null, "dependencies": [
            {"name": "a", "req": "*", "path": null}, {"name": "b", "req": "*", "path": "/b"}, {"name": "c", "req": "^1", "path": null},
        ]});
        assert_eq!(faults_of(&loose, &rules), ["own: depends on any version of a"]);
    }
}
