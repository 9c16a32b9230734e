//! The master as runners in this process see it: over its sockets, with the rights of whoever runs the command.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use brine_client::order::Client;
use brine_client::{Link, Listener, Who, bus};
use brine_core::Opts;
use brine_core::call::{CallError, Result};
use brine_protocol::ids::MinionId;
use brine_protocol::{Map, Value};
use brine_runners::{Link as RunnerLink, Published, Side};
use brine_store::KeyState;
use tokio::runtime::Runtime;

use super::show;

/// The master of these options.
pub(super) struct SocketSide {
    pub(super) opts: Arc<Opts>,
    /// Drives all conversations; those of threads beside each other too.
    pub(super) runtime: Arc<Runtime>,
    /// The way to the bus: events of one way come in their order.
    pub(super) pusher: Mutex<Option<bus::Pusher>>,
}

fn failed(e: brine_client::Error) -> CallError {
    match e {
        brine_client::Error::Invalid(text) => CallError::Invocation(text),
        other => CallError::Client(other.to_string()),
    }
}

impl SocketSide {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl Side for SocketSide {
    fn link(&self) -> Result<Box<dyn RunnerLink>> {
        let link = self.wait(Link::connect(&self.opts, Who::caller(&self.opts), true)).map_err(failed)?;
        Ok(Box::new(SocketLink { link, runtime: self.runtime.clone() }))
    }

    fn job(&self, order: &Map) -> Result<Map> {
        let say = |line: &str| self.print(line);
        self.wait(async {
            let mut link = Link::connect(&self.opts, Who::caller(&self.opts), true).await?;
            Client { link: &mut link, opts: &self.opts, say: &say }.job(order).await
        })
        .map_err(failed)
    }

    fn fire(&self, tag: &str, data: Map) -> Result<()> {
        let mut pusher = self.pusher.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait(async {
            if pusher.is_none() {
                *pusher = bus::Pusher::connect(&self.opts).await;
            }
            // Without a master there is nobody to be told.
            let Some(way) = pusher.as_mut() else { return Ok(()) };
            let pushed = way.push(tag, data).await;
            if pushed.is_err() {
                *pusher = None;
            }
            pushed
        })
        .map_err(failed)
    }

    fn connected(&self) -> Result<Map> {
        let reply = self.wait(async {
            Link::connect(&self.opts, Who::caller(&self.opts), false).await?.connected().await
        });
        match reply.map_err(failed)? {
            Value::Map(error) if error.contains("error") => Err(CallError::Client(
                brine_core::text::python_str(error.get("error").unwrap_or(&Value::Nil)),
            )),
            Value::Map(connected) => Ok(connected),
            _ => Err(CallError::Client("this master does not say who is connected".into())),
        }
    }

    // The master sees it by the key's file.
    fn key_gone(&self, _: KeyState, _: &MinionId) {}

    fn make_token(&self, mut load: Map) -> Result<Value> {
        load.insert("cmd", "mk_token");
        self.wait(async {
            Link::connect(&self.opts, Who::caller(&self.opts), false).await?.request(load).await
        })
        .map_err(|_| {
            CallError::exception("salt.exceptions.SaltDaemonNotRunning", "Salt Master must be running.")
        })
    }

    fn rotate(&self) {
        if self.opts.get("rotate_aes_key").is_none_or(Value::truthy)
            && let Err(e) = crate::key::ask_for_new_session_key(&self.opts)
        {
            tracing::error!("{e}");
        }
    }

    fn print(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that has gone has read enough.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn progress(&self, event: &Map) {
        if self.opts.flag("quiet") {
            return;
        }
        // As it was fired.
        let mut event = event.clone();
        event.insert("_stamp", brine_core::jid::stamp(std::time::SystemTime::now()));
        if let Err(e) = show::progress(&self.opts, &event) {
            tracing::debug!("{e}");
        }
    }

    fn is_callers_process(&self) -> bool {
        true
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn RunnerLink>> {
        if node != "master" {
            return Err(CallError::execution("Only the bus of a master can be watched"));
        }
        let dir = sock_dir.map_or_else(|| self.opts.path("sock_dir"), PathBuf::from);
        let path = dir.join("master_event_pub.ipc");
        let listener = self
            .wait(Listener::at(&path))
            .map_err(|e| CallError::Client(format!("{}: {e}", path.display())))?;
        Ok(Box::new(Watch { listener, runtime: self.runtime.clone() }))
    }
}

struct SocketLink {
    link: Link,
    runtime: Arc<Runtime>,
}

impl RunnerLink for SocketLink {
    fn publish(&mut self, load: Map) -> Result<Option<Published>> {
        let published = self.runtime.block_on(self.link.ask(load)).map_err(failed)?;
        Ok(published.map(|p| Published {
            jid: p.jid,
            minions: p.minions,
            not_connected: p.not_connected.unwrap_or_default(),
        }))
    }

    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>> {
        let event = self.runtime.block_on(self.link.event_until(until)).map_err(failed)?;
        Ok(event.map(|e| (e.tag, e.data)))
    }
}

/// A bus that is only read.
struct Watch {
    listener: Listener,
    runtime: Arc<Runtime>,
}

impl RunnerLink for Watch {
    fn publish(&mut self, _: Map) -> Result<Option<Published>> {
        Err(CallError::Client("this connection only reads events".into()))
    }

    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>> {
        let next = self
            .runtime
            .block_on(async { tokio::time::timeout_at(until.into(), self.listener.next()).await });
        match next {
            Err(_) => Ok(None),
            Ok(Ok(event)) => Ok(Some((event.tag, event.data))),
            Ok(Err(e)) => Err(CallError::Client(format!("the event bus has ended: {e}"))),
        }
    }
}
