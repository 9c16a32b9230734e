//! Swap: what is used, and using it.

use crate::{settings, tools};
use brine_core::call::{Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

fn used() -> Result<Map> {
    let text = settings::text("/proc/swaps").map_err(|e| crate::hashutil::file_error(&e, "/proc/swaps"))?;
    let lines = settings::lines(&text).filter(|line| !line.starts_with("Filename"));
    Ok(lines
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, kind, size, used, priority, ..] = words[..] else { return None };
            Some((name, map! { "type" => kind, "size" => size, "used" => used, "priority" => priority }))
        })
        .collect())
}

/// The swap that is in use.
///
/// CLI Example: salt '*' mount.swaps
#[exec]
pub(super) fn swaps() -> Result<Map> {
    used()
}

/// Use a swap device or file.
///
/// CLI Example: salt '*' mount.swapon /root/swapfile
#[exec]
pub(super) fn swapon(cx: &Cx, name: String, priority: Option<Value>) -> Result<Map> {
    if let Some(stats) = used()?.remove(&name) {
        return Ok(map! { "stats" => stats, "new" => false });
    }
    let priority = priority.filter(Value::truthy).map(|priority| python_str(&priority));
    let mut words = vec!["swapon", &name];
    words.extend(priority.iter().flat_map(|priority| ["-p", priority]));
    tools::run(cx, &words)?;
    Ok(match used()?.remove(&name) {
        Some(stats) => map! { "stats" => stats, "new" => true },
        None => Map::new(),
    })
}

/// Use a swap device or file no more: whether that is so now; nothing if it was not in use.
///
/// CLI Example: salt '*' mount.swapoff /root/swapfile
#[exec]
pub(super) fn swapoff(cx: &Cx, name: String) -> Result {
    if !used()?.contains(&name) {
        return Ok(Value::Nil);
    }
    tools::run(cx, &["swapoff", &name])?;
    Ok((!used()?.contains(&name)).into())
}
