//! Minions are told to fetch their pillar, each until it has done so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_core::target::Checked;
use brine_net::{PeerEvent, PublishServer};
use brine_protocol::ids::MinionId;
use brine_protocol::{Value, map};
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;

use crate::master::Master;
use crate::requests::job;

/// From a new connection until its minion listens.
const SETTLE: Duration = Duration::from_secs(1);
/// How long a minion that was told has to ask for its pillar, before it is told again.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a minion is told that is connected and does not ask.
const TRIES: u8 = 3;

/// The minions that have been told and have not asked for their pillar since: those that were not connected, above all. Only
/// accepted minions are told, so that their number bounds it.
#[derive(Debug, Default)]
pub(crate) struct Owed(Mutex<HashMap<MinionId, Debt>>);

/// How often a minion was told while it was connected, and when last.
#[derive(Clone, Copy, Debug, Default)]
struct Debt {
    tries: u8,
    told: Option<Instant>,
}

impl Owed {
    /// Notes that a minion fetches its pillar.
    pub(crate) fn settled(&self, id: &MinionId) {
        self.0.lock().remove(id);
    }

    /// A minion is told now; `heard` says whether it is connected.
    fn tell(&self, id: MinionId, heard: bool, now: Instant) {
        let mut owed = self.0.lock();
        let debt = owed.entry(id).or_default();
        if heard {
            *debt = Debt { tries: debt.tries + 1, told: Some(now) };
        }
    }

    /// A minion is to be told anew, however often it was before.
    fn renew(&self, id: MinionId) {
        self.0.lock().insert(id, Debt::default());
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Whether somebody has to be told when he comes back.
    pub(super) fn has_absent(&self) -> bool {
        self.0.lock().values().any(|debt| debt.told.is_none())
    }

    /// Those that are to be told now, and whether others are to be looked at later. Who was told often enough is given up.
    fn due(&self, absent: impl Fn(&MinionId) -> bool, now: Instant) -> (Vec<String>, bool) {
        let mut owed = self.0.lock();
        let over = |debt: &Debt| debt.told.is_none_or(|told| now.duration_since(told) >= PATIENCE);
        owed.retain(|_, debt| debt.tries < TRIES || !over(debt));
        let present = owed.iter().filter(|(id, _)| !absent(id));
        let (due, later): (Vec<_>, Vec<_>) = present.partition(|(_, debt)| over(debt));
        (due.into_iter().map(|(id, _)| id.as_str().to_owned()).collect(), !later.is_empty())
    }
}

/// Tells minions whose pillar has changed; the id of the job by which they are told, if there is one.
pub(super) async fn of_change(master: &Arc<Master>, minions: Vec<String>) -> Option<String> {
    minions.iter().filter_map(|id| MinionId::parse(id).ok()).for_each(|id| master.owed.renew(id));
    refresh_pillar(master, minions).await
}

/// By a job of this master's own.
async fn refresh_pillar(master: &Arc<Master>, minions: Vec<String>) -> Option<String> {
    if minions.is_empty() {
        return None;
    }
    let now = Instant::now();
    for id in minions.iter().filter_map(|id| MinionId::parse(id).ok()) {
        let heard = !master.presence.is_absent(id.as_str());
        master.owed.tell(id, heard, now);
    }
    let load = map! {
        "cmd" => "publish", "fun" => "saltutil.refresh_pillar", "arg" => Value::List(Vec::new()),
        "tgt" => minions.iter().map(String::as_str).collect::<Value>(), "tgt_type" => "list", "ret" => "", "jid" => "",
        "user" => master.config.user.as_str(),
    };
    match job::start(master, load, Checked { minions, missing: Vec::new() }).await {
        Ok(started) => Some(started.jid.to_string()),
        Err(e) => {
            tracing::error!("minions could not be told that their inventory has changed: {e}");
            None
        }
    }
}

/// Tells minions that were away, when they come back; for ever.
pub(super) async fn again(master: Arc<Master>) {
    let mut peers = master.port.events();
    loop {
        match peers.recv().await {
            Ok(PeerEvent::Disconnected(_)) => continue,
            Ok(PeerEvent::Connected(_)) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
        let mut wait = SETTLE;
        while !master.owed.is_empty() {
            tokio::time::sleep(wait).await;
            let absent = |id: &MinionId| master.presence.is_absent(id.as_str());
            let (due, later) = master.owed.due(absent, Instant::now());
            refresh_pillar(&master, due).await;
            if !later {
                break;
            }
            wait = PATIENCE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minion_is_owed_until_it_asks() {
        let id = |text: &str| MinionId::parse(text).unwrap();
        let owed = Owed::default();
        let now = Instant::now();
        for name in ["away", "slow", "gone"] {
            owed.renew(id(name));
            owed.tell(id(name), name == "slow", now);
        }
        assert!(owed.has_absent());
        let absent = |id: &MinionId| id.as_str() == "gone";
        assert_eq!(owed.due(absent, now), (vec!["away".to_owned()], true));
        owed.settled(&id("away"));
        assert_eq!(owed.due(absent, now), (vec![], true));
        let mut later = now;
        for _ in 1..TRIES {
            later += PATIENCE;
            assert_eq!(owed.due(absent, later), (vec!["slow".to_owned()], false));
            owed.tell(id("slow"), true, later);
        }
        assert_eq!(owed.due(absent, later + PATIENCE), (vec![], false), "it was told often enough");
        assert!(!owed.is_empty() && owed.has_absent());
        owed.settled(&id("gone"));
        assert!(owed.is_empty());
    }
}
