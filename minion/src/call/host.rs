//! What a function run by `salt-call` may ask for: of the master, if there is one, and of a minion that runs beside it.

use super::remote::Remote;
use crate::connect::pillar::PillarWish;
use crate::jobs::proc_files::ProcDir;
use crate::jobs::table::JobTable;
use crate::{local_bus, local_master, local_tree};
use brine_core::call::{CallError, Cancel, Cx, Result};
use brine_core::files::Files;
use brine_core::host::{Events, Host, MasterClient, Refresh};
use brine_core::{Map, Opts, Registry, Value};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The program around the call.
#[derive(Clone)]
pub(super) struct CallHost {
    pub(super) remote: Option<Arc<Remote>>,
    pub(super) opts: Arc<Opts>,
    pub(super) registry: Arc<Registry>,
    pub(super) grains: Arc<Map>,
    /// The pillar in force, once it is.
    pub(super) pillar: Arc<OnceLock<Arc<Map>>>,
    pub(super) files: Arc<dyn Files>,
}

impl CallHost {
    /// A context for calls, with the pillar as far as it is known.
    pub(super) fn cx(&self) -> Cx {
        let mut cx = Cx::new(self.opts.clone(), self.registry.clone(), Arc::new(self.clone()));
        cx.grains = self.grains.clone();
        cx.pillar = self.pillar.get().cloned().unwrap_or_default();
        cx
    }
}

impl Host for CallHost {
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
        match &self.remote {
            Some(remote) => remote.request(&load, timeout),
            None => Err(CallError::Client("there is no master in local mode".into())),
        }
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        local_bus::fire(&self.opts, tag, data)
            .map_err(|e| CallError::Client(format!("there is no minion to tell: {e}")))
    }

    fn schedule(&self, request: Map) -> Result<Option<Map>> {
        local_bus::ask_schedule(&self.opts, request)
            .map_err(|e| CallError::Client(format!("there is no minion to ask: {e}")))
    }

    fn beacons(&self, request: Map) -> Result<Option<Map>> {
        local_bus::ask_beacons(&self.opts, request)
            .map_err(|e| CallError::Client(format!("there is no minion to ask: {e}")))
    }

    /// Asks the minion that runs beside; whether it has done so by now is not known here.
    fn refresh(&self, what: Refresh, _: Option<Duration>) -> Result<()> {
        let tag = match what {
            Refresh::Grains => "grains_refresh",
            Refresh::Modules => "module_refresh",
            Refresh::Pillar { .. } => "pillar_refresh",
            Refresh::Matchers => "matchers_refresh",
            Refresh::Beacons => "beacons_refresh",
            Refresh::Mine => return Err(CallError::Client("only the minion itself updates its mine".into())),
        };
        let mut data = Map::new();
        if let Refresh::Pillar { clean_cache } = what {
            data.insert("clean_cache", clean_cache);
        }
        self.fire_local(tag, data)
    }

    fn grains(&self) -> Result<Map> {
        Ok(brine_modules::grains(&self.opts))
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map> {
        let Some(remote) = &self.remote else {
            let kept = self.pillar.get().map(|pillar| &**pillar);
            return local_tree::compile_pillar(&self.cx(), saltenv, pillarenv, over, kept);
        };
        remote.compile(PillarWish {
            saltenv: saltenv.map(str::to_owned),
            pillarenv: pillarenv.map(str::to_owned),
            over,
            ..PillarWish::default()
        })
    }

    fn compile_pillar_with(&self, external: Value, over: Option<Map>) -> Result<Map> {
        let Some(remote) = &self.remote else {
            let kept = self.pillar.get().map(|pillar| &**pillar);
            return local_tree::compile_external(&self.cx(), external, over, kept);
        };
        remote.compile(PillarWish { ext: Some(external), over, ..PillarWish::default() })
    }

    fn files(&self) -> Arc<dyn Files> {
        self.files.clone()
    }

    fn running(&self) -> Vec<Map> {
        ProcDir::open(&self.opts.path("cachedir")).map_or_else(|_| Vec::new(), |proc| proc.others())
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        match ProcDir::open(&self.opts.path("cachedir")) {
            Ok(proc) => JobTable::new(proc).signal(jid, signal),
            Err(_) => "".into(),
        }
    }

    fn master_client(&self, client: MasterClient, order: Map) -> Result<Value> {
        // A person who will not wait any longer ends the process.
        local_master::ask(&self.opts, &Cancel::default(), client, order)
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
        local_bus::watch(&self.opts, node, sock_dir)
    }

    fn master(&self) -> Option<String> {
        self.remote.as_ref().map(|remote| remote.master().to_owned())
    }
}
