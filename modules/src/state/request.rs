//! State runs that somebody asks for and the machine's administrator does: kept in `cachedir/req_state.p`.

use super::{apply::applied, cached};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{CallError, Map, Value, map};

const FILE: &str = "req_state.p";

fn known(cx: &Cx) -> Result<Map> {
    match cached::read(&cached::place(cx, FILE)?)? {
        Some(Value::Map(requests)) => Ok(requests),
        _ => Ok(Map::new()),
    }
}

/// Ask for a state run: it is tried in test mode, and kept for `state.run_request`. Takes what `state.apply` takes.
///
/// CLI Example: salt '*' state.request stuff,pkgs
#[exec]
pub(super) fn request(cx: &Cx, mods: Option<Value>, kwargs: KwArgs) -> Result {
    let mut kwargs = kwargs.0;
    kwargs.insert("test", true);
    let mods = mods.unwrap_or_default();
    let ret = applied(cx, mods.clone(), kwargs.clone())?;
    let mut requests = known(cx)?;
    let name = kwargs.get("name").cloned().unwrap_or_else(|| "default".into());
    requests.insert(name, map! {"test_run" => ret.clone(), "mods" => mods, "kwargs" => kwargs});
    cached::keep(&cached::place(cx, FILE)?, &requests.into());
    Ok(ret)
}

/// Return the state runs that were asked for, or one of them.
///
/// CLI Example: salt '*' state.check_request
#[exec]
pub(super) fn check_request(cx: &Cx, name: Option<Value>) -> Result {
    let requests = known(cx)?;
    match name.filter(Value::truthy) {
        None => Ok(requests.into()),
        Some(name) => {
            let found = requests.get_key(&name).cloned();
            found.ok_or_else(|| CallError::exception("KeyError", brine_core::text::python_repr(&name)))
        }
    }
}

/// Forget a state run that was asked for, or all.
///
/// CLI Example: salt '*' state.clear_request
#[exec]
pub(super) fn clear_request(cx: &Cx, name: Option<Value>) -> Result<bool> {
    let file = cached::place(cx, FILE)?;
    if !file.is_file() {
        return Ok(true);
    }
    let Some(name) = name.filter(Value::truthy) else {
        forget(cx)?;
        return Ok(true);
    };
    let mut requests = known(cx)?;
    if requests.remove_key(&name).is_none() {
        return Ok(false);
    }
    cached::keep(&file, &requests.into());
    Ok(true)
}

fn forget(cx: &Cx) -> Result<()> {
    if let Err(e) = std::fs::remove_file(cached::place(cx, FILE)?) {
        tracing::debug!("{FILE} cannot be removed: {e}");
    }
    Ok(())
}

/// Do a state run that was asked for.
///
/// CLI Example: salt '*' state.run_request
#[exec]
pub(super) fn run_request(cx: &Cx, #[default("default")] name: Value, kwargs: KwArgs) -> Result {
    let requests = known(cx)?;
    let nothing = Ok(Map::new().into());
    let Some(request) = requests.get_key(&name).and_then(Value::as_map) else { return nothing };
    let (Some(mods), Some(given)) = (request.get("mods"), request.get("kwargs").and_then(Value::as_map)) else {
        return nothing;
    };
    let given = given.clone();
    // What the asking job was is no business of this one.
    let mut given: Map = given.into_iter().filter(|(key, _)| !python_str(key).starts_with("__pub_")).collect();
    given.update(kwargs.0);
    given.remove("test");
    let ret = applied(cx, mods.clone(), given)?;
    forget(cx)?;
    Ok(ret)
}
