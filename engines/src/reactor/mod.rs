//! The reactor: SLS files that are rendered when an event comes, and say what is to be called because of it.
//!
//! An event that something reacts to is on disk ([`journal`]) before its sender goes on, and until all it causes is under way, so
//! that a daemon which is killed does it after its next start: at least once. Events of one minion follow each other
//! ([`lanes`]), those of different minions are seen to at once.
//!
//! Calls of execution functions on minions are sent where the event is seen to; runners and wheel functions wait for one of
//! `reactor_worker_threads`, `reactor_worker_hwm` of them; where more would have to wait, the lane does.

pub mod call;
pub mod journal;
pub mod lanes;
pub mod rules;
#[cfg(test)]
mod tests;
mod work;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use brine_core::call::{Args, Cx, Registry};
use brine_core::{Map, Opts, Value, map};
use brine_protocol::message::events::Event;
use brine_protocol::message::tags::MANAGE_REACTORS as MANAGE;
use brine_store::fs::Dir;
use parking_lot::{Mutex, RwLock};

use call::Kind;
use journal::{Bounds, Journal, Lost};
use rules::Rules;
use work::Works;

/// The user of runs that are reactions. Nothing reacts to their events.
pub const USER: &str = "Reactor";
/// How often reactions to one event may begin.
const ATTEMPTS: u32 = 3;
/// How often the log says that events are lost.
const COMPLAIN: Duration = Duration::from_secs(60);

/// What the options say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `reactor_worker_threads`: how many runners and wheel functions run at once.
    pub threads: usize,
    /// `reactor_worker_hwm`: how many may wait for one of them; 0 is any number.
    pub waiting: usize,
    /// `reactor_refresh_interval`: how long the grains are kept that files are rendered with.
    pub refresh: Duration,
}

impl Settings {
    /// Of the options, and of what the engine `reactor` says itself.
    pub fn of(opts: &Opts, engine: &Map) -> Self {
        let number = |own: &str, option: &str| {
            let own = engine.get(own).filter(|own| !own.is_nil()).and_then(Value::as_int);
            own.or_else(|| opts.int(option)).and_then(|n| usize::try_from(n).ok())
        };
        let refresh = number("refresh_interval", "reactor_refresh_interval").unwrap_or(60);
        Self {
            threads: number("worker_threads", "reactor_worker_threads").unwrap_or(10).max(1),
            waiting: number("worker_hwm", "reactor_worker_hwm").unwrap_or(10_000),
            refresh: Duration::from_secs(refresh as u64),
        }
    }
}

/// The daemon that a reactor works for.
pub trait Site: Send + Sync {
    /// The surroundings of a minion's calls where the daemon runs, with its grains: what files are rendered in, and `caller`
    /// functions called. It is kept for `reactor_refresh_interval`.
    fn surroundings(&self) -> Result<Cx, String>;

    /// The functions of the master of a kind; none on a minion.
    fn functions(&self, kind: Kind) -> Option<Arc<Registry>>;

    /// Starts a job for minions; what comes back is said in the log only.
    ///
    /// # Errors
    /// Why there is none.
    fn local(&self, load: Map) -> Result<(), String>;

    /// Runs a function of the master to its end, as [`USER`]. `begun` is called once it is on its way.
    fn master(&self, kind: Kind, fun: &str, args: Args, begun: &mut dyn FnMut());

    /// Whether this is the key of somebody who may manage the reactor.
    fn may_manage(&self, key: &str) -> bool;

    /// Fires an event on the daemon's bus.
    fn fire(&self, tag: &str, data: Map);
}

/// A reactor. To be closed before it goes, and not used from within what it calls.
pub struct Reactor {
    settings: Settings,
    id: String,
    rules: RwLock<Rules>,
    leads: AtomicBool,
    journal: Journal,
    works: Works,
    site: OnceLock<Arc<dyn Site>>,
    surroundings: Mutex<Option<(Instant, Cx)>>,
    lost: Mutex<(u64, Option<Instant>)>,
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reactor").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Reactor {
    /// A reactor by the options, with its journal in `dir`. It takes events in at once, and sees to them from [`Reactor::start`] on.
    ///
    /// # Errors
    /// When the journal cannot be read or written: a reactor that would forget must not start.
    pub fn open(opts: &Opts, engine: &Map, dir: Dir) -> std::io::Result<Arc<Self>> {
        let settings = Settings::of(opts, engine);
        let (journal, found) = Journal::open(dir, Bounds::default())?;
        let reactor = Arc::new(Self {
            works: Works::new(&settings),
            settings,
            id: opts.str("id").to_owned(),
            rules: RwLock::new(Rules::of(opts.get("reactor"))),
            leads: AtomicBool::new(true),
            journal,
            site: OnceLock::new(),
            surroundings: Mutex::new(None),
            lost: Mutex::new((0, None)),
        });
        if !found.is_empty() {
            tracing::info!("{} events whose reactions had not begun are seen to now", found.len());
        }
        for event in found {
            if event.begun >= ATTEMPTS {
                tracing::error!(
                    "The reactions to an event began {ATTEMPTS} times and were not under way; it is given up"
                );
                reactor.journal.done(event.place);
                continue;
            }
            let lane = reactor.journal.read(event.place).ok().and_then(|body| Event::from_body(&body).ok());
            reactor
                .works
                .put(&lane.map(|event| lane_of(&event.data).to_owned()).unwrap_or_default(), event.place);
        }
        Ok(reactor)
    }

    /// Sees to events from now on.
    pub fn start(self: &Arc<Self>, site: Arc<dyn Site>) {
        if self.site.set(site).is_ok() {
            self.wake();
        }
    }

    /// Takes an event in, if something reacts to it. Waits for nothing but that the system takes its bytes.
    pub fn put(self: &Arc<Self>, tag: &str, body: &[u8]) {
        if tag.contains(MANAGE) || !self.leads.load(Ordering::Acquire) || !self.rules.read().any(tag) {
            return;
        }
        let Ok(event) = Event::from_body(body) else { return };
        if event.data.get_str("user") == Some(USER) {
            return;
        }
        match self.journal.keep(body) {
            Ok(place) => self.works.put(lane_of(&event.data), place),
            Err(e) => self.lose(tag, &e),
        }
        self.wake();
    }

    /// How many events wait for their reactions.
    pub fn waiting(&self) -> usize {
        self.journal.waiting()
    }

    fn lose(&self, tag: &str, why: &Lost) {
        let mut lost = self.lost.lock();
        lost.0 += 1;
        if lost.1.is_none_or(|at| at.elapsed() >= COMPLAIN) {
            lost.1 = Some(Instant::now());
            let count = lost.0;
            drop(lost);
            tracing::error!(
                "No reaction to {tag}: it cannot be kept until it is seen to ({why}); so far {count} events were lost so"
            );
        }
    }

    /// Carries out an event that manages the reactor; whoever cannot prove that he may is refused.
    pub fn manage(&self, tag: &str, data: &Map) {
        let Some((_, what)) = tag.rsplit_once(MANAGE) else { return };
        let Some(site) = self.site.get() else { return };
        if !["/is_leader", "/set_leader", "/add", "/delete", "/list"].contains(&what) {
            return;
        }
        if !data.get_str("key").is_some_and(|key| site.may_manage(key)) {
            tracing::error!("received {MANAGE} event without matching master_key. discarding");
            return;
        }
        let mut rules = self.rules.write();
        let (end, answer) = match what {
            "/is_leader" | "/set_leader" => {
                if what == "/set_leader" && data.get_str("id") == Some(&self.id) {
                    self.leads.store(data.get("value").is_some_and(Value::truthy), Ordering::Release);
                }
                ("leader/value", map! {"result" => self.leads.load(Ordering::Acquire)})
            }
            "/add" => {
                let files = data.get("reactors").cloned().unwrap_or_default();
                let result = rules.add(&data.get("event").cloned().unwrap_or_default(), files);
                ("add-complete", map! {"reactors" => rules.all(), "result" => result})
            }
            "/delete" => {
                let result = rules.delete(&data.get("event").cloned().unwrap_or_default());
                ("delete-complete", map! {"reactors" => rules.all(), "result" => result})
            }
            "/list" => ("list-results", map! {"reactors" => rules.all()}),
            _ => return,
        };
        drop(rules);
        site.fire(&format!("{MANAGE}/{end}"), answer);
    }

    /// Begins nothing more, and waits at most so long for what is being begun. What is left stays on disk.
    pub fn close(&self, patience: Duration) {
        self.works.close(patience);
        // They know the daemon, which knows this reactor: whoever is last would wait for ever.
        *self.surroundings.lock() = None;
    }

    /// What calls are rendered in, made anew when it is old.
    fn surroundings(&self) -> Result<Cx, String> {
        let mut kept = self.surroundings.lock();
        if let Some((_, cx)) = kept.as_ref().filter(|(made, _)| made.elapsed() < self.settings.refresh) {
            return Ok(cx.clone());
        }
        let site = self.site.get().ok_or("the reactor has not been started")?;
        let cx = site.surroundings()?;
        *kept = Some((Instant::now(), cx.clone()));
        Ok(cx)
    }
}

/// Whose event it is.
fn lane_of(data: &Map) -> &str {
    data.get_str("id").unwrap_or_default()
}
