//! Waiting for a condition with a deadline. The only place of the harness that sleeps.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

const PAUSE: Duration = Duration::from_millis(40);

/// Calls `probe` until it gives a value.
///
/// # Errors
/// When `limit` passes first, or `probe` itself fails.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        if start.elapsed() > limit {
            return Err(Failure(format!("waited {} s for: {what}", limit.as_secs_f32())));
        }
        sleep(PAUSE);
    }
}

/// Watches that `probe` stays true for the whole of `span`.
///
/// # Errors
/// When it turns false, or fails.
pub fn throughout(what: &str, span: Duration, mut probe: impl FnMut() -> Result<bool>) -> Result {
    let start = Instant::now();
    while start.elapsed() < span {
        if !probe()? {
            return Err(Failure(format!(
                "after {:.1} s no longer true: {what}",
                start.elapsed().as_secs_f32()
            )));
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// Lets time pass, for cases whose subject is time itself (a path that is dead for a while).
pub fn let_pass(span: Duration) {
    sleep(span);
}
