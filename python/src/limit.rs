//! How much one evaluation may allocate and do. Everything here that can make much out of little asks first.

use crate::error::{Kind, PyErr, R};
use std::cell::RefCell;

/// What an operation may allocate when nobody has set a limit: 256 MiB.
const DEFAULT_BYTES: u64 = 256 << 20;

/// The bounds of one evaluation: bytes that its operations may allocate in all, and steps of iteration.
///
/// Bytes are counted when they are asked for and not given back when they are freed: the bound is one on work too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text and of items.
    pub bytes: u64,
    /// Steps: items taken from iterators.
    pub steps: u64,
}

/// The steps of one operation that goes through all of a value, when nobody has set a limit.
const DEFAULT_STEPS: u64 = 10_000_000;

struct Left {
    limits: Limits,
    bytes: u64,
    steps: u64,
}

thread_local! {
    static LEFT: RefCell<Option<Left>> = const { RefCell::new(None) };
}

/// Puts back what was there, also when the evaluation panics.
struct Restore(Option<Left>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        LEFT.with(|left| *left.borrow_mut() = before);
    }
}

impl Limits {
    /// Runs something under these limits; those of an outer evaluation rest meanwhile.
    pub fn enter<T>(self, run: impl FnOnce() -> T) -> T {
        let mine = Left { limits: self, bytes: self.bytes, steps: self.steps };
        let _restore = Restore(LEFT.with(|left| left.borrow_mut().replace(mine)));
        run()
    }
}

/// Runs one operation of those that go through all of a value: within the limits that are in force, or the default ones.
pub(crate) fn within<T>(run: impl FnOnce() -> T) -> T {
    if LEFT.with(|left| left.borrow().is_some()) {
        return run();
    }
    Limits { bytes: DEFAULT_BYTES, steps: DEFAULT_STEPS }.enter(run)
}

/// Asks for room for so many bytes. Outside of any limits, one call may ask for 256 MiB.
///
/// # Errors
/// `Limit` when they are more than what is left.
pub fn bytes(n: usize) -> R<()> {
    LEFT.with(|left| {
        let n = n as u64;
        match left.borrow_mut().as_mut() {
            Some(left) if left.bytes >= n => left.bytes -= n,
            Some(left) => {
                return Err(PyErr::new(
                    Kind::Limit,
                    format!("more than the {} bytes that one evaluation may use", left.limits.bytes),
                ));
            }
            None if n > DEFAULT_BYTES => {
                return Err(PyErr::new(
                    Kind::Limit,
                    format!("more than the {DEFAULT_BYTES} bytes that one operation may use"),
                ));
            }
            None => {}
        }
        Ok(())
    })
}

/// Asks for what text has grown by since it had `before` bytes. Outside of any limits, it may have 256 MiB in all.
pub(crate) fn grown(before: usize, now: usize) -> R<()> {
    let whole = LEFT.with(|left| left.borrow().is_none());
    bytes(if whole { now } else { now.saturating_sub(before) })
}

/// Asks for room for `n` items of `size` bytes.
///
/// # Errors
/// As [`bytes`].
pub fn items(n: usize, size: usize) -> R<()> {
    bytes(n.saturating_mul(size))
}

/// Counts steps of work.
///
/// # Errors
/// `Limit` when there are none left.
pub fn steps(n: u64) -> R<()> {
    LEFT.with(|left| match left.borrow_mut().as_mut() {
        Some(left) if left.steps >= n => {
            left.steps -= n;
            Ok(())
        }
        Some(left) => Err(PyErr::new(
            Kind::Limit,
            format!("more than the {} steps that one evaluation may take", left.limits.steps),
        )),
        None => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_down_and_nest() {
        Limits { bytes: 10, steps: 2 }.enter(|| {
            assert!(bytes(6).is_ok());
            Limits { bytes: 100, steps: 0 }.enter(|| {
                assert!(bytes(90).is_ok());
                assert_eq!(steps(1).unwrap_err().kind(), Kind::Limit);
            });
            assert!(bytes(5).is_err());
            assert!(bytes(4).is_ok());
            assert!(steps(2).is_ok());
            assert!(steps(1).is_err());
        });
        assert!(steps(u64::MAX).is_ok());
        assert!(bytes(usize::MAX).is_err());
    }
}
