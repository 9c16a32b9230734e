//! States for orchestrations: each has minions or the master do something, and tells what came of it.
//!
//! Written for the master (`salt-run state.orchestrate`); on a minion without a master, `salt.state` applies states to that minion.

mod events;
mod minions;
mod on_master;

use brine_core::Map;
use brine_core::Value;
use brine_core::call::Cx;
use brine_core::state::state_module;
use events::*;
use minions::*;
use on_master::*;

state_module! { "salt": function, parallel_runners, runner, state, wait_for_event, wheel }

/// The id of the orchestration that this state is part of.
fn orchestration(cx: &Cx) -> Option<Value> {
    cx.step.as_ref()?.low.get("__orchestration_jid__").cloned()
}

/// Tells the master's bus what is about to be done.
fn tell(cx: &Cx, what: Map) {
    let Some(jid) = orchestration(cx).filter(|_| cx.opts.str("__role") == "master") else { return };
    let tag = format!("salt/run/{}/args", brine_core::text::python_str(&jid));
    if let Err(e) = cx.host.fire_local(&tag, what) {
        tracing::warn!("Failed to fire args event {tag}: {e}");
    }
}

/// A deprecated mark of results, where it is asked for.
fn is_marked(cx: &Cx) -> bool {
    let features = cx.opts.get("features");
    features.and_then(|all| all.get("enable_deprecated_orchestration_flag")).is_some_and(Value::truthy)
}
