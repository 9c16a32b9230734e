//! A state with an `umask` of its own. The mask belongs to the whole process, in which other jobs run: the state gets a
//! thread that has left the process's file system attributes for a copy.

use brine_core::call::{CallError, Result};
use brine_core::{Map, Value};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, umask};

/// Runs `work` under the mask of a chunk, if it has one.
pub(super) fn of(low: &Map, work: impl FnOnce() -> Result + Send) -> Result {
    match low.get("__umask__").and_then(Value::as_int) {
        Some(mask) => with(mask, work),
        None => work(),
    }
}

fn with(mask: i64, work: impl FnOnce() -> Result + Send) -> Result {
    let masked = || {
        unshare(CloneFlags::CLONE_FS).map_err(|e| CallError::exception("OSError", e.to_string()))?;
        umask(Mode::from_bits_truncate(mask as nix::libc::mode_t));
        work()
    };
    std::thread::scope(|scope| scope.spawn(masked).join())
        .unwrap_or_else(|_| Err(CallError::exception("RuntimeError", "the state's thread panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_holds_for_one_thread_alone() {
        let own = || umask(Mode::from_bits_truncate(0o22)).bits();
        let before = own();
        let within = with(0o77, || {
            let mask = umask(Mode::from_bits_truncate(0o77));
            Ok(Value::from(i64::from(mask.bits())))
        });
        assert_eq!(within.unwrap(), Value::from(0o77));
        assert_eq!(own(), 0o22);
        umask(Mode::from_bits_truncate(before));
    }
}
