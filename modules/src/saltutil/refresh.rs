//! What the minion is to read anew.

use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::host::Refresh;
use brine_core::Value;
use std::time::Duration;

/// How long a wait for modules lasts at most; stock's own limit.
const MODULES: Duration = Duration::from_secs(30);

/// Whether somebody was there to do it: without a daemon stock returns `False`.
pub(super) fn ask(cx: &Cx, what: Refresh, wait: Option<Duration>) -> Result<bool> {
    match cx.host.refresh(what, wait) {
        Ok(()) => Ok(true),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::debug!("{what:?} not refreshed: {e}");
            Ok(false)
        }
    }
}

/// Read the grains anew, and with them the pillar (or with `refresh_pillar=False` only the modules).
///
/// CLI Example: salt '*' saltutil.refresh_grains
#[exec]
pub(super) fn refresh_grains(cx: &Cx, kwargs: KwArgs) -> Result<bool> {
    let mut given = kwargs.clean();
    let pillar = given.remove("refresh_pillar").is_none_or(|value| value.truthy());
    let clean_cache = given.remove("clean_pillar_cache").is_some_and(|value| value.truthy());
    if !given.is_empty() {
        return Err(CallError::unknown_keywords(&given));
    }
    ask(cx, Refresh::Grains, None)?;
    ask(cx, if pillar { Refresh::Pillar { clean_cache } } else { Refresh::Modules }, None)?;
    Ok(true)
}

/// Fetch the pillar anew. With `wait`, return once it is in force, or after `timeout` seconds.
///
/// CLI Example: salt '*' saltutil.refresh_pillar wait=True timeout=60
#[exec]
pub(super) fn refresh_pillar(
    cx: &Cx,
    #[default(false)] wait: bool,
    #[default(30)] timeout: f64,
    #[default(true)] clean_cache: Value,
) -> Result<bool> {
    let limit = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::MAX);
    ask(cx, Refresh::Pillar { clean_cache: clean_cache.truthy() }, wait.then_some(limit))
}

/// Load the modules anew. With `async=False`, return once that is done.
///
/// CLI Example: salt '*' saltutil.refresh_modules
#[exec]
pub(super) fn refresh_modules(cx: &Cx, kwargs: KwArgs) -> Result<bool> {
    let asynchronous = kwargs.0.get("async").is_none_or(Value::truthy);
    ask(cx, Refresh::Modules, (!asynchronous).then_some(MODULES))
}

/// Set up the beacons anew.
///
/// CLI Example: salt '*' saltutil.refresh_beacons
#[exec]
pub(super) fn refresh_beacons(cx: &Cx) -> Result<bool> {
    ask(cx, Refresh::Beacons, None)
}

/// Set up the matchers anew.
///
/// CLI Example: salt '*' saltutil.refresh_matchers
#[exec]
pub(super) fn refresh_matchers(cx: &Cx) -> Result<bool> {
    ask(cx, Refresh::Matchers, None)
}
