//! How deep operations may go into nested values: deeper is Python's `RecursionError`, not a crash.

use crate::error::{PyErr, R};
use crate::limit;
use std::cell::Cell;

/// Levels. Python's own 1000 count its calls, of which a level takes one to three; ours must fit a thread's 2 MiB.
pub(crate) const DEEP: usize = 300;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One level, left when it is dropped.
pub(crate) struct Level;

/// Goes one level down, which is a step of work: what is shared is gone through as often as it is met.
///
/// # Errors
/// `RecursionError`, with `doing` as its end; `Limit`.
pub(crate) fn enter(doing: &str) -> R<Level> {
    limit::steps(1)?;
    DEPTH.with(|depth| {
        if depth.get() >= DEEP {
            return Err(PyErr::recursion(doing));
        }
        depth.set(depth.get() + 1);
        Ok(Level)
    })
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}
