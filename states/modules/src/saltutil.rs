//! States that bring a minion's custom modules up to date.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::{Map, Value, map};

state_module! {
    "saltutil":
    sync_all, sync_beacons, sync_clouds, sync_engines, sync_executors, sync_grains, sync_log_handlers, sync_matchers,
    sync_modules, sync_output, sync_outputters, sync_pillar, sync_proxymodules, sync_renderers, sync_returners, sync_sdb,
    sync_serializers, sync_states, sync_thorium, sync_utils
}

/// Runs `saltutil.sync_<kind>` and lets `made` say what came of it; in test mode, says that it would be run.
fn synced(
    cx: &Cx,
    name: Value,
    kind: &str,
    kwargs: KwArgs,
    made: impl FnOnce(Value, Value) -> Outcome,
) -> Result<Outcome> {
    if cx.test {
        return Ok(Outcome::would(name, format!("saltutil.sync_{kind} would have been run")));
    }
    match cx.call(&format!("saltutil.sync_{kind}"), Args { positional: Vec::new(), keyword: kwargs.0 }) {
        Ok(files) => Ok(made(name, files)),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::error!("Failed to run saltutil.sync_{kind}: {}", said(&e));
            Ok(Outcome::failed(name, format!("Failed to run sync_{kind}: {}", said(&e))))
        }
    }
}

/// Python's `str(exception)`: that of a `KeyError` is the key's `repr`.
fn said(e: &CallError) -> String {
    match e {
        CallError::NotAvailable(text) => brine_core::text::python_repr(&text.as_str().into()),
        other => other.text(),
    }
}

fn single(cx: &Cx, name: Value, kind: &str, kwargs: KwArgs) -> Result<Outcome> {
    synced(cx, name, kind, kwargs, |name, files| match files.truthy() {
        true => Outcome::ok(name, format!("Updated {kind}.")).with_changes(map! { kind => files }),
        false => Outcome::ok(name, "No updates to sync"),
    })
}

/// Bring all kinds of custom modules up to date.
#[exec]
fn sync_all(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    synced(cx, name, "all", kwargs, |name, files| {
        let all = files.as_map().cloned().unwrap_or_default();
        let changes: Map = all.into_iter().filter(|(_, files)| files.truthy()).collect();
        let comment = if changes.is_empty() { "No updates to sync" } else { "Sync performed" };
        Outcome::ok(name, comment).with_changes(changes)
    })
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $function:ident => $kind:literal,)*) => {
        $($(#[$doc])*
        #[exec]
        fn $function(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
            single(cx, name, $kind, kwargs)
        })*
    };
}

kinds! {
    /// Bring custom beacons up to date.
    sync_beacons => "beacons",
    /// Bring custom cloud modules up to date.
    sync_clouds => "clouds",
    /// Bring custom engines up to date.
    sync_engines => "engines",
    /// Bring custom executors up to date.
    sync_executors => "executors",
    /// Bring custom grains up to date.
    sync_grains => "grains",
    /// Bring custom log handlers up to date.
    sync_log_handlers => "log_handlers",
    /// Bring custom matchers up to date.
    sync_matchers => "matchers",
    /// Bring custom execution modules up to date.
    sync_modules => "modules",
    /// Bring custom outputters up to date.
    sync_output => "output",
    /// Bring custom outputters up to date.
    sync_outputters => "outputters",
    /// Bring custom pillar modules up to date.
    sync_pillar => "pillar",
    /// Bring custom proxy modules up to date.
    sync_proxymodules => "proxymodules",
    /// Bring custom renderers up to date.
    sync_renderers => "renderers",
    /// Bring custom returners up to date.
    sync_returners => "returners",
    /// Bring custom Salt DB modules up to date.
    sync_sdb => "sdb",
    /// Bring custom serializers up to date.
    sync_serializers => "serializers",
    /// Bring custom state modules up to date.
    sync_states => "states",
    /// Bring custom thorium modules up to date.
    sync_thorium => "thorium",
    /// Bring custom utility modules up to date.
    sync_utils => "utils",
}
