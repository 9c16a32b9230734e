//! The mine: results of a few functions that the master keeps for other minions to ask for.

use super::attached::Attached;
use brine_core::Value;
use brine_core::call::Args;
use std::sync::Arc;

/// Runs `mine.update` on a thread of its own.
pub(super) fn update(attached: &Arc<Attached>) {
    if !attached.opts.get("mine_enabled").is_none_or(Value::truthy) {
        return;
    }
    let cx = attached.cx();
    if cx.registry.get("mine.update").is_none() {
        return;
    }
    let started = std::thread::Builder::new().name("mine".into()).spawn(move || {
        if let Err(e) = crate::jobs::outcome::call(&cx, "mine.update", Args::none()) {
            tracing::warn!("mine.update failed: {e}");
        }
    });
    if let Err(e) = started {
        tracing::error!("mine.update cannot be started: {e}");
    }
}
