//! A call's host with other files, and perhaps other pillar: states whose tree does not come from where the minion's does.

use super::{Events, Host, JobStore, MasterClient, Refresh};
use crate::call::Result;
use crate::files::Files;
use brine_protocol::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Compiles pillar for environments (state, pillar) with data over the rest.
pub type Compile = Box<dyn Fn(Option<&str>, Option<&str>, Option<Map>) -> Result<Map> + Send + Sync>;

/// A host of which all but the files, and the pillar if there is a way to compile it, is another one's.
pub struct Elsewhere {
    /// That other one.
    pub host: Arc<dyn Host>,
    /// The state tree.
    pub files: Arc<dyn Files>,
    /// How pillar is compiled; None: as the other one does it.
    pub pillar: Option<Compile>,
}

impl Host for Elsewhere {
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
        self.host.master_request(load, timeout)
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        self.host.fire_local(tag, data)
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        self.host.refresh(what, wait)
    }

    fn grains(&self) -> Result<Map> {
        self.host.grains()
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map> {
        match &self.pillar {
            Some(compile) => compile(saltenv, pillarenv, over),
            None => self.host.compile_pillar(saltenv, pillarenv, over),
        }
    }

    fn compile_pillar_with(&self, external: Value, over: Option<Map>) -> Result<Map> {
        self.host.compile_pillar_with(external, over)
    }

    fn running(&self) -> Vec<Map> {
        self.host.running()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.host.signal_job(jid, signal)
    }

    fn master(&self) -> Option<String> {
        self.host.master()
    }

    fn schedule(&self, request: Map) -> Result<Option<Map>> {
        self.host.schedule(request)
    }

    fn beacons(&self, request: Map) -> Result<Option<Map>> {
        self.host.beacons(request)
    }

    fn rekey(&self) -> Result<()> {
        self.host.rekey()
    }

    fn files(&self) -> Arc<dyn Files> {
        self.files.clone()
    }

    fn job_store(&self) -> Option<&dyn JobStore> {
        self.host.job_store()
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
        self.host.watch(node, sock_dir)
    }

    fn master_client(&self, client: MasterClient, order: Map) -> Result<Value> {
        self.host.master_client(client, order)
    }
}
