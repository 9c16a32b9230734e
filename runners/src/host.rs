//! The host of a runner's call: the master's files, and its living side.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use brine_core::call::{CallError, Cx, Result};
use brine_core::host::{Host, Refresh};
use brine_core::{Map, Opts, Value};
use brine_store::jobs::Shelf;
use brine_store::{DataConfig, KeyStore, MinionData};

use crate::side::Side;

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
}

impl MasterHost {
    /// The host with the files that these options name.
    pub fn new(opts: &Opts, side: Box<dyn Side>) -> Arc<Self> {
        let (pki_dir, cachedir) = (opts.path("pki_dir"), opts.path("cachedir"));
        let keys = KeyStore::at(&pki_dir);
        let nodegroups = opts.get("nodegroups").and_then(Value::as_map).cloned().unwrap_or_default();
        Arc::new(Self {
            side,
            jobs: Shelf::at(&cachedir),
            data: MinionData::new(DataConfig::of(opts, cachedir), keys.clone(), nodegroups),
            keys,
            pki_dir,
        })
    }
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
}
