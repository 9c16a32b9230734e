//! The daemon's standing with one master: link, pillar, options as jobs of that master see them. And the answer to
//! what those jobs ask of the program they run in.

use super::state::Minion;
use crate::connect::link::MasterLink;
use crate::connect::pillar::{self, PillarFailed, PillarWish};
use crate::connect::settings::seconds;
use brine_core::call::{CallError, Cx, Result as CallResult};
use brine_core::host::{Host, Refresh};
use brine_core::{Map, Opts, Value, map};
use parking_lot::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// One master and what it gave us.
pub struct Attached {
    /// The daemon.
    pub minion: Arc<Minion>,
    /// The way to the master.
    pub link: Arc<MasterLink>,
    /// The pillar in force.
    pub pillar: RwLock<Arc<Map>>,
    /// The options, `master` being this one.
    pub opts: Arc<Opts>,
    connected: AtomicBool,
    /// The pillar was read at least once.
    ready: AtomicBool,
}

impl Attached {
    /// Not connected yet, without pillar.
    pub fn new(minion: Arc<Minion>, link: Arc<MasterLink>) -> Self {
        let mut opts = minion.opts.as_ref().clone();
        opts.map_mut().insert("master", link.name());
        Self {
            minion,
            link,
            pillar: RwLock::default(),
            opts: Arc::new(opts),
            connected: AtomicBool::new(false),
            ready: AtomicBool::new(false),
        }
    }

    /// Notes that the publish connection is there or gone.
    pub fn set_connected(&self, yes: bool) {
        self.connected.store(yes, Ordering::Relaxed);
    }

    /// Whether the publish connection is there.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// A context for calls on behalf of this master.
    pub fn cx(self: &Arc<Self>) -> Cx {
        let mut cx = Cx::new(self.opts.clone(), self.minion.registry(), Arc::new(Around(self.clone())));
        cx.grains = self.minion.grains();
        cx.pillar = self.pillar.read().clone();
        cx
    }

    /// Reads the pillar and puts it in force.
    pub async fn refresh_pillar(&self, clean_cache: bool) -> Result<(), PillarFailed> {
        let wish = PillarWish { clean_cache, ..PillarWish::default() };
        let pillar = self.compile(wish).await?;
        *self.pillar.write() = Arc::new(pillar);
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn compile(&self, wish: PillarWish) -> Result<Map, PillarFailed> {
        let load = pillar::load(&self.opts, &self.minion.grains(), wish);
        let timeout = seconds(&self.opts, "request_channel_timeout", 60.0);
        pillar::compile(&self.link, &load, timeout, 3).await
    }

    /// Fires an event on the master's bus. Lost when the master cannot be reached, as in stock.
    pub async fn fire_master(&self, mut load: Map) {
        load.insert("cmd", "_minion_event");
        load.insert("id", &self.minion.id);
        let timeout = seconds(&self.opts, "return_retry_timer", 5.0);
        if let Err(e) = self.link.request(&load, timeout, 3).await {
            tracing::info!("fire_master failed: master could not be contacted: {e}");
        }
    }

    /// Runs a future on the daemon's runtime and waits for it on this thread, which must be a job's.
    fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> CallResult<T> {
        let (tx, rx) = mpsc::sync_channel(1);
        self.minion.handle.spawn(async move {
            let _ = tx.send(future.await);
        });
        rx.recv().map_err(|_| CallError::Client("the minion is ending".into()))
    }
}

/// The [`Host`] of calls; counted, so that what it starts can outlive the call.
struct Around(Arc<Attached>);

impl Host for Around {
    fn master_request(&self, load: Map, timeout: Duration) -> CallResult {
        let link = self.0.link.clone();
        self.0
            .wait(async move { link.request(&load, timeout, 1).await })?
            .map_err(|e| CallError::Client(e.to_string()))
    }

    fn fire_local(&self, _tag: &str, _data: Map) -> CallResult<()> {
        Ok(())
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> CallResult<()> {
        match what {
            Refresh::Grains => self.0.minion.refresh_grains(),
            Refresh::Modules => {
                *self.0.minion.registry.write() = Arc::new(crate::modules_in_force::registry(&self.0.opts));
            }
            Refresh::Pillar => {
                let this = self.0.clone();
                let work = async move {
                    if let Err(e) = this.refresh_pillar(false).await {
                        tracing::error!(
                            "Pillar data could not be refreshed. One or more masters may be down! ({e})"
                        );
                    }
                };
                match wait {
                    Some(limit) => {
                        self.0.wait(async move { drop(tokio::time::timeout(limit, work).await) })?
                    }
                    None => drop(self.0.minion.handle.spawn(work)),
                }
            }
            Refresh::Mine => super::mine::update(&self.0),
            Refresh::Matchers | Refresh::Beacons => {}
        }
        Ok(())
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> CallResult<Map> {
        let wish = PillarWish {
            saltenv: saltenv.map(str::to_owned),
            pillarenv: pillarenv.map(str::to_owned),
            over,
            clean_cache: false,
        };
        let this = self.0.clone();
        self.0.wait(async move { this.compile(wish).await })?.map_err(|e| CallError::Client(e.to_string()))
    }

    fn running(&self) -> Vec<Map> {
        self.0.minion.table.list()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.0.minion.table.signal(jid, signal)
    }

    fn master(&self) -> Option<String> {
        self.0.is_connected().then(|| self.0.link.name().to_owned())
    }
}

/// The load of an event with one tag.
pub fn event(tag: &str, data: impl Into<Value>) -> Map {
    map! {"pretag" => Value::Nil, "data" => data, "tag" => tag}
}
