//! Event tags: how they are built, and which of them a minion may fire.
//!
//! All parts are validated names, so no part can forge another tag.

use crate::ids::{Jid, MinionId, is_generated_jid};

/// Tag of handshake events.
pub const AUTH: &str = "salt/auth";
/// Tag of key changes by tools.
pub const KEY: &str = "salt/key";
/// Tag of the rotation notice.
pub const ROTATE: &str = "key";
/// Tag of the list of connected minions.
pub const PRESENCE_PRESENT: &str = "salt/presence/present";
/// Tag of changes in that list.
pub const PRESENCE_CHANGE: &str = "salt/presence/change";

/// `salt/job/<jid>/new`
pub fn job_new(jid: &Jid) -> String {
    format!("salt/job/{jid}/new")
}

/// `salt/job/<jid>/publish` (3007 and later)
pub fn job_publish(jid: &Jid) -> String {
    format!("salt/job/{jid}/publish")
}

/// `salt/job/<jid>/ret/<id>`
pub fn job_ret(jid: &Jid, id: &MinionId) -> String {
    format!("salt/job/{jid}/ret/{id}")
}

/// `salt/job/<jid>/prog/<id>/<n>`
pub fn job_prog(jid: &Jid, id: &MinionId, n: u64) -> String {
    format!("salt/job/{jid}/prog/{id}/{n}")
}

/// `salt/job/<jid>/sub/<id>/error/<fun>`
pub fn job_sub_error(jid: &Jid, id: &MinionId, fun: &str) -> String {
    format!("salt/job/{jid}/sub/{id}/error/{fun}")
}

/// `salt/job/<jid>/start/<id>` (3008, when asked for)
pub fn job_start(jid: &Jid, id: &MinionId) -> String {
    format!("salt/job/{jid}/start/{id}")
}

/// `salt/minion/<id>/start`
pub fn minion_start(id: &MinionId) -> String {
    format!("salt/minion/{id}/start")
}

/// `salt/beacon/<id>/<beacon>/`, with what the beacon adds.
pub fn beacon(id: &MinionId, beacon: &str, more: &str) -> String {
    format!("salt/beacon/{id}/{beacon}/{more}")
}

/// `minion/refresh/<id>`
pub fn minion_refresh(id: &MinionId) -> String {
    format!("minion/refresh/{id}")
}

/// In the tags of events that manage the master's reactor, and of its answers.
pub const MANAGE_REACTORS: &str = "salt/reactors/manage";
/// A program of the master's host says that an inventory may have changed.
pub const INVENTORY_REFRESH: &str = "brine/inventory/refresh";
/// Another revision of an inventory is in force; the data says of which, and which minions were told.
pub const INVENTORY_CHANGED: &str = "brine/inventory/changed";
/// A revision of an inventory has errors, and what was in force before it stays.
pub const INVENTORY_REFUSED: &str = "brine/inventory/refused";

/// What follows `salt/` in tags that masters, their programs and their engines fire.
const OF_MASTERS: [&str; 18] = [
    "",
    "auth",
    "cloud",
    "cluster",
    "engines",
    "event_listen",
    "fileserver",
    "job",
    "key",
    "netapi",
    "presence",
    "queue",
    "reactors",
    "run",
    "scheduler",
    "state_result",
    "stats",
    "wheel",
];

/// Whether a minion may fire this tag: anything but the reserved tags that are not its own.
///
/// Reserved are what masters fire below `salt/`, what other minions do, `brine/...`, `syndic/...`, bare job ids, `key`, and
/// tags that would break framing.
pub fn minion_may_fire(tag: &str, id: &MinionId) -> bool {
    if tag.is_empty() || tag.len() > 1024 || tag.contains("\n\n") || tag.ends_with('\n') {
        return false;
    }
    let parts: Vec<&str> = tag.split('/').collect();
    let id = id.as_str();
    match parts.as_slice() {
        ["salt", "beacon" | "minion" | "syndic", who, ..] => *who == id,
        ["salt", "job", _, "prog" | "start", who, ..] => *who == id,
        ["salt", "state_result", _, who, ..] => *who == id,
        ["salt", what, ..] => !OF_MASTERS.contains(what),
        ["salt"] | ["brine", ..] => false,
        ["syndic", who, ..] => *who == id,
        [bare] => *bare != ROTATE && !is_generated_jid(bare),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2025_22239_minions_fire_only_tags_of_their_own() {
        let id = MinionId::parse("m1").unwrap();
        for own in [
            "minion_start",
            "salt/minion/m1/start",
            "salt/beacon/m1/load/",
            "salt/job/20260101000000000000/prog/m1/3",
            "my/own/tag",
            "custom",
            "salty",
            "salt/custom/deployed",
            "salt/state_result/20260101000000000000/m1/x/y",
            "20260101",
        ] {
            assert!(minion_may_fire(own, &id), "{own}");
        }
        for other in [
            "",
            "salt",
            "salt/",
            "salt/auth",
            "salt/key",
            INVENTORY_CHANGED,
            INVENTORY_REFRESH,
            "salt/minion/m2/start",
            "salt/minion/m10/start",
            "salt/beacon/m2/load/",
            "salt/job/20260101000000000000/ret/m1",
            "salt/job/20260101000000000000/ret/m2",
            "salt/job/20260101000000000000/new",
            "salt/job/20260101000000000000/publish",
            "salt/run/20260101000000000000/ret",
            "salt/wheel/20260101000000000000/ret",
            "salt/cloud/x/created",
            "salt/presence/change",
            "salt/cluster/x",
            "salt/reactors/manage/add",
            "salt/state_result",
            "salt/state_result/20260101000000000000/m2/x",
            "salt/fileserver/gitfs/update",
            "salt/stats/x",
            "syndic/m2/x",
            "20260101000000000000",
            "20260101000000000000_77",
            "key",
            "a\n\nb",
            "key\n",
        ] {
            assert!(!minion_may_fire(other, &id), "{other}");
        }
    }
}
