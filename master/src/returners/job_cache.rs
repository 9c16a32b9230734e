//! Job caches beside the master's own store: `master_job_cache` and `ext_job_cache`.
//!
//! Every job and return is in the store first; from there it is given to the returner on a thread that nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Opts};
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_returners::{Returner, find, reason};
use tokio::sync::oneshot;

use super::queue::{Next, Queue};

/// How long the answer to a publish waits for a cache to have the job. Stock's clients look there as soon as they have the
/// answer, and take a job that is not there for none at all.
const PATIENCE: Duration = Duration::from_secs(1);

/// Hears when a job is kept.
#[derive(Debug)]
pub(super) struct Saved {
    receiver: oneshot::Receiver<()>,
    quick: Arc<AtomicBool>,
}

impl Saved {
    /// Waits for it; whoever waited in vain is the last to do so, until a job is kept again.
    pub(super) async fn wait(self) {
        if tokio::time::timeout(PATIENCE, self.receiver).await.is_err() {
            self.quick.store(false, Ordering::Relaxed);
        }
    }
}

/// One thing that a job cache is told. Maps wait encoded, so that what they take up is known.
#[derive(Debug)]
enum Item {
    Job { jid: String, load: Vec<u8>, minions: Vec<String>, nocache: bool, saved: oneshot::Sender<()> },
    Return { load: Vec<u8> },
    Clean,
}

/// The way to the job caches.
#[derive(Clone, Debug)]
pub struct JobCaches {
    queue: Arc<Queue<Item>>,
    /// Whether the master gives returns to `master_job_cache`: not without `job_cache`, and not where minions give
    /// theirs to `ext_job_cache`.
    returns: bool,
    /// Whether the last job was kept, and soon.
    quick: Arc<AtomicBool>,
}

/// The caches by option, read once.
struct Caches {
    cx: Cx,
    /// `master_job_cache`, where it is another than the master's own.
    main: Option<String>,
    /// `ext_job_cache`
    external: Option<String>,
    quick: Arc<AtomicBool>,
}

impl JobCaches {
    /// The way, and the thread that serves it; none where the master's own store is all there is.
    pub(super) fn start(
        opts: &Opts,
        cx: &Cx,
    ) -> std::io::Result<Option<(Self, std::thread::JoinHandle<()>)>> {
        let set = |key: &str, own: &str| {
            Some(opts.str(key).to_owned()).filter(|name| !name.is_empty() && name != own)
        };
        let quick = Arc::new(AtomicBool::new(true));
        let caches = Caches {
            cx: cx.clone(),
            main: set("master_job_cache", "local_cache"),
            external: set("ext_job_cache", ""),
            quick: quick.clone(),
        };
        if caches.main.is_none() && caches.external.is_none() {
            return Ok(None);
        }
        caches.check();
        let returns = caches.main.is_some() && caches.external.is_none() && opts.flag("job_cache");
        let queue = Arc::new(Queue::new("jobs and returns"));
        let reader = queue.clone();
        let thread = std::thread::Builder::new().name("job_cache".into()).spawn(move || {
            while let Next::Item(item) = reader.next(None) {
                caches.take(item);
            }
        })?;
        Ok(Some((Self { queue, returns, quick }, thread)))
    }

    /// Tells of a job that is published, or that became known by its return. The receiver hears when it is kept; there is
    /// none where the last one was not, or not soon: nobody is to wait then.
    pub(super) fn job(&self, jid: &str, load: &Map, minions: &[String], nocache: bool) -> Option<Saved> {
        let load = encode_map(load, Dialect::New);
        let bytes = load.len() + minions.iter().map(|id| id.len() + size_of::<String>()).sum::<usize>();
        let (saved, receiver) = oneshot::channel();
        let minions = minions.to_vec();
        self.queue.put(Item::Job { jid: jid.to_owned(), load, minions, nocache, saved }, bytes);
        let quick = self.quick.clone();
        self.quick.load(Ordering::Relaxed).then_some(Saved { receiver, quick })
    }

    /// Tells of a return that was stored.
    pub(super) fn returned(&self, load: &Map) {
        if self.returns {
            let load = encode_map(load, Dialect::New);
            let bytes = load.len();
            self.queue.put(Item::Return { load }, bytes);
        }
    }

    /// Asks the caches to remove what is old.
    pub(super) fn clean(&self) {
        self.queue.put(Item::Clean, 0);
    }

    /// Ends the thread once it has written what waits.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

impl Caches {
    /// Says at the start what will not work.
    fn check(&self) {
        for (option, name) in [("master_job_cache", &self.main), ("ext_job_cache", &self.external)] {
            let Some(name) = name else { continue };
            let found = find(&self.cx.opts, name, "save_load").and_then(|r| r.has(r.save_load, "save_load"));
            if let Err(e) = found {
                let why = reason(&e);
                tracing::error!(
                    critical = true,
                    "{option}: jobs are kept in the master's own store only: {why}"
                );
            }
        }
    }

    fn take(&self, item: Item) {
        match item {
            Item::Job { jid, load, minions, nocache, saved } => {
                let begin = Instant::now();
                let load = map_of(&load);
                let save =
                    |r: &Returner| r.has(r.save_load, "save_load")?(&self.cx, &jid, &load, Some(&minions));
                let external = self.with(self.external.as_deref(), "save_load", save);
                let main = self.with(self.main.as_deref(), "save_load", |r| {
                    if let Some(prep_jid) = r.prep_jid {
                        prep_jid(&self.cx, nocache, Some(&jid))?;
                    }
                    save(r)
                });
                self.quick.store(external && main && begin.elapsed() < PATIENCE, Ordering::Relaxed);
                // Most wait for nothing.
                let _ = saved.send(());
            }
            Item::Return { load } => {
                let load = map_of(&load);
                let give = |r: &Returner| r.has(r.returner, "returner")?(&self.cx, &load);
                let _logged = self.with(self.main.as_deref(), "returner", give);
            }
            Item::Clean => {
                let clean = |r: &Returner| r.clean_old_jobs.map_or(Ok(()), |clean| clean(&self.cx));
                let _logged = self.with(self.main.as_deref(), "clean_old_jobs", clean);
            }
        }
    }

    /// Calls a returner; whether that worked. What fails is logged in stock's words, and why.
    fn with(&self, name: Option<&str>, function: &str, call: impl Fn(&Returner) -> Result<()>) -> bool {
        let Some(name) = name else { return true };
        let called = || find(&self.cx.opts, name, function).and_then(&call);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(called))
            .unwrap_or_else(|_| Err(CallError::exception("RuntimeError", "the returner panicked")));
        if let Err(e) = &done {
            tracing::error!(critical = true, "The specified '{name}' returner threw a stack trace: {e}");
        }
        done.is_ok()
    }
}

fn map_of(bytes: &[u8]) -> Map {
    decode(bytes).ok().and_then(|value| value.as_map().cloned()).unwrap_or_default()
}
