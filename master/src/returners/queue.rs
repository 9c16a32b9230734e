//! A queue that never makes its writers wait: bounded in bytes; what does not fit is counted and dropped.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much may wait.
const MOST_BYTES: usize = 64 << 20;
/// What an item costs beside its bytes.
const OVERHEAD: usize = 256;
/// How often the log says that items are dropped.
const COMPLAIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    dropped: u64,
    complained: Option<Instant>,
    closed: bool,
}

/// The queue: many writers, one reader.
#[derive(Debug)]
pub(super) struct Queue<T> {
    what: &'static str,
    most: usize,
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

/// What a reader got.
#[derive(Debug, PartialEq)]
pub(super) enum Next<T> {
    /// The oldest item.
    Item(T),
    /// Nothing until the given time.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

impl<T> Queue<T> {
    /// An empty queue; `what` names its items in the log.
    pub(super) fn new(what: &'static str) -> Self {
        Self::bounded(what, MOST_BYTES)
    }

    fn bounded(what: &'static str, most: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), bytes: 0, dropped: 0, complained: None, closed: false };
        Self { what, most, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item of so many bytes in, or drops it.
    pub(super) fn put(&self, item: T, bytes: usize) {
        let mut inner = self.lock();
        let bytes = bytes + OVERHEAD;
        if inner.closed {
            return;
        }
        if inner.bytes + bytes > self.most {
            inner.dropped += 1;
            if inner.complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
                inner.complained = Some(Instant::now());
                let dropped = inner.dropped;
                drop(inner);
                tracing::error!("The returner is too slow: {dropped} {} were not written so far", self.what);
            }
            return;
        }
        inner.bytes += bytes;
        inner.items.push_back((item, bytes));
        drop(inner);
        self.changed.notify_one();
    }

    /// Takes nothing more in.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The next item; waits for one until the given time, or for ever.
    pub(super) fn next(&self, until: Option<Instant>) -> Next<T> {
        let mut inner = self.lock();
        loop {
            if let Some((item, bytes)) = inner.items.pop_front() {
                inner.bytes -= bytes;
                return Next::Item(item);
            }
            if inner.closed {
                return Next::End;
            }
            inner = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Next::Nothing,
                Some(left) => {
                    self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_dropped_and_the_rest_comes_in_order() {
        let queue = Queue::bounded("jobs", 2 * (OVERHEAD + 10));
        for n in 0..3 {
            queue.put(n, 10);
        }
        assert_eq!(queue.lock().dropped, 1);
        assert_eq!((queue.next(None), queue.next(None)), (Next::Item(0), Next::Item(1)));
        assert_eq!(queue.next(Some(Instant::now())), Next::Nothing);
        queue.put(3, 0);
        queue.close();
        queue.put(4, 0);
        assert_eq!((queue.next(None), queue.next(None)), (Next::Item(3), Next::End));
    }

    #[test]
    fn a_reader_that_waits_is_woken() {
        let queue = Queue::new("jobs");
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| queue.next(Some(Instant::now() + Duration::from_secs(20))));
            queue.put(1, 1);
            assert_eq!(reader.join().unwrap(), Next::Item(1));
        });
    }
}
