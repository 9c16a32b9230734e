//! What `salt-call` prints.

use super::failure::Failure;
use brine_core::call::Cx;
use brine_core::{Opts, Value};

pub(super) fn result(data: &Value, _out: &str, _opts: &Opts, _retcode: i64) -> Result<(), Failure> {
    super::print(&format!("{}\n", brine_core::text::python_repr(data)));
    Ok(())
}

/// Prints the documentation of the functions whose names begin so.
pub(super) fn docs(cx: &Cx, prefix: &str) -> u8 {
    for (name, function) in cx.registry.iter().filter(|(n, f)| n.starts_with(prefix) && !f.doc.is_empty()) {
        super::print(&format!("{name}:\n{}\n\n", function.doc));
    }
    0
}
