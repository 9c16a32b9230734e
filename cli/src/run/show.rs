//! What `salt-run` prints: results, progress, documentation.

use brine_core::{Map, Opts, Value, map};

use crate::exit::Result;
use crate::output::Output;

/// Prints a value with the outputter that it names, unless the user has chosen one.
fn value(opts: &Opts, value: &Value, outputter: Option<&str>) -> Result {
    Output::new(opts)?.show(value, outputter.unwrap_or("nested"))
}

/// Prints an event of a run's progress.
pub(super) fn progress(opts: &Opts, event: &Map) -> Result {
    let shown = map! {"suffix" => "progress", "event" => event.clone()};
    value(opts, &shown.into(), event.get_str("outputter"))
}

/// Prints what a run has returned: `{"data": .., "outputter": ..}` says how.
pub(super) fn result(opts: &Opts, returned: &Value) -> Result {
    match (returned.get("data"), returned.get("outputter").and_then(Value::as_str), returned.as_map()) {
        (Some(data), Some(outputter), Some(map)) if map.len() == 2 => value(opts, data, Some(outputter)),
        (_, outputter, _) => value(opts, returned, outputter),
    }
}

/// The functions' documentation, as a map by name, as stock shows it where a call fails.
pub(super) fn docs(docs: &[(&str, &str)]) -> Value {
    docs.iter().map(|(name, doc)| (Value::from(*name), Value::from(*doc))).collect::<Map>().into()
}
