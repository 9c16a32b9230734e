//! The host of a runner's call: the master's files, and its living side.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_core::call::{CallError, Cx, Registry, Result};
use brine_core::host::{Events, Host, JobStore, Refresh};
use brine_core::{Map, Opts, Value};
use brine_files::Client;
use brine_pillar::Pillars;
use brine_store::jobs::Shelf;
use brine_store::{DataConfig, KeyStore, MinionData};

use crate::side::{Link, Side};

/// What `salt.cmd` needs: a minion's functions and grains, on the master. Handed in by who assembles; empty by default.
#[derive(Clone)]
pub struct Execution {
    /// Execution modules.
    pub registry: Arc<Registry>,
    /// Collects the grains of this host.
    pub grains: Arc<dyn Fn(&Opts) -> Map + Send + Sync>,
}

impl Default for Execution {
    fn default() -> Self {
        Self { registry: Arc::default(), grains: Arc::new(|_| Map::new()) }
    }
}

/// What [`brine_core::call::Cx::host`] is in a runner or wheel call.
pub struct MasterHost {
    /// The living master.
    pub side: Box<dyn Side>,
    /// The job store.
    pub jobs: Shelf,
    /// Minions' keys.
    pub keys: KeyStore,
    /// Minions' grains, pillar and mine.
    pub data: MinionData,
    /// `pki_dir`
    pub pki_dir: PathBuf,
    /// Execution modules, for `salt.cmd`.
    pub execution: Execution,
}

impl MasterHost {
    /// The host with the files that these options name, without execution modules.
    pub fn new(opts: &Opts, side: Box<dyn Side>) -> Arc<Self> {
        Self::with_execution(opts, side, Execution::default())
    }

    /// The host with the files that these options name, and these execution modules.
    pub fn with_execution(opts: &Opts, side: Box<dyn Side>, execution: Execution) -> Arc<Self> {
        let (pki_dir, cachedir) = (opts.path("pki_dir"), opts.path("cachedir"));
        let keys = KeyStore::at(&pki_dir);
        let nodegroups = opts.get("nodegroups").and_then(Value::as_map).cloned().unwrap_or_default();
        Arc::new(Self {
            side,
            jobs: Shelf::at(&cachedir),
            data: MinionData::new(DataConfig::of(opts, cachedir), keys.clone(), nodegroups),
            keys,
            pki_dir,
            execution,
        })
    }
}

/// What compiles pillar for the minions of this master.
///
/// # Errors
/// As [`master`].
pub(crate) fn pillars(cx: &Cx) -> Result<Pillars> {
    let registry = master(cx)?.execution.registry.clone();
    Ok(Pillars::new(cx.opts.clone(), registry, cx.host.clone(), Arc::new(Client::of_this_machine(&cx.opts))))
}

/// The master a call works for.
///
/// # Errors
/// When the call runs on a minion: runners are registered only where there is a master, so this is a programming error.
pub fn master(cx: &Cx) -> Result<&MasterHost> {
    let host: &dyn Any = cx.host.as_ref();
    host.downcast_ref().ok_or_else(|| CallError::execution("This function runs on a master only."))
}

fn no_minion<T>() -> Result<T> {
    Err(CallError::Client("there is no minion around a runner".into()))
}

impl Host for MasterHost {
    fn job_store(&self) -> Option<&dyn JobStore> {
        // Without one, the master here is stock's, and its job cache the files that `local_cache` reads and writes.
        self.jobs.exists().then_some(&self.jobs as &dyn JobStore)
    }

    fn master_request(&self, _: Map, _: Duration) -> Result<Value> {
        no_minion()
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        self.side.fire(tag, data)
    }

    fn refresh(&self, _: Refresh, _: Option<Duration>) -> Result<()> {
        no_minion()
    }

    fn compile_pillar(&self, _: Option<&str>, _: Option<&str>, _: Option<Map>) -> Result<Map> {
        no_minion()
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

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
        Ok(Box::new(Heard(self.side.watch(node, sock_dir)?)))
    }
}

/// A bus as calls read it.
struct Heard(Box<dyn Link>);

impl Events for Heard {
    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>> {
        self.0.next(until)
    }
}
