//! The beacons of this minion: sleeps until one is due, looks, and tells every connected master what happened. What a beacon is, and
//! when it is due, is decided in `brine_beacons`. Without beacons there is no timer and no thread.

use super::schedule::{host, loop_seconds};
use super::state::Minion;
use super::{attached::Attached, bus};
use brine_beacons::manage::{Answer, Beacons};
use brine_beacons::turns::{Round, Turns, in_force};
use brine_core::{Map, Opts, Value, map};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Events that are sent to a master at once: a burst is many messages, not one that it refuses.
const AT_ONCE: usize = 500;

/// The beacons, and what is needed to serve them.
pub struct Watcher {
    all: Mutex<Beacons>,
    changed: Notify,
    ready: Notify,
    stale: AtomicBool,
}

impl Watcher {
    /// The beacons of the options.
    pub(super) fn new(opts: &Opts) -> Self {
        Self {
            all: Mutex::new(Beacons::new(opts.get("beacons"))),
            changed: Notify::new(),
            ready: Notify::new(),
            stale: AtomicBool::new(false),
        }
    }

    /// Takes a pillar that a master gave.
    pub(super) fn set_pillar(&self, pillar: &Map) {
        if self.all.lock().set_pillar(pillar) {
            self.changed.notify_one();
        }
    }

    /// Beacons run from now on.
    pub(super) fn begin(&self) {
        self.ready.notify_one();
    }

    /// Configurations are looked at anew.
    pub(super) fn refresh(&self) {
        self.stale.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

/// Does what a request asks for, and fires the event that tells of it; returns its data.
pub(super) fn manage(minion: &Arc<Minion>, request: &Map) -> Option<Map> {
    let cx = host::cx(minion);
    let answer = minion.beacons.all.lock().manage(&cx, request);
    answer.map(|answer| tell(minion, answer))
}

fn tell(minion: &Minion, answer: Answer) -> Map {
    bus::tell(minion, answer.tag, answer.data.clone());
    if answer.changed {
        minion.beacons.changed.notify_one();
    }
    answer.data
}

/// Serves the beacons for ever.
pub(super) async fn serve(minion: Arc<Minion>) {
    let this = &minion.beacons;
    this.ready.notified().await;
    let tick = loop_interval(&minion.opts);
    // Before there is a master, the first look is at once.
    let first = if minion.attached().iter().any(|a| a.is_connected()) { tick } else { Duration::ZERO };
    let mut turns = Some(Turns::new(Instant::now() + first, tick));
    loop {
        let mut next = None;
        if this.all.lock().is_empty() {
            // What was held is let go.
            turns = turns.map(|_| Turns::new(Instant::now() + tick, tick));
        } else {
            let (beside, held) = (minion.clone(), turns.take());
            let round = tokio::task::spawn_blocking(move || look(&beside, held, tick)).await;
            match round {
                Ok((held, round)) => {
                    turns = Some(held);
                    next = round.next;
                    give(&minion, round).await;
                }
                // A beacon that panics has lost what all of them kept, and is tried again.
                Err(e) => {
                    tracing::error!("The beacon errored: {e}");
                    next = Some(Instant::now() + tick);
                }
            }
        }
        let asleep = async {
            match next {
                Some(next) => tokio::time::sleep_until(next.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = this.changed.notified() => {}
            () = asleep => {}
        }
    }
}

/// One round, on a thread that may block.
fn look(minion: &Arc<Minion>, held: Option<Turns>, tick: Duration) -> (Turns, Round) {
    let mut turns = held.unwrap_or_else(|| Turns::new(Instant::now() + tick, tick));
    if minion.beacons.stale.swap(false, Ordering::Relaxed) {
        turns.refresh();
    }
    let cx = host::cx(minion);
    let opts = minion.beacons.all.lock().opts().clone();
    let round = turns.round(&cx, &in_force(&cx, opts), Instant::now());
    (turns, round)
}

/// Tells what happened: readers of the local bus, and every connected master.
async fn give(minion: &Arc<Minion>, round: Round) {
    for name in round.spent {
        let answer = minion.beacons.all.lock().spent(&name);
        if let Some(answer) = answer {
            tell(minion, answer);
        }
    }
    if round.events.is_empty() {
        return;
    }
    let events: Vec<Value> = round.events.into_iter().map(Value::from).collect();
    bus::tell(minion, "__beacons_return", map! { "beacons" => events.clone() });
    let masters = minion.attached().into_iter().filter(|attached| attached.is_connected());
    let sent: Vec<_> = masters
        .map(|attached| {
            let events = events.clone();
            tokio::spawn(async move { send(&attached, &events).await })
        })
        .collect();
    // In order: what happens next is told when this has been.
    for sent in sent {
        let _ = sent.await;
    }
}

async fn send(attached: &Arc<Attached>, events: &[Value]) {
    for events in events.chunks(AT_ONCE) {
        attached.fire_master(map! { "pretag" => Value::Nil, "events" => events.to_vec() }).await;
    }
}

/// `loop_interval`.
fn loop_interval(opts: &Opts) -> Duration {
    Duration::from_secs_f64(loop_seconds(opts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_as_long_as_the_option_says() {
        assert_eq!(loop_interval(&Opts::new(map! {"loop_interval" => 0.5})), Duration::from_millis(500));
        assert_eq!(loop_interval(&Opts::new(map! {"loop_interval" => 0})), Duration::from_secs(1));
    }
}
