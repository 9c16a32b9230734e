//! What happens by the clock: presence, key rotation, pruning. One timer each `loop_interval`; nothing else wakes up.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use brine_core::target::Fleet;
use brine_net::{PeerEvent, PublishServer};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_protocol::{Value, map};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use crate::fs::Dir;
use crate::known;
use crate::master::Master;

/// How often the job store is pruned.
const PRUNE: Duration = Duration::from_secs(600);

/// The drop file by which tools ask for a rotation.
const DROP_FILE: &str = ".dfn";

/// Follows the connections of the publish port, for ever.
pub async fn follow_peers(master: Arc<Master>) {
    let mut changes = master.port.events();
    master.presence.reset(&master.port.peers());
    loop {
        match changes.recv().await {
            Ok(change) => {
                if let PeerEvent::Connected(peer) = &change {
                    tracing::debug!(addr = %peer.addr, "subscriber connected");
                }
                let moved = master.presence.note(&change);
                moved.minions.iter().for_each(|id| master.alerts.presence(id));
                if moved.unproved {
                    master.alerts.sweep();
                }
            }
            Err(RecvError::Lagged(_)) => {
                master.presence.reset(&master.port.peers());
                master.alerts.sweep();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Does what is due, for ever.
pub async fn run(master: Arc<Master>) {
    let config = &master.config.upkeep;
    // A drop file from before the start asks for a key that is gone already.
    let _ = cachedir(&master).remove(DROP_FILE);
    let mut timer = tokio::time::interval(config.interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut present = BTreeSet::new();
    let mut rotated = Instant::now();
    let mut pruned: Option<Instant> = None;
    loop {
        timer.tick().await;
        let asked = drop_file(&master);
        let life = master.config.auth.session_life;
        if asked || (!life.is_zero() && rotated.elapsed() >= life) {
            rotated = Instant::now();
            rotate(&master);
        }
        if config.presence_events {
            present = announce_presence(&master, present);
        }
        if pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
            pruned = Some(Instant::now());
            master.jobs.prune().await;
            master.outlets.clean();
            let master = master.clone();
            let files = tokio::task::spawn_blocking(move || {
                known::keep(&cachedir(&master), &master.vouch);
                master.tidy_nonces();
                master.eauth.prune();
                forget_owners(&master);
            });
            let _ = files.await;
        }
    }
}

/// Changes the global key. Minions notice at the next job and authenticate again, each after a random pause of its own;
/// their requests, under session keys, go on undisturbed.
pub fn rotate(master: &Arc<Master>) {
    if let Err(e) = master.publisher.rotate(&master.credentials) {
        tracing::error!("the AES key could not be rotated: {e}");
        return;
    }
    tracing::info!("Rotating AES key");
    master.events.fire(tags::ROTATE, map! {"rotate_aes_key" => true});
    if master.config.upkeep.ping_on_rotate {
        let master = master.clone();
        tokio::spawn(async move { crate::requests::ping_all(&master).await });
    }
}

/// Removes the owners of jobs that minions started and that are no longer kept.
fn forget_owners(master: &Master) {
    let Some(age) = Some(master.config.jobs.caps.max_age).filter(|age| *age > 0) else { return };
    let Ok(dir) = cachedir(master).sub("publish_auth") else { return };
    let old = |name: &String| {
        let written = dir.modified(name).and_then(|at| SystemTime::now().duration_since(at).ok());
        written.is_some_and(|since| since > Duration::from_secs(age))
    };
    for name in dir.names().unwrap_or_default().iter().filter(|name| old(name)) {
        let _ = dir.remove(name);
    }
}

fn cachedir(master: &Master) -> Dir {
    Dir::at(&master.config.paths.cachedir)
}

/// Takes the drop file away; whether it was one. Stock 3006 leaves it empty, later ones write the master's id into it,
/// for directories that masters share; a file for another master is left to it.
fn drop_file(master: &Master) -> bool {
    let dir = cachedir(master);
    let Some(mode) = dir.mode(DROP_FILE) else { return false };
    if mode != 0o100_400 {
        tracing::error!("Found dropfile with incorrect permissions, ignoring...");
        let _ = dir.remove(DROP_FILE);
        return false;
    }
    let content = dir.read(DROP_FILE, 1024).ok().flatten().unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    if !content.trim().is_empty() && content.trim() != master.config.id {
        return false;
    }
    let _ = dir.remove(DROP_FILE);
    true
}

fn announce_presence(master: &Master, before: BTreeSet<MinionId>) -> BTreeSet<MinionId> {
    let mut now = master.presence.present();
    now.extend(by_cached_addresses(master));
    let list = |ids: Vec<&MinionId>| -> Value { ids.into_iter().map(MinionId::as_str).collect() };
    let new: Vec<_> = now.difference(&before).collect();
    let lost: Vec<_> = before.difference(&now).collect();
    if !new.is_empty() || !lost.is_empty() {
        master.events.fire(tags::PRESENCE_CHANGE, map! {"new" => list(new), "lost" => list(lost)});
    }
    master.events.fire(tags::PRESENCE_PRESENT, map! {"present" => list(now.iter().collect())});
    now
}

/// Minions that have not spoken since the start, but whose cached grains name an address from which somebody without a
/// name is connected: stock's way of telling who is there.
fn by_cached_addresses(master: &Master) -> Vec<MinionId> {
    let mut found = Vec::new();
    for id in master.data.accepted_ids().iter().filter(|id| !master.presence.is_proved(id)) {
        let Some(data) = master.data.data(id) else { continue };
        let addresses = ["ipv4", "ipv6"]
            .into_iter()
            .flat_map(|key| data.grains.get(key).and_then(Value::as_list).unwrap_or_default())
            .filter_map(|addr| addr.as_str()?.parse::<IpAddr>().ok())
            .filter(|addr| !addr.is_loopback());
        if addresses.into_iter().any(|addr| master.presence.has_nameless(addr)) {
            found.extend(MinionId::parse(id));
        }
    }
    found
}
