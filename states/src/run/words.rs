//! What chunks and their functions are called: the tags that results are kept by, and full names.

use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::borrow::Cow;

/// A member as Python's `format` writes it.
fn text<'a>(low: &'a Map, key: &str) -> Cow<'a, str> {
    match low.get(key) {
        Some(Value::Str(text)) => text.into(),
        other => other.map(python_str).unwrap_or_default().into(),
    }
}

/// The full name of a chunk's function.
pub(crate) fn full_name(low: &Map) -> String {
    [&text(low, "state"), ".", &text(low, "fun")].concat()
}

/// Puts `__sls__`, `__id__` and `name` of a chunk into its result.
pub(crate) fn say_whose(ret: &mut Map, low: &Map) {
    for key in ["__sls__", "__id__", "name"] {
        ret.insert(key, low.get(key).cloned());
    }
}
