//! Returns on their way out: spooled first, sent as soon as their master can be reached, forgotten when it has them.
//!
//! A return is tried again after `return_retry_timer` (up to `return_retry_timer_max`) seconds, and at once when a
//! master is back. There is no last try; only the master's own refusal, or a full spool, ends one unsent.

use crate::chance;
use crate::connect::link::MasterLink;
use crate::spool::{Item, Seq, Spool, SpoolError};
use brine_core::{Opts, Value};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Returns sent side by side to one master, so that a dead one does not hold up those for the others.
const IN_FLIGHT: usize = 4;
/// A return that is still here after so long is made to survive a loss of power.
const SYNC_AFTER: Duration = Duration::from_millis(100);

/// Takes returns; cheap to clone.
#[derive(Clone)]
pub struct Deliverer {
    spool: Arc<Spool>,
    to_task: mpsc::UnboundedSender<Message>,
    links: Links,
}

type Links = Arc<Mutex<Vec<Arc<MasterLink>>>>;

enum Message {
    New(Entry),
    MasterUp,
}

/// A return that waits: in the spool under a number, or only in memory where the spool would not have it.
struct Entry {
    seq: Option<Seq>,
    item: Option<Item>,
    due: Instant,
    /// Answers that the master could not handle it.
    refusals: u32,
}

/// The times and bounds of delivery.
#[derive(Clone, Copy, Debug)]
pub struct DeliverySettings {
    /// `return_retry_timer`
    pub retry_min: Duration,
    /// `return_retry_timer_max`
    pub retry_max: Duration,
    /// `return_retry_tries`: after so many answers that it failed to handle a return, the master is believed.
    pub tries: u32,
    /// `request_channel_timeout`
    pub timeout: Duration,
}

impl DeliverySettings {
    /// From the options.
    pub fn new(opts: &Opts) -> Self {
        let retry_min = crate::connect::settings::seconds(opts, "return_retry_timer", 5.0);
        let retry_max = crate::connect::settings::seconds(opts, "return_retry_timer_max", 10.0);
        Self {
            retry_min,
            retry_max: retry_max.max(retry_min),
            tries: opts.int("return_retry_tries").and_then(|n| u32::try_from(n).ok()).unwrap_or(3).max(1),
            timeout: crate::connect::settings::seconds(opts, "request_channel_timeout", 60.0),
        }
    }
}

impl Deliverer {
    /// Starts delivering what the spool holds and what comes.
    pub fn start(spool: Arc<Spool>, settings: DeliverySettings) -> Self {
        let (to_task, messages) = mpsc::unbounded_channel();
        let links: Links = Arc::default();
        let now = Instant::now();
        let waiting: BTreeMap<u64, Entry> = spool
            .pending()
            .into_iter()
            .map(|seq| (seq, Entry { seq: Some(seq), item: None, due: now, refusals: 0 }))
            .collect();
        if !waiting.is_empty() {
            tracing::info!("{} returns of an earlier run wait to be delivered", waiting.len());
        }
        let work = Work {
            spool: spool.clone(),
            settings,
            links: links.clone(),
            waiting,
            next: 0,
            flying: JoinSet::new(),
            busy: BTreeMap::new(),
        };
        tokio::spawn(work.run(messages));
        Self { spool, to_task, links }
    }

    /// Takes a return: when this has returned, it is on disk. Blocks for the disk; call it from a job's thread.
    pub fn take(&self, item: Item) {
        let seq = match self.spool.put(&item) {
            Ok(seq) => Some(seq),
            Err(e) => {
                tracing::error!("a return is not in the spool and will be lost if the minion ends now: {e}");
                None
            }
        };
        // The task lives as long as the runtime; without it the spool keeps the return for the next start.
        let _ = self.to_task.send(Message::New(Entry {
            seq,
            item: Some(item),
            due: Instant::now(),
            refusals: 0,
        }));
    }

    /// A master can be reached (again).
    pub fn master_up(&self, link: &Arc<MasterLink>) {
        let mut links = self.links.lock();
        if !links.iter().any(|l| Arc::ptr_eq(l, link)) {
            links.push(link.clone());
        }
        drop(links);
        let _ = self.to_task.send(Message::MasterUp);
    }

    /// A master is no longer in use.
    pub fn master_gone(&self, link: &Arc<MasterLink>) {
        self.links.lock().retain(|l| !Arc::ptr_eq(l, link));
    }

    /// How many returns no master has yet.
    pub fn pending(&self) -> usize {
        self.spool.usage().0
    }
}

struct Work {
    spool: Arc<Spool>,
    settings: DeliverySettings,
    links: Links,
    /// By order of arrival.
    waiting: BTreeMap<u64, Entry>,
    next: u64,
    flying: JoinSet<Landed>,
    /// How many fly to each master.
    busy: BTreeMap<String, usize>,
}

/// An attempt that is over.
struct Landed {
    key: u64,
    entry: Entry,
    to: String,
    verdict: Verdict,
}

/// What became of one attempt.
enum Verdict {
    /// The master has it, or will never want it.
    Done,
    /// The master could not handle it.
    Refused,
    /// The master was not reached.
    Later,
}

impl Work {
    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        self.next = self.waiting.keys().next_back().map_or(0, |last| last + 1);
        loop {
            self.send_what_is_due();
            let wake = self.next_due();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::New(entry)) => self.add(entry),
                    Some(Message::MasterUp) => {
                        let now = Instant::now();
                        self.waiting.values_mut().for_each(|e| e.due = now);
                    }
                    None => return,
                },
                Some(Ok(landed)) = self.flying.join_next() => self.landed(landed),
                () = sleep_until(wake) => {}
            }
        }
    }

    fn add(&mut self, mut entry: Entry) {
        if let Some(seq) = entry.seq {
            if self.links.lock().is_empty() {
                // Nobody to send it to: no need to hold it in memory too.
                entry.item = None;
            }
            let spool = self.spool.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SYNC_AFTER).await;
                if spool.holds(seq)
                    && let Ok(Err(e)) = tokio::task::spawn_blocking(move || spool.sync(seq)).await
                {
                    tracing::error!("a return in the spool may not survive a loss of power: {e}");
                }
            });
        }
        self.waiting.insert(self.next, entry);
        self.next += 1;
    }

    /// When something waits to be sent. What is due and was not sent waits for a landing or a link.
    fn next_due(&self) -> Option<Instant> {
        let now = Instant::now();
        self.waiting.values().map(|e| e.due).filter(|due| *due > now).min()
    }

    fn send_what_is_due(&mut self) {
        let links = self.links.lock().clone();
        let Some(anyone) = links.first() else { return };
        let now = Instant::now();
        let due: Vec<u64> = self.waiting.iter().filter(|(_, e)| e.due <= now).map(|(k, _)| *k).collect();
        for key in due {
            if links.iter().all(|l| self.busy.get(l.name()).is_some_and(|n| *n >= IN_FLIGHT)) {
                return;
            }
            let Some(mut entry) = self.waiting.remove(&key) else { continue };
            let Some(item) = self.content(&mut entry) else { continue };
            // A master that is no longer configured gets nothing any more: whoever is there takes its place.
            let link = links.iter().find(|l| l.name() == item.master).unwrap_or(anyone).clone();
            let busy = self.busy.entry(link.name().to_owned()).or_default();
            if *busy >= IN_FLIGHT {
                entry.item = Some(item);
                self.waiting.insert(key, entry);
                continue;
            }
            *busy += 1;
            let timeout = self.settings.timeout;
            self.flying.spawn(async move {
                let verdict = match link.request(&item.load, timeout, 1).await {
                    Ok(answer) => judge(&answer),
                    Err(e) => {
                        tracing::info!("a return could not be delivered and is kept: {e}");
                        Verdict::Later
                    }
                };
                // Kept in memory only for the first attempt, unless the spool has no copy.
                entry.item = entry.seq.is_none().then_some(item);
                Landed { key, entry, to: link.name().to_owned(), verdict }
            });
        }
    }

    fn content(&self, entry: &mut Entry) -> Option<Item> {
        if let Some(item) = entry.item.take() {
            return Some(item);
        }
        let seq = entry.seq?;
        match self.spool.get(seq) {
            Ok(item) => Some(item),
            // Dropped because the spool was full.
            Err(SpoolError::Gone) => None,
            Err(e) => {
                tracing::error!("a return in the spool cannot be read and is lost: {e}");
                self.spool.remove(seq);
                None
            }
        }
    }

    fn landed(&mut self, landed: Landed) {
        let Landed { key, mut entry, to, verdict } = landed;
        if let Some(busy) = self.busy.get_mut(&to) {
            *busy -= 1;
        }
        match verdict {
            Verdict::Done => return self.forget(&entry),
            Verdict::Refused => {
                entry.refusals += 1;
                if entry.refusals >= self.settings.tries {
                    tracing::error!(
                        "the master failed to handle a return {} times: it is dropped",
                        entry.refusals
                    );
                    return self.forget(&entry);
                }
            }
            Verdict::Later => {}
        }
        let wait = chance::between(self.settings.retry_min, self.settings.retry_max);
        entry.due = Instant::now() + wait;
        self.waiting.insert(key, entry);
    }

    fn forget(&self, entry: &Entry) {
        if let Some(seq) = entry.seq {
            self.spool.remove(seq);
        }
    }
}

/// Stock answers nil to a return it took, false to one whose signature it refused, empty text when its handler failed.
fn judge(answer: &Value) -> Verdict {
    match answer {
        Value::Str(text) if text.is_empty() => Verdict::Refused,
        Value::Bool(false) => {
            tracing::error!("the master refused a return: it demands another signature");
            Verdict::Done
        }
        _ => Verdict::Done,
    }
}

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
