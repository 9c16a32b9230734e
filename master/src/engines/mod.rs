//! Engines of the master: what the option `engines` names, and the reactor.
//!
//! They get events by a [`Tap`] and reach the master through what is handed to them at its start; none of them keeps it alive.

mod echo;
mod reactor;

use std::sync::Arc;
use std::time::Duration;

use brine_core::Opts;
use brine_engines::config::{Engine, engines};
use brine_engines::reactor::Reactor;
use brine_engines::webhook;
use brine_serve::Server;

use crate::events::Tap;
use crate::fs::Dir;
use crate::master::Master;

/// How long a stop waits for what the reactor has begun.
const STOP: Duration = Duration::from_secs(5);
/// What the reactor's options are called when the engine has them.
const OF_REACTOR: [&str; 3] = ["refresh_interval", "worker_threads", "worker_hwm"];

/// The engines of a master.
#[derive(Debug, Default)]
pub(crate) struct Engines {
    reactor: Option<Arc<Reactor>>,
    taps: Vec<Arc<dyn Tap>>,
    hooks: Vec<Engine>,
    servers: Vec<Server>,
}

impl Engines {
    /// Those that the options name, before there is a bus.
    ///
    /// # Errors
    /// When what the reactor keeps on disk cannot be read or written.
    pub(crate) fn open(opts: &Opts) -> std::io::Result<Self> {
        let mut all = Self::default();
        for engine in engines(opts, true) {
            all.add(&engine, opts)?;
        }
        Ok(all)
    }

    fn add(&mut self, engine: &Engine, opts: &Opts) -> std::io::Result<()> {
        match engine.module.as_str() {
            "reactor" if !engine.takes(&OF_REACTOR) => {}
            "reactor" if self.reactor.is_some() => {
                tracing::error!("{} is not started: there is a reactor already", engine.shown());
            }
            "reactor" => {
                tracing::info!("Starting {}", engine.shown());
                let dir = Dir::at(opts.path("cachedir")).sub("reactor")?;
                let reactor = Reactor::open(opts, &engine.told, dir)?;
                self.taps.push(Arc::new(reactor::ReactorTap(reactor.clone())));
                self.reactor = Some(reactor);
            }
            "test" if engine.takes(&[]) => {
                tracing::info!("Starting {}", engine.shown());
                self.taps.push(Arc::new(echo::Echo));
            }
            "test" => {}
            "webhook" if engine.takes(&webhook::OPTIONS) => self.hooks.push(engine.clone()),
            "webhook" => {}
            _ => engine.refuse(),
        }
        Ok(())
    }

    /// Who gets events.
    pub(crate) fn taps(&self) -> impl Iterator<Item = Arc<dyn Tap>> {
        self.taps.iter().cloned()
    }

    /// Has them work, now that there is a master. To be called within the runtime.
    pub(crate) fn start(&mut self, master: &Arc<Master>) {
        if let Some(reactor) = &self.reactor {
            reactor.start(Arc::new(reactor::OfMaster::new(master)));
        }
        // More would be cut from the event.
        let most = master.config.bus.max_event;
        for engine in std::mem::take(&mut self.hooks) {
            tracing::info!("Starting {}", engine.shown());
            let master = Arc::downgrade(master);
            let fire = move |tag: String, data| {
                if let Some(master) = master.upgrade() {
                    master.events.fire(tag, data);
                }
            };
            match webhook::start(&engine, most, fire) {
                Ok(server) => self.servers.push(server),
                Err(e) => tracing::error!("{} could not be started! {e}", engine.shown()),
            }
        }
    }

    /// Ends them.
    pub(crate) fn close(mut self) {
        self.servers.drain(..).for_each(Server::stop);
        if let Some(reactor) = &self.reactor {
            reactor.close(STOP);
        }
    }
}
