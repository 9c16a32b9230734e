//! What a call may ask of the program it runs in: the minion daemon, `salt-call`, or nothing at all.
//!
//! Blocking, since calls are; a daemon's implementation bridges to its connections.

use crate::call::{CallError, Result};
use brine_protocol::{Map, Value};
use std::time::Duration;

/// What the daemon is to read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Grains, then what depends on them.
    Grains,
    /// Modules (a new registry).
    Modules,
    /// Pillar from the master.
    Pillar,
    /// Matchers.
    Matchers,
    /// Beacons.
    Beacons,
    /// The mine: send `mine_functions` now.
    Mine,
}

/// The program around a call.
pub trait Host: Send + Sync {
    /// Sends an encrypted command to the master and waits for its reply. `load` holds `cmd` and the command's
    /// fields; `id`, `tok`, `nonce` and `ts` are added. Fails when there is no master, or it does not answer in time.
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value>;

    /// Fires an event on the minion's own bus. Where there is none, succeeds silently as stock does.
    fn fire_local(&self, tag: &str, data: Map) -> Result<()>;

    /// Reads something anew; with `wait`, returns when it is in force (or after `wait`).
    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()>;

    /// Pillar compiled now by the master (or locally), without putting it in force.
    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map>;

    /// The jobs that run now: each the publish load plus `pid`.
    fn running(&self) -> Vec<Map>;

    /// Signals a running job (its processes, and its cancel flag); the text is stock's. Empty text if there is no such job.
    fn signal_job(&self, jid: &str, signal: i32) -> Value;

    /// Whether the minion has a live connection to a master now, and its address as text.
    fn master(&self) -> Option<String>;
}

/// No daemon and no master: `salt-call --local`, and tests.
pub struct NoHost;

impl Host for NoHost {
    fn master_request(&self, _: Map, _: Duration) -> Result<Value> {
        Err(CallError::Client("there is no master in local mode".into()))
    }

    fn fire_local(&self, _: &str, _: Map) -> Result<()> {
        Ok(())
    }

    fn refresh(&self, _: Refresh, _: Option<Duration>) -> Result<()> {
        Ok(())
    }

    fn compile_pillar(&self, _: Option<&str>, _: Option<&str>, _: Option<Map>) -> Result<Map> {
        Ok(Map::new())
    }

    fn running(&self) -> Vec<Map> {
        Vec::new()
    }

    fn signal_job(&self, _: &str, _: i32) -> Value {
        Value::from("")
    }

    fn master(&self) -> Option<String> {
        None
    }
}
