//! Running jobs: listing, finding, ending; and the files the command line reads about them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::{Failure, Result, hold, same};
use crate::fleet::{Fleet, START};
use crate::{script, wait};

/// Starts a job in the background and gives its jid.
///
/// # Errors
/// When it was not started.
pub fn start(fleet: &Fleet, words: &[&str]) -> Result<String> {
    let ran = fleet.tool("salt", &[&["--async"], words].concat())?.ok()?;
    let digits = |w: &&str| w.len() >= 20 && w.bytes().all(|b| b.is_ascii_digit());
    let found = ran.out.split_whitespace().find(digits).map(str::to_owned);
    found.ok_or_else(|| ran.failure("no jid in the output"))
}

fn running(fleet: &Fleet) -> Result<Vec<Value>> {
    let ret = fleet.salt(&["m1", "saltutil.running"])?.ok()?.ret("m1")?;
    ret.as_array().cloned().ok_or_else(|| Failure(format!("saltutil.running is not a list: {ret}")))
}

/// Starts a long job and waits until the minion lists it.
fn sleeper(fleet: &Fleet) -> Result<(String, Value)> {
    let jid = start(fleet, &["m1", "test.sleep", "300"])?;
    let job = wait::until("the job to be listed", START, || {
        Ok(running(fleet)?.into_iter().find(|job| job["jid"] == jid.as_str()))
    })?;
    Ok((jid, job))
}

fn gone(fleet: &Fleet, jid: &str) -> Result {
    wait::until("the job to end", START, || {
        Ok(running(fleet)?.iter().all(|job| job["jid"] != jid).then_some(()))
    })
}

/// A job is listed, found, and ended by `term_job`.
pub fn running_find_term(fleet: &mut Fleet) -> Result {
    let (jid, job) = sleeper(fleet)?;
    same("fun", &job["fun"], &json!("test.sleep"))?;
    same("arg", &job["arg"], &json!([300]))?;
    same("tgt", &job["tgt"], &json!("m1"))?;
    hold(job["pid"].is_u64(), || format!("pid: {job}"))?;
    let found = fleet.salt(&["m1", "saltutil.find_job", &jid])?.ok()?.ret("m1")?;
    same("find_job's pid", &found["pid"], &job["pid"])?;
    let none = fleet.salt(&["m1", "saltutil.find_job", "20200101000000000000"])?.ok()?.ret("m1")?;
    same("find_job of no job", none, json!({}))?;
    let listed = fleet.salt(&["m1", "saltutil.is_running", "test.sl*"])?.ok()?.ret("m1")?;
    same("is_running", &listed[0]["jid"], &json!(jid))?;
    let text = fleet.salt(&["m1", "saltutil.term_job", &jid])?.ret("m1")?;
    same("term_job", text, json!(format!("Signal 15 sent to job {jid} at pid {}", job["pid"])))?;
    gone(fleet, &jid)?;
    let text = fleet.salt(&["m1", "saltutil.term_job", &jid])?.ret("m1")?;
    same("term_job of an ended job", text, json!(""))
}

/// `kill_job` ends a job at once.
pub fn kill(fleet: &mut Fleet) -> Result {
    let (jid, job) = sleeper(fleet)?;
    let text = fleet.salt(&["m1", "saltutil.kill_job", &jid])?.ret("m1")?;
    same("kill_job", text, json!(format!("Signal 9 sent to job {jid} at pid {}", job["pid"])))?;
    gone(fleet, &jid)?;
    fleet.wait_ping("m1", Duration::from_secs(5)).map(drop)
}

/// `.load.p` and `.minions.p` are on disk when the reply to the publish arrives.
pub fn files_before_reply(fleet: &mut Fleet) -> Result {
    let told = Value::Object(script::wire(fleet, &["publish"])?.json()?);
    same("minions of the reply", &told["reply"]["load"]["minions"], &json!(["m1"]))?;
    same("jid file", &told["jid"], &told["reply"]["load"]["jid"])?;
    same(".minions.p", &told[".minions.p"], &json!(["m1"]))?;
    let load = &told[".load.p"];
    same("fun of .load.p", &load["fun"], &json!("test.ping"))?;
    same("tgt of .load.p", &load["tgt"], &json!("m1"))?;
    same("jid of .load.p", &load["jid"], &told["jid"])?;
    hold(load.get("key").is_none(), || format!("the publisher's key is in .load.p: {load}"))
}
