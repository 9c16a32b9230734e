//! Which events are told, and how.

use super::manager::Event;
use brine_core::call::Result;
use brine_core::posixpath::dirname;
use brine_core::target::fnmatch;
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// The event as it is told, unless the configuration excludes it.
pub(super) fn tell(event: &Event, files: Option<&Value>) -> Result<Option<Map>> {
    let mut at = event.path.as_str();
    let of = loop {
        let options = files.and_then(|files| files.get(at));
        if options.is_some() || at == "/" || at.is_empty() {
            break options;
        }
        at = dirname(at);
    };
    let excludes = of.and_then(|of| of.get("exclude")).and_then(Value::as_list).unwrap_or_default();
    if excludes.iter().any(|exclude| is_excluded(&event.pathname, exclude)) {
        tracing::info!("Excluding {} from event for {at}", event.pathname);
        return Ok(None);
    }
    Ok(Some(map! { "tag" => event.path.as_str(), "path" => event.pathname.as_str(), "change" => event.name() }))
}

/// The pattern of an entry of `exclude`.
pub(super) fn pattern(exclude: &Value) -> String {
    match exclude {
        Value::Map(map) => map.keys().next().map(python_str).unwrap_or_default(),
        other => python_str(other),
    }
}

fn is_excluded(path: &str, exclude: &Value) -> bool {
    let pattern = pattern(exclude);
    if let Value::Map(map) = exclude {
        // One that is no regular expression keeps folders from being watched, and events of files are told all the same.
        let is_regex = map.values().next().and_then(|options| options.get("regex")).is_some_and(Value::truthy);
        return is_regex
            && match Regex::new(&pattern, Anchor::Search) {
                Ok(regex) => regex.is_match(path).unwrap_or(false),
                Err(_) => {
                    tracing::warn!("Failed to compile regex: {pattern}");
                    false
                }
            };
    }
    if pattern.contains('*') { fnmatch(path, &pattern) } else { path.starts_with(&pattern) }
}
