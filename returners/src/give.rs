//! Giving a return to the returners that a job asks for: the words of the log are stock's.

use crate::{find, reason};
use brine_core::Map;
use brine_core::call::{CallError, Cx, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Gives the return of a minion's job to each of these. What fails is logged, and hinders no other.
pub fn give(cx: &Cx, names: &[String], ret: &Map) {
    let jid = ret.get_str("jid").unwrap_or_default();
    for name in names {
        match find(&cx.opts, name, "returner") {
            Ok(returner) => {
                if let Err(e) = returner.has(returner.returner, "returner").and_then(|f| guarded(f, cx, ret))
                {
                    tracing::error!("The return failed for job {jid}: {}", reason(&e));
                }
            }
            Err(e) => tracing::error!("Returner {name}.returner could not be loaded: {}", reason(&e)),
        }
    }
}

/// Gives the return of a scheduled job to each of these; names of nobody are passed over.
///
/// # Errors
/// The first failure, after which no other returner is asked: the job counts as failed then.
pub fn give_scheduled(cx: &Cx, names: &[String], fun: &str, ret: &Map) -> Result<()> {
    for name in names {
        match find(&cx.opts, name, "returner") {
            Ok(returner) => returner.has(returner.returner, "returner").and_then(|f| guarded(f, cx, ret))?,
            Err(_) => tracing::warn!("Job {fun} using invalid returner: {name}. Ignoring."),
        }
    }
    Ok(())
}

/// A returner that panics has failed; its caller has other work.
fn guarded(returner: fn(&Cx, &Map) -> Result<()>, cx: &Cx, ret: &Map) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| returner(cx, ret)))
        .unwrap_or_else(|_| Err(CallError::exception("RuntimeError", "the returner panicked")))
}
