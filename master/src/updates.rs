//! Updates of the file server and of git_pillar by the clock: each backend that fetches from elsewhere, at its own interval, beside all requests.

use std::sync::Arc;
use std::time::Duration;

use brine_files::git::GitPillar;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::master::Master;

/// Does what is due, for ever; returns where no backend has anything to fetch.
pub async fn run(master: Arc<Master>) {
    let mut clocks = JoinSet::new();
    for (at, named) in master.files.backends().iter().enumerate() {
        if let Some(interval) = named.backend.interval() {
            clocks.spawn(clock(master.clone(), at, interval.max(Duration::from_secs(1))));
        }
    }
    let opts = master.config.opts.clone();
    // What is wrong with a configuration was logged when it was read.
    let pillars = tokio::task::spawn_blocking(move || GitPillar::all(&opts).unwrap_or_default()).await;
    for pillar in pillars.unwrap_or_default() {
        if let Some(interval) = pillar.interval() {
            clocks.spawn(pillar_clock(pillar, interval.max(Duration::from_secs(1))));
        }
    }
    while clocks.join_next().await.is_some() {}
}

/// Fetches the repositories of pillar.
async fn pillar_clock(pillar: Arc<GitPillar>, interval: Duration) {
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let pillar = pillar.clone();
        if tokio::task::spawn_blocking(move || pillar.update_due()).await.is_err() {
            tracing::error!("an update of git_pillar panicked");
        }
    }
}

async fn clock(master: Arc<Master>, at: usize, interval: Duration) {
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let master = master.clone();
        let update = move || {
            let Some(named) = master.files.backends().get(at) else { return };
            match named.backend.update_due() {
                Ok(changed) if master.files.tells() => {
                    master.events.fire(named.tag(), named.backend.news(changed));
                }
                Ok(_) => {}
                Err(e) => tracing::error!("cannot update the {} fileserver: {e}", named.name),
            }
        };
        if tokio::task::spawn_blocking(update).await.is_err() {
            tracing::error!("an update of the file server panicked");
        }
    }
}
