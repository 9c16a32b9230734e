//! What a running call may know and touch: options, grains, pillar, the job it belongs to, the minion around it.

use super::{Args, CallError, Registry, Result};
use crate::{Opts, host::Host};
use brine_protocol::{Map, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    depth: u16,
}

/// What all calls of one job share: the publish load and Python's `__context__`.
#[derive(Default)]
pub struct JobContext {
    /// The publish load: `jid`, `fun`, `arg`, `tgt`, `tgt_type`, `ret`, `user`, ... Empty outside a job.
    pub publish: Map,
    context: Mutex<Map>,
}

impl JobContext {
    /// A job of this publish load.
    pub fn new(publish: Map) -> Self {
        Self { publish, context: Mutex::default() }
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
}

/// A flag that ends a job: checked at every call, and by everything that waits.
#[derive(Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the job to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the job was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error if the job was asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(CallError::Cancelled) } else { Ok(()) }
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
            depth: 0,
        }
    }

    /// Calls another function by name, as `__salt__` does.
    pub fn call(&self, name: &str, args: Args) -> Result {
        self.registry.clone().call(self, name, args)
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
