//! What a runner may ask of the master it works for, and the waiting for the returns of a job.
//!
//! Implemented twice: in the master's own process, and over its two sockets by `salt-run`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_core::call::{CallError, Cx, Result};
use brine_core::gather::{Gather, Heard, Next, Watch};
use brine_core::{Map, Value, map};
use brine_files::FileServer;
use brine_protocol::ids::MinionId;
use brine_store::KeyState;

/// A master, as its runners see it.
pub trait Side: Send + Sync {
    /// A connection for one job or for watching the bus: events from now on are not missed.
    fn link(&self) -> Result<Box<dyn Link>>;

    /// Has a job done as `saltutil.cmd` orders it : the part of each minion.
    fn job(&self, order: &Map) -> Result<Map>;

    /// Fires an event on the master's bus.
    fn fire(&self, tag: &str, data: Map) -> Result<()>;

    /// The minions that have a live connection now: id to the address it comes from.
    fn connected(&self) -> Result<Map>;

    /// A key was taken out of a state: whatever the master remembers of the minion under it ends.
    fn key_gone(&self, state: KeyState, id: &MinionId);

    /// Somebody lost his key and still knows the global one: it changes, where `rotate_aes_key` says so.
    fn rotate(&self);

    /// Has the master make a token of this login (`eauth`, `username`, `password`, perhaps `token_expire`): what it keeps of
    /// it, or empty text.
    fn make_token(&self, load: Map) -> Result<Value>;

    /// Gives the return of a run to the job cache beside the master's store. Who has no queue for that does it now.
    fn keep_elsewhere(&self, cx: &Cx, load: Map) {
        crate::job_cache::keep(cx, &load);
    }

    /// The file server of the master, in its own process; none elsewhere.
    fn files(&self) -> Option<Arc<FileServer>> {
        None
    }

    /// A line for the person who waits for the function. In the master's own process there is nobody to read it.
    fn print(&self, line: &str) {
        let _ = line;
    }

    /// An event of the run's progress, which has been fired already, for the person who waits.
    fn progress(&self, event: &Map) {
        let _ = event;
    }

    /// Whether the run is in a process of the person who asked for it: only then may he name paths, since only then
    /// they are reached with his own rights.
    fn is_callers_process(&self) -> bool {
        false
    }

    /// The bus of a `master` or `minion` on this machine, below `sock_dir` instead of the configured one.
    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Link>> {
        if node == "master" && sock_dir.is_none() {
            return self.link();
        }
        Err(CallError::execution("Only the bus of the master itself can be watched from here"))
    }
}

/// One conversation with the master.
pub trait Link {
    /// Publishes a job. None: no minion matches, and nothing was sent.
    fn publish(&mut self, load: Map) -> Result<Option<Published>>;

    /// The next event, or None at `until`.
    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>>;
}

/// What the master has made of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The job's id.
    pub jid: String,
    /// The minions that are expected to return.
    pub minions: Vec<String>,
    /// Of the expected minions: those without a connection now. Only our master says so.
    pub not_connected: Vec<String>,
}

/// A job for minions.
#[derive(Clone, Debug)]
pub struct Order {
    /// The target expression.
    pub tgt: Value,
    /// Salt's name of its type.
    pub tgt_type: String,
    /// The function, or several.
    pub fun: Value,
    /// The arguments; keyword arguments as a map with `__kwarg__`.
    pub arg: Vec<Value>,
    /// Returners.
    pub ret: String,
    /// The job's id; empty for one that the master makes.
    pub jid: String,
    /// How long to wait before asking who still works.
    pub timeout: Duration,
    /// How long minions have to say so.
    pub gather_timeout: Duration,
    /// What goes along with the job.
    pub kwargs: Map,
}

impl Order {
    /// A job with this master's usual timeouts.
    pub fn new(opts: &brine_core::Opts, tgt: impl Into<Value>, tgt_type: &str, fun: &str) -> Self {
        let seconds = |key: &str, default: f64| {
            Duration::try_from_secs_f64(opts.float(key).unwrap_or(default)).unwrap_or_default()
        };
        Self {
            tgt: tgt.into(),
            tgt_type: tgt_type.to_owned(),
            fun: fun.into(),
            arg: Vec::new(),
            ret: String::new(),
            jid: String::new(),
            timeout: seconds("timeout", 5.0),
            gather_timeout: seconds("gather_job_timeout", 10.0),
            kwargs: Map::new(),
        }
    }

    /// With these arguments.
    #[must_use]
    pub fn with_args(mut self, arg: Vec<Value>) -> Self {
        self.arg = arg;
        self
    }

    /// The load of the publish.
    pub fn load(&self) -> Map {
        map! {
            "fun" => self.fun.clone(), "arg" => self.arg.clone(), "tgt" => self.tgt.clone(),
            "tgt_type" => self.tgt_type.as_str(), "ret" => self.ret.as_str(), "jid" => self.jid.as_str(),
            "kwargs" => self.kwargs.clone(),
        }
    }
}

/// One minion's return, as its event holds it: `return`, `retcode`, `success` and more.
pub type Answer = Map;

/// How a job ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The job's id; empty where nobody matched and nothing was sent.
    pub jid: String,
    /// All who were expected to return.
    pub minions: Vec<String>,
    /// Who did not.
    pub silent: Vec<String>,
}

/// Publishes a job and hands each return over as it comes, until everybody has returned or is given up.
///
/// # Errors
/// When the master cannot be asked, refuses, or goes away meanwhile; and what `each` fails with.
pub fn collect(
    side: &dyn Side,
    order: &Order,
    each: &mut dyn FnMut(&str, Answer) -> Result<()>,
) -> Result<Ended> {
    let mut link = side.link()?;
    let Some(job) = link.publish(order.load())? else { return Ok(Ended::default()) };
    let now = Instant::now();
    let gather = Gather::new(job.minions.iter().cloned(), order.timeout, order.gather_timeout, now);
    let mut watch = Watch::new(&job.jid, gather);
    watch.not_connected(&job.not_connected, now);
    let mut minions: BTreeSet<String> = job.minions.iter().cloned().collect();
    loop {
        let until = match watch.next(Instant::now()) {
            Next::Done => break,
            Next::Ask(ids) => {
                let asked = link.publish(watch.question(ids))?;
                watch.asked(asked.as_ref().map(|p| p.jid.as_str()));
                continue;
            }
            Next::Wait(until) => until,
        };
        let Some((tag, data)) = link.next(until)? else { continue };
        if let Heard::Return(id) = watch.event(&tag, &data, Instant::now()) {
            each(&id, data)?;
            minions.insert(id);
        }
    }
    Ok(Ended { jid: job.jid, minions: minions.into_iter().collect(), silent: watch.missing() })
}
