//! The schedule of our minion beside that of stock's: every function of the module, asked of both with the same words; what is
//! kept on disk; and the returns of jobs that ran by the clock.

use std::time::Duration;

use brine_interop_tests::failure::same;
use brine_interop_tests::{Failure, Fleet, Result, Side, cli, script};
use serde_json::Value;

/// What our minion answers otherwise on purpose: stock looks for the name in the text of a list here, and so finds what is not
/// there.
const OTHERWISE: &[&str] = &["('disable_job', [''], {})"];

fn compare() -> Result {
    let stock = Side::parse("3006")?;
    let mut fleet = Fleet::new(stock, stock)?;
    fleet.start_both(|_| Vec::new())?;
    let root = fleet.root().display().to_string();
    let cmd = script::prepare(&fleet, stock, "schedule.py", include_str!("../py/schedule.py"), &[&root])?;
    let told = cli::run(cmd, b"", Duration::from_secs(540))?.ok()?.json()?;
    let mut wrong = Vec::new();
    let mut check = |what: &str, got: &Value, want: &Value| {
        if got != want && !OTHERWISE.contains(&what) {
            wrong.push(format!("{what}\n  ours:  {got}\n  stock: {want}"));
        }
    };
    for call in told["calls"].as_array().into_iter().flatten() {
        check(call[0].as_str().unwrap_or(""), &call[1], &call[2]);
    }
    let returns = &told["returns"];
    for job in ["tick", "fails", "missing", "running"] {
        check(job, &returns["m1"][job], &returns["m2"][job]);
    }
    same("stock's job ran", &returns["m2"]["tick"]["success"], &Value::Bool(true))?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure(wrong.join("\n")))
}

#[test]
fn our_schedule_is_stocks() -> Result {
    compare()
}
