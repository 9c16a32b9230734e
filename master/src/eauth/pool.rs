//! Threads for backends, which block: few at once, few waiting, and fewer for one address than for all.
//!
//! A thread cannot be ended from outside. One that overstays keeps its place until its backend gives up, and the
//! caller is told that it failed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

/// Backends at work at once.
const THREADS: usize = 8;
/// Logins in work or waiting for a thread: from all addresses, and from one. The host's own commands share one.
const ALL: usize = 1024;
const ONE: usize = 512;
/// How long a login may take, its wait for a thread included.
const LIMIT: Duration = Duration::from_secs(60);

/// Why a backend was not asked, or gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Busy {
    #[error("too many logins at once")]
    Full,
    #[error("the backend gave no answer in time")]
    Late,
}

#[derive(Debug)]
pub(super) struct Pool {
    slots: Arc<Semaphore>,
    here: Mutex<HashMap<IpAddr, usize>>,
    limit: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(THREADS)), here: Mutex::default(), limit: LIMIT }
    }
}

/// A place in the crowd; dropping it makes room.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pool: &'a Pool,
    from: IpAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut here = self.pool.here.lock();
        if let Some(count) = here.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                here.remove(&self.from);
            }
        }
    }
}

impl Pool {
    /// A place for one login from an address.
    pub(super) fn enter(&self, from: IpAddr) -> Result<Place<'_>, Busy> {
        let mut here = self.here.lock();
        let all: usize = here.values().sum();
        let own = here.entry(from).or_default();
        if all >= ALL || *own >= ONE {
            return Err(Busy::Full);
        }
        *own += 1;
        drop(here);
        Ok(Place { pool: self, from })
    }

    /// Runs blocking work on a thread of its own once there is room.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let slots = self.slots.clone();
        let done = async {
            let slot = slots.acquire_owned().await.map_err(|_| Busy::Late)?;
            let (tx, rx) = oneshot::channel();
            let thread = std::thread::Builder::new().name("eauth".into()).spawn(move || {
                let answer = work();
                drop(slot);
                let _ = tx.send(answer);
            });
            if let Err(e) = thread {
                tracing::error!("no thread for external authentication: {e}");
                return Err(Busy::Full);
            }
            rx.await.map_err(|_| Busy::Late)
        };
        tokio::time::timeout(self.limit, done).await.unwrap_or(Err(Busy::Late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_keep_out_the_others() {
        let pool = Pool::default();
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut places: Vec<_> = (0..ONE).map(|_| pool.enter(a).unwrap()).collect();
        assert_eq!(pool.enter(a).unwrap_err(), Busy::Full);
        assert!(pool.enter(b).is_ok());
        places.pop();
        assert!(pool.enter(a).is_ok());
        drop(places);
        assert!(pool.here.lock().is_empty());
        let mut crowd: Vec<_> = (0..ALL - 1)
            .map(|i| pool.enter(IpAddr::from(u32::try_from(i).unwrap().to_be_bytes())).unwrap())
            .collect();
        crowd.push(pool.enter(b).unwrap());
        assert_eq!(pool.enter(a).unwrap_err(), Busy::Full);
    }

    #[tokio::test]
    async fn work_that_hangs_is_given_up() {
        let pool = Pool { limit: Duration::from_millis(50), ..Pool::default() };
        let (open, gate) = std::sync::mpsc::channel::<()>();
        assert_eq!(pool.run(move || gate.recv()).await.unwrap_err(), Busy::Late);
        assert_eq!(pool.slots.available_permits(), THREADS - 1, "its thread is still there");
        drop(open);
        let freed = async {
            while pool.slots.available_permits() < THREADS {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), freed).await.unwrap();
        assert_eq!(pool.run(|| 7).await, Ok(7));
        assert_eq!(pool.run(|| -> u8 { panic!("as a backend may") }).await, Err(Busy::Late));
    }
}
