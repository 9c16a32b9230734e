//! The task that sends: which return goes when and to whom, and what an answer means for it.

use super::gauge::{self, Gauge};
use super::{DeliverySettings, Entry, IN_FLIGHT, IN_MEMORY, Links, Message, SYNC_AFTER};
use crate::chance;
use crate::spool::{Item, Spool, SpoolError};
use brine_core::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(super) struct Work {
    spool: Arc<Spool>,
    settings: DeliverySettings,
    links: Links,
    /// By order of arrival.
    waiting: BTreeMap<u64, Entry>,
    next: u64,
    flying: JoinSet<Landed>,
    /// How many fly to each master.
    busy: BTreeMap<String, usize>,
    /// How often a master was there (again).
    ups: u64,
    gauge: Gauge,
    /// What is being told of the spool: whether it was heard.
    telling: JoinSet<bool>,
    /// What `ups` was when nobody heard.
    unheard: Option<u64>,
}

/// An attempt that is over.
struct Landed {
    key: u64,
    entry: Entry,
    to: String,
    /// What `ups` was at its start.
    ups: u64,
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
    /// The connection was given up because our address has changed: the next one is being made.
    Again,
}

impl Work {
    /// Begins with what is in the spool.
    pub(super) fn new(spool: Arc<Spool>, settings: DeliverySettings, links: Links) -> Self {
        let now = Instant::now();
        let left = spool.pending();
        if !left.is_empty() {
            tracing::info!("{} returns of an earlier run wait to be delivered", left.len());
        }
        let next = left.len() as u64;
        let entry =
            |seq| Entry { seq: Some(seq), no_disk: false, item: None, to: None, due: Some(now), failures: 0 };
        let waiting = (0..).zip(left.into_iter().map(entry)).collect();
        Self {
            spool,
            settings,
            links,
            waiting,
            next,
            flying: JoinSet::new(),
            busy: BTreeMap::new(),
            ups: 0,
            gauge: Gauge::default(),
            telling: JoinSet::new(),
            unheard: None,
        }
    }

    /// Works until nobody can hand in returns any more.
    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            self.send_what_is_due();
            self.tell();
            let wake = self.next_due();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::New(entry)) => self.add(entry),
                    Some(Message::MasterUp) => {
                        let now = Instant::now();
                        self.ups += 1;
                        self.waiting.values_mut().for_each(|e| e.due = Some(now));
                    }
                    None => return,
                },
                Some(landed) = self.flying.join_next() => match landed {
                    Ok(landed) => self.landed(landed),
                    Err(e) => tracing::error!("sending a return broke off; it is sent at the next start: {e}"),
                },
                Some(told) = self.telling.join_next() => {
                    if !matches!(told, Ok(true)) {
                        self.gauge.unsaid();
                        self.unheard = Some(self.ups);
                    }
                }
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Tells a master how full the spool is, where that is news; one word at a time.
    fn tell(&mut self) {
        // What was not heard is said again when a master is back.
        if !self.telling.is_empty() || self.unheard == Some(self.ups) {
            return;
        }
        let Some(link) = self.links.lock().first().cloned() else { return };
        let Some(data) = self.gauge.look(&self.spool) else { return };
        let load = gauge::load(link.settings().auth.id.as_str(), data);
        let timeout = self.settings.timeout;
        self.telling.spawn(async move { link.request(&load, timeout, 1).await.is_ok() });
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
        if entry.seq.is_none() {
            let kept: Vec<u64> =
                self.waiting.iter().filter(|(_, e)| e.seq.is_none()).map(|(k, _)| *k).collect();
            if let Some(oldest) = kept.first().filter(|_| kept.len() >= IN_MEMORY) {
                tracing::error!("{IN_MEMORY} returns wait in memory: the oldest is dropped");
                self.waiting.remove(oldest);
            }
        }
        self.waiting.insert(self.next, entry);
        self.next += 1;
    }

    /// When something waits to be sent. What is due and was not sent waits for a landing or a link.
    fn next_due(&self) -> Option<Instant> {
        let now = Instant::now();
        self.waiting.values().filter_map(|e| e.due).filter(|due| *due > now).min()
    }

    fn send_what_is_due(&mut self) {
        let links = self.links.lock().clone();
        let Some(anyone) = links.first() else { return };
        let now = Instant::now();
        let due: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(_, e)| e.due.is_some_and(|due| due <= now))
            .map(|(k, _)| *k)
            .collect();
        for key in due {
            if links.iter().all(|l| self.busy.get(l.name()).is_some_and(|n| *n >= IN_FLIGHT)) {
                return;
            }
            let Some(mut entry) = self.waiting.remove(&key) else { continue };
            if entry.to.is_none() {
                let Some(item) = self.content(&mut entry) else { continue };
                entry.to = Some(item.master.as_str().into());
                entry.item = Some(item);
            }
            let to = entry.to.as_deref().unwrap_or_default();
            let named = links.iter().find(|l| l.name() == to);
            if named.is_none() && self.settings.masters.iter().any(|master| master == to) {
                // Its master is one of ours and has not been reached yet.
                entry.due = None;
                self.keep(key, entry);
                continue;
            }
            // A master that is no longer configured gets nothing any more: whoever is there takes its place.
            let link = named.unwrap_or(anyone).clone();
            if self.busy.get(link.name()).is_some_and(|n| *n >= IN_FLIGHT) {
                self.keep(key, entry);
                continue;
            }
            let Some(item) = self.content(&mut entry) else { continue };
            *self.busy.entry(link.name().to_owned()).or_default() += 1;
            let (timeout, ups) = (self.settings.timeout, self.ups);
            self.flying.spawn(async move {
                let verdict = match link.request(&item.load, timeout, 1).await {
                    Ok(answer) => judge(&answer),
                    Err(e) if e.is_kick() => Verdict::Again,
                    Err(e) => {
                        tracing::info!("a return could not be delivered and is kept: {e}");
                        Verdict::Later
                    }
                };
                entry.item = Some(item);
                Landed { key, entry, to: link.name().to_owned(), ups, verdict }
            });
        }
    }

    /// Keeps a return for later: in memory only where the spool has no copy.
    fn keep(&mut self, key: u64, mut entry: Entry) {
        if entry.seq.is_some() {
            entry.item = None;
        }
        self.waiting.insert(key, entry);
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
        let Landed { key, mut entry, to, ups, verdict } = landed;
        if let Some(busy) = self.busy.get_mut(&to) {
            *busy -= 1;
        }
        match verdict {
            Verdict::Done => return self.forget(&entry),
            Verdict::Refused => entry.failures += 1,
            Verdict::Later if entry.seq.is_none() => entry.failures += 1,
            Verdict::Later | Verdict::Again => {}
        }
        if entry.no_disk {
            self.try_disk(&mut entry);
        }
        if entry.seq.is_none() && !entry.no_disk && entry.failures >= self.settings.tries {
            tracing::error!("a return is dropped after {} failed attempts", entry.failures);
            return;
        }
        // One that was lost with its connection does not wait longer than those that were not under way.
        let at_once = match verdict {
            Verdict::Again => true,
            Verdict::Later => ups != self.ups,
            Verdict::Done | Verdict::Refused => false,
        };
        let wait = match at_once {
            true => Duration::ZERO,
            false => chance::between(self.settings.retry_min, self.settings.retry_max),
        };
        // A master that cannot handle a return now may be able to in an hour, and is not asked all the time.
        entry.due = Some(Instant::now() + wait * entry.failures.clamp(1, 60));
        self.keep(key, entry);
    }

    /// Puts a return into the spool that the disk did not take before.
    fn try_disk(&self, entry: &mut Entry) {
        if let Some(Ok(seq)) = entry.item.as_ref().map(|item| self.spool.put(item)) {
            tracing::info!("a return that the disk had no room for is in the spool");
            (entry.seq, entry.no_disk) = (Some(seq), false);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::link::MasterLink;
    use crate::connect::settings::LinkSettings;
    use crate::identity::pki::Pki;
    use brine_core::{Map, Opts, map};
    use brine_protocol::ids::MinionId;

    /// Work without links, and one return in its spool.
    fn work(masters: &[&str]) -> (tempfile::TempDir, Work) {
        let dir = tempfile::tempdir().unwrap();
        let spool =
            Arc::new(Spool::open(&dir.path().join("spool"), &dir.path().join("key"), 1 << 20).unwrap());
        spool.put(&Item { master: "one".into(), load: map! {"jid" => "1"} }).unwrap();
        let hour = Duration::from_secs(3600);
        let settings = DeliverySettings {
            masters: masters.iter().map(|m| (*m).to_owned()).collect(),
            retry_min: hour,
            retry_max: hour,
            tries: 3,
            timeout: hour,
        };
        (dir, Work::new(spool, settings, Links::default()))
    }

    /// Whether a return that landed so is to be sent now.
    fn at_once(work: &mut Work, ups: u64, verdict: Verdict) -> bool {
        let (key, entry) = work.waiting.pop_first().unwrap();
        work.landed(Landed { key, entry, to: "one".into(), ups, verdict });
        work.waiting[&key].due.is_some_and(|due| due <= Instant::now())
    }

    #[tokio::test]
    async fn a_return_lost_with_its_connection_is_sent_again_at_once() {
        let (_dir, mut work) = work(&["one"]);
        assert!(!at_once(&mut work, 0, Verdict::Later), "the master is away");
        assert!(at_once(&mut work, 0, Verdict::Again), "our address has changed");
        work.ups += 1;
        assert!(at_once(&mut work, 0, Verdict::Later), "the master is back since the attempt began");
        assert!(!at_once(&mut work, 1, Verdict::Later));
        assert!(!at_once(&mut work, 0, Verdict::Refused));
    }

    #[tokio::test]
    async fn a_return_for_a_master_not_reached_yet_waits_without_timer_and_is_not_read_again() {
        let (dir, mut work) = work(&["one", "127.0.0.1:1"]);
        let opts = Opts::new(map! {"id" => "m1", "pki_dir" => dir.path().display().to_string()});
        let id = MinionId::parse("m1").unwrap();
        let settings = LinkSettings::new("127.0.0.1:1", &id, &opts, &Map::new()).unwrap();
        let other = MasterLink::new(settings, Arc::new(Pki::open(&opts).unwrap()));
        work.links.lock().push(Arc::new(other));
        work.send_what_is_due();
        assert_eq!(work.next_due(), None);
        // Reading it now would find it gone, and drop it.
        std::fs::remove_dir_all(dir.path().join("spool")).unwrap();
        work.waiting.values_mut().for_each(|e| e.due = Some(Instant::now()));
        work.send_what_is_due();
        assert_eq!((work.waiting.len(), work.flying.len()), (1, 0));
        assert_eq!(work.next_due(), None);
    }
}
