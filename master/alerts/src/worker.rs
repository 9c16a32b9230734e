//! The thread that looks at events for alerts, and the way to it: bounded, and nobody waits to put something in.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use brine_store::fs::Dir;
use parking_lot::{Condvar, Mutex};

use crate::builtin::{Book, tags};
use crate::config::Config;
use crate::core::{Core, Numbers, tags as own_tags};
use crate::event::Event;
use crate::glob::Glob;
use crate::silence::{SilenceChange, Silences};
use crate::{Around, Deliver};

/// Bytes of events that may wait.
const MOST_BYTES: usize = 64 << 20;
/// What an event costs beside its bytes.
const OVERHEAD: usize = 128;
/// Events that are looked at before what they change is written down.
const BATCH: usize = 256;
/// How often what was written is made to outlive a loss of power, while there is anything.
const SYNC: Duration = Duration::from_secs(1);
/// How much lower than others the thread is in the system's favour: jobs come first.
const NICE: i32 = 10;

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<(SystemTime, Vec<u8>)>,
    bytes: usize,
    beside: Beside,
    closed: bool,
}

/// What waits beside events; taken all at once.
#[derive(Debug, Default)]
struct Beside {
    dropped: u64,
    /// Minions whose connections or places changed: each waits once.
    presence: BTreeSet<String>,
    labels: BTreeSet<String>,
    silences: Vec<SilenceChange>,
    sweep: bool,
    asked: Vec<mpsc::Sender<Numbers>>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        let Beside { dropped, presence, labels, silences, sweep, asked } = &self.beside;
        self.events.is_empty()
            && presence.is_empty()
            && labels.is_empty()
            && silences.is_empty()
            && !*sweep
            && asked.is_empty()
            && *dropped == 0
    }
}

#[derive(Debug)]
struct Shared {
    tags: Vec<Glob>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// Where things are put in. Cheap to clone; nothing here waits.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Shared>);

impl Intake {
    /// For what these rules want.
    pub fn new(config: &Config) -> Self {
        let book = Book::new(&config.builtin, []);
        let mut wanted = tags(&book);
        let own = [own_tags::TEST, own_tags::CONFIRM, own_tags::LOOK, "salt/auth", "salt/key"];
        wanted.extend(own.into_iter().map(Glob::new));
        for rule in &config.rules {
            wanted.extend(rule.raise.tags.iter().cloned());
            wanted.extend(rule.resolve.iter().flat_map(|condition| condition.tags.iter().cloned()));
        }
        wanted.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        wanted.dedup();
        Self(Arc::new(Shared { tags: wanted, waiting: Mutex::default(), changed: Condvar::new() }))
    }

    /// An event of the bus, if any rule wants its tag.
    pub fn event(&self, tag: &str, body: &[u8]) {
        if !self.0.tags.iter().any(|glob| glob.fits(tag)) {
            return;
        }
        let mut waiting = self.0.waiting.lock();
        if waiting.closed {
            return;
        }
        let cost = body.len() + OVERHEAD;
        if waiting.bytes + cost > MOST_BYTES {
            waiting.beside.dropped += 1;
            return;
        }
        waiting.bytes += cost;
        waiting.events.push_back((SystemTime::now(), body.to_vec()));
        drop(waiting);
        self.0.changed.notify_one();
    }

    fn put(&self, change: impl FnOnce(&mut Beside)) {
        let mut waiting = self.0.waiting.lock();
        if !waiting.closed {
            change(&mut waiting.beside);
            drop(waiting);
            self.0.changed.notify_one();
        }
    }

    /// A minion's connection came or went.
    pub fn presence(&self, minion: &str) {
        self.put(|beside| {
            beside.presence.insert(minion.to_owned());
        });
    }

    /// What is kept of a minion has changed.
    pub fn labels(&self, minion: &str) {
        self.put(|beside| {
            beside.labels.insert(minion.to_owned());
        });
    }

    /// Connections changed, and it cannot be told whose.
    pub fn sweep(&self) {
        self.put(|beside| beside.sweep = true);
    }

    /// A silence was set or ended.
    pub fn silence(&self, change: &SilenceChange) {
        self.put(|beside| beside.silences.push(change.clone()));
    }

    /// How many alerts there are, by name and state; `None` if nobody says so in time.
    pub fn numbers(&self, within: Duration) -> Option<Numbers> {
        let (tell, told) = mpsc::channel();
        self.put(|beside| beside.asked.push(tell));
        told.recv_timeout(within).ok()
    }

    /// Takes nothing more; the thread ends when it has looked at what waits.
    pub fn close(&self) {
        self.0.waiting.lock().closed = true;
        self.0.changed.notify_one();
    }

    /// What waits, when something does or until the given time; `None` when nothing will come any more.
    fn take(&self, until: Option<Instant>) -> Option<Batch> {
        let mut waiting = self.0.waiting.lock();
        while waiting.is_empty() && !waiting.closed {
            match until {
                Some(until) if Instant::now() >= until => break,
                Some(until) => drop(self.0.changed.wait_until(&mut waiting, until)),
                None => self.0.changed.wait(&mut waiting),
            }
        }
        if waiting.is_empty() && waiting.closed {
            return None;
        }
        let count = waiting.events.len().min(BATCH);
        let events: Vec<(SystemTime, Vec<u8>)> = waiting.events.drain(..count).collect();
        waiting.bytes -= events.iter().map(|(_, body)| body.len() + OVERHEAD).sum::<usize>();
        if waiting.events.is_empty() {
            // A burst's memory is not kept.
            waiting.events.shrink_to(BATCH);
        }
        Some(Batch { events, beside: std::mem::take(&mut waiting.beside) })
    }
}

#[derive(Debug)]
struct Batch {
    events: Vec<(SystemTime, Vec<u8>)>,
    beside: Beside,
}

/// The thread.
#[derive(Debug)]
pub struct Worker {
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts it, with what `dir` keeps.
    ///
    /// # Errors
    /// When the journal in `dir` cannot be used, or there is no thread.
    pub fn start(
        config: Config,
        dir: Dir,
        intake: Intake,
        silences: Silences,
        around: Arc<dyn Around>,
        deliver: Arc<dyn Deliver>,
    ) -> io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let run = move || {
            // Expressions are of one thread, so it all is made here.
            match Core::new(&config, &dir, silences, around, deliver, SystemTime::now()) {
                Ok(core) => {
                    let _ = tell.send(Ok(()));
                    be_nice();
                    run(core, &intake);
                }
                Err(e) => drop(tell.send(Err(e))),
            }
        };
        let thread = std::thread::Builder::new().name("alerts".into()).spawn(run)?;
        match told.recv() {
            Ok(Ok(())) => Ok(Self { thread }),
            Ok(Err(e)) => Err(e),
            Err(_) => Err(io::Error::other("the thread of alerts has ended")),
        }
    }

    /// Waits for its end, after [`Intake::close`].
    pub fn join(self) {
        // A thread that panicked has said so.
        let _ = self.thread.join();
    }
}

fn be_nice() {
    let thread = rustix::thread::gettid();
    if let Err(e) = rustix::process::setpriority_process(Some(thread), NICE) {
        tracing::debug!("alerts are looked at with the priority of jobs: {e}");
    }
}

fn run(mut core: Core, intake: &Intake) {
    let mut unsynced: Option<Instant> = None;
    loop {
        let due = core.next_due().map(|at| {
            let wait = at.duration_since(SystemTime::now()).unwrap_or_default();
            // The clock may be set meanwhile: it is looked at again.
            Instant::now() + wait.min(Duration::from_secs(60))
        });
        let until = [due, unsynced.map(|at| at + SYNC)].into_iter().flatten().min();
        let Some(Batch { events, beside }) = intake.take(until) else { break };
        let now = SystemTime::now();
        if beside.dropped > 0 {
            tracing::error!("{} events came too fast to be looked at for alerts", beside.dropped);
            core.dropped(beside.dropped, now);
        }
        core.silence(&beside.silences, now);
        for (at, body) in &events {
            if let Some(event) = Event::of(body, *at) {
                core.event(&event);
            }
        }
        for minion in &beside.labels {
            core.labels_changed(minion, now);
        }
        for minion in &beside.presence {
            core.presence(minion, now);
        }
        if beside.sweep {
            core.sweep_soon(now);
        }
        core.tick(now);
        core.flush();
        if !beside.asked.is_empty() {
            let numbers = core.numbers();
            // Who asked may have gone.
            beside.asked.iter().for_each(|tell| drop(tell.send(numbers.clone())));
        }
        match unsynced {
            Some(at) if at.elapsed() >= SYNC => {
                core.sync();
                unsynced = None;
            }
            None if !events.is_empty() || due.is_some_and(|at| at <= Instant::now()) => {
                unsynced = Some(Instant::now());
            }
            _ => {}
        }
    }
    core.sync();
}
