//! What becomes of a service when something it watches has changed.

use super::{ask, runs, said, systemd_only, wait};
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What is done to the service, and how that is called.
fn action(cx: &Cx, up: bool, reload: bool, full_restart: bool, force: bool) -> (&'static str, &'static str) {
    let has = |function: &str| cx.registry.get(function).is_some();
    match up {
        false => ("service.start", "start"),
        true if reload && force && has("service.force_reload") => ("service.force_reload", "forcefully reload"),
        true if reload && has("service.reload") => ("service.reload", "reload"),
        true if full_restart && has("service.full_restart") => ("service.full_restart", "fully restart"),
        true => ("service.restart", "restart"),
    }
}

/// Restart the service, or stop it, because something it watches has changed.
///
/// name: the service. sfun: the state that watches. sig: as for that state. reload: have it read its configuration again
/// instead. force: or restart it if it cannot. full_restart: stop and start it, on other systems. init_delay: seconds to wait
/// after that.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn mod_watch(
    cx: &Cx,
    name: Value,
    sfun: Option<Value>,
    sig: Option<Value>,
    #[default(false)] reload: bool,
    #[default(false)] full_restart: bool,
    init_delay: Option<Value>,
    #[default(false)] force: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let (kwargs, sig) = (kwargs.0, Value::from(sig));
    let mut outcome = Outcome::new(name.clone());
    let (function, verb, done) = match sfun.as_ref().and_then(Value::as_str) {
        Some("dead") => {
            if !runs(cx, &name, &sig)?.truthy() {
                return Ok(Outcome::ok(name, "Service is already stopped"));
            }
            ("service.stop", "stop", "stopped".to_owned())
        }
        Some("running") => {
            let up = runs(cx, &name, &sig)?.truthy();
            let (function, verb) = action(cx, up, reload, full_restart, force);
            (function, verb, format!("{verb}ed"))
        }
        _ => {
            let sfun = python_str(&sfun.into());
            return Ok(Outcome::failed(name, format!("Unable to trigger watch for service.{sfun}")));
        }
    };
    if cx.test {
        return Ok(Outcome::would(name, format!("Service is set to be {done}")));
    }
    if verb == "start" {
        // What is dead by its own account may have left something behind.
        ask(cx, "service.stop", &name, Map::new())?;
    }
    let extra = systemd_only(cx, function, &kwargs, &mut outcome);
    let result = match said(ask(cx, function, &name, extra))? {
        Ok(result) => result,
        Err(text) => return Ok(Outcome { more: outcome.more, ..Outcome::failed(name, text) }),
    };
    wait(cx, &init_delay.into())?;
    outcome.result = Some(result.truthy());
    outcome.comment =
        if result.truthy() { format!("Service {done}") } else { format!("Failed to {verb} the service") }.into();
    outcome.changes.insert(name, result);
    Ok(outcome)
}

/// Have a beacon watch the service.
#[exec]
pub(super) fn mod_beacon(cx: &Cx, name: Value, kwargs: KwArgs) -> Result {
    let kwargs = kwargs.0;
    let sfun = kwargs.get("sfun").cloned().unwrap_or_default();
    if !matches!(sfun.as_str(), Some("running" | "dead")) {
        let text = format!("service.{} does not work with the beacon state function", python_str(&sfun));
        return Ok(Outcome::failed(name, text).into());
    }
    if !kwargs.get("beacon").is_some_and(Value::truthy) {
        return Ok(Outcome::ok(name, "Not adding beacon.").into());
    }
    let given = kwargs.get("beacon_data").and_then(Value::as_map).cloned().unwrap_or_default();
    let or = |key: &str, default: Value| given.get(key).cloned().unwrap_or(default);
    let data = map! {
        "onchangeonly" => or("onchangeonly", true.into()),
        "delay" => or("delay", 0.into()),
        "emitatstartup" => or("emitatstartup", false.into()),
        "uncleanshutdown" => or("emitatstartup", Value::Nil),
    };
    let shown = python_str(&name);
    let args = Args::none()
        .with("name", format!("beacon_service_{shown}"))
        .with("services", map! { shown.as_str() => data })
        .with("interval", or("interval", 60.into()))
        .with("beacon_module", "service");
    cx.call_state("beacon.present", args)
}
