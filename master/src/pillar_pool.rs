//! Threads that compile pillar, which blocks: few at once, and one at a time for each minion, so that a minion that asks without
//! end, or whose pillar takes long, holds up none but itself.
//!
//! Threads are started when there is work for them and stay.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use brine_protocol::ids::MinionId;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// Fewer threads than this are not enough: sources of pillar wait for other servers more than they compute.
const LEAST: usize = 4;
/// Requests of one minion that wait or run. Its daemon and its calls ask for one each.
const ONE: usize = 8;

type Work = Box<dyn FnOnce() + Send>;

/// The threads and what waits for them.
#[derive(Clone)]
pub(crate) struct PillarPool(Arc<Shared>);

struct Shared {
    most: usize,
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    /// What each minion waits for, and how much of it runs (one or none).
    minions: HashMap<MinionId, Lane>,
    /// The minions of which something may be begun, in turn.
    ready: VecDeque<MinionId>,
    threads: usize,
    idle: usize,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Work>,
    running: bool,
}

impl std::fmt::Debug for PillarPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PillarPool")
    }
}

impl Default for PillarPool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with(cores.max(LEAST))
    }
}

impl PillarPool {
    fn with(most: usize) -> Self {
        Self(Arc::new(Shared { most, queue: Mutex::default(), more: Condvar::new() }))
    }

    /// Runs work for a minion in its turn. None: the minion has too much in work already, or the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        id: &MinionId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tx, rx) = oneshot::channel();
        let work = Box::new(move || {
            // Whoever asked may have gone meanwhile.
            if !tx.is_closed() {
                let _ = tx.send(work());
            }
        });
        if !self.enter(id, work) {
            tracing::warn!("{id} asks for pillar too often at once");
            return None;
        }
        rx.await.ok()
    }

    fn enter(&self, id: &MinionId, work: Work) -> bool {
        let mut queue = self.0.queue.lock();
        let lane = queue.minions.entry(id.clone()).or_default();
        if lane.waiting.len() + usize::from(lane.running) >= ONE {
            return false;
        }
        lane.waiting.push_back(work);
        if !lane.running && lane.waiting.len() == 1 {
            queue.ready.push_back(id.clone());
        }
        if queue.idle == 0 && queue.threads < self.0.most {
            let shared = self.0.clone();
            let thread = std::thread::Builder::new().name("pillar".into()).spawn(move || shared.serve());
            match thread {
                Ok(_) => queue.threads += 1,
                Err(e) if queue.threads == 0 => {
                    tracing::error!("no thread to compile pillar: {e}");
                    return false;
                }
                Err(_) => {}
            }
        }
        self.0.more.notify_one();
        true
    }
}

impl Shared {
    fn serve(&self) {
        let mut queue = self.queue.lock();
        loop {
            let next = queue.ready.pop_front();
            let Some((id, work)) = next.and_then(|id| {
                let lane = queue.minions.get_mut(&id)?;
                lane.running = true;
                Some((id, lane.waiting.pop_front()?))
            }) else {
                queue.idle += 1;
                self.more.wait(&mut queue);
                queue.idle -= 1;
                continue;
            };
            drop(queue);
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                tracing::error!("compiling the pillar of {id} panicked");
            }
            queue = self.queue.lock();
            match queue.minions.get_mut(&id) {
                Some(lane) if lane.waiting.is_empty() => drop(queue.minions.remove(&id)),
                Some(lane) => {
                    lane.running = false;
                    queue.ready.push_back(id);
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    fn id(text: &str) -> MinionId {
        MinionId::parse(text).unwrap()
    }

    #[tokio::test]
    async fn one_minion_does_not_hold_up_the_others() {
        let pool = PillarPool::with(2);
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        let flood: Vec<_> = (0..ONE)
            .map(|_| {
                let (pool, gate) = (pool.clone(), gate.clone());
                tokio::spawn(async move { pool.run(&id("a"), move || gate.lock().unwrap().recv()).await })
            })
            .collect();
        let full = async {
            while pool.0.queue.lock().minions.get(&id("a")).is_none_or(|l| l.waiting.len() != ONE - 1) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), full).await.unwrap();
        assert_eq!(pool.run(&id("a"), || 1).await, None, "enough is enough");
        for n in 0..20 {
            assert_eq!(pool.run(&id(&format!("b{n}")), move || n).await, Some(n));
        }
        drop(open);
        for waiting in flood {
            assert!(waiting.await.unwrap().is_some());
        }
        assert_eq!(pool.run(&id("a"), || -> u8 { panic!("as a template may") }).await, None);
        assert_eq!(pool.run(&id("a"), || 2).await, Some(2));
    }
}
