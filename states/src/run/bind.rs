//! From a chunk of low data to the arguments of its function, as stock's `format_call` does it.

use brine_core::Map;
use brine_core::call::{Args, CallError, Function, ParamKind, Result};
use brine_core::state::is_internal;

/// The arguments: what the function has a parameter for, and of the rest what is not for the runner, where it takes
/// more. `newer`: those of 3008, whose runner knows `no_log`.
///
/// # Errors
/// Words that the function does not know. Stock lets this end the whole run.
pub(crate) fn bind(function: &Function, full: &str, low: &Map, newer: bool) -> Result<Args> {
    let is_internal = |key: &str| is_internal(key) || newer && key == "no_log";
    let named = |key: &str| {
        function
            .params
            .iter()
            .any(|p| !matches!(p.kind, ParamKind::VarArgs | ParamKind::KwArgs) && p.name == key)
    };
    let more = function.takes_kwargs();
    let mut args = Args::none();
    let mut unknown = Vec::new();
    for (key, value) in low {
        let name = key.as_str().unwrap_or_default();
        if named(name) || (more && !is_internal(name)) {
            args.keyword.insert(key.clone(), value.clone());
        } else if !is_internal(name) {
            unknown.push(format!("'{}'", brine_core::text::python_str(key)));
        }
    }
    match unknown.as_slice() {
        [] => Ok(args),
        [one] => Err(CallError::invocation(format!("{one} is an invalid keyword argument for '{full}'"))),
        [rest @ .., last] => Err(CallError::invocation(format!(
            "{} and {last} are invalid keyword arguments for '{full}'",
            rest.join(", ")
        ))),
    }
}
