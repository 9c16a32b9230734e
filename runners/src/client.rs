//! Jobs for minions as runners start them: all returns in one dict, and what goes wrong said to the person who waits.
//!
//! As stock's `LocalClient.cmd` within a runner.

use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};

use crate::host::master;
use crate::side::{Order, collect};

/// Id to `return`, in the order in which minions return; those that do not have `False`.
///
/// # Errors
/// When the master cannot be asked or refuses.
pub(crate) fn cmd(cx: &Cx, order: &Order) -> Result<Map> {
    let side = &*master(cx)?.side;
    let mut all = Map::new();
    let ended = collect(side, order, &mut |id, mut answer| {
        all.insert(id, answer.remove("return").unwrap_or_default());
        Ok(())
    })?;
    if ended.jid.is_empty() {
        side.print("No minions matched the target. No command was sent, no jid was assigned.");
    }
    for id in ended.silent {
        all.insert(id, false);
    }
    Ok(all)
}

/// As [`cmd`]; a master that cannot be asked is said to the person who waits, and makes None.
///
/// # Errors
/// What is no failure of the client.
pub(crate) fn try_cmd(cx: &Cx, order: &Order) -> Result<Option<Map>> {
    match cmd(cx, order) {
        Ok(all) => Ok(Some(all)),
        Err(CallError::Client(text)) => {
            master(cx)?.side.print(&text);
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Text as a list at its commas, a list as it is, anything else as its text: Salt's `split_input`.
pub(crate) fn split_input(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(brine_core::text::python_str).collect(),
        other => brine_core::text::python_str(other).split(',').map(|part| part.trim().to_owned()).collect(),
    }
}
