//! The master as its runners see it, in the master's own process.
//!
//! Runners are blocking code on threads of their own; this bridges to the runtime. Jobs are started as any caller's are;
//! events are read from the bus, as every other program reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use brine_client::Who;
use brine_client::order::Client;
use brine_core::call::{CallError, Cx, Result};
use brine_files::FileServer;
use brine_net::ipc::EventSubscriber;
use brine_protocol::ids::MinionId;
use brine_protocol::message::events::Event;
use brine_protocol::{Map, Value};
use brine_runners::{Link, Published, Side};
use tokio::runtime::Handle;

use crate::access;
use crate::keys::KeyState;
use crate::master::Master;
use crate::requests::job;

/// The master, for a run on behalf of `user`.
pub(crate) struct OwnSide {
    /// The master.
    pub(crate) master: Arc<Master>,
    /// Its runtime.
    pub(crate) runtime: Handle,
    /// Whose jobs a run's jobs are.
    pub(crate) user: String,
}

impl Side for OwnSide {
    fn link(&self) -> Result<Box<dyn Link>> {
        let path: PathBuf = self.master.config.bus.pub_path.clone();
        let events = self
            .runtime
            .block_on(EventSubscriber::connect(&path))
            .map_err(|e| CallError::Client(format!("{}: {e}", path.display())))?;
        Ok(Box::new(OwnLink {
            master: self.master.clone(),
            runtime: self.runtime.clone(),
            user: self.user.clone(),
            events,
        }))
    }

    fn job(&self, order: &Map) -> Result<Map> {
        let opts = self.master.runs.opts();
        // As the user that the master runs as, over its own sockets, like stock's client in a runner.
        let who = Who::owner(opts)
            .ok_or_else(|| CallError::Client("the key of the master's user cannot be read".into()))?;
        self.runtime
            .block_on(async {
                let mut link = brine_client::Link::connect(opts, who, true).await?;
                Client { link: &mut link, opts, say: &|line| tracing::info!("{line}") }.job(order).await
            })
            .map_err(|e| match e {
                brine_client::Error::Invalid(text) => CallError::Invocation(text),
                other => CallError::Client(other.to_string()),
            })
    }

    fn fire(&self, tag: &str, data: Map) -> Result<()> {
        self.master.events.fire(tag, data);
        Ok(())
    }

    fn connected(&self) -> Result<Map> {
        Ok(connected(&self.master))
    }

    fn key_gone(&self, state: KeyState, id: &MinionId) {
        if state == KeyState::Accepted {
            self.master.forget_key(id);
        }
    }

    fn make_token(&self, mut load: Map) -> Result<Value> {
        // As if it came over the request port, from this host.
        let from = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(self.runtime.block_on(access::make_token(&self.master, from, &mut load)))
    }

    fn files(&self) -> Option<Arc<FileServer>> {
        Some(self.master.files.clone())
    }

    fn keep_elsewhere(&self, _: &Cx, load: Map) {
        self.master.outlets.ran(&load);
    }

    fn rotate(&self) {
        if self.master.config.upkeep.rotate_on_delete {
            // What is spawned from there needs the runtime.
            let _inside = self.runtime.enter();
            crate::upkeep::rotate(&self.master);
        }
    }
}

/// The minions with a live connection, and the address each comes from.
pub(crate) fn connected(master: &Master) -> Map {
    let present = master.presence.present_at();
    present.into_iter().map(|(id, addr)| (Value::from(id), Value::from(addr.to_string()))).collect()
}

struct OwnLink {
    master: Arc<Master>,
    runtime: Handle,
    user: String,
    events: EventSubscriber,
}

impl Link for OwnLink {
    fn publish(&mut self, mut load: Map) -> Result<Option<Published>> {
        load.insert("cmd", "publish");
        load.insert("user", self.user.as_str());
        let checked = job::resolve(&self.master, &load);
        if checked.minions.is_empty() {
            return Ok(None);
        }
        let started = self.runtime.block_on(job::start(&self.master, load, checked));
        let started = started.map_err(|e| CallError::Client(e.to_string()))?;
        let absent = |id: &&String| self.master.presence.is_absent(id);
        Ok(Some(Published {
            jid: started.jid.as_str().to_owned(),
            not_connected: started.minions.iter().filter(absent).cloned().collect(),
            minions: started.minions,
        }))
    }

    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>> {
        let next =
            self.runtime.block_on(async { tokio::time::timeout_at(until.into(), self.events.recv()).await });
        match next {
            Err(_) => Ok(None),
            Ok(Ok(Some(body))) => Ok(Event::from_body(&body).ok().map(|e| (e.tag, e.data))),
            Ok(Ok(None)) => Err(CallError::Client("the event bus has ended".into())),
            Ok(Err(e)) => Err(CallError::Client(format!("the event bus: {e}"))),
        }
    }
}
