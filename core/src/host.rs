//! What a call may ask of the program it runs in: the minion daemon, `salt-call`, or nothing at all.
//!
//! Blocking, since calls are; a daemon's implementation bridges to its connections.

mod elsewhere;

use crate::call::{CallError, Result};
use crate::files::{Files, NoFiles};
use brine_protocol::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use elsewhere::{Compile, Elsewhere};

/// What the daemon is to read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Grains, then what depends on them.
    Grains,
    /// Modules (a new registry).
    Modules,
    /// Pillar from the master.
    Pillar {
        /// A master with `pillar_cache` is to compile it anew.
        clean_cache: bool,
    },
    /// Matchers.
    Matchers,
    /// Beacons.
    Beacons,
    /// The mine: send `mine_functions` now.
    Mine,
}

/// Which client of a master on the same machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterClient {
    /// Jobs for minions.
    Local,
    /// Runners.
    Runner,
    /// Wheel functions.
    Wheel,
}

/// A job as a master keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptJob {
    /// Its id.
    pub jid: String,
    /// The load of the publish; empty where only a return is known.
    pub load: Map,
    /// The minions it was for.
    pub minions: Vec<String>,
}

/// A master's own job store, as its runners and scheduled jobs have it.
pub trait JobStore: Send + Sync {
    /// One job, if it is kept.
    fn job(&self, jid: &str) -> Result<Option<KeptJob>>;

    /// Every job whose load `wanted` takes, oldest first; of those the newest `most`.
    fn jobs(&self, most: usize, wanted: &mut dyn FnMut(&Map) -> bool) -> Result<Vec<KeptJob>>;

    /// What the minions returned for a job: id and the whole return load.
    fn returns(&self, jid: &str) -> Result<Vec<(String, Map)>>;

    /// When the last return of a job came.
    fn ended(&self, jid: &str) -> Result<Option<SystemTime>>;

    /// Keeps a return of a job that was not published. One that is there stays.
    fn keep(&self, jid: &str, id: &str, load: &Map) -> Result<()>;
}

/// An event bus that is read.
pub trait Events {
    /// The next event's tag and data, or None at `until`.
    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>>;
}

/// The program around a call.
pub trait Host: std::any::Any + Send + Sync {
    /// Sends an encrypted command to the master and waits for its reply. `load` holds `cmd` and the command's
    /// fields; `id`, `tok`, `nonce` and `ts` are added. Fails when there is no master, or it does not answer in time.
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value>;

    /// Fires an event on the minion's own bus. Fails where there is none; stock's functions then return `False`.
    fn fire_local(&self, tag: &str, data: Map) -> Result<()>;

    /// Reads something anew; with `wait`, returns when it is in force (or after `wait`). Fails where there is no
    /// daemon to do so.
    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()>;

    /// Grains read now, without putting them in force.
    fn grains(&self) -> Result<Map> {
        Err(CallError::Client("there is no daemon to read grains".into()))
    }

    /// Pillar compiled now by the master (or locally), without putting it in force.
    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map>;

    /// Pillar compiled now with one more source of external pillar: its name and what it is given. A master has to allow it.
    fn compile_pillar_with(&self, external: Value, over: Option<Map>) -> Result<Map> {
        let _ = (external, over);
        Err(CallError::Client("no external pillar can be asked for here".into()))
    }

    /// The jobs that run now: each the publish load plus `pid`.
    fn running(&self) -> Vec<Map>;

    /// Signals a running job (its processes, and its cancel flag); the text is stock's. Empty text if there is no such job.
    fn signal_job(&self, jid: &str, signal: i32) -> Value;

    /// Whether the minion has a live connection to a master now, and its address as text.
    fn master(&self) -> Option<String>;

    /// Hands a request (`func`, `name`, ...) to the schedule of the minion; the answer is the data of the event that
    /// tells what came of it, or None where a request has no answer. Fails where no minion answers.
    fn schedule(&self, request: Map) -> Result<Option<Map>> {
        let _ = request;
        Err(CallError::Client("there is no minion with a schedule".into()))
    }

    /// The same for the beacons of the minion.
    fn beacons(&self, request: Map) -> Result<Option<Map>> {
        let _ = request;
        Err(CallError::Client("there is no minion with beacons".into()))
    }

    /// Throws away the minion's key and its master's (`pki_dir`, but nothing there that other things need), makes a
    /// new key and authenticates with it. Whoever cannot do all of it does nothing of it, and fails.
    fn rekey(&self) -> Result<()> {
        Err(CallError::Client("there is no daemon to make a new key".into()))
    }

    /// The state tree.
    fn files(&self) -> Arc<dyn Files> {
        Arc::new(NoFiles)
    }

    /// The job store, in a call that works for a master.
    fn job_store(&self) -> Option<&dyn JobStore> {
        None
    }

    /// The events from now on of the bus of a `minion` or `master` on this machine, below `sock_dir` instead of the configured one.
    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
        let _ = (node, sock_dir);
        Err(CallError::Client("there is no event bus".into()))
    }

    /// Asks a master on the same machine: `order` holds `fun`, `arg`, `kwarg` and what else the client takes. Fails on
    /// every other machine.
    fn master_client(&self, client: MasterClient, order: Map) -> Result<Value> {
        let _ = (client, order);
        Err(CallError::execution(
            "This command can only be executed on a minion that is located on the master.",
        ))
    }
}

/// No daemon and no master: `salt-call --local`, and tests.
pub struct NoHost;

impl Host for NoHost {
    fn master_request(&self, _: Map, _: Duration) -> Result<Value> {
        Err(CallError::Client("there is no master in local mode".into()))
    }

    fn fire_local(&self, _: &str, _: Map) -> Result<()> {
        Err(CallError::Client("there is no event bus".into()))
    }

    fn refresh(&self, _: Refresh, _: Option<Duration>) -> Result<()> {
        Err(CallError::Client("there is no daemon to refresh".into()))
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
