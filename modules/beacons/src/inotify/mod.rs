//! Files and folders: tells what the kernel says happened to them.

mod manager;
mod told;

use crate::config::{list, merged, shown};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use manager::{Manager, Wish};
use nix::sys::inotify::AddWatchFlags as Mask;

pub(crate) static BEACON: Beacon =
    Beacon { name: "inotify", unavailable: always, validate, look, lets_go: true };

/// Omits events of children that are gone from their folder. Not among the flags of the library.
const EXCL_UNLINK: u32 = 0x0400_0000;

/// What a mask may hold.
const VALID: [&str; 17] = [
    "access", "attrib", "close_nowrite", "close_write", "create", "delete", "delete_self", "excl_unlink", "ignored",
    "modify", "moved_from", "moved_to", "move_self", "oneshot", "onlydir", "open", "unmount",
];

/// The bits of a word of a mask; none of one that there is not.
fn bits(word: &str) -> Mask {
    match word {
        "excl_unlink" => Mask::from_bits_retain(EXCL_UNLINK),
        word => Mask::from_name(&format!("IN_{}", word.to_ascii_uppercase())).unwrap_or(Mask::empty()),
    }
}

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("inotify", config)?)?;
    let files = config.get("files").ok_or_else(|| refused("Configuration for inotify beacon must include files."))?;
    let files =
        files.as_map().ok_or_else(|| refused("Configuration for inotify beacon invalid, files must be a dict."))?;
    for options in files.values() {
        let options = options
            .as_map()
            .ok_or_else(|| refused("Configuration for inotify beacon must be a list of dictionaries."))?;
        if !["mask", "recurse", "auto_add"].iter().any(|option| options.contains(option)) {
            let words = "Configuration for inotify beacon must contain mask, recurse or auto_add items.";
            return Err(refused(words));
        }
        for option in ["auto_add", "recurse"] {
            if options.get(option).is_some_and(|value| value.as_bool().is_none()) {
                return Err(refused(format!("Configuration for inotify beacon {option} must be boolean.")));
            }
        }
        let Some(mask) = options.get("mask") else { continue };
        let mask = mask.as_list().ok_or_else(|| refused("Configuration for inotify beacon mask must be list."))?;
        if let Some(odd) = mask.iter().find(|word| !word.as_str().is_some_and(|word| VALID.contains(&word))) {
            let odd = python_str(odd);
            return Err(refused(format!("Configuration for inotify beacon invalid mask option {odd}.")));
        }
    }
    Ok(())
}

/// What is watched, and by which configuration.
#[derive(Default)]
struct State {
    manager: Option<Manager>,
    config: Map,
}

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let mut options = Map::new();
    for entry in shown(config)? {
        options.update(crate::config::map(entry)?.clone());
    }
    let state = kept.of::<State>();
    let mut told = Vec::new();
    if let Some(manager) = &mut state.manager {
        let coalesce = state.config.get("coalesce") == Some(&true.into());
        for event in manager.events(coalesce) {
            told.extend(told::tell(&event, state.config.get("files"))?);
        }
    }
    if state.manager.is_none() || state.config != options {
        // What the old one had heard was told above.
        state.manager = Some(Manager::new().map_err(|e| CallError::exception("OSError", e.to_string()))?);
        state.config = options;
    }
    if let Some(manager) = &mut state.manager {
        for (path, options) in state.config.get("files").and_then(Value::as_map).into_iter().flatten() {
            manager.want(&wish(path, options)?);
        }
    }
    Ok(told)
}

/// What a path's options ask for.
fn wish(path: &Value, options: &Value) -> Result<Wish> {
    let flag = |name: &str| options.get(name).is_some_and(Value::truthy);
    let mask = match options.get("mask") {
        Some(Value::List(words)) => words.iter().filter_map(Value::as_str).map(bits).collect(),
        _ => Mask::IN_CREATE | Mask::IN_DELETE | Mask::IN_MODIFY,
    };
    let patterns = match options.get("exclude") {
        Some(Value::List(list)) => list.iter().map(told::pattern).collect(),
        _ => Vec::new(),
    };
    Wish::new(&python_str(path), mask, flag("recurse"), flag("auto_add"), &patterns)
}

#[cfg(test)]
mod tests;
