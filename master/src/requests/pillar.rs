//! `_pillar` and `_master_opts`. A minion gets its own pillar, whatever it claims; asking for it is how its grains get into the
//! cache.

use std::sync::Arc;

use brine_core::text::python_str;
use brine_pillar::{Ask, Wish};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;
use brine_protocol::request::Authenticated;
use brine_protocol::{Map, Value, map};

use super::minion::Answer;
use crate::master::Master;
use crate::runs;

/// Compiles the pillar of the minion that asks, in its turn, and keeps it with the minion's grains.
pub(super) async fn pillar(master: &Arc<Master>, id: &Authenticated<MinionId>, load: Map) -> Answer {
    let Some(ask) = asked(id, load) else { return Value::Bool(false).into() };
    let pillars = runs::pillars(master, tokio::runtime::Handle::current());
    let minion: MinionId = (**id).clone();
    let kept = master.clone();
    let compiled = master.pillar_pool.run(id, move || {
        // Whoever is told from now on must ask again.
        kept.owed.settled(&minion);
        let pillar = pillars.compile(&ask)?;
        keep(&kept, &minion, ask.grains, &pillar);
        Ok::<_, brine_core::CallError>(pillar)
    });
    match compiled.await {
        Some(Ok(pillar)) => Answer::Private(pillar.into()),
        // As in stock, where the exception ends in text that no minion takes for pillar.
        Some(Err(e)) => {
            tracing::error!("the pillar of {} cannot be compiled: {e}", id.as_str());
            Answer::Private("".into())
        }
        None => Answer::Silence,
    }
}

/// What a request asks for. None without grains.
fn asked(id: &MinionId, mut load: Map) -> Option<Ask> {
    let Some(Value::Map(mut grains)) = load.remove("grains") else { return None };
    // Grains are claims; this one is known better.
    grains.insert("id", id);
    let env = |load: &Map, key: &str| load.get(key).filter(|env| !env.is_nil()).map(python_str);
    let dict = |value: Option<Value>, what: &str| match value {
        Some(Value::Map(map)) => map,
        other => {
            if other.is_some_and(|value| value.truthy()) {
                tracing::error!("{what} data must be a dictionary");
            }
            Map::new()
        }
    };
    let wish = Wish {
        id: id.as_str().to_owned(),
        saltenv: env(&load, "saltenv").or_else(|| env(&load, "env")),
        pillarenv: env(&load, "pillarenv"),
        over: Some(dict(load.remove("pillar_override"), "Pillar")),
        kept: None,
        ext: load.remove("ext").filter(Value::truthy),
        extra: dict(load.remove("extra_minion_data"), "Extra minion"),
    };
    let clean_cache = load.get("clean_cache").is_some_and(Value::truthy);
    Some(Ask { wish, grains, clean_cache })
}

/// Keeps what is known of a minion, and tells of it.
fn keep(master: &Master, id: &MinionId, grains: Map, pillar: &Map) {
    if !master.data.enabled() {
        return;
    }
    if let Err(e) = master.data.put(id, grains, pillar.clone()) {
        tracing::error!("cannot cache the grains of {id}: {e}");
        return;
    }
    master.alerts.labels(id);
    if master.config.data.events {
        master.events.fire(tags::minion_refresh(id), map! {"Minion data cache refresh" => id});
    }
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
    let envs = master.files.envs().unwrap_or_else(|e| {
        tracing::error!("the environments of the file server: {e}");
        Vec::new()
    });
    let roots: Map = envs.into_iter().map(|env| (Value::from(env), Value::List(Vec::new()))).collect();
    let mut out = map! {"file_roots" => roots};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_minion_that_sent_it() {
        let id = MinionId::parse("m1").unwrap();
        let ask = asked(
            &id,
            map! {
                "id" => "other", "grains" => map! {"id" => "other", "os" => "x"}, "saltenv" => Value::Nil, "pillarenv" => "dev",
                "pillar_override" => map! {"a" => 1}, "extra_minion_data" => "no dict", "clean_cache" => true, "ver" => "2",
            },
        )
        .unwrap();
        assert_eq!(ask.grains, map! {"id" => "m1", "os" => "x"});
        assert_eq!(
            (ask.wish.id.as_str(), ask.wish.saltenv, ask.wish.pillarenv),
            ("m1", None, Some("dev".into()))
        );
        assert_eq!(
            (ask.wish.over, ask.wish.extra, ask.clean_cache),
            (Some(map! {"a" => 1}), Map::new(), true)
        );
        assert!(asked(&id, map! {"grains" => "none"}).is_none());
    }
}
