//! The record of who asked for what, and whether he got it: in the job store, as `Jobs::audit` reads it.
//!
//! Kept are names, not arguments: those of a job are with the job, and may hold secrets.

use std::net::SocketAddr;

use brine_core::text::python_str;
use brine_protocol::ids::MinionId;
use brine_protocol::{Map, Value};

use super::{Caller, Denied};
use crate::jobs::{AuditRow, Outcome};
use crate::master::Master;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Act {
    /// `publish`, `runner`, `wheel` or `mk_token`.
    pub kind: &'static str,
    /// The function, or several with commas between them.
    pub fun: String,
    /// The target of a publish, as text.
    pub target: String,
    /// The job that came of it.
    pub jid: String,
}

/// Longest text that is kept.
const MAX_TEXT: usize = 256;

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn put(master: &Master, user: &str, auth: String, address: String, act: &Act, outcome: Outcome) {
    master.jobs.record(AuditRow {
        at: crate::requests::now(),
        user: cut(user),
        auth,
        address,
        kind: act.kind.to_owned(),
        fun: cut(&act.fun),
        target: cut(&act.target),
        jid: act.jid.clone(),
        outcome,
    });
}

/// Puts on record that somebody got what he asked for.
pub fn record(master: &Master, caller: &Caller, act: &Act) {
    put(master, &caller.name, caller.proof.to_string(), text(caller.from), act, Outcome::Allowed);
}

/// Says in the log and puts on record that somebody was refused.
pub fn refused(master: &Master, from: SocketAddr, denied: &Denied, act: &Act) {
    tracing::warn!(%from, "{} {}: {denied}", act.kind, act.fun);
    let outcome = if denied.is_known() { Outcome::Forbidden } else { Outcome::Unknown };
    put(master, denied.user(), denied.how().to_owned(), text(from), act, outcome);
}

/// Puts on record what a minion asked others to do, and whether `peer` let it.
pub fn record_minion(master: &Master, id: &MinionId, act: &Act, allowed: bool) {
    let outcome = if allowed { Outcome::Allowed } else { Outcome::Forbidden };
    put(master, id.as_str(), "minion".into(), String::new(), act, outcome);
}

fn text(from: SocketAddr) -> String {
    from.ip().to_canonical().to_string()
}

impl Act {
    /// A publish that was asked for.
    pub fn publish(load: &Map) -> Self {
        let fun = match load.get("fun") {
            Some(Value::List(funs)) => funs.iter().map(python_str).collect::<Vec<_>>().join(","),
            other => other.map(python_str).unwrap_or_default(),
        };
        let target = load.get("tgt").map(python_str).unwrap_or_default();
        Self { kind: "publish", fun, target, jid: String::new() }
    }
}
