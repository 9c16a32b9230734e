//! What the daemon does every so often by its options, beside jobs: a sign of life. The mine and the grains have jobs in the
//! schedule.

use super::attached::event;
use super::state::Minion;
use brine_core::Opts;
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

/// An option in minutes, if it asks for anything.
fn interval(opts: &Opts, option: &str) -> Option<Duration> {
    let minutes = opts.float(option).map_or(0.0, f64::abs);
    Duration::try_from_secs_f64(minutes * 60.0).ok().filter(|interval| !interval.is_zero())
}

/// Runs something each so many minutes; never, if the option is 0 or not a number.
fn every<F>(minion: &Arc<Minion>, option: &str, act: impl Fn(Arc<Minion>) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let Some(interval) = interval(&minion.opts, option) else { return };
    let minion = minion.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(interval).await;
            act(minion.clone()).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_sign_of_life_comes_each_so_many_minutes_or_never() {
        let of = |minutes: i64| interval(&Opts::new(map! {"ping_interval" => minutes}), "ping_interval");
        assert_eq!((of(2), of(0)), (Some(Duration::from_secs(120)), None));
    }
}
