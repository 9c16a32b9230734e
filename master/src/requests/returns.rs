//! `_return`: a minion's answer to a job. It is fired at once, and acknowledged only when it is on disk: on that word the
//! minion deletes its own copy.

use brine_protocol::crypt::PublicKey;
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::message::returns::{self, ReturnJid, ReturnLoad};
use brine_protocol::message::tags;
use brine_protocol::request::{Authenticated, RequestKeys};
use brine_protocol::{Map, Value};

use super::minion::Answer;
use crate::jobs::{StoreError, Verdict};
use crate::master::{Keys, Master};

pub(super) async fn store(master: &Master, id: &Authenticated<MinionId>, mut load: Map) -> Answer {
    if !signature_passes(master, id, &mut load) {
        return false.into();
    }
    let returned = match ReturnLoad::parse(load, id.clone()) {
        Ok(returned) => returned,
        Err(e) => {
            tracing::warn!("a return of {} is malformed: {e}", id.as_str());
            // Sending it again would not make it better.
            return Value::Nil.into();
        }
    };
    match take(master, returned).await {
        Ok(()) => Value::Nil.into(),
        Err(e) => {
            tracing::error!("a return of {} was not stored: {e}", id.as_str());
            Answer::Silence
        }
    }
}

async fn take(master: &Master, returned: ReturnLoad) -> Result<(), StoreError> {
    let id = &*returned.minion;
    let mut load = returned.raw;
    let jid = match returned.jid {
        ReturnJid::Request => {
            let jid = master.new_jid();
            let args = load.get("arg").or_else(|| load.get("fun_args")).cloned();
            load.insert("arg", args.unwrap_or_else(|| Value::List(Vec::new())));
            load.insert("tgt_type", "glob");
            load.insert("tgt", id);
            load.insert("jid", &jid);
            let keep = !load.get("nocache").is_some_and(Value::truthy);
            if keep {
                adopt(master, &jid, &load, id).await?;
            }
            fire(master, &jid, id, load.clone());
            if keep {
                keep_return(master, &jid, id, load).await?;
            }
            return Ok(());
        }
        ReturnJid::NoCache => {
            if let Ok(jid) = Jid::parse("nocache") {
                fire(master, &jid, id, load);
            }
            return Ok(());
        }
        ReturnJid::Job(jid) => jid,
    };
    let (verdict, known) = master.jobs.verdict(&jid, id).await?;
    match verdict {
        Verdict::Refuse => {
            tracing::warn!("{id} answered job {jid}, which was for others; ignored");
            return Ok(());
        }
        Verdict::Pass => {
            fire(master, &jid, id, load);
            return Ok(());
        }
        Verdict::Keep => {}
    }
    if !known {
        // A job of another master, or one forgotten meanwhile: its return is all that is known of it.
        adopt(master, &jid, &load, id).await?;
    }
    tracing::info!("Got return from {id} for job {jid}");
    fire(master, &jid, id, load.clone());
    keep_return(master, &jid, id, load).await
}

/// Keeps a job that is known by its return alone, in the store and in job caches beside it.
async fn adopt(master: &Master, jid: &Jid, load: &Map, id: &MinionId) -> Result<(), StoreError> {
    master.jobs.adopt(jid, load, id).await?;
    let _nobody_waits = master.outlets.job(jid, load, &[id.as_str().to_owned()], false);
    Ok(())
}

/// Keeps a return, in the store and in job caches beside it; those see the time of the event too, as in stock.
async fn keep_return(master: &Master, jid: &Jid, id: &MinionId, mut load: Map) -> Result<(), StoreError> {
    if master.jobs.store(jid, id, &load).await? == crate::jobs::Stored::Duplicate {
        tracing::debug!("{id} answered job {jid} again; the first answer stays");
        return Ok(());
    }
    load.insert("_stamp", brine_core::jid::stamp(std::time::SystemTime::now()));
    master.outlets.returned(&load);
    Ok(())
}

fn fire(master: &Master, jid: &Jid, id: &MinionId, load: Map) {
    master.watched.returned(jid, id, &load);
    master.metrics.returned(jid.as_str(), &load);
    fire_failed_states(master, jid, id, &load);
    master.events.fire_return(jid, tags::job_ret(jid, id), load);
}

/// Stock's extra events for each failed state of a failed state run.
fn fire_failed_states(master: &Master, jid: &Jid, id: &MinionId, load: &Map) {
    let Some(fun @ ("state.highstate" | "state.sls")) = load.get_str("fun") else { return };
    let retcode = load.get("retcode").cloned().unwrap_or_default();
    let Some(states) = load.get("return").and_then(Value::as_map).filter(|_| retcode.truthy()) else {
        return;
    };
    for (key, state) in states {
        let (Some(key), Some(state)) = (key.as_str(), state.as_map()) else { continue };
        if state.get("result").is_some_and(Value::truthy) {
            continue;
        }
        let mut data = state.clone();
        data.insert("jid", jid);
        data.insert("id", id);
        data.insert("success", false);
        data.insert("return", format!("Error: {}", state.get_str("comment").unwrap_or_default()));
        data.insert("fun", fun);
        data.insert("retcode", retcode.clone());
        // The parts of a state's key: module, id, name, function.
        let parts: Vec<&str> = key.split("_|-").collect();
        if let (Some(module), Some(function)) = (parts.first(), parts.last()) {
            // Stock fires under the state's own name too, which is any text; only the new form is fired here.
            let name: String =
                format!("{module}.{function}").chars().filter(|c| !c.is_control() && *c != '/').collect();
            master.events.fire(tags::job_sub_error(jid, id, &name), data);
        }
    }
}

/// Stock's rules for signed returns.
fn signature_passes(master: &Master, id: &MinionId, load: &mut Map) -> bool {
    let config = &master.config.auth;
    if !load.contains("sig") {
        if config.require_minion_signature {
            tracing::error!("{id} did not sign its return, and signatures are required");
            return false;
        }
        return true;
    }
    let key: Option<PublicKey> = Keys::new(master).accepted(id);
    let valid = key.is_some_and(|key| returns::verify(load, &key, config.minion_sig_algo).is_ok());
    if !valid {
        tracing::error!("the signature of a return of {id} is not valid");
        // Where signatures are required, a wrong one is no better than none.
        return !(config.drop_bad_signature || config.require_minion_signature);
    }
    true
}
