//! `range`, within 64 bits.

use crate::error::{PyErr, R};
use crate::obj::Obj;
use crate::seq::index;
use std::rc::Rc;

/// A `range`.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first number.
    pub start: i64,
    /// The end, which is left out.
    pub stop: i64,
    /// The distance; never 0.
    pub step: i64,
}

impl Range {
    /// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`.
    ///
    /// # Errors
    /// `TypeError`, `ValueError` for a step of 0.
    pub fn of(args: &[Obj]) -> R {
        let (start, stop, step) = match args {
            [stop] => (0, index(stop)?, 1),
            [start, stop] => (index(start)?, index(stop)?, 1),
            [start, stop, step] => (index(start)?, index(stop)?, index(step)?),
            [] => return Err(PyErr::ty("range expected at least 1 argument, got 0")),
            _ => return Err(PyErr::ty(format!("range expected at most 3 arguments, got {}", args.len()))),
        };
        if step == 0 {
            return Err(PyErr::value("range() arg 3 must not be zero"));
        }
        Ok(Obj::Range(Rc::new(Self { start, stop, step })))
    }

    /// How many numbers.
    pub fn len(&self) -> u64 {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let span = if step > 0 { stop - start } else { start - stop };
        if span <= 0 { 0 } else { ((span - 1) / step.abs() + 1) as u64 }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a place.
    pub fn get(&self, at: u64) -> Option<Obj> {
        (at < self.len()).then(|| (i128::from(self.start) + i128::from(at) * i128::from(self.step)).into())
    }

    /// Where a number is.
    pub fn position(&self, n: i64) -> Option<u64> {
        let off = i128::from(n) - i128::from(self.start);
        let step = i128::from(self.step);
        let at = u64::try_from(off / step).ok()?;
        (off % step == 0 && at < self.len()).then_some(at)
    }

    /// What equal ranges have in common.
    pub(crate) fn canonical(&self) -> (u64, i64, i64) {
        match self.len() {
            0 => (0, 0, 0),
            1 => (1, self.start, 0),
            n => (n, self.start, self.step),
        }
    }

    pub(crate) fn repr(&self) -> String {
        match self.step {
            1 => format!("range({}, {})", self.start, self.stop),
            step => format!("range({}, {}, {step})", self.start, self.stop),
        }
    }
}
