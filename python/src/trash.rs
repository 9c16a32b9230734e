//! Frees deeply nested values without deep recursion.

use std::any::Any;
use std::cell::{Cell, RefCell};

/// How deep containers may free each other before the rest waits its turn.
const DEEP: usize = 50;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Frees what was inside of a container that is being dropped.
pub(crate) fn free<T: 'static>(inside: T) {
    let depth = DEPTH.try_with(Cell::get).unwrap_or(DEEP);
    if depth >= DEEP {
        // While a thread ends there is no queue any more; what is left is freed where it stands.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().push(Box::new(inside)));
        return;
    }
    let set = |n| DEPTH.try_with(|d| d.set(n)).is_ok();
    set(depth + 1);
    drop(inside);
    if depth == 0 {
        while let Some(next) = WAITING.try_with(|w| w.borrow_mut().pop()).ok().flatten() {
            drop(next);
        }
    }
    set(depth);
}
