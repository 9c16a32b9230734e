//! Ways of sending a job other than to everybody at once, and what is printed then.

use serde_json::json;

use crate::failure::{Result, hold, same};
use crate::fleet::Fleet;

/// One after the other; the exit code is the worst return code, and a failure ends the run if that is wanted.
pub fn one_by_one(fleet: &mut Fleet) -> Result {
    let ran = fleet.tool("salt", &["-b", "1", "*", "test.ping"])?.ok()?;
    for id in ["m1", "m2"] {
        let line = format!("\nExecuting run on ['{id}']\n\n");
        hold(ran.out.contains(&line), || format!("no {line:?} in {:?}", ran.out))?;
        hold(ran.out.contains(&format!("{id}:\n    True\nretcode:\n    0\n")), || ran.out.clone())?;
    }
    let ran = fleet.tool("salt", &["-b", "100%", "*", "test.ping"])?.ok()?;
    hold(ran.out.contains("\nExecuting run on ['m1', 'm2']\n"), || ran.out.clone())?;
    let ran = fleet.tool("salt", &["--batch-size=1", "*", "test.retcode", "7"])?.code(7)?;
    same("runs", ran.out.matches("Executing run").count(), 2)?;
    let ran = fleet.tool("salt", &["-b", "1", "--failhard", "*", "test.retcode", "7"])?.code(7)?;
    same("runs until the failure", ran.out.matches("Executing run").count(), 1)?;
    fleet
        .tool("salt", &["-b", "1", "nobody*", "test.ping"])?
        .code(2)?
        .says("No minions matched the target")?;
    let wrong = fleet.tool("salt", &["-b", "x", "m1", "test.ping"])?.code(1)?;
    // 3008 ends with a traceback.
    hold(wrong.out.contains("Invalid batch data sent: x") || fleet.cli.series() == 3008, || {
        wrong.out.clone()
    })?;
    let ran = fleet.tool("salt", &["--batch-safe-limit=2", "--batch-safe-size=1", "*", "test.ping"])?.ok()?;
    hold(
        ran.out.starts_with("\nNOTICE: Too many minions targeted, switching to batch execution.\n"),
        || ran.out.clone(),
    )?;
    same("runs beyond the limit", ran.out.matches("Executing run").count(), 2)
}

/// A place stays empty for a while after its minion is done.
pub fn with_pauses(fleet: &mut Fleet) -> Result {
    let ran = fleet.tool("salt", &["-b", "1", "--batch-wait=3", "*", "test.ping"])?.ok()?;
    hold(ran.took.as_secs_f32() >= 3.0, || format!("no pause: {:?}", ran.took))
}

/// All together, of some only, without waiting, of nobody.
pub fn other_ways(fleet: &mut Fleet) -> Result {
    let ran = fleet.salt(&["--static", "*", "test.ping"])?.ok()?;
    same("static", ran.json()?, json!({"m1": true, "m2": true}).as_object().cloned().unwrap_or_default())?;
    same("one object", ran.out.matches('{').count(), 1)?;
    let ran = fleet.salt(&["--subset=1", "*", "test.ping"])?.ok()?;
    same("minions of a subset", ran.json()?.len(), 1)?;
    let ran = fleet.tool("salt", &["--async", "m1", "test.ping"])?.ok()?;
    let jid = ran.out.trim().strip_prefix("Executed command with job ID: ").unwrap_or_default().to_owned();
    hold(jid.len() == 20 && jid.bytes().all(|b| b.is_ascii_digit()), || ran.out.clone())?;
    fleet.tool("salt", &["--async", "nobody", "test.ping"])?.ok()?.says("Executed command with job ID: 0")?;
    let ran = fleet.tool("salt", &["--preview-target", "--out=json", "-C", "m1 or m2"])?.ok()?;
    let mut listed: Vec<String> = serde_json::from_str(&ran.out).map_err(|e| ran.failure(&e.to_string()))?;
    listed.sort();
    same("preview", listed, vec!["m1".to_owned(), "m2".to_owned()])?;
    let ran = fleet.tool("salt", &["--summary", "m1", "test.ping"])?.ok()?;
    hold(ran.out.contains("# of minions returned: 1\n# of minions that did not return: 0\n"), || {
        ran.out.clone()
    })?;
    let ran = fleet.tool("salt", &["--show-jid", "m1", "test.ping"])?.ok()?;
    hold(ran.out.starts_with("jid: 2"), || ran.out.clone())
}
