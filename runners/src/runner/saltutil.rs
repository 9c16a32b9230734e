//! Custom modules, copied from the file roots to the master's `extension_modules`. They are written in Python, so nothing here calls
//! them; stock's programs on this host do.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value};
use brine_files::extmods::{self, Asked};

use crate::minion::minion;

module! {
    "saltutil": sync_all, sync_cache, sync_clouds, sync_eauth_tokens, sync_engines, sync_executors, sync_fileserver,
    sync_grains, sync_modules, sync_output, sync_pillar, sync_proxymodules, sync_queues, sync_renderers, sync_returners,
    sync_roster, sync_runners, sync_sdb, sync_serializers, sync_states, sync_thorium, sync_tops, sync_utils, sync_wheel
}

/// Kinds of modules: the name in the result of `sync_all`, and the directory's below `_`.
const KINDS: [(&str, &str); 23] = [
    ("clouds", "clouds"),
    ("modules", "modules"),
    ("states", "states"),
    ("grains", "grains"),
    ("renderers", "renderers"),
    ("returners", "returners"),
    ("output", "output"),
    ("proxymodules", "proxy"),
    ("runners", "runners"),
    ("wheel", "wheel"),
    ("engines", "engines"),
    ("thorium", "thorium"),
    ("queues", "queues"),
    ("pillar", "pillar"),
    ("utils", "utils"),
    ("sdb", "sdb"),
    ("cache", "cache"),
    ("fileserver", "fileserver"),
    ("tops", "tops"),
    ("tokens", "tokens"),
    ("serializers", "serializers"),
    ("executors", "executors"),
    ("roster", "roster"),
];

/// Copy custom modules of every kind that are new or changed. Returns their names by kind.
///
/// CLI Example: salt-run saltutil.sync_all
#[exec]
fn sync_all(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    extmod_whitelist: Option<Map>,
    extmod_blacklist: Option<Map>,
) -> Result<Map> {
    let inner = minion(cx, Map::new())?;
    let lists = [extmod_whitelist, extmod_blacklist].map(|lists| lists.map(Value::Map));
    let mut all = Map::new();
    for (name, kind) in KINDS {
        all.insert(name, extmods::sync(&inner, kind, &asked(&saltenv, &lists))?);
    }
    Ok(all)
}

fn asked<'a>(saltenv: &'a Value, [whitelist, blacklist]: &'a [Option<Value>; 2]) -> Asked<'a> {
    Asked { saltenv: Some(saltenv), whitelist: whitelist.as_ref(), blacklist: blacklist.as_ref() }
}

macro_rules! syncs {
    ($($name:ident: $kind:literal),* $(,)?) => { $(
        /// Copy custom modules of one kind that are new or changed. Returns their names.
        ///
        /// CLI Example: salt-run saltutil.sync_modules
        #[exec]
        fn $name(
            cx: &Cx,
            #[default("base")] saltenv: Value,
            extmod_whitelist: Option<Value>,
            extmod_blacklist: Option<Value>,
        ) -> Result<Vec<String>> {
            extmods::sync(&minion(cx, Map::new())?, $kind, &asked(&saltenv, &[extmod_whitelist, extmod_blacklist]))
        }
    )* };
}

syncs! {
    sync_cache: "cache", sync_clouds: "clouds", sync_eauth_tokens: "tokens", sync_engines: "engines",
    sync_executors: "executors", sync_fileserver: "fileserver", sync_grains: "grains", sync_modules: "modules",
    sync_output: "output", sync_pillar: "pillar", sync_proxymodules: "proxy", sync_queues: "queues",
    sync_renderers: "renderers", sync_returners: "returners", sync_roster: "roster", sync_runners: "runners",
    sync_sdb: "sdb", sync_serializers: "serializers", sync_states: "states", sync_thorium: "thorium",
    sync_tops: "tops", sync_utils: "utils", sync_wheel: "wheel",
}
