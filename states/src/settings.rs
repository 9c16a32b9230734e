//! The options of a state run: the minion's, and over them those that the master has for everybody.

use brine_core::call::Cx;
use brine_core::{Map, Opts, Value, map};
use std::time::Duration;

/// How long a master may take to say its options.
const ASK: Duration = Duration::from_secs(60);

/// Options that the master's replace, with what counts where it does not say them.
fn from_master(mine: &Map, master: &Map) -> Map {
    let or = |key: &str, other: Value| master.get(key).cloned().unwrap_or(other);
    let or_mine = |key: &str| or(key, mine.get(key).cloned().unwrap_or_default());
    let either = |key: &str| {
        let set = |from: &Map| from.get(key).filter(|value| value.truthy()).cloned();
        set(mine).or_else(|| set(master)).unwrap_or(Value::Bool(false))
    };
    let top = master.get_str("state_top").unwrap_or("top.sls");
    let top = top.strip_prefix("salt://").or_else(|| top.strip_prefix('/')).unwrap_or(top);
    map! {
        "renderer" => or("renderer", "jinja|yaml".into()),
        "failhard" => or("failhard", false.into()),
        "state_top" => format!("salt://{top}"),
        "state_top_saltenv" => or("state_top_saltenv", Value::Nil),
        "nodegroups" => or("nodegroups", Map::new().into()),
        "state_auto_order" => or_mine("state_auto_order"),
        "file_roots" => or("file_roots", Map::new().into()),
        "top_file_merging_strategy" => or_mine("top_file_merging_strategy"),
        "env_order" => or("env_order", mine.get("env_order").cloned().unwrap_or_else(|| Value::List(Vec::new()))),
        "default_top" => or_mine("default_top"),
        "state_events" => either("state_events"),
        "state_aggregate" => either("state_aggregate"),
        "jinja_env" => or("jinja_env", Map::new().into()),
        "jinja_sls_env" => or("jinja_sls_env", Map::new().into()),
        "jinja_lstrip_blocks" => or("jinja_lstrip_blocks", false.into()),
        "jinja_trim_blocks" => or("jinja_trim_blocks", false.into()),
    }
}

/// What counts when the master gives no options: nothing is known of its tree.
fn without_master() -> Map {
    map! {
        "renderer" => "jinja|yaml", "failhard" => false, "state_top" => "salt://top.sls", "nodegroups" => Map::new(),
        "file_roots" => map! {"base" => vec!["/srv/salt"]},
    }
}

/// The options of a state run. With files of this machine they are its own.
pub fn settings(cx: &Cx) -> Opts {
    let mut opts = (*cx.opts).clone();
    if opts.str("file_client") == "local" {
        let own = opts.map().clone();
        opts.map_mut().update(from_master(&own, &own));
        return opts;
    }
    let over = match cx.host.master_request(map! {"cmd" => "_master_opts"}, ASK) {
        Ok(Value::Map(master)) if !master.is_empty() => from_master(opts.map(), &master),
        Ok(_) => without_master(),
        Err(e) => {
            tracing::warn!("the options of the master cannot be had: {e}");
            without_master()
        }
    };
    opts.map_mut().update(over);
    opts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masters_options_count_and_events_are_wanted_by_either() {
        let mine = map! {"state_events" => true, "env_order" => vec!["mine"], "default_top" => "base", "renderer" => "py"};
        let master =
            map! {"renderer" => "jinja|yaml", "state_top" => "/x/top.sls", "state_aggregate" => vec!["pkg"]};
        let all = from_master(&mine, &master);
        assert_eq!(all.get_str("renderer"), Some("jinja|yaml"));
        assert_eq!(all.get_str("state_top"), Some("salt://x/top.sls"));
        assert_eq!(all.get("state_events"), Some(&true.into()));
        assert_eq!(all.get("state_aggregate"), Some(&vec!["pkg"].into()));
        assert_eq!(all.get("env_order"), Some(&vec!["mine"].into()));
        assert_eq!(all.get("failhard"), Some(&false.into()));
    }
}
