//! Where notices go. A sink is a row of [`KINDS`]: adding one is one file in `kinds/`, with a [`Kind`] that says what it reads from
//! the configuration and how it sends.
//!
//! [`Sinks`] finds out which sinks a notice is meant for, puts it into their queues on disk ([`crate::queue`]), and has a thread
//! for each sink that takes it from there: whoever puts waits for no receiver, and no sink waits for another.

mod bell;
mod http;
mod kinds;
mod route;
mod settings;
mod template;
mod text;
mod worker;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use brine_core::Value;

use crate::conf::{ConfError, Keys};
use crate::deliver::{Deliver, Delivery};
use crate::queue::{Item, Queue, QueueError, SinkReport};
use crate::stream::Stream;
use crate::{Notice, SilenceChange, SilenceId};
use bell::Bell;
use route::Routes;
use settings::Settings;

pub use kinds::{KINDS, Silencer};

/// The keys of `alerts:` that are read here.
pub const CONF_KEYS: [&str; 2] = ["sinks", "routes"];

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It has not, and may later: not before the time it asked for, if it did; and why.
    Retry(Option<Duration>, String),
    /// It never will take this; and why.
    Refused(String),
}

/// Whoever sends. Each lives on a thread of its own and may block there, for seconds and not for minutes.
pub trait Sink: Send {
    /// Sends notices, in order. What they are must have arrived when this says so; a process may be killed before that is noted,
    /// and then they come again, with the same ids.
    fn send(&mut self, batch: &[Item]) -> Outcome;

    /// What it does beside: called at the start, when it is rung for, and when the time that it gave last has passed.
    fn upkeep(&mut self) -> Option<Duration> {
        None
    }

    /// Where it takes silences, if its receiver has them.
    fn silencer(&self) -> Option<Arc<Silencer>> {
        None
    }
}

/// A kind of sink.
pub struct Kind {
    /// As `kind:` says it.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub doc: &'static str,
    /// Its own keys, and what they mean; those that all sinks have are beside these.
    pub keys: &'static [(&'static str, &'static str)],
    /// How many notices are told at once, where `batch` does not say.
    pub batch: usize,
    /// How long a notice waits for others of its group; `None` where grouping means nothing.
    pub group_wait: Option<Duration>,
    /// How often it sends at most, where `rate` does not say.
    pub rate: Option<&'static str>,
    /// Makes one of its part of the configuration.
    pub make: Make,
}

/// Makes a sink.
pub type Make = fn(&mut Keys<'_>, &Around) -> Result<Box<dyn Sink>, ConfError>;

/// What a sink has around it.
pub struct Around {
    /// Its name.
    pub name: String,
    /// Where it may keep texts over restarts.
    pub queue: Arc<Queue>,
    /// Who reads along.
    pub stream: Arc<Stream>,
    bell: Arc<Bell>,
}

impl Around {
    /// Something that calls for its upkeep.
    fn ring(&self) -> impl Fn() + Send + Sync + 'static {
        let bell = Arc::clone(&self.bell);
        move || bell.ring()
    }
}

/// Why there are no sinks.
#[derive(Debug, thiserror::Error)]
pub enum SinksError {
    /// The configuration is wrong.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// There is no thread for a sink.
    #[error("no thread for a sink: {0}")]
    Thread(std::io::Error),
}

struct Room {
    name: String,
    settings: Settings,
    bell: Arc<Bell>,
    silencer: Option<Arc<Silencer>>,
}

/// All sinks. Cheap to clone.
#[derive(Clone)]
pub struct Sinks {
    queue: Arc<Queue>,
    rooms: Arc<[Room]>,
    routes: Arc<Routes>,
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rooms.iter().map(|room| &room.name)).finish()
    }
}

/// The threads of the sinks.
#[derive(Debug, Default)]
pub struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    /// Waits for them; they end after [`Sinks::close`], when what they are sending has its answer.
    pub fn join(self) {
        for thread in self.0 {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Sinks {
    /// Makes the sinks of `alerts:` and starts them; their queues are in `dir`, which is made if it is missing.
    ///
    /// # Errors
    /// What is wrong with the configuration, by key, or with the queue.
    pub fn start(conf: &Value, dir: &Path, stream: &Arc<Stream>) -> Result<(Self, Threads), SinksError> {
        let queue = Arc::new(Queue::open(dir)?);
        let mut keys = Keys::of(conf, "alerts")?;
        let nothing = Value::Nil;
        let mut sinks = Keys::of(keys.value("sinks").unwrap_or(&nothing), "alerts:sinks")?;
        let (mut rooms, mut made) = (Vec::new(), Vec::new());
        for (name, value) in sinks.all()? {
            let mut keys = Keys::of(value, &format!("alerts:sinks:{name}"))?;
            let settings = Settings::read(&mut keys, name)?;
            let bell = Arc::new(Bell::default());
            let around = Around {
                name: name.to_owned(),
                queue: Arc::clone(&queue),
                stream: Arc::clone(stream),
                bell: Arc::clone(&bell),
            };
            let sink = (settings.kind.make)(&mut keys, &around)?;
            keys.end()?;
            rooms.push(Room { name: name.to_owned(), settings, bell, silencer: sink.silencer() });
            made.push(sink);
        }
        let names: Vec<&str> = rooms.iter().map(|room| room.name.as_str()).collect();
        let routes = Routes::read(keys.value("routes"), &names)?;
        for room in &rooms {
            queue.know(&room.name)?;
        }
        let all = Self { queue, rooms: rooms.into(), routes: Arc::new(routes) };
        let mut threads = Threads::default();
        for (at, sink) in made.into_iter().enumerate() {
            let sinks = all.clone();
            let run = move || worker::run(sink, &sinks.queue, &sinks.rooms[at]);
            let thread = std::thread::Builder::new().name(format!("sink {}", all.rooms[at].name)).spawn(run);
            match thread {
                Ok(thread) => threads.0.push(thread),
                Err(e) => {
                    all.close();
                    return Err(SinksError::Thread(e));
                }
            }
        }
        Ok((all, threads))
    }

    /// Sends nothing more; what waits stays on disk.
    pub fn close(&self) {
        self.rooms.iter().for_each(|room| room.bell.close());
    }

    /// Has all sinks look at their queues: another process has put something there.
    pub fn wake(&self) {
        self.rooms.iter().for_each(|room| room.bell.ring());
    }

    /// The counts of all sinks, also of those that are not in the configuration any more.
    ///
    /// # Errors
    /// As the database has it.
    pub fn report(&self) -> Result<Vec<SinkReport>, QueueError> {
        self.queue.report()
    }

    fn meant(&self, notice: &Notice) -> Vec<&Room> {
        let has_all = |at: usize| self.rooms[at].settings.kind.name == kinds::ALERTMANAGER;
        self.routes
            .meant(&notice.labels, self.rooms.len(), has_all)
            .into_iter()
            .map(|at| &self.rooms[at])
            .collect()
    }
}

impl Deliver for Sinks {
    fn put(&self, notice: &Notice) {
        let meant = self.meant(notice);
        if meant.is_empty() {
            return;
        }
        let queues: Vec<_> = meant.iter().map(|room| (room.name.as_str(), &room.settings.waiting)).collect();
        match self.queue.put(notice, &queues, SystemTime::now()) {
            Ok(()) => meant.iter().for_each(|room| room.bell.ring()),
            Err(e) => tracing::error!("an alert is not told to anybody: {e}; {:?}", notice.labels),
        }
    }

    fn silence(&self, change: &SilenceChange) {
        for room in &*self.rooms {
            if let Some(silencer) = &room.silencer {
                silencer.change(change);
            }
        }
    }

    fn silence_stands(&self, id: &SilenceId, within: Duration) -> bool {
        let until = std::time::Instant::now() + within;
        self.rooms.iter().filter_map(|room| room.silencer.as_ref()).all(|silencer| silencer.stands(id, until))
    }

    fn deliveries(&self, fingerprint: &str) -> Vec<Delivery> {
        self.queue.deliveries(fingerprint).unwrap_or_else(|e| {
            tracing::error!("{e}");
            Vec::new()
        })
    }

    fn meant(&self, notice: &Notice) -> Vec<String> {
        Sinks::meant(self, notice).into_iter().map(|room| room.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
