//! `saltutil.sync_*`: stock fetches Python modules of every kind from the file server here.
//!
//! There is no Python in this minion, so nothing is ever fetched: each returns the empty list that a stock minion
//! returns when there is nothing new, after the refresh that it was asked for.

use super::refresh::ask;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::host::Refresh;
use brine_core::{Map, Value};

/// What every `sync_*` comes to.
fn sync(cx: &Cx, refresh: bool, what: Refresh) -> Result {
    if refresh {
        ask(cx, what, None)?;
    }
    Ok(Value::List(Vec::new()))
}

/// Fetch beacons of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_beacons
#[exec]
pub(super) fn sync_beacons(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Beacons)
}

/// Fetch clouds of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_clouds
#[exec]
pub(super) fn sync_clouds(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch engines of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_engines
#[exec]
pub(super) fn sync_engines(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch executors of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_executors
#[exec]
pub(super) fn sync_executors(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch grains of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_grains
#[exec]
pub(super) fn sync_grains(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result {
    sync(cx, refresh, Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() })
}

/// Fetch log handlers of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_log_handlers
#[exec]
pub(super) fn sync_log_handlers(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch matchers of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_matchers
#[exec]
pub(super) fn sync_matchers(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch execution modules of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_modules
#[exec]
pub(super) fn sync_modules(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch outputters of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_output
#[exec]
pub(super) fn sync_output(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch proxy modules of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_proxymodules
#[exec]
pub(super) fn sync_proxymodules(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch renderers of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_renderers
#[exec]
pub(super) fn sync_renderers(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch returners of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_returners
#[exec]
pub(super) fn sync_returners(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch serializers of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_serializers
#[exec]
pub(super) fn sync_serializers(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch state modules of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_states
#[exec]
pub(super) fn sync_states(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch thorium modules of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_thorium
#[exec]
pub(super) fn sync_thorium(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch utility modules of the file server: none, as they are Python. Returns an empty list, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_utils
#[exec]
pub(super) fn sync_utils(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, refresh, Refresh::Modules)
}

/// Fetch sdb modules of the file server: none, as they are Python. Returns an empty list.
///
/// CLI Example: salt '*' saltutil.sync_sdb
#[exec]
pub(super) fn sync_sdb(
    cx: &Cx,
    _saltenv: Option<Value>,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, false, Refresh::Modules)
}

/// Fetch pillar modules (minions without a master only): none, as they are Python. Returns an empty list.
///
/// CLI Example: salt '*' saltutil.sync_pillar
#[exec]
pub(super) fn sync_pillar(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result {
    if cx.opts.str("file_client") != "local" {
        return Err(CallError::execution("Pillar modules can only be synced to masterless minions"));
    }
    sync(cx, refresh, Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() })
}

/// What `saltutil.sync_all` goes through, in stock's order.
const KINDS: [&str; 17] = [
    "clouds", "beacons", "modules", "states", "sdb", "grains", "renderers", "returners", "output", "utils",
    "log_handlers", "executors", "proxymodules", "engines", "thorium", "serializers", "matchers",
];

/// Fetch modules of all kinds: none, as they are Python. Returns an empty list for each, after a refresh of the pillar
/// if asked.
///
/// CLI Example: salt '*' saltutil.sync_all
#[exec]
pub(super) fn sync_all(
    cx: &Cx,
    _saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    _extmod_whitelist: Option<Value>,
    _extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result<Map> {
    let mut all: Map = KINDS.iter().map(|kind| (*kind, Value::List(Vec::new()))).collect();
    if cx.opts.str("file_client") == "local" {
        all.insert("pillar", Value::List(Vec::new()));
    }
    if refresh {
        ask(cx, Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() }, None)?;
    }
    Ok(all)
}
