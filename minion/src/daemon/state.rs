//! What the tasks of the daemon share.

use super::attached::Attached;
use super::beacons::Watcher;
use super::deliver::Deliverer;
use super::exit::Exit;
use super::schedule::Scheduler;
use crate::identity::pki::Pki;
use crate::jobs::recent::Recent;
use crate::jobs::runner::Runner;
use crate::jobs::table::JobTable;
use crate::local_tree::Trees;
use brine_core::call::{CallError, Cancel};
use brine_core::{Map, Opts, Registry};
use brine_net::ipc::EventBus;
use brine_protocol::ids::MinionId;
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::sync::{Arc, mpsc as sync_mpsc};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

/// The daemon, whatever masters it has.
pub struct Minion {
    /// The options it started with.
    pub opts: Arc<Opts>,
    /// Its id.
    pub id: MinionId,
    /// Its keys.
    pub pki: Arc<Pki>,
    /// Grains as last collected.
    pub grains: RwLock<Arc<Map>>,
    /// The functions in force.
    pub registry: RwLock<Arc<Registry>>,
    /// The state trees, as jobs see them.
    pub(crate) trees: Trees,
    /// Runs jobs.
    pub runner: Runner,
    /// Knows which run.
    pub table: JobTable,
    /// The last job ids, over all masters.
    pub recent: Mutex<Recent>,
    /// The masters that have been given the return of `startup_states`.
    pub startup_jobs: Mutex<HashSet<String>>,
    /// Jobs that run by the clock.
    pub schedule: Scheduler,
    /// What is watched.
    pub beacons: Watcher,
    /// Takes returns.
    pub deliverer: Deliverer,
    /// The runtime, for job threads.
    pub handle: Handle,
    /// The masters in use.
    pub attached: Mutex<Vec<Arc<Attached>>>,
    /// The local event bus, if it could be opened.
    pub bus: Mutex<Option<EventBus>>,
    /// Ends the daemon.
    pub exit: mpsc::UnboundedSender<Exit>,
}

impl Minion {
    /// The grains in force.
    pub fn grains(&self) -> Arc<Map> {
        self.grains.read().clone()
    }

    /// The functions in force.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.read().clone()
    }

    /// The masters in use.
    pub fn attached(&self) -> Vec<Arc<Attached>> {
        self.attached.lock().clone()
    }

    /// Runs a future on the daemon's runtime and waits for it on this thread, which must be a job's. When the job is asked
    /// to stop, the future is dropped.
    pub fn wait<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        future: impl Future<Output = T> + Send + 'static,
    ) -> brine_core::call::Result<T> {
        let (tx, rx) = sync_mpsc::sync_channel(1);
        let stop = Arc::new(Notify::new());
        let hook = cancel.on_cancel({
            let stop = stop.clone();
            move || stop.notify_one()
        });
        self.handle.spawn(async move {
            tokio::select! {
                out = future => drop(tx.send(out)),
                () = stop.notified() => {}
            }
        });
        let out = rx.recv();
        drop(hook);
        out.or_else(|_| {
            cancel.check()?;
            Err(CallError::Client("the minion is ending".into()))
        })
    }

    /// Collects grains anew. Blocks; not for the runtime's own thread.
    pub fn refresh_grains(&self) {
        let grains = Arc::new(brine_modules::grains(&self.opts));
        *self.grains.write() = grains;
    }

    /// Ends the daemon with this code.
    pub fn exit(&self, exit: Exit) {
        // The receiver is gone only when the daemon is ending already.
        let _ = self.exit.send(exit);
    }
}
