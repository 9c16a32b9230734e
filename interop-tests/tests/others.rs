//! Programs that other people wrote on top of Salt's Python, unmodified: pytest-testinfra's salt backend, salt-tui,
//! prometheus-salt-exporter. What they see of a stock master is what they must see of ours, with the Salt of each version.

use std::sync::Mutex;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::side::stock_dir;
use brine_interop_tests::{Fleet, Result, Side, cli, script};
use serde_json::Value;

/// A minion of stock's, since the exporter asks for a highstate. With Salt 3007 salt-tui reads no events: its thread hangs in
/// stock's event client, on a stock master as on ours.
fn seen(master: Side, version: &str) -> Result<Value> {
    let mut fleet = Fleet::new(master, Side::Stock("3006.28"))?;
    fleet.cli = Side::parse(version)?;
    let fleet = fleet.start_accepted()?;
    let root = fleet.root().display().to_string();
    let programs = fleet.cli.program("salt")?;
    let programs = programs.parent().unwrap_or(&programs).display().to_string();
    let clients = stock_dir().join("clients").display().to_string();
    let args =
        [root.as_str(), programs.as_str(), clients.as_str(), if version == "3007" { "no" } else { "yes" }];
    let cmd = script::prepare(&fleet, fleet.cli, "others.py", include_str!("../py/others.py"), &args)?;
    Ok(cli::run(cmd, b"", Duration::from_secs(240))?.ok()?.json()?.into())
}

/// What they see of a stock master; looked at once.
fn expected() -> Result<Value> {
    static SEEN: Mutex<Option<Value>> = Mutex::new(None);
    let mut kept = SEEN.lock().map_err(|_| "stock's master was not seen")?;
    if let Some(value) = &*kept {
        return Ok(value.clone());
    }
    let value = seen(Side::Stock("3006.28"), "3006")?;
    // So that the comparison is not one of two failures.
    same("testinfra", &value["testinfra"]["code"], 0)?;
    same("salt-tui", &value["tui"]["python"]["ping"][0], "success")?;
    hold(value["exporter"].as_array().is_some_and(|lines| lines.len() == 4), || {
        value["exporter"].to_string()
    })?;
    Ok(kept.insert(value).clone())
}

fn compare(version: &str) -> Result {
    let mut want = expected()?;
    if version == "3007" {
        for backend in ["cli", "python"] {
            want["tui"][backend].as_object_mut().map(|seen| seen.remove("events"));
        }
    }
    let got = seen(Side::Ours, version)?;
    for part in ["testinfra", "tui", "exporter"] {
        same(part, &got[part], &want[part])?;
    }
    Ok(())
}

#[test]
fn with_salt_3006() -> Result {
    compare("3006")
}

#[test]
fn with_salt_3007() -> Result {
    compare("3007")
}

#[test]
fn with_salt_3008() -> Result {
    compare("3008")
}
