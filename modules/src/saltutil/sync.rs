//! `saltutil.sync_*`: Python modules of every kind are fetched from the file server. Calling one needs the bridge to Python.

use super::refresh::ask;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::host::Refresh;
use brine_core::{Map, Value};
use brine_files::extmods::{self, Asked};

/// What every `sync_*` comes to.
fn sync(cx: &Cx, kind: &str, asked: [&Option<Value>; 3], refresh: Option<Refresh>) -> Result {
    let [saltenv, whitelist, blacklist] = asked.map(Option::as_ref);
    let new = extmods::sync(cx, kind, &Asked { saltenv, whitelist, blacklist })?;
    if let Some(what) = refresh {
        ask(cx, what, None)?;
    }
    Ok(new.into_iter().map(Value::from).collect())
}

/// Fetch beacons of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_beacons
#[exec]
pub(super) fn sync_beacons(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "beacons", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Beacons))
}

/// Fetch clouds of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_clouds
#[exec]
pub(super) fn sync_clouds(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "clouds", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch engines of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_engines
#[exec]
pub(super) fn sync_engines(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "engines", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch executors of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_executors
#[exec]
pub(super) fn sync_executors(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "executors", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch grains of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_grains
#[exec]
pub(super) fn sync_grains(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result {
    sync(cx, "grains", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() }))
}

/// Fetch log handlers of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_log_handlers
#[exec]
pub(super) fn sync_log_handlers(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "log_handlers", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch matchers of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_matchers
#[exec]
pub(super) fn sync_matchers(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "matchers", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch execution modules of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_modules
#[exec]
pub(super) fn sync_modules(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "modules", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch outputters of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_output
#[exec]
pub(super) fn sync_output(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "output", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch proxy modules of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_proxymodules
#[exec]
pub(super) fn sync_proxymodules(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "proxy", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch renderers of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_renderers
#[exec]
pub(super) fn sync_renderers(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "renderers", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch returners of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_returners
#[exec]
pub(super) fn sync_returners(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "returners", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch serializers of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_serializers
#[exec]
pub(super) fn sync_serializers(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "serializers", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch state modules of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_states
#[exec]
pub(super) fn sync_states(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "states", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch thorium modules of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_thorium
#[exec]
pub(super) fn sync_thorium(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(false)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "thorium", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch utility modules of the file server that are new or changed. Returns their names, after a refresh if asked.
///
/// CLI Example: salt '*' saltutil.sync_utils
#[exec]
pub(super) fn sync_utils(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "utils", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Modules))
}

/// Fetch sdb modules of the file server that are new or changed. Returns their names.
///
/// CLI Example: salt '*' saltutil.sync_sdb
#[exec]
pub(super) fn sync_sdb(
    cx: &Cx,
    saltenv: Option<Value>,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
) -> Result {
    sync(cx, "sdb", [&saltenv, &extmod_whitelist, &extmod_blacklist], None)
}

/// Fetch pillar modules that are new or changed (minions without a master only). Returns their names.
///
/// CLI Example: salt '*' saltutil.sync_pillar
#[exec]
pub(super) fn sync_pillar(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result {
    if cx.opts.str("file_client") != "local" {
        return Err(CallError::execution("Pillar modules can only be synced to masterless minions"));
    }
    sync(cx, "pillar", [&saltenv, &extmod_whitelist, &extmod_blacklist], refresh.then_some(Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() }))
}

/// What `saltutil.sync_all` goes through, in stock's order.
const KINDS: [&str; 17] = [
    "clouds", "beacons", "modules", "states", "sdb", "grains", "renderers", "returners", "output", "utils",
    "log_handlers", "executors", "proxymodules", "engines", "thorium", "serializers", "matchers",
];

/// Fetch modules of all kinds that are new or changed. Returns their names by kind, after a refresh of the pillar if asked.
///
/// CLI Example: salt '*' saltutil.sync_all
#[exec]
pub(super) fn sync_all(
    cx: &Cx,
    saltenv: Option<Value>,
    #[default(true)] refresh: bool,
    extmod_whitelist: Option<Value>,
    extmod_blacklist: Option<Value>,
    #[default(false)] clean_pillar_cache: Value,
) -> Result<Map> {
    let asked = [&saltenv, &extmod_whitelist, &extmod_blacklist];
    let mut all = Map::new();
    for kind in KINDS {
        let folder = if kind == "proxymodules" { "proxy" } else { kind };
        all.insert(kind, sync(cx, folder, asked, None)?);
    }
    if cx.opts.str("file_client") == "local" {
        all.insert("pillar", sync(cx, "pillar", asked, None)?);
    }
    if refresh {
        ask(cx, Refresh::Pillar { clean_cache: clean_pillar_cache.truthy() }, None)?;
    }
    Ok(all)
}
