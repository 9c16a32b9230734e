//! Minions that answer late or not at all.

use std::time::Duration;

use serde_json::json;

use crate::bus::Bus;
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};

/// A job longer than the timeout is waited for, because the minion says it still runs.
pub fn long_job_is_found(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let ran = fleet.tool("salt", &["--out=json", "-t", "2", "m1", "test.sleep", "8"])?.ok()?;
    same("return", ran.ret("m1")?, json!(true))?;
    hold(ran.took >= Duration::from_secs(8), || format!("over after {:?}", ran.took))?;
    hold(ran.took < Duration::from_secs(60), || format!("took {:?}", ran.took))?;
    let asked =
        bus.seen().into_iter().find(|e| e.tag.ends_with("/new") && e.data["fun"] == "saltutil.find_job");
    hold(asked.is_some(), || "the command line asked nobody whether the job runs".into())
}

/// A minion that is down: the others answer, it is reported, the exit code says so.
pub fn absent_minion(fleet: &mut Fleet) -> Result {
    fleet.stop_minion("m2")?;
    let ran = fleet.tool("salt", &["--out=json", "-t", "1", "*", "test.ping"])?.code(1)?;
    same("m1", ran.ret("m1")?, json!(true))?;
    let text = ran.ret("m2")?.to_string();
    hold(text.contains("Minion did not return"), || format!("m2 is reported as {text}"))?;
    fleet.start_minion("m2", "m2", &[])?;
    fleet.wait_ping("m2", START).map(drop)
}
