//! What scheduled jobs may ask of the daemon: they belong to no master, so each request goes to the one that is connected,
//! and what is for the mine goes to all.

use super::super::attached::Attached;
use super::super::bus;
use super::super::state::Minion;
use brine_core::call::{CallError, Cancel, Cx, Result as CallResult};
use brine_core::files::Files;
use brine_core::host::{Events, Host, MasterClient, Refresh};
use brine_core::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

struct AnyMaster {
    minion: Arc<Minion>,
    /// What the connected master's own jobs would ask.
    inner: Option<Arc<dyn Host>>,
    used: Option<Arc<Attached>>,
    cancel: Cancel,
}

/// A context for a scheduled job, or a beacon: pillar and options are those of the master in use, if there is one.
pub(in crate::daemon) fn cx(minion: &Arc<Minion>) -> Cx {
    let masters = minion.attached();
    let used = masters.iter().find(|a| a.is_connected()).or(masters.first()).cloned();
    let mut cx = match &used {
        Some(attached) => attached.cx(),
        None => {
            let nobody = Arc::new(brine_core::host::NoHost);
            let mut cx = Cx::new(minion.opts.clone(), minion.registry(), nobody);
            cx.grains = minion.grains();
            cx
        }
    };
    let inner = used.is_some().then(|| cx.host.clone());
    cx.host = Arc::new(AnyMaster { minion: minion.clone(), inner, used, cancel: cx.cancel.clone() });
    cx
}

impl AnyMaster {
    /// Every other connected master is sent the same.
    fn tell_others(&self, load: &Map, timeout: Duration) -> CallResult<()> {
        for other in self.minion.attached() {
            let same = self.used.as_ref().is_some_and(|used| Arc::ptr_eq(used, &other));
            if same || !other.is_connected() {
                continue;
            }
            let (link, load) = (other.link.clone(), load.clone());
            let sent = async move { link.request(&load, timeout, 1).await };
            if let Err(e) = self.minion.wait(&self.cancel, sent)? {
                tracing::warn!("master {} did not take it: {e}", other.link.name());
            }
        }
        Ok(())
    }
}

impl Host for AnyMaster {
    fn master_request(&self, load: Map, timeout: Duration) -> CallResult {
        let Some(inner) = &self.inner else {
            return Err(CallError::Client("there is no master".into()));
        };
        if load.get_str("cmd") == Some("_mine") {
            self.tell_others(&load, timeout)?;
        }
        inner.master_request(load, timeout)
    }

    fn fire_local(&self, tag: &str, data: Map) -> CallResult<()> {
        bus::fire_from_job(&self.minion, crate::local_bus::stamped(tag, data));
        Ok(())
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> CallResult<()> {
        bus::refresh(&self.minion, &self.cancel, what, wait)
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> CallResult<Map> {
        match &self.inner {
            Some(inner) => inner.compile_pillar(saltenv, pillarenv, over),
            None => crate::local_tree::compile_pillar(&cx(&self.minion), saltenv, pillarenv, over, None),
        }
    }

    fn compile_pillar_with(&self, external: Value, over: Option<Map>) -> CallResult<Map> {
        match &self.inner {
            Some(inner) => inner.compile_pillar_with(external, over),
            None => crate::local_tree::compile_external(&cx(&self.minion), external, over, None),
        }
    }

    fn files(&self) -> Arc<dyn Files> {
        match &self.inner {
            Some(inner) => inner.files(),
            None => self.minion.trees.alone(),
        }
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> CallResult<Box<dyn Events>> {
        crate::local_bus::watch(&self.minion.opts, node, sock_dir)
    }

    fn running(&self) -> Vec<Map> {
        self.minion.table.list()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.minion.table.signal(jid, signal)
    }

    fn master(&self) -> Option<String> {
        self.inner.as_ref().and_then(|inner| inner.master())
    }

    fn schedule(&self, request: Map) -> CallResult<Option<Map>> {
        Ok(super::manage(&self.minion, &request))
    }

    fn beacons(&self, request: Map) -> CallResult<Option<Map>> {
        Ok(crate::daemon::beacons::manage(&self.minion, &request))
    }

    fn master_client(&self, client: MasterClient, order: Map) -> CallResult {
        crate::local_master::ask(&self.minion.opts, &self.cancel, client, order)
    }

    fn rekey(&self) -> CallResult<()> {
        match &self.inner {
            Some(inner) => inner.rekey(),
            None => Err(CallError::Client("there is no master".into())),
        }
    }
}
