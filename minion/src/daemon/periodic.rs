//! What the daemon does every so often by its options, beside jobs: a sign of life. The mine and the grains have jobs in the
//! schedule.

use super::attached::event;
use super::state::Minion;
use std::sync::Arc;
use std::time::Duration;

/// Starts what the options ask for.
pub(super) fn start(minion: &Arc<Minion>) {
    every(minion, "ping_interval", |minion| async move {
        for attached in minion.attached() {
            attached.fire_master(event("minion_ping", "ping")).await;
        }
    });
}

/// Runs something each so many minutes; never, if the option is 0 or not a number.
fn every<F>(minion: &Arc<Minion>, option: &str, act: impl Fn(Arc<Minion>) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let minutes = minion.opts.float(option).map_or(0.0, f64::abs);
    let Ok(interval) = Duration::try_from_secs_f64(minutes * 60.0) else { return };
    if interval.is_zero() {
        return;
    }
    let minion = minion.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(interval).await;
            act(minion.clone()).await;
        }
    });
}
