//! What chunks and their functions are called: the tags that results are kept by, and full names.

use brine_core::Map;
use brine_core::text::python_str;

/// A member as Python's `format` writes it.
fn text(low: &Map, key: &str) -> String {
    low.get(key).map(python_str).unwrap_or_default()
}

/// The full name of a chunk's function.
pub(crate) fn full_name(low: &Map) -> String {
    format!("{}.{}", text(low, "state"), text(low, "fun"))
}

/// Puts `__sls__`, `__id__` and `name` of a chunk into its result.
pub(crate) fn say_whose(ret: &mut Map, low: &Map) {
    for key in ["__sls__", "__id__", "name"] {
        ret.insert(key, low.get(key).cloned());
    }
}
