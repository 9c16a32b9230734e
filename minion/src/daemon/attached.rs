//! The daemon's standing with one master: link, pillar, options as jobs of that master see them. And the answer to
//! what those jobs ask of the program they run in.

use super::state::Minion;
use super::{beacons, bus, schedule};
use crate::connect::link::MasterLink;
use crate::connect::pillar::{self, PillarFailed, PillarWish};
use crate::connect::settings::{seconds, tries};
use crate::local_tree;
use brine_core::call::{CallError, Cancel, Cx, Result as CallResult};
use brine_core::files::Files;
use brine_core::host::{Events, Host, MasterClient, Refresh};
use brine_core::{Map, Opts, Value, map};
use brine_files::{Channel, Coming};
use parking_lot::{Mutex, RwLock};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

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
    /// Drops the publish connection when notified.
    pub kick_ears: Notify,
    connected: AtomicBool,
    path: Mutex<Option<Path>>,
}

/// How the publish connection runs.
#[derive(Clone)]
pub struct Path {
    /// The master's end.
    pub to: SocketAddr,
    /// Our address as the routes choose it.
    pub from: Option<IpAddr>,
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
            kick_ears: Notify::new(),
            connected: AtomicBool::new(false),
            path: Mutex::default(),
        }
    }

    /// Notes that the publish connection is there, and how it runs.
    pub fn up(&self, path: Path) {
        *self.path.lock() = Some(path);
        self.connected.store(true, Ordering::Relaxed);
        self.minion.table.note_work();
    }

    /// Notes that the publish connection is gone.
    pub fn down(&self) {
        self.connected.store(false, Ordering::Relaxed);
    }

    /// How the publish connection runs, or ran last.
    pub fn path(&self) -> Option<Path> {
        self.path.lock().clone()
    }

    /// Both connections are made anew, at once, from the address that the routes choose now.
    pub fn kick(&self, from: IpAddr) {
        if let Some(path) = self.path.lock().as_mut() {
            path.from = Some(from);
        }
        self.link.kick();
        self.kick_ears.notify_one();
    }

    /// What waits to connect does so now; a request in flight is left alone.
    pub fn redial(&self) {
        self.link.redial();
        self.kick_ears.notify_one();
    }

    /// Whether the publish connection is there.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// A context for calls on behalf of this master.
    pub fn cx(self: &Arc<Self>) -> Cx {
        let cancel = Cancel::default();
        let around = Around { attached: self.clone(), cancel: cancel.clone(), files: OnceLock::new() };
        let mut cx = Cx::new(self.opts.clone(), self.minion.registry(), Arc::new(around));
        cx.cancel = cancel;
        cx.grains = self.minion.grains();
        cx.pillar = self.pillar.read().clone();
        cx
    }

    /// Reads the pillar and puts it in force.
    pub async fn refresh_pillar(self: &Arc<Self>, clean_cache: bool) -> Result<(), PillarFailed> {
        let wish = PillarWish { clean_cache, ..PillarWish::default() };
        let pillar = self.compile(wish).await?;
        if let Some(errors) = pillar.get("_errors").filter(|e| e.truthy()) {
            tracing::error!("Pillar render error: {}", brine_core::text::python_str(errors));
        }
        let pillar = Arc::new(pillar);
        *self.pillar.write() = pillar.clone();
        if self.minion.schedule.set_pillar(&self.minion, self.link.name(), &pillar) {
            self.minion.beacons.set_pillar(&pillar);
        }
        Ok(())
    }

    async fn compile(self: &Arc<Self>, wish: PillarWish) -> Result<Map, PillarFailed> {
        if local_tree::has_pillar(&self.opts) {
            let cx = self.cx();
            let compiled = tokio::task::spawn_blocking(move || {
                let (saltenv, pillarenv) = (wish.saltenv.as_deref(), wish.pillarenv.as_deref());
                let kept = Some(&*cx.pillar).filter(|pillar| !pillar.is_empty());
                match wish.ext {
                    Some(ext) => local_tree::compile_external(&cx, ext, wish.over, kept),
                    None => local_tree::compile_pillar(&cx, saltenv, pillarenv, wish.over, kept),
                }
            });
            let compiled = compiled.await.map_err(|e| PillarFailed::Local(e.to_string()))?;
            return compiled.map_err(|e| PillarFailed::Local(e.to_string()));
        }
        let load = pillar::load(&self.opts, &self.minion.grains(), wish);
        let timeout = seconds(&self.opts, "request_channel_timeout", 60.0);
        pillar::compile(&self.link, &load, timeout, tries(&self.opts, "request_channel_tries", 3)).await
    }

    /// Fires an event on the master's bus. Lost when the master cannot be reached, as in stock.
    pub async fn fire_master(&self, mut load: Map) {
        load.insert("cmd", "_minion_event");
        load.insert("id", &self.minion.id);
        let timeout = seconds(&self.opts, "return_retry_timer", 5.0);
        if let Err(e) = self.link.request(&load, timeout, tries(&self.opts, "return_retry_tries", 3)).await {
            tracing::info!("fire_master failed: master could not be contacted: {e}");
        }
    }

    /// Gives mine data to the master, as asked for on the local bus.
    pub async fn send_mine(&self, load: Map) {
        let timeout = seconds(&self.opts, "return_retry_timer", 5.0);
        if let Err(e) = self.link.request(&load, timeout, tries(&self.opts, "return_retry_tries", 3)).await {
            tracing::warn!("Unable to send mine data to master: {e}");
        }
    }
}

/// The [`Host`] of one job's calls; counted, so that what it starts can outlive the call.
struct Around {
    attached: Arc<Attached>,
    /// The job's.
    cancel: Cancel,
    /// The master's files, as the job asks for them.
    files: OnceLock<Arc<dyn Files>>,
}

impl Around {
    fn compiled(&self, wish: PillarWish) -> CallResult<Map> {
        let this = self.attached.clone();
        self.attached
            .minion
            .wait(&self.cancel, async move { this.compile(wish).await })?
            .map_err(|e| CallError::Client(e.to_string()))
    }
}

impl Host for Around {
    fn master_request(&self, load: Map, timeout: Duration) -> CallResult {
        let link = self.attached.link.clone();
        self.attached
            .minion
            .wait(&self.cancel, async move { link.request(&load, timeout, 1).await })?
            .map_err(|e| CallError::Client(e.to_string()))
    }

    fn fire_local(&self, tag: &str, data: Map) -> CallResult<()> {
        bus::fire_from_job(&self.attached.minion, crate::local_bus::stamped(tag, data));
        Ok(())
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> CallResult<()> {
        bus::refresh(&self.attached.minion, &self.cancel, what, wait)
    }

    fn grains(&self) -> CallResult<Map> {
        Ok(brine_modules::grains(&self.attached.opts))
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
            ..PillarWish::default()
        };
        self.compiled(wish)
    }

    fn compile_pillar_with(&self, external: Value, over: Option<Map>) -> CallResult<Map> {
        self.compiled(PillarWish { ext: Some(external), over, ..PillarWish::default() })
    }

    fn files(&self) -> Arc<dyn Files> {
        let way = || ToMaster { attached: self.attached.clone(), cancel: self.cancel.clone() };
        self.files.get_or_init(|| self.attached.minion.trees.through(way)).clone()
    }

    fn master_client(&self, client: MasterClient, order: Map) -> CallResult {
        crate::local_master::ask(&self.attached.opts, &self.cancel, client, order)
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> CallResult<Box<dyn Events>> {
        crate::local_bus::watch(&self.attached.opts, node, sock_dir)
    }

    fn running(&self) -> Vec<Map> {
        self.attached.minion.table.list()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.attached.minion.table.signal(jid, signal)
    }

    fn schedule(&self, request: Map) -> CallResult<Option<Map>> {
        Ok(schedule::manage(&self.attached.minion, &request))
    }

    fn beacons(&self, request: Map) -> CallResult<Option<Map>> {
        Ok(beacons::manage(&self.attached.minion, &request))
    }

    /// The new key is shown at the next sign-in; until then the old session serves, so that the job that asked for this
    /// can return.
    fn rekey(&self) -> CallResult<()> {
        self.attached.minion.pki.renew().map_err(|e| CallError::execution(e.to_string()))
    }

    fn master(&self) -> Option<String> {
        self.attached.is_connected().then(|| self.attached.link.name().to_owned())
    }
}

/// The way of one job to its master's file server.
struct ToMaster {
    attached: Arc<Attached>,
    cancel: Cancel,
}

impl Channel for ToMaster {
    fn ask(&self, load: Map) -> CallResult {
        let (link, opts) = (self.attached.link.clone(), &self.attached.opts);
        let timeout = seconds(opts, "request_channel_timeout", 60.0);
        let tries = tries(opts, "request_channel_tries", 3);
        self.attached
            .minion
            .wait(&self.cancel, async move { link.request(&load, timeout, tries).await })?
            .map_err(|e| CallError::Client(e.to_string()))
    }

    fn begin(&self, load: Map) -> Option<Coming> {
        let (link, opts) = (self.attached.link.clone(), &self.attached.opts);
        let timeout = seconds(opts, "request_channel_timeout", 60.0);
        let tries = tries(opts, "request_channel_tries", 3);
        let (tell, mut told) = oneshot::channel();
        // Nobody may want it any more when it comes.
        self.attached.minion.handle.spawn(async move {
            let answer = link.request(&load, timeout, tries).await;
            drop(tell.send((Instant::now(), answer)));
        });
        let (minion, cancel) = (self.attached.minion.clone(), self.cancel.clone());
        Some(Box::new(move || {
            let told = match told.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => minion.wait(&cancel, told).map(Result::ok),
                told => Ok(told.ok()),
            };
            match told {
                Ok(Some((came, answer))) => (came, answer.map_err(|e| CallError::Client(e.to_string()))),
                Ok(None) => (Instant::now(), Err(CallError::Client("the minion is ending".into()))),
                Err(e) => (Instant::now(), Err(e)),
            }
        }))
    }
}

/// The load of an event with one tag.
pub fn event(tag: &str, data: impl Into<Value>) -> Map {
    map! {"pretag" => Value::Nil, "data" => data, "tag" => tag}
}
