//! `_pillar` and `_master_opts`. The pillar is empty until pillar compilation exists, but signed and bound to its
//! request as any pillar; asking for it is how a minion's grains get into the cache.

use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_protocol::request::Authenticated;
use brine_protocol::{Map, Value, map};

use super::minion::Answer;
use crate::master::Master;

pub(super) fn pillar(master: &Master, id: &Authenticated<MinionId>, mut load: Map) -> Answer {
    let Some(Value::Map(mut grains)) = load.remove("grains") else { return Value::Bool(false).into() };
    // Grains are claims; this one is known better.
    grains.insert("id", &**id);
    let pillar = Map::new();
    if master.data.enabled() {
        if let Err(e) = master.data.put(id, grains, pillar.clone()) {
            tracing::error!("cannot cache the grains of {}: {e}", id.as_str());
        } else if master.config.data.events {
            let data = map! {"Minion data cache refresh" => &**id};
            master.events.fire(tags::minion_refresh(id), data);
        }
    }
    Answer::Private(pillar.into())
}

/// The options a minion's state compiler asks for, as they stand in the master's file.
const OPTS: [&str; 12] = [
    "renderer",
    "failhard",
    "state_top",
    "state_top_saltenv",
    "nodegroups",
    "state_auto_order",
    "state_events",
    "state_aggregate",
    "jinja_env",
    "jinja_sls_env",
    "jinja_lstrip_blocks",
    "jinja_trim_blocks",
];

pub(super) fn master_opts(master: &Master, load: &Map) -> Map {
    let opts = &master.config.opts;
    let get = |key: &str| opts.get(key).cloned().unwrap_or_default();
    let mut out = map! {"file_roots" => map! {"base" => Value::List(Vec::new())}};
    for key in ["top_file_merging_strategy", "env_order", "default_top"] {
        out.insert(key, get(key));
    }
    if !load.get("env_only").is_some_and(Value::truthy) {
        for key in OPTS {
            out.insert(key, get(key));
        }
    }
    out
}
