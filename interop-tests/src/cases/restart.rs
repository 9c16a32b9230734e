//! Daemons that go away and come back.

use std::time::Duration;

use crate::bus::Bus;
use crate::failure::{Result, hold};
use crate::fleet::{Fleet, START};

/// A restarted minion fires its start event and answers, with the key it had.
pub fn minion(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    fleet.stop_minion("m2")?;
    fleet.start_minion("m2", "m2", &[])?;
    bus.wait("the start event", START, |e| e.tag == "salt/minion/m2/start" && e.data["id"] == "m2")?;
    fleet.wait_ping("m2", START)?;
    hold(!fleet.has_key("minions_pre", "m2"), || "a new key is pending".into())
}

/// After a restart of the master its minions come back by themselves.
pub fn master(fleet: &mut Fleet) -> Result {
    let limit = Duration::from_secs(if fleet.minion.is_ours() { 15 } else { 30 });
    fleet.stop_master()?;
    fleet.start_master()?;
    for id in ["m1", "m2"] {
        fleet.wait_ping(id, limit)?;
        hold(!fleet.has_key("minions_pre", id), || format!("a new key of {id} is pending"))?;
    }
    Ok(())
}
