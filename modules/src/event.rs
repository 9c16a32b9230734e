//! Events from the minion: on its own bus, and to its master.

use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::{Map, Value, map};
use std::time::Duration;

module! { "event": fire, fire_master, send }

/// How long a master may take to accept an event; stock's own limit for a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Whether the minion works without a master.
pub(crate) fn is_local(cx: &Cx) -> bool {
    let local = cx.opts.flag("local") || cx.opts.str("file_client") == "local";
    local && !cx.opts.flag("use_master_when_local")
}

fn to_master(cx: &Cx, data: Value, tag: &str, preload: Option<Value>) -> Result<bool> {
    if is_local(cx) {
        tracing::warn!("Local mode detected. Event with tag {tag} will NOT be sent.");
        return Ok(false);
    }
    let mut load = map! { "id" => cx.opts.str("id"), "tag" => tag, "data" => data, "cmd" => "_minion_event" };
    if let Some(Value::Map(preload)) = preload {
        load.update(preload);
    }
    sent(cx.host.master_request(load, TIMEOUT).map(drop))
}

/// A failure to send is `False`, as in stock; only the end of the job is a failure of the call.
fn sent(result: Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::debug!("event not sent: {e}");
            Ok(false)
        }
    }
}

fn on_own_bus(cx: &Cx, data: Value, tag: &str) -> Result<bool> {
    match data {
        Value::Map(data) => sent(cx.host.fire_local(tag, data)),
        _ => Ok(false),
    }
}

/// Fire an event on the master's bus. `preload` adds to the message that carries it.
///
/// CLI Example: salt '*' event.fire_master '{"data":"my event data"}' 'tag'
#[exec]
fn fire_master(cx: &Cx, data: Value, tag: String, preload: Option<Value>) -> Result<bool> {
    to_master(cx, data, &tag, preload)
}

/// Fire an event on the minion's own bus.
///
/// CLI Example: salt '*' event.fire '{"data":"my event data"}' 'tag'
#[exec]
fn fire(cx: &Cx, data: Value, tag: String) -> Result<bool> {
    on_own_bus(cx, data, &tag)
}

/// Send an event to the master (without one, to the minion's own bus). Its data are the dict `data` and all further
/// keyword arguments; `with_env`, `with_grains` and `with_pillar` add the environment, grains and pillar, all (`True`)
/// or those in a list, and `with_env_opts` the `saltenv` and `pillarenv`.
///
/// CLI Example: salt-call event.send myco/mytag foo=Foo bar=Bar
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn send(
    cx: &Cx,
    tag: String,
    data: Option<Value>,
    preload: Option<Value>,
    #[default(false)] with_env: Value,
    #[default(false)] with_grains: Value,
    #[default(false)] with_pillar: Value,
    #[default(false)] with_env_opts: bool,
    kwargs: KwArgs,
) -> Result<bool> {
    let mut all = Map::new();
    if with_env.truthy() {
        all.insert("environ", subset(&crate::environ::as_map(cx), &with_env));
    }
    if with_grains.truthy() {
        all.insert("grains", subset(&cx.grains, &with_grains));
    }
    if with_pillar.truthy() {
        all.insert("pillar", subset(&cx.pillar, &with_pillar));
    }
    if with_env_opts {
        all.insert("saltenv", cx.opts.get("saltenv").cloned().unwrap_or_else(|| "base".into()));
        all.insert("pillarenv", cx.opts.get("pillarenv").cloned());
    }
    all.update(kwargs.0);
    if let Some(Value::Map(data)) = data {
        all.update(data);
    }
    let no_master = cx.opts.str("master_type") == "disable" && !cx.opts.flag("use_master_when_local");
    if is_local(cx) || no_master {
        on_own_bus(cx, all.into(), &tag)
    } else {
        to_master(cx, all.into(), &tag, preload)
    }
}

/// All of a map, or the entries that a list names.
fn subset(map: &Map, wanted: &Value) -> Map {
    let mut map = map.clone();
    if let Value::List(keys) = wanted {
        map.retain(|key, _| keys.contains(key));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry};
    use std::sync::Arc;

    #[test]
    fn a_minion_without_a_master_may_use_one_all_the_same() {
        for (with_master, local) in [(false, true), (true, false)] {
            let opts = map! {"file_client" => "local", "use_master_when_local" => with_master};
            let cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::default()), Arc::new(NoHost));
            assert_eq!(is_local(&cx), local);
        }
    }
}
