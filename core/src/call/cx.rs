//! What a running call may know and touch: options, grains, pillar, the job it belongs to, the minion around it.

use super::{Args, CallError, Registry, Result};
use crate::state::Step;
use crate::{Opts, host::Host};
use brine_protocol::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How deep calls may call each other before it is a loop.
const MAX_DEPTH: u16 = 64;

/// The context of one call. Cheap to clone; `call` hands a clone one level deeper.
#[derive(Clone)]
pub struct Cx {
    /// The minion's options.
    pub opts: Arc<Opts>,
    /// Grains as of the start of the job.
    pub grains: Arc<Map>,
    /// Pillar as of the start of the job.
    pub pillar: Arc<Map>,
    /// Everything callable.
    pub registry: Arc<Registry>,
    /// The daemon or command around the call.
    pub host: Arc<dyn Host>,
    /// The job.
    pub job: Arc<JobContext>,
    /// Whether nothing may be changed (`test=True`).
    pub test: bool,
    /// Set when the job is to stop.
    pub cancel: Cancel,
    /// In a call of a state function (and of what that calls): the step it is.
    pub step: Option<Arc<Step>>,
    depth: u16,
}

/// What all calls of one job share: the publish load and Python's `__context__`.
#[derive(Default)]
pub struct JobContext {
    /// The publish load: `jid`, `fun`, `arg`, `tgt`, `tgt_type`, `ret`, `user`, ... Empty outside a job.
    pub publish: Map,
    context: Mutex<Map>,
    processes: Arc<Mutex<BTreeSet<i32>>>,
}

impl JobContext {
    /// A job of this publish load.
    pub fn new(publish: Map) -> Self {
        Self { publish, ..Self::default() }
    }

    /// The same job for what runs beside the rest of it: with a copy of `__context__`, as a process of its own has one.
    #[must_use]
    pub fn fork(&self) -> Self {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            publish: self.publish.clone(),
            context: Mutex::new(context),
            processes: self.processes.clone(),
        }
    }

    /// The job's id, or empty text outside a job.
    pub fn jid(&self) -> &str {
        self.publish.get_str("jid").unwrap_or("")
    }

    /// A value of `__context__`.
    pub fn context(&self, key: &str) -> Option<Value> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Sets a value of `__context__`.
    pub fn set_context(&self, key: &str, value: impl Into<Value>) {
        self.context.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }

    /// Removes a value of `__context__`.
    pub fn remove_context(&self, key: &str) -> Option<Value> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// Notes a child process that leads a process group of its own, until the guard is dropped. Drop the guard
    /// before the child is reaped: until then its number cannot belong to anybody else.
    pub fn track_process(self: &Arc<Self>, pid: i32) -> TrackedProcess {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
        TrackedProcess { processes: self.processes.clone(), pid }
    }

    /// Runs `signal` with every process group that the job's calls wait for now; none is reaped meanwhile.
    pub fn for_each_process(&self, mut signal: impl FnMut(i32)) {
        for pid in self.processes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            signal(*pid);
        }
    }
}

/// A child process that a job waits for, see [`JobContext::track_process`].
pub struct TrackedProcess {
    processes: Arc<Mutex<BTreeSet<i32>>>,
    pid: i32,
}

impl Drop for TrackedProcess {
    fn drop(&mut self) {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.pid);
    }
}

/// A flag that ends a job: checked at every call, and by everything that waits.
#[derive(Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    flag: AtomicBool,
    /// Why, in words.
    why: OnceLock<String>,
    hooks: Mutex<Hooks>,
    raised: Condvar,
}

#[derive(Default)]
struct Hooks {
    next: u64,
    waiting: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl Cancel {
    /// The same as [`Self::cancel`], and says why: `it was killed by signal 9`. The first reason is the one that is told.
    pub fn cancel_because(&self, why: impl Into<String>) {
        let _ = self.0.why.set(why.into());
        self.cancel();
    }

    /// Raises the flag and says why, and wakes nobody: for whoever first ends what the job waits for, and is not to be taken for an
    /// accident. [`Self::cancel_because`] has to follow.
    pub fn mark(&self, why: impl Into<String>) {
        let _ = self.0.why.set(why.into());
        self.0.flag.store(true, Ordering::Relaxed);
    }

    /// What is said of a job that was asked to stop.
    pub fn words(&self) -> String {
        match self.0.why.get() {
            Some(why) => format!("The job did not run to its end: {why}"),
            None => "The job did not run to its end: it was killed".to_owned(),
        }
    }

    /// Asks the job to stop, and wakes everything that waits.
    pub fn cancel(&self) {
        let hooks = {
            let mut hooks = self.lock();
            self.0.flag.store(true, Ordering::Relaxed);
            std::mem::take(&mut hooks.waiting)
        };
        self.0.raised.notify_all();
        for hook in hooks.into_values() {
            hook();
        }
    }

    /// Whether the job was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.flag.load(Ordering::Relaxed)
    }

    /// An error if the job was asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(CallError::Cancelled) } else { Ok(()) }
    }

    /// Waits this long, or fails as soon as the job is asked to stop.
    pub fn sleep(&self, length: Duration) -> Result<()> {
        let end = Instant::now().checked_add(length);
        let mut hooks = self.lock();
        while !self.is_cancelled() {
            hooks = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Ok(()),
                Some(left) => {
                    self.0.raised.wait_timeout(hooks, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.0.raised.wait(hooks).unwrap_or_else(PoisonError::into_inner),
            };
        }
        Err(CallError::Cancelled)
    }

    /// Runs `hook` once when the job is asked to stop (at once if it was already), unless the guard is dropped
    /// before. The hook runs on the thread that cancels and must not wait.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) -> CancelHook {
        let mut hooks = self.lock();
        let id = hooks.next;
        hooks.next += 1;
        if self.is_cancelled() {
            drop(hooks);
            hook();
        } else {
            hooks.waiting.insert(id, Box::new(hook));
        }
        CancelHook { cancel: self.clone(), id }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hooks> {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a hook of [`Cancel::on_cancel`] in place.
pub struct CancelHook {
    cancel: Cancel,
    id: u64,
}

impl Drop for CancelHook {
    fn drop(&mut self) {
        self.cancel.lock().waiting.remove(&self.id);
    }
}

impl Cx {
    /// A context outside any job.
    pub fn new(opts: Arc<Opts>, registry: Arc<Registry>, host: Arc<dyn Host>) -> Self {
        Self {
            opts,
            grains: Arc::default(),
            pillar: Arc::default(),
            registry,
            host,
            job: Arc::default(),
            test: false,
            cancel: Cancel::default(),
            step: None,
            depth: 0,
        }
    }

    /// Calls another function by name, as `__salt__` does.
    pub fn call(&self, name: &str, args: Args) -> Result {
        self.registry.clone().call(self, name, args)
    }

    /// Calls a state function by name, as `__states__` does: one state made of others.
    pub fn call_state(&self, name: &str, args: Args) -> Result {
        self.registry.clone().call_state(self, name, args)
    }

    /// The environment that the state of this call is of; `base` outside states.
    pub fn saltenv(&self) -> &str {
        self.step.as_ref().map_or("base", |step| step.saltenv())
    }

    /// Sets the return code of the job (`__context__["retcode"]`).
    pub fn set_retcode(&self, code: i64) {
        self.job.set_context("retcode", code);
    }

    pub(super) fn deeper(&self) -> Result<Self> {
        if self.depth >= MAX_DEPTH {
            return Err(CallError::exception("RecursionError", "maximum recursion depth exceeded"));
        }
        Ok(Self { depth: self.depth + 1, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_wakes_a_sleeper_and_runs_hooks_once() {
        let cancel = Cancel::default();
        let (send, receive) = std::sync::mpsc::channel();
        let hook = cancel.on_cancel({
            let send = send.clone();
            move || send.send(1).unwrap()
        });
        drop(cancel.on_cancel({
            let send = send.clone();
            move || send.send(2).unwrap()
        }));
        let sleeper = std::thread::spawn({
            let cancel = cancel.clone();
            move || cancel.sleep(Duration::from_secs(60))
        });
        cancel.cancel();
        assert!(sleeper.join().unwrap().is_err());
        drop(cancel.on_cancel(move || send.send(3).unwrap()));
        drop(hook);
        assert_eq!(receive.iter().collect::<Vec<i32>>(), [1, 3]);
        assert!(Cancel::default().sleep(Duration::from_millis(1)).is_ok());
    }

    #[test]
    fn a_job_knows_the_processes_it_waits_for() {
        let job = Arc::new(JobContext::default());
        let tracked = job.track_process(7);
        let mut seen = Vec::new();
        job.for_each_process(|pid| seen.push(pid));
        drop(tracked);
        job.for_each_process(|pid| seen.push(pid));
        assert_eq!(seen, [7]);
    }
}
