//! Returns on their way out: spooled first, sent as soon as their master can be reached, forgotten when it has them.
//!
//! A return for a master that was not reached yet waits until it is, without a timer. Any other is tried again after
//! `return_retry_timer` (up to `return_retry_timer_max`) seconds, and at once when a master is back. For what is in the
//! spool there is no last try: only the master's own refusal, or a full spool, ends one unsent. One that a master answers
//! it could not handle is tried at growing intervals. A return that is larger than the whole spool is tried
//! `return_retry_tries` times, as in stock. One that the disk has no room for is kept in memory, and is put into the spool as soon as
//! there is room.

mod gauge;
mod work;

use crate::connect::link::MasterLink;
use crate::connect::settings::seconds;
use crate::spool::{Item, Seq, Spool, SpoolError};
use brine_core::Opts;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use work::Work;

/// Returns sent side by side to one master, so that a dead one does not hold up those for the others.
const IN_FLIGHT: usize = 4;
/// Returns that wait in memory because the disk does not take them, at most.
const IN_MEMORY: usize = 256;
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
    /// The disk did not take it: it waits in memory as long as it must.
    no_disk: bool,
    /// The master it is for, once that was read from the spool.
    to: Option<Box<str>>,
    /// None: when a master is there (again).
    due: Option<Instant>,
    /// Attempts that count towards `return_retry_tries`, and for what is in the spool make the wait longer.
    failures: u32,
}

/// The times and bounds of delivery.
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// Masters that are all in use at once: a return for one of them goes to no other.
    pub masters: Vec<String>,
    /// `return_retry_timer`
    pub retry_min: Duration,
    /// `return_retry_timer_max`
    pub retry_max: Duration,
    /// `return_retry_tries`: attempts for a return that is not in the spool.
    pub tries: u32,
    /// `request_channel_timeout`
    pub timeout: Duration,
}

impl DeliverySettings {
    /// From the options, and the masters that are in use at once.
    pub fn new(opts: &Opts, masters: Vec<String>) -> Self {
        let retry_min = seconds(opts, "return_retry_timer", 5.0);
        let retry_max = seconds(opts, "return_retry_timer_max", 10.0);
        Self {
            masters,
            retry_min,
            retry_max: retry_max.max(retry_min),
            tries: opts.int("return_retry_tries").and_then(|n| u32::try_from(n).ok()).unwrap_or(3).max(1),
            timeout: seconds(opts, "request_channel_timeout", 60.0),
        }
    }
}

impl Deliverer {
    /// Starts delivering what the spool holds and what comes.
    pub fn start(spool: Arc<Spool>, settings: DeliverySettings) -> Self {
        let (to_task, messages) = mpsc::unbounded_channel();
        let links: Links = Arc::default();
        let work = Work::new(spool.clone(), settings, links.clone());
        tokio::spawn(work.run(messages));
        Self { spool, to_task, links }
    }

    /// Takes a return: when this has returned, it is on disk. Blocks for the disk; call it from a job's thread.
    pub fn take(&self, item: Item) {
        let (seq, no_disk) = match self.spool.put(&item) {
            Ok(seq) => (Some(seq), false),
            Err(e) => {
                tracing::error!("a return is not in the spool and will be lost if the minion ends now: {e}");
                (None, !matches!(e, SpoolError::TooLarge(_)))
            }
        };
        // The task lives as long as the runtime; without it the spool keeps the return for the next start.
        let _ = self.to_task.send(Message::New(Entry {
            seq,
            no_disk,
            to: Some(item.master.as_str().into()),
            item: Some(item),
            due: Some(Instant::now()),
            failures: 0,
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

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn the_times_of_delivery_are_those_of_the_options() {
        let opts = Opts::new(map! {
            "return_retry_timer" => 2, "return_retry_timer_max" => 20, "return_retry_tries" => 5,
            "request_channel_timeout" => 9,
        });
        let settings = DeliverySettings::new(&opts, Vec::new());
        let seconds = [settings.retry_min, settings.retry_max, settings.timeout].map(|d| d.as_secs());
        assert_eq!((seconds, settings.tries), ([2, 20, 9], 5));
    }
}
