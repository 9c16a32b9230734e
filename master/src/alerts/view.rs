//! The master as alerts see it.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use brine_alerts::config::Origin;
use brine_alerts::event::Event;
use brine_alerts::{Around, Labels, inventory};
use brine_core::target::Fleet;
use brine_protocol::Map;
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::message::tags;
use brine_store::jobs::{Came, Shelf};

use crate::keys::KeyState;
use crate::master::Master;

/// Returns from before the start that are looked at.
const MOST_KEPT: usize = 10_000;

/// The master, as long as it is there: the thread that looks must not keep it.
#[derive(Debug)]
pub(super) struct View {
    master: Weak<Master>,
    origins: Vec<(String, Origin)>,
}

impl View {
    pub(super) fn new(master: &Arc<Master>, origins: Vec<(String, Origin)>) -> Self {
        Self { master: Arc::downgrade(master), origins }
    }
}

impl Around for View {
    fn labels(&self, minion: &str) -> Labels {
        // Only ids become paths.
        let Ok(id) = MinionId::parse(minion) else { return Labels::new() };
        let data = self.master.upgrade().and_then(|master| master.data.data(id.as_str()));
        data.map(|data| inventory::labels(&self.origins, &data.pillar, &data.grains)).unwrap_or_default()
    }

    fn minions(&self) -> Vec<String> {
        self.master.upgrade().map(|master| master.data.accepted_ids().to_vec()).unwrap_or_default()
    }

    fn is_accepted(&self, minion: &str) -> bool {
        let Ok(id) = MinionId::parse(minion) else { return false };
        self.master.upgrade().is_some_and(|master| master.keys.has(KeyState::Accepted, &id))
    }

    fn is_absent(&self, minion: &str) -> bool {
        self.master.upgrade().is_some_and(|master| master.presence.is_gone(minion))
    }

    fn disk(&self) -> Option<usize> {
        let master = self.master.upgrade()?;
        let stat = nix::sys::statvfs::statvfs(&master.config.paths.cachedir).ok()?;
        // As `df` has it: what only root can use counts as taken by nobody.
        let (all, free, usable) = (stat.blocks(), stat.blocks_free(), stat.blocks_available());
        percent(all.saturating_sub(free), all.saturating_sub(free).saturating_add(usable))
    }

    fn job_store(&self) -> Option<usize> {
        let master = self.master.upgrade()?;
        let dir = std::fs::read_dir(master.config.paths.cachedir.join("job_store")).ok()?;
        let sizes = dir.flatten().filter_map(|entry| entry.metadata().ok()).filter(|meta| meta.is_file());
        percent(sizes.map(|meta| meta.len()).sum(), master.config.jobs.caps.max_bytes)
    }

    fn kept_since(&self, since: SystemTime) -> Vec<Event> {
        let Some(master) = self.master.upgrade() else { return Vec::new() };
        let seconds = since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let came = Shelf::at(&master.config.paths.cachedir).came_since(seconds, MOST_KEPT);
        let event = |came: Came| {
            let (jid, id) = (Jid::parse(&came.jid).ok()?, MinionId::parse(&came.id).ok()?);
            let mut data = came.load;
            data.insert("jid", &jid);
            data.insert("id", &id);
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(came.at);
            Some(Event { tag: tags::job_ret(&jid, &id), data, at })
        };
        match came {
            Ok(came) => came.into_iter().filter_map(event).collect(),
            Err(e) => {
                tracing::error!("returns from before the start are not looked at for alerts: {e}");
                Vec::new()
            }
        }
    }

    fn fire(&self, tag: &str, data: Map) {
        if let Some(master) = self.master.upgrade() {
            master.events.fire(tag, data);
        }
    }
}

fn percent(part: u64, all: u64) -> Option<usize> {
    if all == 0 {
        return None;
    }
    usize::try_from(u128::from(part) * 100 / u128::from(all)).ok()
}
