//! Answers that prove a minion is there, and echo what it was given.

use brine_core::call::{CallError, Cx, Result, exec, module};

module! { "test": ping, echo, sleep }

/// Used to make sure the minion is up and responding. Not an ICMP ping. Returns `True`.
///
/// CLI Example: salt '*' test.ping
#[exec]
fn ping() -> Result<bool> {
    Ok(true)
}

/// Return the text given.
///
/// CLI Example: salt '*' test.echo 'foo bar baz'
#[exec]
fn echo(text: brine_core::Value) -> Result {
    Ok(text)
}

/// Wait for `length` seconds, then return True.
///
/// CLI Example: salt '*' test.sleep 20
#[exec]
fn sleep(cx: &Cx, length: f64) -> Result<bool> {
    let end = std::time::Instant::now() + std::time::Duration::try_from_secs_f64(length.max(0.0)).map_err(|_| CallError::exception("OverflowError", "timestamp too large to convert to C _PyTime_t"))?;
    while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
        cx.cancel.check()?;
        std::thread::sleep(left.min(std::time::Duration::from_millis(100)));
    }
    Ok(true)
}
