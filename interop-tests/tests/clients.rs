//! Scripts on Salt's Python API of each version, run as root on the master's machine: they get from our master what they
//! get from stock's. Jobs are read from the files that our master writes when `job_cache_files` is set, grains and mine from where
//! 3008 looks for them when `minion_data_layout` says so.

use std::time::Duration;

use brine_interop_tests::failure::{Failure, same};
use brine_interop_tests::{Fleet, Result, Side, cli, script};
use serde_json::{Map, Value};

fn answers(master: Side, version: &str) -> Result<Map<String, Value>> {
    let mut fleet = Fleet::new(master, Side::Stock("3006.28"))?;
    fleet.cli = Side::parse(version)?;
    if master.is_ours() {
        fleet.settings.master_lines.push("job_cache_files: true".into());
        if version == "3008" {
            fleet.settings.master_lines.push("minion_data_layout: 3008".into());
        }
    }
    fleet.settings.minion_lines.push("mine_functions: {test.arg: [x]}".into());
    let fleet = fleet.start_accepted()?;
    let root = fleet.root().display().to_string();
    let cmd = script::prepare(&fleet, fleet.cli, "clients.py", include_str!("../py/clients.py"), &[&root])?;
    cli::run(cmd, b"", Duration::from_secs(240))?.ok()?.json()
}

fn compare(version: &str) -> Result {
    let want = answers(Side::parse(version)?, version)?;
    // So that the comparison is not one of two failures.
    same("stock's own", &want["cmd"]["is"]["m1"], &Value::Bool(true))?;
    let got = answers(Side::Ours, version)?;
    let differ: Vec<String> = want
        .iter()
        .filter(|(name, value)| got.get(*name) != Some(*value))
        .map(|(name, value)| {
            format!("{name}\n  stock {value}\n  ours  {}", got.get(name).unwrap_or(&Value::Null))
        })
        .collect();
    if differ.is_empty() { Ok(()) } else { Err(Failure(differ.join("\n"))) }
}

#[test]
fn of_3006() -> Result {
    compare("3006")
}

#[test]
#[ignore = "a third run of the same questions; run by cargo xtask soak"]
fn of_3007() -> Result {
    compare("3007")
}

#[test]
fn of_3008() -> Result {
    compare("3008")
}
